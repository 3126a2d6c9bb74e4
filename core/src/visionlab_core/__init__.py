"""The contracts that every room of VisionLab shares."""
