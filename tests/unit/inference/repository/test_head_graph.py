"""Heads as graphs answer as the ensembles do, and say the same in the same bytes."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from support.tiny_ensembles import base, npz, stack, stack_weights

from visionlab_inference.ensemble_head import read_head
from visionlab_inference.repository import head_graph, head_input

BASES = [base(0), base(1)]
ANSWERS = [np.random.default_rng(seed).dirichlet(np.ones(4), 7).astype(np.float32) for seed in (0, 1)]


@pytest.mark.parametrize("temperature", [1.0, 0.6, 2.0])
@pytest.mark.parametrize("vote", [False, True])
def test_a_head_answers_as_its_ensemble_does(vote, temperature):
    card, _, weights = stack(BASES, temperature=temperature, vote=vote)
    head = read_head(card, weights)
    data = head_graph(head)
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    [answer] = session.run(["probabilities"], {head_input(i): value for i, value in enumerate(ANSWERS)})
    np.testing.assert_allclose(answer, head(ANSWERS), atol=1e-6)


def test_a_vote_of_a_base_that_is_certain_is_a_number():
    card, _, weights = stack(BASES, temperature=2.0, vote=True)
    session = ort.InferenceSession(head_graph(read_head(card, weights)), providers=["CPUExecutionProvider"])
    certain = np.eye(4, dtype=np.float32)
    [answer] = session.run(["probabilities"], {head_input(i): certain for i in range(2)})
    assert np.isfinite(answer).all()


def test_equal_heads_are_equal_bytes():
    card, _, weights = stack(BASES)
    assert head_graph(read_head(card, weights)) == head_graph(read_head(card, weights))
    assert head_graph(read_head(card, weights)) != head_graph(read_head(card, npz(stack_weights(1))))
