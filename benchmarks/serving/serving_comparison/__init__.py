"""VisionLab beside other servers: the same ONNX file, the same photos, the same machine, in one run."""
