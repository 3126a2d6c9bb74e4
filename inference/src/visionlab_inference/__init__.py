"""Running models: one protocol for every backend, and detection and generation as typed functions above it."""
