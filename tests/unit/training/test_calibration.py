"""Probabilities that mean what they say."""

import numpy as np
import pytest

from visionlab_training.evaluation.calibration import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    fit_temperature,
    reliability,
    with_temperature,
)


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def honest(count, scale=2.0, seed=0):
    """Logits [count, 4] and labels drawn from their softmax: calibrated by construction."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (count, 4))
    labels = np.array([rng.choice(4, p=p / p.sum()) for p in softmax(logits).astype(np.float64)])
    return logits, labels


def test_ece_of_a_case_by_hand():
    # Two images at 0.9, one right; two at 0.6, both right.
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]], np.float32)
    diagram = reliability(probabilities, np.array([0, 1, 0, 1]))
    assert diagram.expected_calibration_error == pytest.approx(0.5 * abs(0.5 - 0.9) + 0.5 * abs(1 - 0.6))
    assert diagram.count.sum() == 4
    assert sorted(diagram.count[diagram.count > 0]) == [2, 2]


def test_ece_of_sure_and_right_answers_is_zero():
    assert reliability(np.eye(4, dtype=np.float32), np.arange(4)).expected_calibration_error == 0


@pytest.mark.parametrize("temperature", [0.5, 1.7, 3.0])
def test_the_temperature_of_an_overconfident_model_is_recovered(temperature):
    logits, labels = honest(6000)
    found = fit_temperature(softmax(logits * temperature), labels)
    assert found == pytest.approx(temperature, rel=0.06)
    before = reliability(softmax(logits * temperature), labels).expected_calibration_error
    after = reliability(with_temperature(softmax(logits * temperature), found), labels).expected_calibration_error
    assert after < 0.03 < before


def test_the_fit_is_the_minimum_of_the_likelihood():
    logits, labels = honest(500)
    probabilities = softmax(logits * 2.5)

    def loss(temperature):
        tempered = with_temperature(probabilities, temperature)
        return -np.log(tempered[np.arange(len(labels)), labels]).mean()

    best = fit_temperature(probabilities, labels)
    assert loss(best) < min(loss(best * 0.95), loss(best * 1.05), loss(1.0))


def test_a_calibrated_model_keeps_its_probabilities():
    logits, labels = honest(20000)
    assert fit_temperature(softmax(logits), labels) == pytest.approx(1, abs=0.04)


def test_without_a_mistake_there_is_nothing_to_fit():
    assert fit_temperature(np.array([[0.9, 0.1], [0.2, 0.8]], np.float32), np.array([0, 1])) == 1
    assert fit_temperature(np.array([[0.9, 0.1]], np.float32), np.array([0])) == 1


def test_hopeless_models_get_the_ends_of_the_range():
    sure = np.tile(np.array([[1 - 1e-6, 1e-6]], np.float32), (100, 1))
    assert fit_temperature(sure, np.arange(100) % 2) == MAX_TEMPERATURE
    modest = np.tile(np.array([[0.6, 0.4]], np.float32), (1000, 1))
    assert fit_temperature(modest, (np.arange(1000) < 1).astype(int)) == MIN_TEMPERATURE


def test_probabilities_of_exactly_zero_do_no_harm():
    probabilities = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    found = fit_temperature(probabilities, np.array([0, 0, 1]))
    assert MIN_TEMPERATURE <= found <= MAX_TEMPERATURE
    assert np.isfinite(with_temperature(probabilities, found)).all()


@pytest.mark.parametrize(
    ("probabilities", "labels"),
    [
        (np.empty((0, 4), np.float32), np.empty(0, int)),
        (np.ones((3, 4), np.float32) / 4, np.zeros(2, int)),
        (np.full((2, 4), np.nan, np.float32), np.zeros(2, int)),
    ],
)
def test_what_is_no_set_of_probabilities_is_refused(probabilities, labels):
    with pytest.raises(ValueError, match="not"):
        fit_temperature(probabilities, labels)


def test_a_temperature_can_be_taken_out_again():
    logits, _ = honest(50, scale=1.0)
    probabilities = softmax(logits)
    tempered = with_temperature(probabilities, 2.5)
    np.testing.assert_allclose(tempered, softmax(logits / 2.5), atol=1e-6)
    np.testing.assert_allclose(with_temperature(tempered, 1 / 2.5), probabilities, atol=1e-5)
