"""The images of a training: each content once, and always the same ones kept for judging."""

from __future__ import annotations

import csv
import hashlib
import io
from uuid import uuid4

from visionlab_api.services.training_images import (
    ListedImage,
    judged_images,
    read_learnt,
    read_listed,
    write_training_manifest,
)
from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import dataset_manifest_key, training_key


def images(count: int, face_class: str = "human", folder: str = "a") -> tuple[list[ListedImage], dict[str, str]]:
    digests = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    listed = [ListedImage(f"datasets/{folder}/images/{face_class}/{each}.jpg", face_class, folder) for each in digests]
    return listed, dict(zip([image.key for image in listed], digests, strict=True))


def rows(store, listed, digests, *, test_fraction=0.1, source=None) -> list[dict]:
    training = uuid4()
    write_training_manifest(store, training, listed, digests, test_fraction=test_fraction, source=source)
    text = store.get(training_key(training, "manifest.csv")).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_what_two_datasets_have_is_learnt_once_as_the_first_says(tmp_path):
    store = FolderObjectStore(tmp_path)
    first, digests = images(10)
    second, more = images(12, "anime", "b")
    found = rows(store, [*first, *second], digests | more)
    assert [row["class"] for row in found].count("human") == 10
    assert [row["class"] for row in found].count("anime") == 2
    assert {row["source"] for row in found} == {"a", "b"}
    assert {row["split"] for row in found} == {"train"}, "too few to keep some for judging"
    assert {row["source"] for row in rows(store, first, digests, source="mine")} == {"mine"}


def test_an_image_that_is_judged_on_is_never_learnt_from_later(tmp_path):
    store = FolderObjectStore(tmp_path)
    few, many = (
        {row["path"].rsplit("/", 1)[-1]: row["split"] for row in rows(store, *images(count, folder=folder))}
        for count, folder in ((300, "a"), (900, "b"))
    )
    assert 10 < list(few.values()).count("test") < 60
    assert all(many[name] == split for name, split in few.items())


def test_paths_of_frozen_manifests_become_keys(tmp_path):
    store = FolderObjectStore(tmp_path)
    dataset, digest = uuid4(), "0" * 64
    text = "path,class,source,split\n../images/human/x.jpg,human,set,train\n../../../images/aa/y.png,anime,labelled,train\n"
    store.put(dataset_manifest_key(dataset, digest), text.encode())
    found = read_listed(store, [{"uuid": str(dataset), "digest": digest}])
    assert [image.key for image in found] == [f"datasets/{dataset}/images/human/x.jpg", "images/aa/y.png"]


def test_what_two_versions_are_judged_on_neither_has_learnt(tmp_path):
    store = FolderObjectStore(tmp_path)
    before, digests = images(60)
    champion = uuid4()
    write_training_manifest(store, champion, before, digests, test_fraction=0.1, source=None)
    learnt = {digests[image.key] for image in read_learnt(store, champion)}
    assert len(learnt) == 60, "so few that none were kept"
    listed, digests = images(400)
    judged = judged_images(listed, digests, learnt, test_fraction=0.3)
    challenger = uuid4()
    write_training_manifest(store, challenger, listed, digests, test_fraction=0.3, source=None, least_for_a_test=0)
    new = {digests[image.key] for image in read_learnt(store, challenger)}
    assert len(judged) > 60
    assert not judged.keys() & (learnt | new)
    # The next time there is more, and the share is another; what was judged then has still not been learnt.
    later, more = images(900)
    next_judged = judged_images(later, more, new, test_fraction=0.3)
    assert judged.keys() <= next_judged.keys()
    assert judged_images(later, more, new, test_fraction=0.1).keys() <= next_judged.keys()


def test_a_training_whose_list_is_gone_is_unknown(tmp_path):
    assert read_learnt(FolderObjectStore(tmp_path), uuid4()) is None
