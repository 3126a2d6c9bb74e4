import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.drawn_faces import write_dataset, write_faces

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from visionlab_core.face_class import FaceClass
from visionlab_core.training_spec import DetectorData, DetectorTraining, GeneratorData, GeneratorTraining
from visionlab_training import zoo
from visionlab_training.spec_file import SpecError, read_spec
from visionlab_training.training import checkpoint
from visionlab_training.training.detector import TrainingDiverged, load_named_weights, train_detector
from visionlab_training.training.diffaugment import diffaugment
from visionlab_training.training.gan import GanTraining, grid, to_uint8, train_generator
from visionlab_training.training.schedule import warmup_cosine
from visionlab_training.zoo import dcgan


def generator_spec(folder, **changes):
    settings = {
        "name": "tiny",
        "face_class": FaceClass.HUMAN,
        "data": GeneratorData(folders=(folder,)),
        "width": 4,
        "batch_size": 4,
        "steps": 4,
        "checkpoint_every": 2,
        "sample_every": 4,
        "seed": 3,
    }
    return GeneratorTraining(**{**settings, **changes})


def detector_spec(manifest, **changes):
    settings = {
        "name": "tiny",
        "architecture": "MobileNetV2",
        "data": DetectorData(manifest=manifest),
        "resolution": 32,
        "batch_size": 4,
        "steps": 4,
        "optimizer": "adamw",
        "batch_norm_momentum": 0.9,
        "validate_every": 4,
        "checkpoint_every": 2,
        "seed": 3,
    }
    return DetectorTraining(**{**settings, **changes})


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faces")
    write_faces(folder, 12)
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset"), each=2)


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def test_the_detector_has_the_parameters_of_the_paper():
    assert zoo.detector("MobileNetV2").build(224, 4).count_params() == 2_263_108 == zoo.detector("MobileNetV2").parameters


def test_an_unknown_architecture_names_the_nearest():
    with pytest.raises(KeyError, match=r"did you mean 'MobileNetV2'"):
        zoo.detector("mobilenet_v2")


def test_dcgan_halves_channels_and_doubles_sides_up_to_the_picture():
    generator = dcgan.generator(128)
    maps = [layer.output.shape[1:] for layer in generator.layers if layer.name in ("map", "up16", "up32", "up64", "up128")]
    assert maps == [(8, 8, 1024), (16, 16, 512), (32, 32, 256), (64, 64, 128), (128, 128, 3)]
    assert not any(isinstance(layer, keras.layers.Dense) for layer in generator.layers[2:])
    small = dcgan.generator(4)
    pictures = np.asarray(small(np.zeros((2, 100), np.float32)))
    assert pictures.shape == (2, 128, 128, 3)
    assert np.abs(pictures).max() <= 1
    assert dcgan.discriminator(4).output.shape == (None, 1)


def test_a_resumed_gan_has_the_weights_of_an_uninterrupted_one(faces, tmp_path):
    assert train_generator(generator_spec(faces), tmp_path / "whole")
    assert train_generator(generator_spec(faces, steps=2), tmp_path / "parts")
    assert train_generator(generator_spec(faces), tmp_path / "parts")
    whole, parts = arrays(tmp_path / "whole/checkpoint.npz"), arrays(tmp_path / "parts/checkpoint.npz")
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert (tmp_path / "whole/samples/000004.jpg").stat().st_size > 1000


def test_the_average_follows_the_generator_by_its_decay(faces):
    training = GanTraining(generator_spec(faces, ema_decay=0.75))
    before = [np.asarray(v) for v in training.average.variables]
    images = np.random.default_rng(0).integers(0, 256, (4, 128, 128, 3), dtype=np.uint8)
    training.step(images, step=10_000)
    for old, new, source in zip(before, training.average.variables, training.generator.variables, strict=True):
        np.testing.assert_allclose(np.asarray(new), 0.75 * old + 0.25 * np.asarray(source), rtol=1e-5, atol=1e-6)


def test_a_resumed_detector_has_the_weights_of_an_uninterrupted_one(manifest, tmp_path):
    # Without a schedule that depends on the number of steps, stopping early and going on must change nothing.
    settings = {"optimizer": "rmsprop", "learning_rate": 1e-4}
    assert train_detector(detector_spec(manifest, **settings), tmp_path / "whole")
    assert train_detector(detector_spec(manifest, steps=2, validate_every=100, **settings), tmp_path / "parts")
    assert train_detector(detector_spec(manifest, **settings), tmp_path / "parts")
    whole, parts = arrays(tmp_path / "whole/checkpoint.npz"), arrays(tmp_path / "parts/checkpoint.npz")
    assert whole.keys() == parts.keys()
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-3, atol=1e-4, err_msg=name)
    record = json.loads((tmp_path / "whole/best.json").read_text())
    assert record["step"] == 4
    assert 0 <= record["score"] <= 1
    progress = json.loads((tmp_path / "whole/progress.json").read_text())
    assert progress["step"] == progress["steps"] == 4


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoint(manifest, tmp_path):
    with pytest.raises(TrainingDiverged, match="lower the learning rate"):
        train_detector(detector_spec(manifest, optimizer="rmsprop", learning_rate=1e30, steps=40), tmp_path)


def test_a_checkpoint_of_another_network_or_a_damaged_one_is_refused(tmp_path):
    left, right = keras.layers.Dense(3), keras.layers.Dense(4)
    left.build((None, 2))
    right.build((None, 2))
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"net": left.variables}, 17)
    assert checkpoint.load(path, {"net": left.variables}) == 17
    with pytest.raises(checkpoint.CheckpointError, match="another network"):
        checkpoint.load(path, {"net": right.variables})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(checkpoint.CheckpointError, match="damaged"):
        checkpoint.load(path, {"net": left.variables})


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    layer = keras.layers.Dense(3)
    layer.build((None, 2))
    path = tmp_path / "c.npz"
    checkpoint.save(path, {"net": layer.variables}, 1)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save(path, {"net": layer.variables}, 2)
    assert checkpoint.load(path, {"net": layer.variables}) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_named_weights_fill_their_layers_and_strangers_are_refused(tmp_path):
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(3, name="head")])
    np.savez(tmp_path / "w.npz", **{"head/bias": np.array([1, 2, 3], np.float16)})
    load_named_weights(model, tmp_path / "w.npz")
    np.testing.assert_array_equal(np.asarray(model.layers[0].bias), [1, 2, 3])
    for name, value in (("tail/bias", np.zeros(3)), ("head/bias", np.zeros(4))):
        np.savez(tmp_path / "w.npz", **{name: value})
        with pytest.raises(SpecError, match=name):
            load_named_weights(model, tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(b"PK damaged")
    for path in (tmp_path / "w.npz", tmp_path / "nowhere.npz"):
        with pytest.raises(SpecError, match=path.name):
            load_named_weights(model, path)


def test_the_rate_warms_up_and_falls_to_zero():
    rates = [warmup_cosine(step, steps=100, warmup=10, peak=2.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[10] == pytest.approx(2.0)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_diffaugment_differs_by_picture_and_lets_gradients_through():
    import tensorflow as tf

    seeds = keras.random.SeedGenerator(0)
    picture = tf.Variable(np.repeat(np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)), 4, axis=0).astype(np.float32))
    with tf.GradientTape() as tape:
        seen = diffaugment(picture, seeds)
        total = tf.reduce_sum(seen)
    gradient = tape.gradient(total, picture)
    assert seen.shape == (4, 32, 32, 3)
    assert np.abs(np.asarray(seen[0] - seen[1])).max() > 0.01
    assert np.isfinite(np.asarray(gradient)).all()
    assert np.abs(np.asarray(gradient)).max() > 0


def test_pictures_become_bytes_and_grids():
    np.testing.assert_array_equal(to_uint8(np.array([-1, 0, 1, 2], np.float32)), [0, 128, 255, 255])
    sheet = grid(np.ones((5, 4, 4, 3), np.uint8), columns=3)
    assert sheet.shape == (8, 12, 3)
    assert sheet[:, :8].all()
    assert not sheet[4:, 8:].any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: generator\nname: x\nface_class: human\nstpes: 3\ndata: {folders: [a]}", "stpes"),
        ("kind: nothing", "kind|detector"),
        ("name: [", "YAML"),
    ],
)
def test_a_faulty_spec_names_its_fault(tmp_path, text, says):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(SpecError, match=says):
        read_spec(tmp_path / "s.yaml")


def test_weights_that_cannot_be_had_end_with_exit_code_2(manifest, tmp_path):
    for number, weights in enumerate(("imagenet", tmp_path / "nowhere.npz")):
        spec = tmp_path / f"{number}.json"
        spec.write_text(detector_spec(manifest, weights=weights).model_dump_json())
        command = [str(Path(sys.executable).parent / "visionlab-train"), str(spec), "--out", str(tmp_path / "run")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        assert Path(weights).name in done.stderr.splitlines()[-1]


def test_sigterm_writes_a_checkpoint_and_has_its_own_exit_code(faces, tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text(generator_spec(faces, steps=100_000, checkpoint_every=50_000).model_dump_json())
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


def test_bad_data_ends_with_exit_code_2(tmp_path):
    spec = tmp_path / "spec.json"
    spec.write_text(generator_spec(tmp_path / "nowhere").model_dump_json())
    command = [str(Path(sys.executable).parent / "visionlab-train"), str(spec), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "nowhere" in done.stderr.splitlines()[-1]
