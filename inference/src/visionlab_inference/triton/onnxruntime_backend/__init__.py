"""A backend of Triton, in Python, that takes the place of its C++ backend for ONNX Runtime where that is not installed."""
