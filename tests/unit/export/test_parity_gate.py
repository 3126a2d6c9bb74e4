"""The gate lets equal models through and stops the others, with the amount."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from visionlab_core.model_card import TensorSpec
from visionlab_export.errors import ExportError, ParityError
from visionlab_export.onnx_file import onnx_runner, to_onnx, write_onnx
from visionlab_export.parity import check_parity
from visionlab_export.serving import Tensors, served_detector

PROBABILITIES = TensorSpec(name="probabilities", dtype="float32", shape=(4,))
IMAGE = TensorSpec(name="image", dtype="uint8", shape=(50, 50, 3))


def test_a_tampered_onnx_file_is_stopped(tiny_detector: Any, pictures: NDArray[np.uint8], tmp_path: Path) -> None:
    graph = served_detector(tiny_detector)
    model = to_onnx(graph)
    write_onnx(model, tmp_path / "good.onnx")
    good = {"Keras": graph.reference, "ONNX Runtime": onnx_runner(tmp_path / "good.onnx")}
    report = check_parity(good, graph.outputs, {"image": pictures})
    assert report.worst("probabilities").difference < 1e-5
    assert report.worst("activation_map").difference < 1e-4
    assert {comparison.batch_size for comparison in report.comparisons} == {1, 3, 8}
    assert {effect.runtime for effect in report.batch_effects} == {"Keras", "ONNX Runtime"}
    assert max(effect.difference for effect in report.batch_effects) < 1e-5

    bias = np.asarray(tiny_detector.get_layer("probabilities").bias)
    stored = next(tensor for tensor in model.graph.initializer if np.array_equal(numpy_helper.to_array(tensor), bias))
    stored.CopyFrom(numpy_helper.from_array(bias + np.array([0.01, 0, 0, 0], np.float32), stored.name))
    onnx.save(model, tmp_path / "tampered.onnx")
    bad = {**good, "ONNX Runtime": onnx_runner(tmp_path / "tampered.onnx")}
    with pytest.raises(ParityError) as caught:
        check_parity(bad, graph.outputs, {"image": pictures})
    worst = caught.value.report.worst("probabilities")
    assert 1e-4 < worst.difference < 0.01
    assert f"Keras and ONNX Runtime differ in probabilities at batch size {worst.batch_size}" in str(caught.value)
    assert f"{worst.difference:.3g} (at most 0.0001)" in str(caught.value)
    assert "activation_map" not in str(caught.value), "only what differs is named"


def test_a_file_that_onnx_runtime_refuses_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not ONNX")
    with pytest.raises(ExportError, match=r"does not load model\.onnx"):
        onnx_runner(path)


def constant(value: NDArray[Any], name: str) -> Any:
    def run(tensors: Tensors) -> Tensors:
        return {name: np.repeat(value[None], len(tensors["x"]), axis=0)}

    return run


def examples(count: int = 8) -> Tensors:
    return {"x": np.zeros((count, 1), np.float32)}


@pytest.mark.parametrize("broken", [np.float32(np.nan), np.float32(np.inf)])
def test_what_is_no_number_is_stopped(broken: np.float32) -> None:
    good = constant(np.full(4, 0.25, np.float32), "probabilities")
    bad = constant(np.full(4, broken, np.float32), "probabilities")
    with pytest.raises(ParityError):
        check_parity({"a": good, "b": bad}, [PROBABILITIES], examples())
    with pytest.raises(ParityError), np.errstate(invalid="ignore"):
        check_parity({"a": bad, "b": bad}, [PROBABILITIES], examples())


@pytest.mark.parametrize(
    ("levels", "values", "passes"),
    [(1, 7, True), (1, 8, False), (2, 1, False)],
    ids=["a few by one", "too many", "by two levels"],
)
def test_pixels_may_differ_by_one_level_here_and_there(levels: int, values: int, passes: bool) -> None:
    picture = np.full((50, 50, 3), 100, np.uint8)
    other = picture.copy()
    other.flat[:values] += levels
    runners = {"a": constant(picture, "image"), "b": constant(other, "image")}
    if passes:
        assert check_parity(runners, [IMAGE], examples()).worst("image").differing == pytest.approx(values / 7500)
        return
    with pytest.raises(ParityError, match=rf"by {levels} \(at most 1\), in 0\.\d+% of the values"):
        check_parity(runners, [IMAGE], examples())


def test_an_answer_that_depends_on_its_batch_is_reported() -> None:
    def batch_dependent(tensors: Tensors) -> Tensors:
        count = len(tensors["x"])
        return {"probabilities": np.full((count, 4), 0.01 * count, np.float32)}

    report = check_parity({"a": batch_dependent, "b": batch_dependent}, [PROBABILITIES], examples())
    assert [effect.difference for effect in report.batch_effects] == pytest.approx([0.07, 0.07])


def test_too_few_examples_and_wrong_tensors_are_refused() -> None:
    good = constant(np.full(4, 0.25, np.float32), "probabilities")
    with pytest.raises(ExportError, match="at least 8 examples, and was given 7"):
        check_parity({"a": good, "b": good}, [PROBABILITIES], examples(7))
    wide = constant(np.full(4, 0.25, np.float64), "probabilities")
    with pytest.raises(ExportError, match=r"b gives .*float64"):
        check_parity({"a": good, "b": wide}, [PROBABILITIES], examples())
