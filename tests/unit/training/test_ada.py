"""What the discriminator sees: augmentations, and how often."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionlab_core.training_spec.generator import AdaptiveAugmentation as Settings
from visionlab_training.training.ada import AdaptiveAugmentation, augment
from visionlab_training.training.diffaugment import diffaugment

AUGMENTATIONS = {"ada": lambda x, seeds: augment(x, 1.0, seeds), "diffaugment": diffaugment}


@pytest.fixture
def pictures():
    return np.repeat(np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)), 4, axis=0).astype(np.float32)


@pytest.fixture
def seeds():
    return keras.random.SeedGenerator(0)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_picture_is_changed_in_a_way_of_its_own_and_gradients_pass_through(pictures, seeds, name):
    at = tf.constant(pictures)
    with tf.GradientTape() as tape:
        tape.watch(at)
        seen = AUGMENTATIONS[name](at, seeds)
        total = tf.reduce_sum(tf.square(seen))
    gradient = np.asarray(tape.gradient(total, at))
    assert seen.shape == (4, 32, 32, 3)
    assert np.isfinite(seen).all()
    for other in range(1, 4):
        assert np.abs(np.asarray(seen[0] - seen[other])).mean() > 0.05
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).sum(axis=(1, 2, 3)) > 0).all()


def test_at_probability_0_nothing_changes(pictures, seeds):
    np.testing.assert_allclose(augment(pictures, 0.0, seeds), pictures, atol=1e-5)


def test_about_as_many_pictures_are_changed_as_the_probability_says(seeds):
    pictures = np.random.default_rng(0).uniform(-1, 1, (400, 8, 8, 3)).astype(np.float32)
    seen = np.asarray(augment(pictures, 0.1, seeds))
    untouched = (np.abs(seen - pictures).max(axis=(1, 2, 3)) < 1e-4).mean()
    # Twelve transformations; a flip, a luma flip and a quarter turn that are done leave half and a quarter as they are.
    assert untouched == pytest.approx(0.9**9 * 0.95**2 * 0.925, abs=0.08)


def test_a_picture_of_one_colour_stays_one(seeds):
    colours = np.random.default_rng(0).uniform(-1, 1, (6, 1, 1, 3)).astype(np.float32)
    seen = np.asarray(augment(np.broadcast_to(colours, (6, 16, 16, 3)), 1.0, seeds))
    np.testing.assert_allclose(seen, np.broadcast_to(seen[:, :1, :1], seen.shape), atol=1e-4)
    assert np.abs(seen - colours).max() > 0.1


@pytest.mark.parametrize(("logits", "direction"), [(1.0, 1), (-1.0, -1)])
def test_the_probability_rises_while_the_discriminator_overfits_and_falls_while_it_does_not(seeds, logits, direction):
    # 40 images of the 1000 in which it may go from 0 to 1.
    ada = AdaptiveAugmentation(Settings(target=0.6, kimg=1, every=4), batch_size=10, seeds=seeds)
    ada.probability.assign(0.5)
    for _ in range(4):
        ada.observe(np.full((10, 1), logits, np.float32))
    found = ada.adapt()
    assert float(found["overfitting"]) == logits
    assert float(ada.probability) == pytest.approx(0.5 + direction * 0.04)
    for _ in range(30):
        ada.observe(np.full((10, 1), logits, np.float32))
        ada.adapt()
    assert float(ada.probability) == (1 if direction > 0 else 0)


def test_only_the_signs_since_the_last_adjustment_count(seeds):
    ada = AdaptiveAugmentation(Settings(kimg=1), batch_size=10, seeds=seeds)
    ada.observe(np.full((10, 1), 3.0, np.float32))
    ada.adapt()
    ada.observe(np.array([[2.0], [-2.0]], np.float32))
    assert float(ada.adapt()["overfitting"]) == 0
