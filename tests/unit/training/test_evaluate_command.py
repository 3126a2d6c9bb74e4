"""`visionlab-evaluate` on exported versions."""

import json
import subprocess
import sys

import pytest
from support.drawn_faces import write_dataset
from support.tiny_models import (
    DETECTOR,
    detector_card,
    detector_onnx,
    generator_card,
    generator_onnx,
    write_version,
)

from visionlab_training.evaluate_command import main


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("data"), each=2)


@pytest.fixture
def detector(tmp_path):
    onnx = detector_onnx(1)
    return write_version(tmp_path / "models", detector_card(onnx), onnx)


@pytest.fixture
def generator(tmp_path):
    onnx = generator_onnx()
    return write_version(tmp_path / "models", generator_card(onnx), onnx)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["visionlab-evaluate", *map(str, arguments)])
    main()


def refused(monkeypatch, capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        run(monkeypatch, *arguments)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    return message


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_detector(monkeypatch, capsys, tmp_path, detector, manifest):
    before = contents(detector)
    monkeypatch.chdir(tmp_path)
    run(monkeypatch, detector, "--manifest", manifest, "--robustness", 4)
    out = tmp_path / "evaluations" / "tiny-detector-1"
    assert {path.name for path in out.iterdir()} == {"evaluation.json", "report.html", "confusion.png", "sources.png"}
    measured = json.loads((out / "evaluation.json").read_text())
    assert measured["model"]["uuid"] == str(DETECTOR)
    assert measured["metrics"]["unseen"]["images"] == 16
    assert measured["metrics"]["test"]["robustness"]["images"] == 4
    assert measured["unreadable"] == {"test": [], "unseen": []}
    printed = capsys.readouterr().out
    assert f"{measured['metrics']['test']['accuracy']:.1%}" in printed
    assert "report.html" in printed
    assert contents(detector) == before


def test_a_detector_is_judged_without_tensorflow(detector, manifest, tmp_path):
    words = [str(detector), "--manifest", str(manifest), "--splits", "val", "--robustness", "2", "--out", str(tmp_path / "out")]
    program = (
        f"import sys; sys.argv = ['visionlab-evaluate', *{words!r}]\n"
        "from visionlab_training.evaluate_command import main\nmain()\n"
        "assert not {'tensorflow', 'keras', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_damaged_images_are_counted_and_named(monkeypatch, capsys, tmp_path, detector):
    manifest = write_dataset(tmp_path / "data", each=1)
    damaged = next((tmp_path / "data").glob("human-a-test/*.jpg"))
    damaged.write_bytes(b"rubbish")
    run(monkeypatch, detector, "--manifest", manifest, "--splits", "test", "--robustness", 0, "--out", tmp_path / "out")
    assert f"test: 1 images left out, the first: {damaged.name}" in capsys.readouterr().out
    assert damaged.name in (tmp_path / "out" / "report.html").read_text()


def test_a_generator_without_feature_weights(monkeypatch, capsys, tmp_path, generator, detector, manifest):
    run(monkeypatch, generator, "--manifest", manifest, "--detectors", detector, "--out", tmp_path / "out")
    assert "FID and KID are left out" in capsys.readouterr().out
    measured = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert measured["metrics"] == {}
    assert list(measured["recognised"]) == ["tiny-detector/1"]
    assert (tmp_path / "out" / "samples.jpg").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "card.json").unlink(), "has no card.json"),
        (lambda folder: (folder / "card.json").write_text("{"), "is no model card"),
        (lambda folder: (folder / "card.json").write_text('{"name": "x"}'), "is no model card: uuid"),
        (lambda folder: (folder / "model.onnx").unlink(), "has no model.onnx"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "is not the file that its card describes"),
    ],
)
def test_a_version_that_cannot_be_used_is_refused(monkeypatch, capsys, tmp_path, detector, manifest, spoil, words):
    spoil(detector)
    assert words in refused(monkeypatch, capsys, detector, "--manifest", manifest, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no manifest"),
        ("path,class\n", "lacks the columns"),
        ("path,class,source,split\na.jpg,dog,s,test\n", "the class is 'dog'"),
        ("path,class,source,split\na.jpg,human,s,test\n", "no image of the split unseen; it has test"),
        ("path,class,source,split\na.jpg,human,s,test\nb.jpg,human,s,unseen\n", "No image of the split test can be decoded"),
    ],
)
def test_data_that_cannot_be_used_is_refused(monkeypatch, capsys, tmp_path, detector, text, words):
    manifest = tmp_path / "manifest.csv"
    if text is not None:
        manifest.write_text(text)
    assert words in refused(monkeypatch, capsys, detector, "--manifest", manifest, "--out", tmp_path / "out")


def test_a_manifest_that_is_no_text_is_refused(monkeypatch, capsys, tmp_path, detector):
    manifest = tmp_path / "manifest.csv"
    manifest.write_bytes(b"path,class,source,split\n\xff\xfe,human,s,test\n")
    assert "cannot be read" in refused(monkeypatch, capsys, detector, "--manifest", manifest)


def test_results_do_not_go_into_the_version_folder(monkeypatch, capsys, detector, manifest):
    message = refused(monkeypatch, capsys, detector, "--manifest", manifest, "--out", detector / "evaluation")
    assert "choose another --out" in message


def test_a_generator_is_no_detector(monkeypatch, capsys, generator, manifest):
    message = refused(monkeypatch, capsys, generator, "--manifest", manifest, "--detectors", generator)
    assert "is not a detector but a generator" in message


def test_a_split_of_another_name_is_refused(monkeypatch, capsys, detector, manifest):
    assert "invalid choice" in refused(monkeypatch, capsys, detector, "--manifest", manifest, "--splits", "dev")
