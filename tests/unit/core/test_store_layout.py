"""Keys of the store: every one valid, none leaving its place."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from visionlab_core.object_store import InvalidKey, validate_key
from visionlab_core.store_layout import (
    image_key,
    model_key,
    model_prefix,
    pool_prefix,
    pool_state_key,
    release_key,
    release_prefix,
    training_key,
)

ID = UUID("0190a0b0-0000-7000-8000-0000000000ab")
DIGEST = "0f" * 32


def test_the_keys() -> None:
    assert image_key(ID, ".png") == f"images/ab/{ID}.png"
    assert model_prefix(ID, 3) == f"models/{ID}/3/"
    assert model_key(ID, 3, "model.onnx") == f"models/{ID}/3/model.onnx"
    assert model_key(ID, 3, "saved_model/variables/variables.index") == f"models/{ID}/3/saved_model/variables/variables.index"
    assert release_prefix("detectors", DIGEST) == f"releases/detectors/{DIGEST}/"
    assert release_key("detectors", DIGEST, "m/1/model.onnx") == f"releases/detectors/{DIGEST}/m/1/model.onnx"
    assert pool_prefix("detectors") == "releases/detectors/"
    assert pool_state_key("detectors") == "releases/detectors/state.json"
    assert training_key(ID, "spec.json") == f"trainings/{ID}/spec.json"


def test_every_key_is_one_for_the_store() -> None:
    for key in (image_key(uuid4(), ".jpg"), model_key(uuid4(), 10**9, "card.json"), training_key(uuid4(), "result/model.keras")):
        assert validate_key(key) == key


def test_a_version_is_not_the_beginning_of_another() -> None:
    assert not model_key(ID, 11, "card.json").startswith(model_prefix(ID, 1))


def test_images_spread_over_the_shards() -> None:
    assert len({image_key(uuid4(), ".png").split("/")[1] for _ in range(2000)}) > 200


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../../x", "/x", "a//b", "a\\b", "a\nb"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(InvalidKey):
        model_key(ID, 1, name)
    with pytest.raises(InvalidKey):
        training_key(ID, name)
    with pytest.raises(InvalidKey):
        release_key("detectors", DIGEST, name)


@pytest.mark.parametrize("suffix", ["", "png", ".", ".PNG", "./x", ".p/g", ".tar.gz", ".png\n", "." + "x" * 9])
def test_suffixes_that_are_none_are_refused(suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        image_key(ID, suffix)


@pytest.mark.parametrize("version", [0, -1])
def test_versions_count_from_one(version: int) -> None:
    with pytest.raises(ValueError, match="from 1"):
        model_prefix(ID, version)


@pytest.mark.parametrize(
    ("pool", "digest"),
    [("", DIGEST), ("../x", DIGEST), ("Pool", DIGEST), ("-a", DIGEST), ("a" * 64, DIGEST), ("a", "latest"), ("a", "")],
)
def test_releases_that_are_none_are_refused(pool: str, digest: str) -> None:
    with pytest.raises(ValueError, match=r"pool|SHA-256"):
        release_prefix(pool, digest)
