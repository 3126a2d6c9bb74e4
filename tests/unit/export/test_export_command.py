"""`visionlab-export` from the outside: exit codes and what it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from PIL import Image

from visionlab_export.cli import main


@pytest.fixture
def images(pictures: NDArray[np.uint8], tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).resize((180, 150)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def card(draft_fields: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "draft.yaml"
    path.write_text(yaml.safe_dump({**draft_fields, "uuid": str(draft_fields["uuid"])}))
    return path


@pytest.fixture
def model(tiny_detector: Any, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.keras"
    tiny_detector.save(path)
    return path


def command(model: Path, card: Path, images: Path, out: Path) -> int:
    return main([str(model), "--card", str(card), "--images", str(images), "--out", str(out)])


def test_a_model_is_exported(
    model: Path, card: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert command(model, card, images, out) == 0
    printed = capsys.readouterr()
    folder = Path(printed.out.strip())
    assert (folder / "model.onnx").is_file()
    assert folder.is_relative_to(out)
    assert "Converting to ONNX" in printed.err
    assert "differ in probabilities at batch size" in printed.err

    assert command(model, card, images, out) == 2
    assert "is there already" in capsys.readouterr().err

    monkeypatch.setattr("visionlab_export.parity.PROBABILITY_TOLERANCE", -1.0)
    assert command(model, card, images, tmp_path / "other") == 1
    assert "nothing was exported" in capsys.readouterr().err
    assert list((tmp_path / "other").rglob("*")) == []


def test_code_in_a_model_is_refused(card: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = keras.Input((32, 32, 3))
    x = keras.layers.Lambda(lambda x: x / 255)(pixels)
    x = keras.layers.Dense(4, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    path = tmp_path / "lambda.keras"
    keras.Model(pixels, x).save(path)
    assert command(path, card, images, tmp_path / "out") == 2
    assert "Lambda" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.keras", None, "There is no file"),
        ("model.h5", b"\x89HDF", ".keras format"),
        ("model.pkl", b"\x80\x04", ".keras format"),
        ("model.keras", b"not a zip", ".keras format"),
    ],
)
def test_other_files_are_refused(
    name: str, content: bytes | None, says: str, card: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert command(tmp_path / name, card, images, tmp_path / "out") == 2
    assert says in capsys.readouterr().err


def test_a_damaged_model_is_refused(
    model: Path, card: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(model.read_bytes())
    content[200:400] = bytes(200)
    model.write_bytes(content)
    assert command(model, card, images, tmp_path / "out") == 2
    assert "tiny.keras" in capsys.readouterr().err


def test_what_a_card_lacks_is_named(model: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "draft.yaml"
    path.write_text("name: tiny\nversion: 0\ncolour: red\n")
    assert command(model, path, images, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert "uuid: Field required" in said
    assert "version: Input should be greater than or equal to 1" in said
    assert "colour: Extra inputs" in said
    path.write_text("name: [")
    assert command(model, path, images, tmp_path / "out") == 2
    assert "is not YAML" in capsys.readouterr().err
    assert command(model, tmp_path / "none.yaml", images, tmp_path / "out") == 2
    assert "cannot be read" in capsys.readouterr().err


def test_too_few_or_damaged_images_are_named(
    model: Path, card: Path, images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (images / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    assert command(model, card, images, tmp_path / "out") == 2
    assert "3.png" in capsys.readouterr().err
    (images / "3.png").unlink()
    assert command(model, card, images, tmp_path / "out") == 2
    assert "holds 7 images" in capsys.readouterr().err


def test_help_needs_no_tensorflow() -> None:
    code = (
        "import sys\n"
        "from visionlab_export.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as ended:\n    assert not ended.code\n"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "--images" in printed
