"""The noise of a seed: a promise to every face ever made."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from visionlab_inference.seeds import Latent, Step, noise_of, uniform_latents


def test_noise_of_a_seed_is_what_it_always_was():
    assert uniform_latents([0], 4)[0].tolist() == [
        -0.9769065380096436,
        -0.5169016122817993,
        -0.7771483659744263,
        0.1288292407989502,
    ]
    assert uniform_latents([1], 4)[0].tolist() == [
        -0.3928639888763428,
        0.6974174976348877,
        -0.6877305507659912,
        -0.9377871751785278,
    ]
    assert uniform_latents([2**53 - 1], 1)[0].tolist() == [-0.19010579586029053]
    many = uniform_latents(range(100), 100).astype("<f4").tobytes()
    assert hashlib.sha256(many).hexdigest() == "b81498d27b4c30430a04a731264e15ca71b96f6ea95768864393d0330133f667"


def test_row_depends_on_its_seed_alone():
    together = uniform_latents([7, 3, 7, 2**64 - 1], 100)
    assert np.array_equal(together[0], together[2])
    for row, seed in zip(together, [7, 3, 7, 2**64 - 1], strict=True):
        assert np.array_equal(row, uniform_latents([seed], 100)[0])


def test_longer_noise_begins_as_the_shorter_does():
    assert np.array_equal(uniform_latents([5], 512)[0, :100], uniform_latents([5], 100)[0])


def test_noise_is_uniform_between_minus_one_and_one():
    noise = uniform_latents(range(1000), 100)
    assert noise.dtype == np.float32
    assert noise.min() >= -1
    assert noise.max() < 1
    shares = np.histogram(noise, bins=10, range=(-1, 1))[0] / noise.size
    assert np.abs(shares - 0.1).max() < 0.005
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.1


def test_neighbouring_seeds_have_nothing_in_common():
    assert np.unique(uniform_latents(range(1000), 8), axis=0).shape == (1000, 8)


@pytest.mark.parametrize("seed", [-1, 2**128])
def test_number_that_is_no_seed_is_refused(seed):
    with pytest.raises((ValueError, OverflowError)):
        uniform_latents([seed], 4)


def test_no_seeds_give_no_rows():
    assert uniform_latents([], 100).shape == (0, 100)


def test_noise_of_a_neighbour_is_what_it_always_was():
    [row] = noise_of([Latent(0, (Step(1, 0.3), Step(2, 1.0)))], 4)
    assert row.tolist() == [-0.9274032115936279, -0.6597265601158142, -0.26090747117996216, -0.020297974348068237]
    many = noise_of([Latent(seed, (Step(seed + 1, 0.7),)) for seed in range(100)], 100).astype("<f4").tobytes()
    assert hashlib.sha256(many).hexdigest() == "66ab4a7cbcda45bdbdca22267e11a7784fdbd382780003ec04d5d1e854e7a57b"


def test_latent_without_steps_is_the_noise_of_its_seed():
    assert np.array_equal(noise_of([Latent(7), Latent(3)], 100), uniform_latents([7, 3], 100))


@pytest.mark.parametrize("distance", [0.2, 1.0])
def test_neighbours_are_near_and_as_uniform_as_any(distance):
    noise = noise_of([Latent(5, (Step(seed, distance),)) for seed in range(1000)], 100)
    assert np.abs(noise - uniform_latents([5], 100)).max() <= distance * (1 + 1e-6)
    noise = noise_of([Latent(seed, (Step(seed + 1000, distance),)) for seed in range(1000)], 100)
    assert np.abs(noise).max() <= 1
    shares = np.histogram(noise, bins=10, range=(-1, 1))[0] / noise.size
    assert np.abs(shares - 0.1).max() < 0.005


def test_steps_follow_each_other():
    near, far = (noise_of([Latent(5, tuple(Step(seed, 0.3) for seed in range(count)))], 500) for count in (1, 9))
    own = uniform_latents([5], 500)
    assert np.abs(far - own).mean() > 1.5 * np.abs(near - own).mean()
