"""The training loops and what they stand on: checkpoints, progress, gradients."""

from __future__ import annotations

from pathlib import Path

from visionlab_core.training_spec import DetectorTraining, EnsembleTraining, GeneratorTraining


def run_training(
    spec: DetectorTraining | EnsembleTraining | GeneratorTraining, folder: Path, *, budget: float | None = None
) -> bool:
    """Train what a spec says, or go on with it, in `folder`; False where a signal stopped it.

    Raises:
        As `train_detector`, `train_ensemble` and `train_generator`.
    """
    # Keras is imported here, and not by whoever imports a part of this package.
    import keras

    from visionlab_training.training.detector import train_detector
    from visionlab_training.training.ensemble import train_ensemble
    from visionlab_training.training.gan import train_generator

    keras.config.set_dtype_policy("mixed_bfloat16" if spec.precision == "bfloat16" else "float32")
    if isinstance(spec, DetectorTraining):
        return train_detector(spec, folder, budget=budget)
    if isinstance(spec, EnsembleTraining):
        return train_ensemble(spec, folder, budget=budget)
    return train_generator(spec, folder, budget)
