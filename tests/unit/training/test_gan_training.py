"""GANs learn, stop, go on and fail as they should, whatever their architecture."""

import json

import keras
import numpy as np
import pytest
from support import gan_steps
from support.drawn_faces import write_faces
from support.jax_process import on_jax
from support.tiny_gans import SETTINGS, dcgan_spec, stylegan2_spec

from visionlab_training.training import checkpoint
from visionlab_training.training.errors import TrainingDiverged
from visionlab_training.training.gan import gan_training, grid, load_generator, to_uint8, train_generator
from visionlab_training.zoo import dcgan

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, 12)
    return folder


@pytest.fixture(scope="module")
def style_training():
    """One that is compiled once; tests leave it with other weights."""
    return gan_training(gan_steps.spec())


@pytest.fixture(scope="module")
def dcgan_training(faces):
    return gan_training(dcgan_spec(faces, ema_decay=0.75))


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def images(count, side, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


def values(variables):
    return [np.asarray(variable) for variable in variables]


def test_dcgan_halves_channels_and_doubles_sides_up_to_the_picture():
    generator = dcgan.generator(128)
    maps = [layer.output.shape[1:] for layer in generator.layers if layer.name in ("map", "up16", "up32", "up64", "up128")]
    assert maps == [(8, 8, 1024), (16, 16, 512), (32, 32, 256), (64, 64, 128), (128, 128, 3)]
    assert not any(isinstance(layer, keras.layers.Dense) for layer in generator.layers[2:])
    small = dcgan.generator(4, "bfloat16")
    pictures = small(np.zeros((2, 100), np.float32))
    assert pictures.shape == (2, 128, 128, 3)
    assert pictures.dtype == "float32"
    assert np.abs(np.asarray(pictures)).max() <= 1
    assert dcgan.discriminator(4).output.shape == (None, 1)


def test_a_diverged_and_resumed_training_has_the_weights_of_an_uninterrupted_one(faces, tmp_path):
    assert train_generator(dcgan_spec(faces), tmp_path / "whole")
    assert train_generator(dcgan_spec(faces, steps=2), tmp_path / "parts")
    kept = (tmp_path / "parts/checkpoint.npz").read_bytes()
    with pytest.raises(TrainingDiverged, match="ower the learning rate"):
        train_generator(dcgan_spec(faces, steps=40, learning_rate=1e30, checkpoint_every=40), tmp_path / "parts")
    assert (tmp_path / "parts/checkpoint.npz").read_bytes() == kept
    assert train_generator(dcgan_spec(faces), tmp_path / "parts"), "with the old rate it goes on"
    whole, parts = arrays(tmp_path / "whole/checkpoint.npz"), arrays(tmp_path / "parts/checkpoint.npz")
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert (tmp_path / "whole/samples/000004.jpg").stat().st_size > 1000


def test_a_checkpoint_holds_all_that_a_stylegan2_goes_on_from(style_training, tmp_path):
    def train(steps):
        for step in steps:
            style_training.step(images(16, 8, seed=step), step)

    train(range(1, 4))
    checkpoint.save(tmp_path / "checkpoint.npz", style_training.groups, 3)
    train(range(4, 9))
    checkpoint.save(tmp_path / "whole.npz", style_training.groups, 8)
    assert checkpoint.load(tmp_path / "checkpoint.npz", style_training.groups) == 3
    style_training.reload()
    train(range(4, 9))
    checkpoint.save(tmp_path / "parts.npz", style_training.groups, 8)
    whole, parts = arrays(tmp_path / "whole.npz"), arrays(tmp_path / "parts.npz")
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_average_of_a_dcgan_follows_by_its_decay(dcgan_training):
    followed_by(dcgan_training, 0.75, images(4, 128))


def test_the_average_of_a_stylegan2_has_a_half_life_in_images(style_training):
    half_life = SETTINGS.average_kimg * 1000
    followed_by(style_training, 0.5 ** (16 / half_life), images(16, 8))
    constants = zip(style_training.average.non_trainable_variables, style_training.generator.non_trainable_variables, strict=True)
    for average, source in constants:
        np.testing.assert_array_equal(average, source, "noise maps and the average of w are those of the generator")


def followed_by(training, decay, batch):
    before = values(training.average.trainable_variables)
    training.step(batch, step=10_000)  # late, and no penalty is due
    after = zip(before, training.average.trainable_variables, training.generator.trainable_variables, strict=True)
    for old, new, source in after:
        np.testing.assert_allclose(np.asarray(new), decay * old + (1 - decay) * np.asarray(source), rtol=1e-5, atol=1e-6)


def test_low_precision_with_diffaugment_and_no_mixing_trains(faces):
    settings = SETTINGS.model_copy(update={"style_mixing": 0.0})
    spec = stylegan2_spec(faces, augment="diffaugment", precision="bfloat16", stylegan2=settings)
    training = gan_training(spec)
    losses = training.step(images(4, 8), 1)
    assert losses.keys() == {"generator", "discriminator", "path_length", "r1"}
    assert np.isfinite([float(value) for value in losses.values()]).all()
    assert {variable.dtype for group in training.groups.values() for variable in group} <= {"float32", "uint32", "int32", "int64"}


def test_penalties_are_due_every_so_many_steps(style_training, monkeypatch):
    ran = []
    monkeypatch.setattr(style_training._compiled, "run", lambda name, *_: ran.append(name) or {})
    for step in range(1, 8):
        style_training.step(images(16, 8), step)
    assert [ran.count(name) for name in ("main", "path_length", "r1", "adapt")] == [7, 4, 3, 1]


def test_seed_and_truncation_say_what_is_sampled(style_training):
    pictures = style_training.sample(3, seed=1)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (3, 8, 8, 3)
    np.testing.assert_array_equal(pictures, style_training.sample(3, seed=1))
    assert (pictures[0] != pictures[1]).any()
    assert (pictures != style_training.sample(3, seed=2)).any()
    same = style_training.sample(3, seed=1, truncation=0.0).astype(int)
    assert np.abs(same - same[0]).max() <= 1


def test_a_budget_of_time_fixes_the_number_of_steps(faces, tmp_path):
    spec = stylegan2_spec(faces, steps=100_000)
    assert train_generator(spec, tmp_path, budget=0.1)
    planned = json.loads((tmp_path / "plan.json").read_text())["steps"]
    assert planned < 1000
    training, step = load_generator(spec, tmp_path)
    assert step == planned
    assert training.sample(2, seed=0).shape == (2, 8, 8, 3)
    wider = stylegan2_spec(faces, stylegan2=SETTINGS.model_copy(update={"channel_max": 12}))
    with pytest.raises(checkpoint.CheckpointError, match="another network"):
        load_generator(wider, tmp_path)


def test_jax_makes_the_same_pictures_and_learns_alike(style_training, tmp_path):
    start = tmp_path / "checkpoint.npz"
    checkpoint.save(start, gan_training(gan_steps.spec()).groups, 0)
    here = gan_steps.run(style_training, start)
    there = on_jax("gan_steps", str(start))
    assert here["finite"]
    assert there["finite"]
    np.testing.assert_allclose(here["pictures"], there["pictures"], atol=1)
    np.testing.assert_allclose(here["logits"], there["logits"], rtol=1e-3, atol=1e-4)
    for name in ("generator", "discriminator", "path_length", "r1"):
        # Each backend draws its own latents: the same within what a batch of 16 varies by.
        curves = [np.mean([step[name] for step in found["losses"]]) for found in (here, there)]
        assert curves[0] == pytest.approx(curves[1], rel=0.3), name


def test_pictures_become_bytes_and_grids():
    np.testing.assert_array_equal(to_uint8(np.array([-1, 0, 1, 2], np.float32)), [0, 128, 255, 255])
    sheet = grid(np.ones((5, 4, 4, 3), np.uint8), columns=3)
    assert sheet.shape == (8, 12, 3)
    assert sheet[:, :8].all()
    assert not sheet[4:, 8:].any()
