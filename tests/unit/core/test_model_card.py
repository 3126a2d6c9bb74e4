"""Cards that contradict themselves or name files outside of their version are refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics, ModelCard

DIGEST = {"sha256": "0" * 64, "size": 1}
DETECTOR: dict[str, Any] = {
    "uuid": "7f0c6a0e-6d0e-4a7e-9f0e-3f4f6a0b1c2d",
    "name": "mobilenetv2",
    "label": "MobileNetV2",
    "version": 1,
    "kind": "detector",
    "architecture": "MobileNetV2",
    "description": "Tells real faces from made ones.",
    "classes": list(FACE_CLASSES),
    "inputs": [{"name": "image", "dtype": "uint8", "shape": [224, 224, 3]}],
    "outputs": [{"name": "probabilities", "dtype": "float32", "shape": [4]}],
    "parameters": 2_263_108,
    "metrics": {
        "test": {
            "kind": "detector",
            "images": 4,
            "data_digest": "d",
            "accuracy": 1.0,
            "source_mean": 1.0,
            "real_or_generated_accuracy": 1.0,
            "classes": {face: {"precision": 1, "recall": 1, "f1": 1, "support": 1} for face in FACE_CLASSES},
            "sources": {"somewhere": {"face_class": "human", "accuracy": 1, "support": 1}},
            "confusion": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
        }
    },
    "provenance": {
        "spec": {},
        "seed": 1,
        "steps": 1,
        "images_seen": 32,
        "device": "cpu",
        "code_version": "1",
        "started_from": "random",
        "data": "drawn in code",
        "trained_at": "2026-01-01T00:00:00Z",
    },
    "licence": "Apache-2.0",
    "files": {"model.onnx": DIGEST, "saved_model/variables/variables.index": DIGEST},
}
GENERATOR = DETECTOR | {"name": "dcgan", "kind": "generator", "classes": [], "face_class": "human_gen", "metrics": {}}


@pytest.mark.parametrize("fields", [DETECTOR, GENERATOR], ids=["detector", "generator"])
def test_a_card_survives_json(fields: dict[str, Any]) -> None:
    card = ModelCard.model_validate(fields)
    assert ModelCard.model_validate_json(card.model_dump_json()) == card


def test_the_kind_of_metrics_is_kept() -> None:
    assert isinstance(ModelCard.model_validate(DETECTOR).metrics["test"], DetectorMetrics)


@pytest.mark.parametrize(
    ("base", "change", "words"),
    [
        (DETECTOR, {"classes": []}, "in that order"),
        (DETECTOR, {"classes": ["human_gen", "human", "anime", "anime_gen"]}, "in that order"),
        (DETECTOR, {"classes": ["human", "human_gen"]}, "in that order"),
        (GENERATOR, {"face_class": None}, "human_gen or anime_gen"),
        (GENERATOR, {"face_class": "human"}, "human_gen or anime_gen"),
        (DETECTOR, {"files": {}}, "model.onnx"),
        (DETECTOR, {"files": {"other.onnx": DIGEST}}, "model.onnx"),
        (DETECTOR, {"files": {"model.onnx": {"sha256": "short", "size": 1}}}, "sha256"),
        (DETECTOR, {"files": {"model.onnx": {"sha256": "0" * 64, "size": -1}}}, "size"),
        (DETECTOR, {"version": 0}, "version"),
        (DETECTOR, {"name": "../evil"}, "name"),
        (DETECTOR, {"name": "Has Spaces"}, "name"),
        (DETECTOR, {"temperature": 0}, "temperature"),
        (DETECTOR, {"schema_version": 2}, "schema_version"),
        (DETECTOR, {"paramters": 1}, "paramters"),
        (DETECTOR, {"uuid": "1"}, "uuid"),
    ],
)
def test_contradictions_are_refused(base: dict[str, Any], change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ModelCard.model_validate(deepcopy(base) | change)


@pytest.mark.parametrize("path", ["../model.onnx", "/etc/passwd", "a/../../b", "..", "a\\b", "", "a//b", "./a", "a/"])
def test_files_outside_of_the_version_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="plain relative path"):
        ModelCard.model_validate(DETECTOR | {"files": {"model.onnx": DIGEST, path: DIGEST}})


def test_inputs_by_name() -> None:
    card = ModelCard.model_validate(DETECTOR)
    assert card.input("image").shape == (224, 224, 3)
    with pytest.raises(KeyError, match="noise"):
        card.input("noise")


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ModelCard.model_validate(DETECTOR).version = 2  # type: ignore[misc]
