"""Which images a generator learns from, and which it is judged against."""

import shutil

import pytest
from support.drawn_faces import write_dataset, write_faces

from visionlab_core.training_spec import GeneratorTraining
from visionlab_training.data.index import DataError, read_manifest
from visionlab_training.training.gan import paths_of


@pytest.fixture
def manifest(tmp_path):
    return write_dataset(tmp_path / "data")


def spec_of(manifest, *folders):
    data = {"folders": folders, "manifest": manifest, "sources": ["anime-a"]}
    return GeneratorTraining.model_validate({"name": "faces", "face_class": "anime", "data": data, "steps": 10})


def test_copies_of_held_out_faces_in_a_folder_are_not_learnt_from(manifest, tmp_path):
    more = write_faces(tmp_path / "more", 3, first_seed=9000)
    for row in read_manifest(manifest):
        if row.face_class == "anime":
            shutil.copy(row.path, tmp_path / "more" / f"{row.source}-{row.split}-{row.path.name}")
    spec = spec_of(manifest, tmp_path / "more")
    held_out = {path.read_bytes() for split in ("val", "test", "unseen") for path in paths_of(spec, split)}
    learnt = [path.read_bytes() for path in paths_of(spec)]
    assert len(held_out) == 12
    assert not held_out & set(learnt)
    assert len(learnt) == len(set(learnt)) == 4 + 3 + 4, "the manifest's rows, the new faces, the other source's; each once"
    assert {path.read_bytes() for path in more} < set(learnt)


def test_a_held_out_face_that_is_missing_is_named(manifest, tmp_path):
    folder = write_faces(tmp_path / "more", 3, first_seed=9000)[0].parent
    missing = next(row.path for row in read_manifest(manifest) if row.face_class == "anime" and row.split == "test")
    missing.unlink()
    with pytest.raises(DataError, match=missing.name):
        paths_of(spec_of(manifest, folder))
