"""GANs learn, stop, go on and fail as they should, whatever their architecture."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support import gan_steps
from support.drawn_faces import write_faces
from support.tiny_gans import SETTINGS, dcgan_spec, stylegan2_spec

from visionlab_training.training import checkpoint
from visionlab_training.training.errors import TrainingDiverged
from visionlab_training.training.gan import gan_training, grid, load_generator, mixing_grid, to_uint8, train_generator
from visionlab_training.zoo import dcgan

SPECS = {"DCGAN": dcgan_spec, "StyleGAN2": stylegan2_spec}


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, 12)
    return folder


@pytest.fixture(params=SPECS)
def spec_of(request):
    return SPECS[request.param]


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def images(spec):
    shape = (spec.batch_size, spec.resolution, spec.resolution, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


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


def test_a_resumed_gan_has_the_weights_of_an_uninterrupted_one(faces, tmp_path, spec_of):
    assert train_generator(spec_of(faces), tmp_path / "whole")
    assert train_generator(spec_of(faces, steps=2), tmp_path / "parts")
    assert train_generator(spec_of(faces), tmp_path / "parts")
    whole, parts = arrays(tmp_path / "whole/checkpoint.npz"), arrays(tmp_path / "parts/checkpoint.npz")
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert (tmp_path / "whole/samples/000004.jpg").stat().st_size > 1000
    training, step = load_generator(spec_of(faces), tmp_path / "whole")
    assert step == 4
    assert np.isfinite(training.sample(2, seed=0)).all()


def test_the_average_of_a_dcgan_follows_by_its_decay(faces):
    training = gan_training(dcgan_spec(faces, ema_decay=0.75))
    followed_by(training, 0.75, dcgan_spec(faces))


def test_the_average_of_a_stylegan2_has_a_half_life_in_images(faces):
    spec = stylegan2_spec(faces)
    half_life = SETTINGS.average_kimg * 1000
    followed_by(gan_training(spec), 0.5 ** (spec.batch_size / half_life), spec)


def followed_by(training, decay, spec):
    before = [np.asarray(variable) for variable in training.average.trainable_variables]
    training.step(images(spec), step=10_000)  # late, and none of the penalties is due
    after = zip(before, training.average.trainable_variables, training.generator.trainable_variables, strict=True)
    for old, new, source in after:
        np.testing.assert_allclose(np.asarray(new), decay * old + (1 - decay) * np.asarray(source), rtol=1e-5, atol=1e-6)


def test_all_settings_of_a_stylegan2_train(faces):
    settings = SETTINGS.model_copy(update={"style_mixing": 0.0})
    for changes in ({"augment": "diffaugment", "precision": "bfloat16"}, {"augment": "none", "stylegan2": settings}):
        spec = stylegan2_spec(faces, **changes)
        training = gan_training(spec)
        losses = [training.step(images(spec), step) for step in (1, 2)][-1]
        assert losses.keys() == {"generator", "discriminator", "path_length", "r1"}
        assert np.isfinite([float(value) for value in losses.values()]).all()


def test_penalties_are_due_every_so_many_steps(faces, monkeypatch):
    training = gan_training(stylegan2_spec(faces))
    ran = []
    monkeypatch.setattr(training._compiled, "run", lambda name, *_: ran.append(name) or {})
    for step in range(1, 8):
        training.step(images(stylegan2_spec(faces)), step)
    assert [ran.count(name) for name in ("main", "path_length", "r1", "adapt")] == [7, 4, 3, 1]


def test_truncation_and_seed_say_what_is_sampled(faces, spec_of):
    spec = spec_of(faces)
    training = gan_training(spec)
    pictures = training.sample(3, seed=1)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (3, spec.resolution, spec.resolution, 3)
    np.testing.assert_array_equal(pictures, training.sample(3, seed=1))
    assert (pictures[0] != pictures[1]).any()
    assert (pictures != training.sample(3, seed=2)).any()
    same = training.sample(3, seed=1, truncation=0.0).astype(int)
    assert np.abs(same - same[0]).max() <= 1


def test_a_mixing_grid_has_the_mixed_pictures_between_their_parents(faces):
    sheet = mixing_grid(gan_training(stylegan2_spec(faces)), rows=2, columns=3, seed=0)
    assert sheet.shape == (3 * 8, 4 * 8, 3)
    assert sheet.dtype == np.uint8
    assert not sheet[:8, :8].any()
    tiles = sheet.reshape(3, 8, 4, 8, 3).swapaxes(1, 2)
    assert len({tile.tobytes() for row in tiles for tile in row}) == 12, "all differ"
    with pytest.raises(ValueError, match="StyleGAN2"):
        mixing_grid(gan_training(dcgan_spec(faces)), rows=2, columns=3, seed=0)


@pytest.mark.parametrize("architecture", SPECS)
def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(faces, tmp_path, architecture):
    spec_of = SPECS[architecture]
    assert train_generator(spec_of(faces, steps=2), tmp_path)
    kept = (tmp_path / "checkpoint.npz").read_bytes()
    with pytest.raises(TrainingDiverged, match="ower the learning rate"):
        train_generator(spec_of(faces, steps=40, learning_rate=1e30, checkpoint_every=40), tmp_path)
    assert (tmp_path / "checkpoint.npz").read_bytes() == kept
    assert train_generator(spec_of(faces, steps=3), tmp_path), "with a lower rate it goes on"


def test_a_budget_of_time_fixes_the_number_of_steps(faces, tmp_path):
    assert train_generator(stylegan2_spec(faces, steps=100_000), tmp_path, budget=0.1)
    planned = json.loads((tmp_path / "plan.json").read_text())["steps"]
    assert planned < 1000
    assert int(arrays(tmp_path / "checkpoint.npz")["step"]) == planned


def test_sigterm_writes_a_checkpoint_and_has_its_own_exit_code(faces, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text(dcgan_spec(faces, steps=100_000, checkpoint_every=50_000).model_dump_json())
    run = tmp_path / "run"
    command = [str(Path(sys.executable).parent / "visionlab-train"), str(spec), "--out", str(run), "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not (run / "progress.json").exists():
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 75, log
    with np.load(run / "checkpoint.npz") as file:
        assert int(file["step"]) >= 10


def test_jax_makes_the_same_pictures_and_learns_alike(tmp_path):
    start = tmp_path / "checkpoint.npz"
    gan_steps.start(start)
    here = gan_steps.run(start)
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(Path(gan_steps.__file__).parent.parent),
    }
    command = [sys.executable, "-m", "support.gan_steps", str(start)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    there = json.loads(done.stdout.splitlines()[-1])
    assert here["finite"]
    assert there["finite"]
    np.testing.assert_allclose(here["pictures"], there["pictures"], atol=1)
    np.testing.assert_allclose(here["logits"], there["logits"], rtol=1e-3, atol=1e-4)
    for name in ("generator", "discriminator", "path_length", "r1"):
        # Each backend draws its own latents: the same within what a batch of 16 varies by.
        curves = [np.mean([step[name] for step in found["losses"]]) for found in (here, there)]
        assert curves[0] == pytest.approx(curves[1], rel=0.3), name


def test_a_checkpoint_of_other_widths_is_refused(faces, tmp_path):
    training = gan_training(stylegan2_spec(faces))
    checkpoint.save(tmp_path / "checkpoint.npz", training.groups, 3)
    wider = stylegan2_spec(faces, stylegan2=SETTINGS.model_copy(update={"channel_max": 12}))
    with pytest.raises(checkpoint.CheckpointError, match="another network"):
        load_generator(wider, tmp_path)


def test_pictures_become_bytes_and_grids():
    np.testing.assert_array_equal(to_uint8(np.array([-1, 0, 1, 2], np.float32)), [0, 128, 255, 255])
    sheet = grid(np.ones((5, 4, 4, 3), np.uint8), columns=3)
    assert sheet.shape == (8, 12, 3)
    assert sheet[:, :8].all()
    assert not sheet[4:, 8:].any()
