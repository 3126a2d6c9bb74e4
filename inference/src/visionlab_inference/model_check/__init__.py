"""Is an ONNX file from elsewhere one that may be served? Found out in a process of its own, with limits.

A model is data, not code: it holds operators that ONNX Runtime knows, and everything that they need. What it then does with an
image is tried, not believed.
"""

from visionlab_inference.model_check.sandbox import CheckedModel, CheckLimits, UnusableUpload, check_in_sandbox

__all__ = ["CheckLimits", "CheckedModel", "UnusableUpload", "check_in_sandbox"]
