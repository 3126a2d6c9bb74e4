"""The training loops and what they stand on: checkpoints, progress, gradients."""
