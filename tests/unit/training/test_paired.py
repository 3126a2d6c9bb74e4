"""Is one of two detectors better? Held to arithmetic that can be done by hand, and to the normal distribution."""

from __future__ import annotations

from math import comb, sqrt

import numpy as np
import pytest

from visionlab_training.evaluation.paired import agreement, balanced_accuracy, balanced_gain, mcnemar


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (0, 1, 1.0),
        (0, 5, 2 / 32),
        (0, 6, 2 / 64),
        (1, 9, 22 / 1024),
        # Sums of binomial coefficients, twice, over the number of ways in which the coins can fall.
        (10, 20, 2 * 53_009_102 / 2**30),
        (15, 40, 2 * 18_299_876_179_712 / 2**55),
        (40, 15, 2 * 18_299_876_179_712 / 2**55),
    ],
)
def test_mcnemars_exact_test(first, second, p):
    assert mcnemar(first, second) == pytest.approx(p, rel=1e-12)


def test_many_images_are_counted_exactly():
    assert mcnemar(30_000, 30_000) == 1.0
    assert 0 <= mcnemar(10_000, 12_000) < 1e-30
    exact = 2 * sum(comb(2000, heads) for heads in range(951)) / 2**2000
    assert mcnemar(950, 1050) == pytest.approx(exact, rel=1e-12)


def test_agreement_counts_every_image_once():
    first, second = np.array([True, True, False, False, True]), np.array([True, False, True, False, True])
    counts = agreement(first, second)
    assert (counts.both_right, counts.only_champion, counts.only_challenger, counts.both_wrong) == (2, 1, 1, 1)


def test_small_classes_count_as_much_as_large_ones():
    labels = np.array([0] * 90 + [1] * 10)
    assert balanced_accuracy(labels == 0, labels) == 0.5
    gain = balanced_gain(labels == 0, np.ones(100, bool), labels)
    assert (gain.value, gain.low, gain.high) == (0.5, 0.5, 0.5)


def test_the_interval_is_that_of_the_normal_distribution_where_images_are_many():
    generator = np.random.default_rng(1)
    labels = np.repeat([0, 1], 4000)
    first, second = generator.random(8000) < 0.70, generator.random(8000) < 0.75
    gain = balanced_gain(first, second, labels)
    won = second.astype(int) - first
    error = sqrt(sum(won[labels == each].var() / 4000 for each in (0, 1))) / 2
    assert gain.low == pytest.approx(gain.value - 1.96 * error, abs=0.001)
    assert gain.high == pytest.approx(gain.value + 1.96 * error, abs=0.001)
    assert gain == balanced_gain(first, second, labels), "the same images give the same interval"


def test_the_interval_holds_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(2)
    labels = np.repeat([0, 1], 60)
    held = 0
    for _ in range(200):
        gain = balanced_gain(generator.random(120) < 0.6, generator.random(120) < 0.7, labels)
        held += gain.low <= 0.1 <= gain.high
    assert 180 <= held <= 198


def test_an_interval_encloses_nothing_where_both_are_the_same():
    right = np.array([True, False] * 10)
    gain = balanced_gain(right, right, np.repeat([0, 3], 10))
    assert (gain.value, gain.low, gain.high) == (0, 0, 0)
