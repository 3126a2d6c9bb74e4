"""Losses and penalties of GANs. Logits are float32 [N, 1], pictures float32 [N, S, S, 3]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from visionlab_training.training.gradients import gradient


def generator_loss(fake_logits: Any) -> Any:
    """Non-saturating logistic loss (Goodfellow et al., 2014, arXiv:1406.2661)."""
    return ops.mean(ops.softplus(-fake_logits))


def discriminator_loss(real_logits: Any, fake_logits: Any) -> Any:
    """Logistic loss of telling real from generated pictures."""
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def r1_penalty(discriminator: Callable[[Any], Any], pictures: Any) -> Any:
    """Mean squared norm of the logits' gradient by real pictures (Mescheder et al., 2018, arXiv:1801.04406), a scalar."""
    slopes = gradient(lambda at: ops.sum(discriminator(at)), pictures)
    return ops.mean(ops.sum(ops.square(slopes), axis=(1, 2, 3)))


def path_lengths(synthesis: Callable[[Any], Any], styles: Any, directions: Any) -> Any:
    """How far the picture moves for a step in w: float32 [N] (Karras et al., 2020, arXiv:1912.04958, section 3.2).

    The norm of J^T y, where J is the Jacobian of the picture by the styles [N, layers, L], root mean square over the layers, and
    y are the `directions`: standard normal pictures divided by their side.
    """
    slopes = gradient(lambda at: ops.sum(synthesis(at) * directions), styles)
    return ops.sqrt(ops.mean(ops.sum(ops.square(slopes), axis=2), axis=1))
