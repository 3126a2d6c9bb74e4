"""Releases are what their digest says, whole or not at all, and made once."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256

import pytest
from support.tiny_models import DETECTOR, SECOND_DETECTOR, detector_onnx

from visionlab_core.model_card import FileDigest
from visionlab_core.object_store import FolderObjectStore, KeyNotFound
from visionlab_core.store_layout import model_key
from visionlab_inference.backend import ModelVersion
from visionlab_inference.releases import PoolState, ReleaseDamaged, UnusableModels, assemble, collect, pull, read_release
from visionlab_inference.repository import Instances, TensorRt, Variant, config_text, model_config, parse_config

POOL = "detectors"


def files(store, prefix="releases/") -> dict[str, bytes]:
    return {info.key.removeprefix(prefix): store.get(info.key) for info in store.list(prefix)}


def test_release_is_a_repository_with_a_manifest(store, add):
    first, second = add(), add(SECOND_DETECTOR, "second")
    release = assemble(store, POOL, [first, second])
    found = files(store, f"releases/{POOL}/{release.digest}/")
    assert set(found) == {
        "release.json", "first/config.pbtxt", "first/1/model.onnx", "second/config.pbtxt", "second/1/model.onnx",
    }  # fmt: skip
    assert found["first/1/model.onnx"] == detector_onnx(1)
    assert parse_config(found["second/config.pbtxt"].decode()) == model_config(second)
    assert sha256(found["release.json"]).hexdigest() == release.digest
    assert read_release(store, POOL, release.digest) == release
    assert release.versions == {ModelVersion(DETECTOR, 1): "first", ModelVersion(SECOND_DETECTOR, 1): "second"}


def test_digest_depends_on_the_models_alone(store, add):
    first, second = add(), add(SECOND_DETECTOR, "second")
    release = assemble(store, POOL, [first, second])
    before = files(store)
    assert assemble(store, POOL, [second, first]) == release
    assert files(store) == before
    assert assemble(store, POOL, [first]).digest != release.digest
    assert assemble(store, POOL, [first.model_copy(update={"label": "Another"}), second]).digest != release.digest


def test_digest_covers_the_configuration(store, add):
    card = add()
    plain = assemble(store, POOL, [card])
    config = model_config(card)
    config.max_batch_size = 33
    store.put(model_key(DETECTOR, 1, "config.pbtxt"), config_text(config).encode())
    changed = assemble(store, POOL, [card])
    assert changed.digest != plain.digest
    assert (plain.models["first"].max_batch, changed.models["first"].max_batch) == (32, 33)


GPU = Variant(instances=Instances(count=2, kind="gpu"), tensorrt=TensorRt(precision="FP16"), response_cache=True)


def test_variant_is_how_models_serve_that_do_not_say_so(store, add):
    card, other = add(), add(SECOND_DETECTOR, "second")
    plain = assemble(store, POOL, [card, other])
    release = assemble(store, POOL, [card, other], variant=GPU)
    assert release.digest != plain.digest
    assert assemble(store, POOL, [card, other], variant=GPU) == release
    text = store.get(release.key("first/config.pbtxt")).decode()
    assert "count: 2\n  kind: KIND_GPU" in text
    assert 'name: "tensorrt"' in text
    assert 'key: "precision_mode"\n        value: "FP16"' in text
    assert "response_cache {\n  enable: true" in text


def test_variant_leaves_those_that_say_how_they_serve(store, add):
    card, key = add(), model_key(DETECTOR, 1, "config.pbtxt")
    store.put(key, config_text(model_config(card, warm_up=(1,))).encode())
    own = assemble(store, POOL, [card])
    assert assemble(store, POOL, [card], variant=GPU) == own
    # What every export writes is no wish of this model.
    store.put(key, config_text(model_config(card)).encode())
    assert "KIND_GPU" in store.get(assemble(store, POOL, [card], variant=GPU).key("first/config.pbtxt")).decode()


def test_bytes_are_shared_with_the_model_and_outlive_it(store, add):
    card = add()
    release = assemble(store, POOL, [card])
    key = release.key("first/1/model.onnx")
    assert store.local_path(key).samefile(store.local_path(model_key(DETECTOR, 1, "model.onnx")))
    store.delete(model_key(DETECTOR, 1, "model.onnx"))
    assert store.get(key) == detector_onnx(1)


def test_older_versions_stand_beside_the_newest(store, add, tmp_path):
    release = assemble(store, POOL, [add(version=2), add(version=10), add(version=1)])
    assert {name: model.card.version for name, model in release.models.items()} == {"first": 10, "first.1": 1, "first.2": 2}
    pull(store, release, tmp_path / "repository")
    for name in release.models:
        assert parse_config((tmp_path / "repository" / name / "config.pbtxt").read_text()).name == name


def test_every_unusable_model_is_named_and_nothing_looks_like_a_release(store, add):
    good, damaged, missing, foreign = (
        add(), add(SECOND_DETECTOR, "damaged", 2), add(SECOND_DETECTOR, "missing", 3), add(SECOND_DETECTOR, "foreign", 4),
    )  # fmt: skip
    store.put(model_key(SECOND_DETECTOR, 2, "model.onnx"), detector_onnx(2)[:-1] + b"\0")
    store.delete(model_key(SECOND_DETECTOR, 3, "model.onnx"))
    with pytest.raises(UnusableModels) as caught:
        assemble(store, POOL, [good, damaged, missing])
    reasons = {model.version: reason for model, reason in caught.value.reasons.items()}
    assert set(reasons) == {2, 3}
    assert "sha256" in reasons[2]
    assert "model.onnx" in reasons[3]
    store.put(model_key(SECOND_DETECTOR, 4, "config.pbtxt"), config_text(model_config(good)).encode())
    with pytest.raises(UnusableModels, match="that of 'first', the card that of 'foreign'"):
        assemble(store, POOL, [good, foreign])
    assert not any(name.endswith("release.json") for name in files(store))


def test_configuration_that_the_card_has_a_digest_of_is_checked(store, add):
    card = add()
    config = config_text(model_config(card)).encode()
    digest = FileDigest(sha256=sha256(config).hexdigest(), size=len(config))
    card = card.model_copy(update={"files": {**card.files, "config.pbtxt": digest}})
    with pytest.raises(UnusableModels, match=r"config\.pbtxt"):
        assemble(store, POOL, [card])
    store.put(model_key(DETECTOR, 1, "config.pbtxt"), config.replace(b"32", b"31"))
    with pytest.raises(UnusableModels, match="sha256"):
        assemble(store, POOL, [card])
    store.put(model_key(DETECTOR, 1, "config.pbtxt"), config)
    assert assemble(store, POOL, [card]).models["first"].config == digest


def test_damaged_release_is_repaired_from_the_models(store, add):
    card = add()
    release = assemble(store, POOL, [card])
    key = release.key("first/1/model.onnx")
    store.put(key, b"rot")
    store.put(release.key("first/config.pbtxt"), b"rot")
    assert assemble(store, POOL, [card], repair=True) == release
    assert store.get(key) == detector_onnx(1)
    assert parse_config(store.get(release.key("first/config.pbtxt")).decode()) == model_config(card)


def test_manifest_that_was_changed_is_refused(store, add):
    release = assemble(store, POOL, [add()])
    store.put(release.key("release.json"), release.manifest.replace(b"first", b"fir5t"))
    with pytest.raises(ReleaseDamaged, match="sha256"):
        read_release(store, POOL, release.digest)
    with pytest.raises(KeyNotFound):
        read_release(store, POOL, "0" * 64)


ASSEMBLE = """
import os, sys
from visionlab_core.model_card import ModelCard
from visionlab_core.object_store import FolderObjectStore
from visionlab_inference.releases import assemble
steps = int(sys.argv[2])
class Mortal(FolderObjectStore):
    def step(self):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), 9)
    def put(self, *arguments, **options):
        self.step()
        return super().put(*arguments, **options)
    def copy(self, *arguments):
        self.step()
        super().copy(*arguments)
assemble(Mortal(sys.argv[1]), "detectors", [ModelCard.model_validate_json(card) for card in sys.argv[3:]])
"""


def test_process_that_is_killed_leaves_no_release_and_the_next_makes_it(store, add):
    cards = [add(), add(SECOND_DETECTOR, "second")]
    kills = 0
    while True:
        command = [sys.executable, "-c", ASSEMBLE, store.root, str(kills), *(card.model_dump_json() for card in cards)]
        if subprocess.run(command, check=False).returncode == 0:
            break
        assert not any(name.endswith("release.json") for name in files(FolderObjectStore(store.root)))
        kills += 1
    assert kills >= 4, "it was killed at each of its writes that an earlier one had not done"
    release = assemble(store, POOL, cards)
    assert read_release(store, POOL, release.digest) == release


def test_pulled_folder_is_the_release_and_damage_is_named(store, add, tmp_path):
    release = assemble(store, POOL, [add(), add(SECOND_DETECTOR, "second")])
    pull(store, release, tmp_path / "repository")
    found = {
        str(path.relative_to(tmp_path / "repository")): path.read_bytes()
        for path in (tmp_path / "repository").rglob("*")
        if path.is_file()
    }
    expected = files(store, f"releases/{POOL}/{release.digest}/")
    del expected["release.json"]
    assert found == expected
    store.put(release.key("second/1/model.onnx"), b"rot")
    with pytest.raises(UnusableModels) as caught:
        pull(store, release, tmp_path / "other")
    assert set(caught.value.reasons) == {ModelVersion(SECOND_DETECTOR, 1)}


def test_release_in_a_bucket_is_the_same_and_can_be_pulled(store, bucket, add, tmp_path):
    card = add()
    bucket.put(model_key(DETECTOR, 1, "model.onnx"), detector_onnx(1))
    release = assemble(bucket, POOL, [card])
    assert release == assemble(store, POOL, [card])
    assert read_release(bucket, POOL, release.digest) == release
    assert files(bucket) == files(store)
    pull(bucket, release, tmp_path / "repository")
    assert (tmp_path / "repository" / "first" / "1" / "model.onnx").read_bytes() == detector_onnx(1)
    assert collect(bucket, POOL, PoolState(), older_than=-60) == {release.digest}
    assert files(bucket) == {}
