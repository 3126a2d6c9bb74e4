"""A spec with a typo must not train something else than what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from visionlab_core.training_spec import DetectorTraining, GeneratorTraining, TrainingSpec

ADAPTER: TypeAdapter[DetectorTraining | GeneratorTraining] = TypeAdapter(TrainingSpec)
DETECTOR: dict[str, Any] = {
    "kind": "detector",
    "name": "mobilenetv2",
    "architecture": "MobileNetV2",
    "data": {"manifest": "faces.csv"},
    "steps": 10,
}
GENERATOR: dict[str, Any] = {
    "kind": "generator",
    "name": "dcgan",
    "face_class": "human",
    "data": {"folders": ["faces"]},
    "steps": 10,
}


@pytest.mark.parametrize(("fields", "kind"), [(DETECTOR, DetectorTraining), (GENERATOR, GeneratorTraining)])
def test_the_kind_chooses_and_json_keeps_all(fields: dict[str, Any], kind: type) -> None:
    spec = ADAPTER.validate_python(fields)
    assert isinstance(spec, kind)
    assert ADAPTER.validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("base", "change", "field"),
    [
        (DETECTOR, {"learning_rat": 0.1}, "learning_rat"),
        (DETECTOR, {"data": {"manifest": "faces.csv", "source_exponet": 1}}, "source_exponet"),
        (DETECTOR, {"kind": "classifier"}, "kind"),
        (DETECTOR, {"steps": 0}, "steps"),
        (DETECTOR, {"batch_size": 1}, "batch_size"),
        (DETECTOR, {"learning_rate": 0}, "learning_rate"),
        (DETECTOR, {"optimizer": "adam"}, "optimizer"),
        (DETECTOR, {"resolution": 16}, "resolution"),
        (DETECTOR, {"label_smoothing": 1}, "label_smoothing"),
        (GENERATOR, {"architecture": "GAN"}, "architecture"),
        (GENERATOR, {"face_class": "cat"}, "face_class"),
        (GENERATOR, {"ema_decay": 1}, "ema_decay"),
        (GENERATOR, {"resolution": 64}, "resolution"),
    ],
)
def test_mistakes_are_refused_by_name(base: dict[str, Any], change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        ADAPTER.validate_python(base | change)


@pytest.mark.parametrize("field", ["name", "architecture", "data"])
def test_what_a_detector_needs_is_asked_for(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        ADAPTER.validate_python({name: value for name, value in DETECTOR.items() if name != field})
