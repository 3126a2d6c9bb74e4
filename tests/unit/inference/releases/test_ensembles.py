"""An ensemble whose bases are released with it is but its head; any other, or one that says how it serves, is whole."""

from __future__ import annotations

import pytest
from support.tiny_ensembles import BASES, STACK, base, stack

from visionlab_core.model_card import ModelCard
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.ensemble_head import read_head
from visionlab_inference.releases import UnusableModels, assemble, pull, read_release
from visionlab_inference.repository import (
    DynamicBatching,
    Instances,
    Variant,
    config_text,
    head_graph,
    model_config,
    parse_config,
    read_config,
)

POOL = "detectors"


@pytest.fixture
def bases(store) -> list[ModelCard]:
    for card, onnx in (base(0), base(1)):
        store.put(model_key(card.uuid, 1, "model.onnx"), onnx)
    return [base(0)[0], base(1)[0]]


@pytest.fixture
def ensemble(store) -> ModelCard:
    card, onnx, weights = stack([base(0), base(1)])
    store.put(model_key(STACK, 1, "model.onnx"), onnx)
    store.put(model_key(STACK, 1, "weights.npz"), weights)
    return card


def whole(release, card) -> bool:
    return release.models["stack"].head is None and release.models["stack"].onnx == card.files["model.onnx"]


def test_ensemble_beside_its_bases_is_its_head(store, bases, ensemble, tmp_path):
    release = assemble(store, POOL, [ensemble, *bases])
    assert release.models["stack"].head.bases == ("base-0", "base-1")
    assert read_release(store, POOL, release.digest) == release
    assert assemble(store, POOL, [*reversed(bases), ensemble]) == release
    pull(store, release, tmp_path / "repository")
    folders = {path.name: path for path in (tmp_path / "repository").iterdir()}
    assert set(folders) == {"stack", "stack.head", "base-0", "base-1"}
    head = head_graph(read_head(ensemble, store.get(model_key(STACK, 1, "weights.npz"))))
    assert (folders["stack.head"] / "1" / "model.onnx").read_bytes() == head
    assert (folders["stack"] / "1" / "model.onnx").read_bytes() == head
    config = read_config(folders["stack"] / "config.pbtxt")
    assert (config.name, config.platform, config.max_batch_size) == ("stack", "ensemble", 32)
    assert [tensor.name for tensor in config.input] == ["image"]
    assert [tensor.name for tensor in config.output] == ["probabilities"]
    assert [step.model_name for step in config.ensemble_scheduling.step] == ["base-0", "base-1", "stack.head"]
    assert read_config(folders["stack.head"] / "config.pbtxt").name == "stack.head"


def test_ensemble_without_one_of_its_bases_is_whole(store, bases, ensemble):
    assert whole(assemble(store, POOL, [ensemble]), ensemble)
    assert whole(assemble(store, POOL, [ensemble, bases[0]]), ensemble)
    other, onnx = base(1, version=2)
    store.put(model_key(BASES[1], 2, "model.onnx"), onnx)
    assert whole(assemble(store, POOL, [ensemble, bases[0], other]), ensemble), "another version is another base"
    release = assemble(store, POOL, [ensemble, *bases, other])
    assert release.models["stack"].head.bases == ("base-0", "base-1.1")


def test_ensemble_whose_weights_are_no_heads_is_whole(store, bases, ensemble):
    key = model_key(STACK, 1, "weights.npz")
    good = store.get(key)
    store.put(key, good[:-1] + b"\1")
    assert whole(assemble(store, POOL, [ensemble, *bases]), ensemble)
    store.delete(key)
    assert whole(assemble(store, POOL, [ensemble, *bases]), ensemble)
    store.put(key, good)
    nameless = ensemble.model_copy(update={"base_versions": ()})
    assert whole(assemble(store, POOL, [nameless, *bases]), nameless)


def test_ensemble_that_says_how_it_serves_is_served_so(store, bases, ensemble):
    key = model_key(STACK, 1, "config.pbtxt")
    store.put(key, config_text(model_config(ensemble)).encode())
    assert assemble(store, POOL, [ensemble, *bases]).models["stack"].head is not None, "this is what all are exported with"
    store.put(key, config_text(model_config(ensemble, warm_up=(1,))).encode())
    assert whole(assemble(store, POOL, [ensemble, *bases]), ensemble)


def test_ensemble_takes_no_more_at_once_than_its_bases(store, bases, ensemble):
    config = model_config(bases[1], batching=DynamicBatching(max_batch_size=4))
    store.put(model_key(BASES[1], 1, "config.pbtxt"), config_text(config).encode())
    release = assemble(store, POOL, [ensemble, *bases])
    assert release.models["stack"].max_batch == 4
    for name in ("stack", "stack.head"):
        assert parse_config(store.get(release.key(f"{name}/config.pbtxt")).decode()).max_batch_size == 4


def test_variant_is_that_of_the_bases(store, bases, ensemble):
    release = assemble(store, POOL, [ensemble, *bases], variant=Variant(instances=Instances(count=3), response_cache=True))
    assert release.digest != assemble(store, POOL, [ensemble, *bases]).digest
    counts = {name: store.get(release.key(f"{name}/config.pbtxt")).decode().count("count: 3") for name in release.folders}
    assert counts == {"base-0": 1, "base-1": 1, "stack": 0, "stack.head": 0}


def test_damaged_head_is_named_for_its_ensemble_and_repaired(store, bases, ensemble, tmp_path):
    release = assemble(store, POOL, [ensemble, *bases])
    store.put(release.key("stack.head/1/model.onnx"), b"rot")
    with pytest.raises(UnusableModels) as caught:
        pull(store, release, tmp_path / "damaged")
    assert set(caught.value.reasons) == {ModelVersion(STACK, 1)}
    assert assemble(store, POOL, [ensemble, *bases], repair=True) == release
    pull(store, release, tmp_path / "repaired")


def test_a_model_that_has_the_heads_name_keeps_it(store, bases, ensemble):
    namesake, onnx = base(1, version=3)
    namesake = namesake.model_copy(update={"name": "stack.head"})
    store.put(model_key(BASES[1], 3, "model.onnx"), onnx)
    assert whole(assemble(store, POOL, [ensemble, *bases, namesake]), ensemble)
