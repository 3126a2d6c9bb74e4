"""Version folders become a repository that is whole, or nothing."""

from __future__ import annotations

import pytest
from support.tiny_models import SECOND_DETECTOR, detector_card, detector_onnx, generator_card, generator_onnx
from support.version_folders import write_exported

from visionlab_inference.triton import RepositoryError, assemble

DETECTOR_ONNX = detector_onnx()
GENERATOR_ONNX = generator_onnx()


@pytest.fixture
def versions(tmp_path):
    models = tmp_path / "models"
    return [
        write_exported(models, detector_card(DETECTOR_ONNX, version=3), DETECTOR_ONNX),
        write_exported(models, generator_card(GENERATOR_ONNX), GENERATOR_ONNX),
    ]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "served" / "repository"


def refused(versions, out) -> str:
    with pytest.raises(RepositoryError) as refusal:
        assemble(versions, out)
    assert not out.exists()
    assert not out.parent.exists() or not list(out.parent.iterdir()), "nothing half-done is left"
    return str(refusal.value)


def test_repository_has_each_model_as_version_1_with_the_bytes_of_its_folder(versions, out):
    cards = assemble(versions, out)
    assert [(card.name, card.version) for card in cards] == [("tiny-detector", 3), ("tiny-generator", 1)]
    files = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert files == {
        "tiny-detector/1/model.onnx": DETECTOR_ONNX,
        "tiny-detector/config.pbtxt": (versions[0] / "config.pbtxt").read_bytes(),
        "tiny-generator/1/model.onnx": GENERATOR_ONNX,
        "tiny-generator/config.pbtxt": (versions[1] / "config.pbtxt").read_bytes(),
    }


def test_later_change_of_a_version_folder_leaves_the_repository_alone(versions, out):
    assemble(versions, out)
    with (versions[0] / "model.onnx").open("r+b") as file:
        file.write(b"changed")
    assert (out / "tiny-detector" / "1" / "model.onnx").read_bytes() == DETECTOR_ONNX


def test_two_models_of_one_name_are_refused(versions, out, tmp_path):
    namesake = write_exported(tmp_path / "models", detector_card(DETECTOR_ONNX, SECOND_DETECTOR), DETECTOR_ONNX)
    message = refused([*versions, namesake], out)
    assert str(versions[0]) in message
    assert str(namesake) in message
    assert "'tiny-detector'" in message


@pytest.mark.parametrize("content", [b"another", DETECTOR_ONNX[:-1] + b"?"], ids=["size", "same-size"])
def test_damaged_model_is_refused(versions, out, content):
    (versions[0] / "model.onnx").write_bytes(content)
    message = refused(versions, out)
    assert str(versions[0] / "model.onnx") in message
    assert "damaged" in message


@pytest.mark.parametrize("name", ["card.json", "config.pbtxt", "model.onnx"])
def test_missing_file_is_named(versions, out, name):
    (versions[1] / name).unlink()
    message = refused(versions, out)
    assert str(versions[1]) in message
    assert name in message


def test_configuration_of_another_model_is_refused(versions, out):
    (versions[0] / "config.pbtxt").write_bytes((versions[1] / "config.pbtxt").read_bytes())
    message = refused(versions, out)
    assert "'tiny-generator'" in message
    assert "'tiny-detector'" in message


def test_invalid_configuration_is_refused(versions, out):
    (versions[0] / "config.pbtxt").write_text("nothing: here")
    assert "config.pbtxt" in refused(versions, out)


def test_card_that_is_none_is_refused(versions, out):
    (versions[0] / "card.json").write_text('{"name": "rubbish"}')
    assert "no model card" in refused(versions, out)


def test_repository_that_is_there_is_left_as_it_is(versions, out):
    assemble(versions[:1], out)
    with pytest.raises(RepositoryError, match="there already"):
        assemble(versions, out)
    assert [path.name for path in out.iterdir()] == ["tiny-detector"]
    assert list(out.parent.iterdir()) == [out]
