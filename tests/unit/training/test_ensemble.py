"""Stacks and votes of detectors."""

import json

import keras
import numpy as np
import pytest
from support.drawn_faces import write_dataset

from visionlab_core.model_card import ModelCard
from visionlab_core.training_spec import DetectorData, DetectorTraining, EnsembleTraining
from visionlab_inference.ensemble_head import read_head
from visionlab_inference.images import prepare
from visionlab_training import zoo
from visionlab_training.data.index import read_manifest
from visionlab_training.evaluation.served import probabilities_of, served_session
from visionlab_training.publication import Publication
from visionlab_training.publishing import publish
from visionlab_training.publishing.detector import spare_real_faces
from visionlab_training.spec_file import SpecError
from visionlab_training.training.detector import train_detector
from visionlab_training.training.ensemble import build_ensemble, train_ensemble
from visionlab_training.zoo.ensemble import Base, stacked, voting

pytestmark = pytest.mark.usefixtures("tiny_in_the_zoo")
UUID = "00000000-0000-4000-8000-0000000000{:02}"


def publication(number, name):
    return Publication(
        uuid=UUID.format(number),
        name=name,
        label=name,
        version=1,
        description="For tests.",
        licence="none",
        data="Drawn in code.",
    )


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("dataset"), each=3)


@pytest.fixture(scope="module")
def bases(tmp_path_factory, manifest):
    """Two tiny detectors at different sides, trained and published."""
    from support import tiny_architecture

    from visionlab_training.zoo import registry

    before = registry.architectures
    tiny_architecture.install()
    folder = tmp_path_factory.mktemp("bases")
    versions = []
    for number, side in ((1, 224), (2, 64)):
        spec = DetectorTraining(
            name=f"tiny{number}",
            architecture="Tiny",
            data=DetectorData(manifest=manifest),
            resolution=side,
            steps=6,
            seed=number,
            batch_size=4,
            validate_every=6,
            batch_norm_momentum=0.5,
        )
        run = folder / f"run{number}"
        assert train_detector(spec, run)
        versions.append(publish(spec, run, publication(number, f"tiny{number}"), folder / "models").folder)
    registry.architectures = before
    return tuple(versions)


def ensemble_spec(manifest, bases, **changes):
    settings = {
        "name": "both",
        "bases": bases,
        "data": DetectorData(manifest=manifest),
        "steps": 4,
        "batch_size": 4,
        "learning_rate": 0.01,
        "validate_every": 4,
    }
    return EnsembleTraining(**{**settings, **changes})


def test_the_originals_ensemble_has_its_parameters():
    networks = []
    for name in ("DenseNet121", "MobileNetV2", "NASNetMobile"):
        with keras.name_scope(name):
            networks.append(zoo.detector(name).build(64))
        networks[-1].name = name
    model = stacked([Base(network) for network in networks], 12)
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert model.count_params() == 13_578_864 == 7_041_604 + 2_263_108 + 4_273_944 + 208
    assert trainable == 208
    keras.backend.clear_session()


@pytest.mark.parametrize("method", ["stacking", "voting"])
def test_what_the_head_makes_of_the_bases_answers_is_the_ensembles(manifest, bases, tmp_path, method):
    spec = ensemble_spec(manifest, bases, method=method)
    run = tmp_path / "run"
    if method == "stacking":
        train_ensemble(spec, run)
    folder = publish(spec, run, publication(9, method), tmp_path / "models").folder
    card = ModelCard.model_validate_json((folder / "card.json").read_bytes())
    assert card.base_versions == (1,) * len(bases)
    head = read_head(card, (folder / "weights.npz").read_bytes())
    assert [f"{base.uuid}/{base.version}" for base in head.bases] == ["/".join(each.parts[-2:]) for each in bases]
    pictures = [row.path.read_bytes() for row in read_manifest(manifest) if row.split == "test"]
    whole = probabilities_of(served_session(folder / "model.onnx"), pictures)
    of_bases = [probabilities_of(served_session(each / "model.onnx"), pictures) for each in bases]
    np.testing.assert_allclose(head(of_bases), whole, atol=1e-5)


def test_training_moves_the_head_alone(manifest, bases, tmp_path):
    spec = ensemble_spec(manifest, bases)
    before = {v.path: np.asarray(v) for v in build_ensemble(spec).weights}
    assert train_ensemble(spec, tmp_path)
    after = build_ensemble(spec)
    from visionlab_training.training import checkpoint

    checkpoint.load(tmp_path / "best.npz", {"model": after.weights})
    changed = {v.path for v in after.weights if not np.array_equal(np.asarray(v), before[v.path])}
    assert changed <= {"mix/kernel", "mix/bias", "probabilities/kernel", "probabilities/bias"}
    assert "probabilities/kernel" in changed


def test_a_base_answers_within_the_ensemble_as_it_is_served(manifest, bases):
    import onnxruntime as ort

    pixels = np.stack([prepare(path.read_bytes()).pixels for path in sorted(manifest.parent.glob("human-*-test/*.jpg"))])
    expected = []
    for version in bases:
        session = ort.InferenceSession(str(version / "model.onnx"), providers=["CPUExecutionProvider"])
        expected.append(session.run(["probabilities"], {"image": pixels})[0])
    vote = build_ensemble(ensemble_spec(manifest, bases, method="voting"))
    np.testing.assert_allclose(vote.predict_on_batch(pixels.astype(np.float32)), np.mean(expected, axis=0), atol=1e-5)


@pytest.mark.parametrize("method", ["stacking", "voting"])
def test_an_ensemble_is_published_with_its_bases_in_its_card(manifest, bases, tmp_path, method):
    spec = ensemble_spec(manifest, bases, method=method)
    assert train_ensemble(spec, tmp_path / "run")
    export = publish(spec, tmp_path / "run", publication(9, method), tmp_path / "models")
    assert export.card.ensemble
    assert [str(uuid) for uuid in export.card.base_models] == [UUID.format(1), UUID.format(2)]
    assert export.card.metrics.keys() == {"test", "unseen"}
    assert export.parity.worst("probabilities").difference < 1e-4
    assert {"report.html", "confusion.png", "sources.png"} <= export.card.files.keys()


def test_bases_that_cannot_be_used_are_refused_by_name(manifest, bases, tmp_path):
    with pytest.raises(SpecError, match=r"nowhere holds no card\.json"):
        build_ensemble(ensemble_spec(manifest, (bases[0], tmp_path / "nowhere")))
    card = json.loads((bases[1] / "card.json").read_text())
    folder = tmp_path / "other"
    folder.mkdir()
    for changes, says in (
        ({"name": "tiny1"}, "two of them are named 'tiny1'"),
        ({"ensemble": True}, "is an ensemble"),
        ({"label": ""}, "is not a model card"),
    ):
        (folder / "card.json").write_text(json.dumps({**card, **changes}))
        with pytest.raises(SpecError, match=says):
            build_ensemble(ensemble_spec(manifest, (bases[0], folder)))
    (folder / "card.json").write_text(ModelCard.model_validate(card).model_dump_json())
    with pytest.raises(SpecError, match=r"weights\.npz"):
        build_ensemble(ensemble_spec(manifest, (bases[0], folder)))


@pytest.mark.parametrize("most", [0.0, 0.1, 0.25])
def test_real_faces_are_spared_as_far_as_the_spec_says(most):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 6)).astype(np.float32)
    start = keras.Input((6,))
    model = keras.Model(start, keras.layers.Dense(4, activation="softmax", name="probabilities")(start))
    labels = rng.integers(0, 4, 400)
    real = np.isin(labels, [0, 2])
    before = np.asarray(model(features))
    lowered = spare_real_faces(model, before, labels, most)
    after = np.asarray(model(features))
    accused = np.isin(after.argmax(axis=1), [1, 3])[real].mean()
    assert most - 1 / real.sum() <= accused <= most
    assert lowered > 0
    # Within the generated and within the real classes the odds are what they were.
    np.testing.assert_allclose(after[:, 0] / after[:, 2], before[:, 0] / before[:, 2], rtol=1e-3)
    np.testing.assert_allclose(after[:, 1] / after[:, 3], before[:, 1] / before[:, 3], rtol=1e-3)
    assert spare_real_faces(model, after, labels, most + 0.01) == 0


def test_a_vote_is_the_mean():
    def constant(name, row):
        pixels = keras.Input((224, 224, 3))
        pooled = keras.layers.GlobalAveragePooling2D()(pixels)
        head = keras.layers.Dense(4, activation="softmax", kernel_initializer="zeros", name=f"{name}_head")
        model = keras.Model(pixels, head(pooled), name=name)
        head.bias.assign(np.log(row))
        return model

    rows = [[0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]]
    bases = [Base(constant("a", rows[0])), Base(constant("b", rows[1]))]
    images = np.zeros((1, 224, 224, 3), np.float32)
    np.testing.assert_allclose(np.asarray(voting(bases)(images))[0], [0.4, 0.1, 0.1, 0.4], rtol=1e-5)
    warm = np.power(rows[0], 0.5) / np.power(rows[0], 0.5).sum()
    tempered = voting([Base(bases[0].network, temperature=2.0), bases[1]])
    np.testing.assert_allclose(np.asarray(tempered(images))[0], (warm + rows[1]) / 2, rtol=1e-5)
