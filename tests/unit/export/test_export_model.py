"""Real exports, whole: every file, its digest, and the weights that make the same model again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from visionlab_core.model_card import Metrics, ModelCard
from visionlab_export.card_draft import CardDraft
from visionlab_export.errors import ExportError, ParityError
from visionlab_export.export import export_model
from visionlab_export.onnx_file import to_onnx, write_onnx
from visionlab_export.serving import served_detector
from visionlab_export.weights import load_weights
from visionlab_inference.repository import read_config
from visionlab_training import zoo
from visionlab_training.zoo import dcgan

Draft = Callable[..., CardDraft]


@pytest.mark.slow
def test_mobilenet_v2_is_exported_whole(
    disturbed: Callable[[Any], Any], draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path
) -> None:
    model = disturbed(zoo.detector("MobileNetV2").build(64))
    export = export_model(model, draft(temperature=1.5), tmp_path, images=pictures)
    folder = tmp_path / str(export.card.uuid) / "1"
    assert export.folder == folder
    assert export.card.parameters == 2_263_108
    assert ModelCard.model_validate_json((folder / "card.json").read_text()) == export.card

    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"model.onnx", "config.pbtxt", "weights.npz", "saved_model/saved_model.pb"} < files
    assert files == {*export.card.files, "card.json"}
    for name, digest in export.card.files.items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (digest.size, digest.sha256), name

    assert export.parity.worst("probabilities").difference <= 1e-4
    assert [(spec.name, spec.shape) for spec in export.card.outputs] == [("probabilities", (4,)), ("activation_map", (2, 2, 4))]
    assert [tensor.name for tensor in read_config(folder / "config.pbtxt").output] == ["probabilities", "activation_map"]

    served = onnx.load(folder / "model.onnx")
    shapes = [
        [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in (*served.graph.input, *served.graph.output)
    ]
    assert shapes == [["batch", 224, 224, 3], ["batch", 4], ["batch", 2, 2, 4]]
    assert [(opset.domain, opset.version) for opset in served.opset_import] == [("", 18)]
    kinds = Counter(node.op_type for node in served.graph.node)
    assert kinds["Conv"] == 52
    assert kinds["Transpose"] <= 2, "pixels in, feature map out; none between the convolutions"
    assert kinds["BatchNormalization"] == 0

    signature = tf.saved_model.load(str(folder / "saved_model")).signatures["serving_default"]
    assert set(signature.structured_input_signature[1]) == {"image"}
    assert set(signature.structured_outputs) == {"probabilities", "activation_map"}


def test_the_weights_file_and_the_architecture_make_the_same_bytes(
    build_tiny: Callable[[], Any], draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path
) -> None:
    export = export_model(build_tiny(), draft(temperature=1.5), tmp_path, images=pictures, keep_saved_model=False)
    again = build_tiny()
    load_weights(again, export.folder / "weights.npz")
    write_onnx(to_onnx(served_detector(again, temperature=1.5)), tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (export.folder / "model.onnx").read_bytes()


def test_a_generator_is_exported_whole(disturbed: Callable[[Any], Any], draft: Draft, tmp_path: Path) -> None:
    model = disturbed(dcgan.generator(4))
    for variable in model.weights:
        if len(variable.shape) > 1:
            variable.assign(np.asarray(variable) * 40)  # so that the pictures are not all grey
    export = export_model(model, draft(kind="generator", face_class="human_gen"), tmp_path)
    assert [(spec.name, spec.dtype, spec.shape) for spec in (*export.card.inputs, *export.card.outputs)] == [
        ("latent", "float32", (100,)),
        ("truncation", "float32", (1,)),
        ("image", "uint8", (128, 128, 3)),
    ]
    worst = export.parity.worst("image")
    assert worst.difference <= 1
    assert worst.differing <= 1e-3
    session = onnxruntime.InferenceSession(export.folder / "model.onnx")
    latent = np.random.default_rng(0).uniform(-1, 1, (5, 100)).astype(np.float32)
    (pictures,) = session.run(None, {"latent": latent, "truncation": np.ones((5, 1), np.float32)})
    assert pictures.shape == (5, 128, 128, 3)
    assert pictures.std() > 10


def test_an_existing_version_is_kept(tiny_detector: Any, draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path) -> None:
    first = export_model(tiny_detector, draft(), tmp_path, images=pictures, keep_saved_model=False)
    assert not any(name.startswith("saved_model") for name in first.card.files)
    before = {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()}
    with pytest.raises(ExportError, match="Versions never change"):
        export_model(tiny_detector, draft(label="Another"), tmp_path, images=pictures)
    assert {path: path.read_bytes() for path in first.folder.rglob("*") if path.is_file()} == before


def test_what_is_measured_and_drawn_is_part_of_the_version(
    tiny_detector: Any, draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path
) -> None:
    def measure(model: Path, card: ModelCard) -> dict[str, Metrics]:
        assert card.metrics == {}
        answers = onnxruntime.InferenceSession(model).run(["probabilities"], {"image": pictures})
        (model.parent / "answers.bin").write_bytes(np.asarray(answers).tobytes())
        return {}

    export = export_model(tiny_detector, draft(), tmp_path, images=pictures, measure=measure, keep_saved_model=False)
    assert export.card.files["answers.bin"].size == 8 * 4 * 4


def test_a_conversion_that_changes_the_model_is_stopped(
    tiny_detector: Any, draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = tiny_detector.get_layer("conv").kernel

    def with_other_weights(graph: Any) -> onnx.ModelProto:
        original = np.asarray(kernel)
        kernel.assign(original * 1.2)
        try:
            return to_onnx(graph)
        finally:
            kernel.assign(original)

    monkeypatch.setattr("visionlab_export.export.to_onnx", with_other_weights)
    with pytest.raises(ParityError, match=r"Keras and ONNX Runtime differ in probabilities at batch size \d by 0\.\d+"):
        export_model(tiny_detector, draft(), tmp_path, images=pictures)
    assert list(tmp_path.iterdir()) == []


def test_the_gate_needs_images_that_fit(tiny_detector: Any, draft: Draft, pictures: NDArray[np.uint8], tmp_path: Path) -> None:
    for images, says in [
        (None, "needs images"),
        (pictures[:, :100], r"uint8 \[M, 224, 224, 3\]"),
        (pictures.astype(np.float32), "float32"),
    ]:
        with pytest.raises(ExportError, match=says):
            export_model(tiny_detector, draft(), tmp_path, images=images)
    assert list(tmp_path.iterdir()) == []
