"""Heads of ensembles: only those that fit are taken."""

from __future__ import annotations

import io

import numpy as np
import pytest
from support.tiny_models import DETECTOR, GENERATOR, SECOND_DETECTOR, detector_card

from visionlab_inference.backend import ModelVersion
from visionlab_inference.ensemble_head import EnsembleHead, UnusableHead, read_head

CARD = detector_card(b"", GENERATOR, "stack").model_copy(
    update={"base_models": (DETECTOR, SECOND_DETECTOR), "base_versions": (1, 2), "temperature": 2.0}
)
RNG = np.random.default_rng(0)
STACK = {
    "mix/kernel": RNG.normal(size=(8, 12)).astype(np.float16),
    "mix/bias": RNG.normal(size=12).astype(np.float32),
    "probabilities/kernel": RNG.normal(size=(12, 4)).astype(np.float16),
    "probabilities/bias": RNG.normal(size=4).astype(np.float32),
}
ANSWERS = [RNG.dirichlet(np.ones(4), 5).astype(np.float32) for _ in range(2)]


def npz(arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def test_a_stack_is_its_two_layers_and_its_temperature():
    head = read_head(CARD, npz(STACK))
    assert head.bases == (ModelVersion(DETECTOR, 1), ModelVersion(SECOND_DETECTOR, 2))
    wide = {name: value.astype(np.float64) for name, value in STACK.items()}
    mixed = np.maximum(np.hstack(ANSWERS) @ wide["mix/kernel"] + wide["mix/bias"], 0)
    powers = np.exp((mixed @ wide["probabilities/kernel"] + wide["probabilities/bias"]) / 2)
    np.testing.assert_allclose(head(ANSWERS), powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_vote_is_the_mean():
    plain = read_head(CARD.model_copy(update={"temperature": 1.0}), npz({}))
    assert plain == EnsembleHead(plain.bases, None)
    np.testing.assert_allclose(plain(ANSWERS), np.mean(ANSWERS, axis=0), atol=1e-7)
    cooler = read_head(CARD, npz({}))(ANSWERS)
    assert (cooler.argmax(axis=1) == np.mean(ANSWERS, axis=0).argmax(axis=1)).all()
    assert (cooler.max(axis=1) < np.mean(ANSWERS, axis=0).max(axis=1)).all()


@pytest.mark.parametrize(
    ("card", "weights", "says"),
    [
        (CARD.model_copy(update={"base_versions": ()}), npz(STACK), "does not name"),
        (CARD, b"no archive", "cannot be read"),
        (CARD, npz(STACK)[:-200], "cannot be read"),
        (CARD, npz({"mix/kernel": np.array([{}], object)}), "cannot be read"),
        (CARD, npz({"conv/kernel": np.zeros(3)}), "lack"),
        (CARD, npz(STACK | {"mix/kernel": np.zeros((12, 12))}), "do not fit its 2 bases"),
    ],
)
def test_weights_of_something_else_are_refused(card, weights, says):
    with pytest.raises(UnusableHead, match=says):
        read_head(card, weights)
