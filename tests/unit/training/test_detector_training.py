"""The training loop of detectors: what is kept, what is resumed, what stops it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.drawn_faces import write_dataset

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras

from visionlab_core.training_spec import DetectorData, DetectorTraining
from visionlab_training.evaluation.detection import ClassFigures, Judgement, SourceFigures
from visionlab_training.publishing.detector import mix_with_start
from visionlab_training.spec_file import SpecError
from visionlab_training.training.detector import build, train_detector
from visionlab_training.training.errors import TrainingDiverged
from visionlab_training.training.learning import Learner, Networks, selection_score
from visionlab_training.training.schedule import warmup_cosine
from visionlab_training.training.weights import load_named_weights
from visionlab_training.zoo.architecture import Detector

pytestmark = pytest.mark.usefixtures("tiny_in_the_zoo")
TESTS = Path(__file__).parents[2]


def detector_spec(manifest, **changes):
    settings = {
        "name": "tiny",
        "architecture": "Tiny",
        "data": DetectorData(manifest=manifest),
        "resolution": 32,
        "batch_size": 4,
        "steps": 4,
        "batch_norm_momentum": 0.9,
        "validate_every": 4,
        "checkpoint_every": 2,
        "seed": 3,
    }
    return DetectorTraining(**{**settings, **changes})


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset"), each=2)


def arrays(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


@pytest.mark.parametrize("preset", ["original", "robust"])
def test_a_resumed_detector_has_the_weights_of_an_uninterrupted_one(manifest, tmp_path, preset):
    # Without a schedule that depends on the number of steps, stopping early and going on must change nothing.
    settings = {"preset": preset, "learning_rate": 1e-4, "schedule": "constant"}
    assert train_detector(detector_spec(manifest, **settings), tmp_path / "whole")
    assert train_detector(detector_spec(manifest, steps=2, validate_every=100, **settings), tmp_path / "parts")
    assert train_detector(detector_spec(manifest, **settings), tmp_path / "parts")
    whole, parts = arrays(tmp_path / "whole/checkpoint.npz"), arrays(tmp_path / "parts/checkpoint.npz")
    assert whole.keys() == parts.keys()
    assert any(name.startswith("average/") for name in whole) == (preset == "robust")
    for name in whole:
        np.testing.assert_allclose(whole[name], parts[name], rtol=1e-3, atol=1e-4, err_msg=name)
    record = json.loads((tmp_path / "whole/best.json").read_text())
    assert record["step"] == 4
    assert 0 <= record["score"] <= 1
    progress = json.loads((tmp_path / "whole/progress.json").read_text())
    assert progress["step"] == progress["steps"] == 4
    assert "CPU" in progress["device"]
    resumed = json.loads((tmp_path / "parts/progress.json").read_text())
    assert resumed["loss"] == pytest.approx(progress["loss"], rel=1e-3), "smoothed figures go on where they were, too"
    lines = [json.loads(line) for line in (tmp_path / "whole/metrics.jsonl").read_text().splitlines()]
    assert any("val_accuracy" in line for line in lines)
    assert any("loss" in line for line in lines)


def test_epochs_count_passes_over_the_training_split(manifest, tmp_path):
    # 16 training images in batches of 4: two epochs are 8 steps, with a validation after each.
    assert train_detector(detector_spec(manifest, steps=None, epochs=2, validate_every=None), tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "val_accuracy" in line] == [4, 8]


def test_training_stops_when_validations_no_longer_improve(manifest, tmp_path):
    # At a rate that changes nothing, the first validation is the best there will be.
    spec = detector_spec(manifest, learning_rate=1e-12, steps=50, validate_every=2, patience=2, batch_norm_momentum=0.999999)
    assert train_detector(spec, tmp_path)
    assert json.loads((tmp_path / "best.json").read_text())["step"] == 2
    assert json.loads((tmp_path / "progress.json").read_text())["step"] == 6


def test_a_budget_fixes_the_number_of_steps_once(manifest, tmp_path):
    spec = detector_spec(manifest, steps=100_000, checkpoint_every=100_000, validate_every=100_000)
    assert train_detector(spec, tmp_path, budget=1.0)
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert 15 <= plan["steps"] < 5000
    with np.load(tmp_path / "checkpoint.npz") as file:
        assert int(file["step"]) == plan["steps"]
    assert (tmp_path / "best.npz").exists()
    before = (tmp_path / "checkpoint.npz").read_bytes()
    assert train_detector(spec, tmp_path, budget=1.0)  # finished: nothing more to do
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(manifest, tmp_path):
    assert train_detector(detector_spec(manifest, steps=4), tmp_path)
    with pytest.raises(TrainingDiverged, match="Lower the learning rate"):
        train_detector(detector_spec(manifest, learning_rate=1e38, steps=40), tmp_path)
    latest = arrays(tmp_path / "checkpoint.npz")
    assert latest["step"] == 4
    assert all(np.isfinite(value).all() for value in latest.values())


def test_the_average_follows_the_network_by_its_decay(manifest):
    spec = detector_spec(manifest, ema_decay=0.75)
    networks = Networks(build(spec), build(spec), 32)
    learner = Learner(spec, networks)
    before = [np.asarray(v) for v in networks.average.weights]
    for start, own in zip(before, networks.model.weights, strict=True):
        np.testing.assert_array_equal(start, np.asarray(own))
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    learner.step(images, np.eye(4, dtype=np.float32), step=10_000, steps=20_000)
    learner.sync()
    for old, new, source in zip(before, networks.average.weights, networks.model.weights, strict=True):
        np.testing.assert_allclose(np.asarray(new), 0.75 * old + 0.25 * np.asarray(source), rtol=1e-5, atol=1e-6)


def test_real_faces_may_count_more(manifest):
    spec = detector_spec(manifest, learning_rate=1e-12)
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    labels = np.eye(4, dtype=np.float32)[[0, 0, 2, 2]]
    losses = []
    for weight in (1.0, 2.0):
        keras.utils.set_random_seed(1)
        weighted = spec.model_copy(update={"real_loss_weight": weight})
        losses.append(float(Learner(weighted, Networks(build(weighted), None, 32)).step(images, labels, step=1, steps=2)["loss"]))
    assert losses[1] == pytest.approx(2 * losses[0], rel=1e-5)


def test_the_best_is_chosen_by_what_the_spec_says():
    sources = {"a": SourceFigures("human", 0.5, 20), "b": SourceFigures("human", 1.0, 10), "c": SourceFigures("human", 0.0, 1)}
    judgement = Judgement(0.9, 0.5, 0.9, {"human": ClassFigures(1, 1, 1, 31)}, sources, [])
    assert selection_score(judgement, "accuracy") == 0.9
    assert selection_score(judgement, "source_mean") == 0.75  # one image decides nothing


def test_imagenet_weights_fill_the_backbone_alone_or_their_lack_is_told(manifest, tmp_path):
    spec = detector_spec(manifest, weights="imagenet", learning_rate=1e-12, steps=1, batch_norm_momentum=0.999999)
    assert train_detector(spec, tmp_path / "run")
    best = arrays(tmp_path / "run/best.npz")
    np.testing.assert_allclose(best["model/0000"], 0.5, atol=1e-6)


def test_imagenet_weights_that_cannot_be_had_are_refused_in_a_sentence(manifest, tmp_path, monkeypatch):
    def no_network(*_):
        raise OSError("no network")

    monkeypatch.setattr(Detector, "load_imagenet", no_network)
    with pytest.raises(SpecError, match=r"ImageNet's for Tiny cannot be had \(no network\)"):
        train_detector(detector_spec(manifest, weights="imagenet"), tmp_path)


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


def test_what_is_published_may_keep_a_part_of_the_weights_it_began_with(manifest, tmp_path):
    model = build(detector_spec(manifest))
    start = {f"{layer.name}/{each.name}": np.array(each) for layer in model.layers for each in layer.variables}
    np.savez(tmp_path / "start.npz", **start)
    for variable in model.weights:
        variable.assign(np.array(variable) + 1)
    mix_with_start(model, detector_spec(manifest, weights=tmp_path / "start.npz", start_share=0.25))
    for layer in model.layers:
        for each in layer.variables:
            np.testing.assert_allclose(np.array(each), start[f"{layer.name}/{each.name}"] + 0.75, atol=1e-6)
    del start["probabilities/bias"]
    np.savez(tmp_path / "start.npz", **start)
    with pytest.raises(SpecError, match="lacks 'probabilities/bias'"):
        mix_with_start(model, detector_spec(manifest, weights=tmp_path / "start.npz", start_share=0.25))
    with pytest.raises(ValueError, match="start_share needs weights: FILE"):
        detector_spec(manifest, weights="imagenet", start_share=0.25)


def test_the_rate_warms_up_and_falls_to_zero():
    rates = [warmup_cosine(step, steps=100, warmup=10, peak=2.0) for step in range(101)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[10] == pytest.approx(2.0)
    assert rates[100] == pytest.approx(0, abs=1e-9)
    assert rates[10:] == sorted(rates[10:], reverse=True)


_CURVE = """
import json, sys
from pathlib import Path
import keras, numpy as np
from support import tiny_architecture
from visionlab_core.training_spec import DetectorTraining
from visionlab_training.training.detector import build
from visionlab_training.training.learning import Learner, Networks

tiny_architecture.install()
spec = DetectorTraining.model_validate_json(sys.argv[1])
model = build(spec)
with np.load(sys.argv[2]) as file:
    model.set_weights([file[f"{i}"] for i in range(len(model.weights))])
learner = Learner(spec, Networks(model, None, spec.resolution))
rng = np.random.default_rng(0)
labels = np.eye(4, dtype=np.float32)[np.arange(8) % 4]
losses = []
for step in range(1, 9):
    images = (rng.integers(0, 64, (8, 32, 32, 3)) + 60 * (np.arange(8) % 4)[:, None, None, None]).astype(np.uint8)
    losses.append(float(learner.step(images, labels, step=step, steps=8)["loss"]))
learner.sync()
total = float(sum(np.abs(w).sum() for w in model.get_weights()))
print(json.dumps({"backend": keras.backend.backend(), "losses": losses, "sum": total}))
"""


def curve(spec, weights, backend, **environment):
    done = subprocess.run(
        [sys.executable, "-c", _CURVE, spec.model_dump_json(), str(weights)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(TESTS), **environment},
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["backend"] == backend
    return answer


@pytest.mark.slow
def test_tensorflow_and_jax_and_two_devices_learn_alike(manifest, tmp_path):
    spec = detector_spec(manifest, preset="robust", learning_rate=3e-3, warmup_steps=0, batch_size=8)
    keras.utils.set_random_seed(5)
    np.savez(tmp_path / "w.npz", **{f"{i}": value for i, value in enumerate(build(spec).get_weights())})
    tensorflow = curve(spec, tmp_path / "w.npz", "tensorflow")
    jax = curve(spec, tmp_path / "w.npz", "jax")
    devices = curve(spec, tmp_path / "w.npz", "jax", XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert tensorflow["losses"][-1] < tensorflow["losses"][0]
    np.testing.assert_allclose(tensorflow["losses"], jax["losses"], rtol=1e-3)
    np.testing.assert_allclose(devices["losses"], jax["losses"], rtol=1e-3)
    assert devices["sum"] == pytest.approx(jax["sum"], rel=1e-3)
