"""What can go wrong in a training that no input is to blame for."""

from __future__ import annotations


class TrainingDiverged(RuntimeError):
    """The loss, or a weight, is no longer a number. The last checkpoint, which is whole, is kept."""
