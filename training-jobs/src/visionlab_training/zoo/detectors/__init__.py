"""One file a family of detectors; each has a `DETECTORS`, by name."""
