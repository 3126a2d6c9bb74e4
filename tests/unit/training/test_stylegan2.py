"""The networks of StyleGAN2 do what the paper says."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from visionlab_training.training.gan.losses import path_lengths, r1_penalty
from visionlab_training.zoo import stylegan2
from visionlab_training.zoo.stylegan2 import fir
from visionlab_training.zoo.stylegan2.layers import MinibatchDeviation, ModulatedConv, StyledConv


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def tiny(precision="float32"):
    return stylegan2.generator(
        16, latent_size=8, mapping_layers=2, mapping_learning_rate=0.01, base=128, most=8, precision=precision
    )


def parameters(network):
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def filtered(x):
    """A picture [H, W] through the binomial filter, with zeros around it; sides grow by 3."""
    kernel = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    padded = np.pad(x, 3)
    height, width = x.shape[0] + 3, x.shape[1] + 3
    return sum(kernel[i, j] * padded[i : i + height, j : j + width] for i in range(4) for j in range(4))


def test_the_networks_have_as_many_parameters_as_the_official_ones():
    # What the official implementation prints for its configuration paper256.
    sizes = {"base": 16384, "most": 512}
    generator = stylegan2.generator(256, latent_size=512, mapping_layers=8, mapping_learning_rate=0.01, **sizes)
    assert parameters(generator) == 24_767_458
    assert parameters(stylegan2.discriminator(256, **sizes)) == 24_001_089


@pytest.mark.parametrize("demodulated", [True, False])
def test_a_modulated_convolution_is_one_with_weights_of_its_own_for_each_picture(demodulated):
    layer = ModulatedConv(6, 3, demodulated=demodulated)
    x, w = normal(3, 5, 5, 4), normal(3, 7, seed=1)
    found = np.asarray(layer(x, w))
    styles = np.asarray(layer.style(w))
    for number in range(3):
        kernel = np.asarray(layer.kernel) / 6 * styles[number][:, None]  # 6: the root of 3 * 3 * 4 values a place is made from
        if demodulated:
            kernel = kernel / np.sqrt((kernel**2).sum(axis=(0, 1, 2)) + 1e-8)
        expected = np.asarray(ops.conv(x[number : number + 1], kernel, 1, "same"))[0]
        np.testing.assert_allclose(found[number], expected, rtol=1e-4, atol=1e-5)


def test_an_upsampling_convolution_spreads_convolves_and_filters():
    layer = ModulatedConv(2, 3, up=True, demodulated=False)
    x, w = normal(2, 4, 4, 3), normal(2, 7, seed=1)
    found = np.asarray(layer(x, w))
    assert found.shape == (2, 8, 8, 2)
    scaled = x * np.asarray(layer.style(w))[:, None, None]
    kernel = np.asarray(layer.kernel) / np.sqrt(27)
    spread = np.zeros((2, 9, 9, 2))
    for i, j, a, b in np.ndindex(4, 4, 3, 3):
        spread[:, 2 * i + a, 2 * j + b] += scaled[:, i, j] @ kernel[a, b]
    for number, channel in np.ndindex(2, 2):
        expected = 4 * filtered(spread[number, :, :, channel])[2:-2, 2:-2]
        np.testing.assert_allclose(found[number, :, :, channel], expected, rtol=1e-4, atol=1e-5)


def test_demodulation_gives_unit_variance():
    layer = ModulatedConv(16, 3)
    w = normal(32, 7, seed=1)
    inside = np.asarray(layer(normal(32, 24, 24, 8), w))[:, 1:-1, 1:-1]
    assert inside.var(axis=(0, 1, 2)) == pytest.approx(np.ones(16), abs=0.1)
    styles = np.asarray(layer.style(w))
    assert styles.var() > 0.3, "whatever the styles are"


def test_resampling_filters_with_1_3_3_1():
    x = normal(1, 6, 6, 1)
    spread = np.zeros((12, 12))
    spread[::2, ::2] = x[0, :, :, 0]
    np.testing.assert_allclose(fir.upsample(x)[0, :, :, 0], 4 * filtered(spread)[1:-2, 1:-2], atol=1e-5)
    np.testing.assert_allclose(fir.downsample(x)[0, :, :, 0], filtered(x[0, :, :, 0])[2:-2:2, 2:-2:2], atol=1e-5)
    even = fir.downsample(fir.upsample(np.ones((1, 16, 16, 2), np.float32)))
    np.testing.assert_allclose(even[:, 3:-3, 3:-3], np.ones((1, 10, 10, 2)), atol=1e-5)


def test_noise_is_drawn_in_training_and_constant_otherwise():
    layer = StyledConv(4, up=False)
    x, w = normal(2, 8, 8, 3), normal(2, 7, seed=1)
    plain = np.asarray(layer(x, w))
    np.testing.assert_array_equal(plain, layer(x, w, normal(2, 8, 8, 1, seed=2)), "at its start a layer does not listen to noise")
    layer.noise_strength.assign(0.5)
    np.testing.assert_array_equal(layer(x, w), layer(x, w))
    assert np.abs(np.asarray(layer(x, w)) - np.asarray(layer(x, w, normal(2, 8, 8, 1, seed=2)))).max() > 0.1


def test_uniform_noise_becomes_normal():
    latent = np.random.default_rng(0).uniform(-1, 1, (4000, 10)).astype(np.float32)
    z = np.asarray(stylegan2.NormalLatent()(latent))
    assert z.mean(axis=0) == pytest.approx(np.zeros(10), abs=0.08)
    assert np.cov(z.T) == pytest.approx(np.eye(10), abs=0.1)
    assert (np.abs(z) < 1).mean() == pytest.approx(0.6827, abs=0.01)
    assert np.isfinite(np.asarray(stylegan2.NormalLatent()(np.array([[1.0, -1.0], [-1.0, 1.0]], np.float32)))).all()


def test_truncation_draws_styles_towards_their_average():
    truncate = stylegan2.Truncation()
    w = normal(64, 5) + 3
    truncate.build(w.shape, (64, 1))
    for _ in range(3):
        truncate.follow(w)
    np.testing.assert_allclose(truncate.average, (1 - 0.995**3) * w.mean(axis=0), rtol=1e-3)
    psi = np.array([[0.0], [0.5], [1.0]], np.float32)
    drawn = np.asarray(truncate(w[:3], psi))
    np.testing.assert_allclose(drawn, psi * w[:3] + (1 - psi) * np.asarray(truncate.average), rtol=1e-5)


def test_coarse_layers_have_the_styles_of_the_latent_and_fine_ones_those_of_the_other():
    generator, random = tiny(), np.random.default_rng(0)
    first, second = (random.uniform(-1, 1, (2, 8)).astype(np.float32) for _ in range(2))
    mapping, normal = generator.get_layer("mapping"), generator.get_layer("normal")
    w, other = (np.asarray(mapping(normal(latent))) for latent in (first, second))
    synthesis, styles = generator.get_layer("synthesis"), generator.get_layer("styles")
    layers = synthesis.styles
    for crossover, coarse in ((0.0, 0), (0.5, math.ceil(layers / 2)), (1.0, layers)):
        wanted = np.concatenate(
            [np.repeat(w[:, None], coarse, axis=1), np.repeat(other[:, None], layers - coarse, axis=1)], axis=1
        )
        column = np.full((2, 1), crossover, np.float32)
        np.testing.assert_allclose(styles(w, other, column), wanted, atol=1e-6)
        pictures = generator([first, np.ones((2, 1), np.float32), second, column])
        np.testing.assert_allclose(pictures, synthesis(wanted), atol=1e-4)


def test_one_latent_makes_one_picture_and_truncation_0_the_mean_picture():
    generator = tiny()
    latent = np.random.default_rng(0).uniform(-1, 1, (3, 8)).astype(np.float32)
    full, mean = np.ones((3, 1), np.float32), np.zeros((3, 1), np.float32)
    pictures = np.asarray(generator([latent, full, latent, full]))
    assert pictures.shape == (3, 16, 16, 3)
    np.testing.assert_allclose(pictures[1], np.asarray(generator([latent[1:2], full[1:2], latent[1:2], full[1:2]]))[0], atol=1e-5)
    assert np.abs(pictures[0] - pictures[1]).max() > 0.1
    middle = np.asarray(generator([latent, mean, latent, full]))
    np.testing.assert_allclose(middle[0], middle[1], atol=1e-6)


def test_low_precision_stays_near_full_precision():
    noise, ones = np.random.default_rng(0).uniform(-1, 1, (4, 8)).astype(np.float32), np.ones((4, 1), np.float32)
    latent = [noise, ones, noise, ones]
    full, half = tiny(), tiny("bfloat16")
    half.set_weights(full.get_weights())
    exact, rough = np.asarray(full(latent)), half(latent)
    assert rough.dtype == "float32"
    assert np.abs(np.asarray(rough) - exact).mean() < 0.03 * exact.std()
    judges = [stylegan2.discriminator(16, base=128, most=8, precision=precision) for precision in ("float32", "bfloat16")]
    judges[1].set_weights(judges[0].get_weights())
    exact, rough = (judge(ops.clip(full(latent), -1, 1)) for judge in judges)
    assert rough.dtype == "float32"
    np.testing.assert_allclose(rough, exact, atol=0.1)
    assert np.abs(np.asarray(rough) - np.asarray(exact)).max() > 0


def test_the_discriminator_sees_how_much_a_batch_varies():
    same, varied = np.repeat(normal(1, 4, 4, 2), 4, axis=0), normal(4, 4, 4, 2)
    seen = np.asarray(MinibatchDeviation()(np.concatenate([same, varied])[[0, 4, 1, 5, 2, 6, 3, 7]]))
    assert seen.shape == (8, 4, 4, 3)
    np.testing.assert_allclose(seen[0::2, :, :, 2], 1e-4, atol=1e-4)
    np.testing.assert_allclose(seen[1::2, :, :, 2], varied.std(axis=0).mean(), rtol=1e-4)


def test_r1_is_the_squared_gradient_of_the_logits():
    pictures, slopes = tf.constant(normal(5, 4, 4, 3)), tf.constant(normal(4, 4, 3, seed=1))
    with tf.GradientTape() as tape:
        tape.watch(slopes)
        linear = r1_penalty(lambda x: ops.sum(x * slopes, axis=(1, 2, 3)), pictures)
    assert float(linear) == pytest.approx(np.square(slopes).sum(), rel=1e-5)
    np.testing.assert_allclose(tape.gradient(linear, slopes), 2 * slopes, rtol=1e-4)
    quadratic = r1_penalty(lambda x: ops.sum(ops.square(x), axis=(1, 2, 3)) / 2, pictures)
    assert float(quadratic) == pytest.approx(np.square(pictures).sum(axis=(1, 2, 3)).mean(), rel=1e-5)


def test_path_lengths_are_how_far_the_picture_moves():
    generator = tiny()
    synthesis = generator.get_layer("synthesis")
    styles = normal(2, synthesis.styles, 8)
    directions = normal(2, 16, 16, 3, seed=1) / 16
    found = np.asarray(path_lengths(synthesis, tf.constant(styles), directions))
    steps = np.eye(styles[0].size, dtype=np.float32).reshape(-1, *styles.shape[1:]) * 1e-2
    for length, style, direction in zip(found, styles, directions, strict=True):
        change = np.asarray(synthesis(style + steps)) - np.asarray(synthesis(style - steps))
        slopes = ((change * direction).sum(axis=(1, 2, 3)) / 2e-2).reshape(style.shape)
        assert length == pytest.approx(np.sqrt((slopes**2).sum(axis=1).mean()), rel=0.02)
