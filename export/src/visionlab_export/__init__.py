"""Keras model to SavedModel, ONNX and a Triton version folder, behind a parity gate.

`visionlab_export.export.export_model` does all of it; `visionlab_export.cli` is the command. Importing this package imports no
TensorFlow; its modules do.
"""
