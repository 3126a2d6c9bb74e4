"""Real ONNX models that are small enough to be made in a test: they take and give what the shipped ones do."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import FileDigest, ModelCard, Provenance, TensorSpec

DETECTOR = UUID("11111111-1111-4111-8111-111111111111")
SECOND_DETECTOR = UUID("22222222-2222-4222-8222-222222222222")
GENERATOR = UUID("33333333-3333-4333-8333-333333333333")
DAMAGED = UUID("44444444-4444-4444-8444-444444444444")
WITHOUT_FILE = UUID("55555555-5555-4555-8555-555555555555")
NOT_A_NUMBER = UUID("66666666-6666-4666-8666-666666666666")
MIXER = UUID("77777777-7777-4777-8777-777777777777")
SIDE = 16


def detector_onnx(seed: int = 0, *, bias: float = 0.0, rounds: int = 0) -> bytes:
    """A linear detector on a 7 x 7 mosaic of the image.

    A `bias` of NaN makes every answer NaN. `rounds` of work, some milliseconds each, change no answer but make it slow.
    """
    kernel = np.random.default_rng(seed).normal(0, 0.05, (3, 4)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["channels_first"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["channels_first"], ["mosaic"], kernel_shape=[32, 32], strides=[32, 32]),
        helper.make_node("Transpose", ["mosaic"], ["regions"], perm=[0, 2, 3, 1]),
        helper.make_node("MatMul", ["regions", "kernel"], ["activation_map"]),
        helper.make_node("ReduceMean", ["activation_map"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Add", ["mean", "bias"], ["logits"]),
        *_slow_nodes(rounds),
        helper.make_node("Softmax", ["slow_logits" if rounds else "logits"], ["probabilities"], axis=1),
    ]
    return onnx_model(
        nodes,
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 224, 224, 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 4]),
            helper.make_tensor_value_info("activation_map", TensorProto.FLOAT, ["N", 7, 7, 4]),
        ],
        {"kernel": kernel, "bias": np.full(4, bias, np.float32), **(_SLOW_WEIGHTS if rounds else {})},
    )


def generator_onnx(seed: int = 0) -> bytes:
    """A linear generator of 16 x 16 pictures."""
    return _linear_generator(seed, [helper.make_node("Identity", ["latent"], ["mixed"])], {}, {})


def _linear_generator(seed: int, before: list[Any], inputs: dict[str, int], constants: dict[str, Any]) -> bytes:
    kernel = np.random.default_rng(seed).normal(0, 0.3, (100, SIDE * SIDE * 3)).astype(np.float32)
    nodes = [
        *before,
        helper.make_node("Mul", ["mixed", "truncation"], ["noise"]),
        helper.make_node("MatMul", ["noise", "kernel"], ["flat"]),
        helper.make_node("Sigmoid", ["flat"], ["unit"]),
        helper.make_node("Mul", ["unit", "levels"], ["scaled"]),
        helper.make_node("Round", ["scaled"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["bytes"], to=TensorProto.UINT8),
        helper.make_node("Reshape", ["bytes", "shape"], ["image"]),
    ]
    return onnx_model(
        nodes,
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
            for name, size in {"latent": 100, "truncation": 1, **inputs}.items()
        ],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", SIDE, SIDE, 3])],
        {**constants, "kernel": kernel, "levels": np.array(255, np.float32), "shape": np.array([-1, SIDE, SIDE, 3], np.int64)},
    )


def mixing_onnx() -> bytes:
    """The linear generator, of noise that is mixed: `crossover` of `latent`, the rest of `style`."""
    nodes = [
        helper.make_node("Mul", ["latent", "crossover"], ["own"]),
        helper.make_node("Sub", ["one", "crossover"], ["rest"]),
        helper.make_node("Mul", ["style", "rest"], ["other"]),
        helper.make_node("Add", ["own", "other"], ["mixed"]),
    ]
    return _linear_generator(0, nodes, {"style": 100, "crossover": 1}, {"one": np.array(1, np.float32)})


def detector_card(onnx: bytes, uuid: UUID = DETECTOR, name: str = "tiny-detector", version: int = 1) -> ModelCard:
    """The card of a detector with these bytes."""
    return ModelCard(
        uuid=uuid,
        name=name,
        label=name.replace("-", " ").capitalize(),
        version=version,
        kind="detector",
        architecture="Linear",
        description="A linear model for tests.",
        classes=FACE_CLASSES,
        inputs=(TensorSpec(name="image", dtype="uint8", shape=(224, 224, 3)),),
        outputs=(
            TensorSpec(name="probabilities", dtype="float32", shape=(4,)),
            TensorSpec(name="activation_map", dtype="float32", shape=(7, 7, 4)),
        ),
        parameters=16,
        provenance=_PROVENANCE,
        licence="Apache-2.0",
        files={"model.onnx": _digest(onnx)},
    )


def generator_card(onnx: bytes, uuid: UUID = GENERATOR, name: str = "tiny-generator", version: int = 1) -> ModelCard:
    """The card of a generator with these bytes."""
    return ModelCard(
        uuid=uuid,
        name=name,
        label=name.replace("-", " ").capitalize(),
        version=version,
        kind="generator",
        architecture="Linear",
        description="A linear model for tests.",
        face_class=FaceClass.HUMAN_GEN,
        inputs=(
            TensorSpec(name="latent", dtype="float32", shape=(100,)),
            TensorSpec(name="truncation", dtype="float32", shape=(1,)),
        ),
        outputs=(TensorSpec(name="image", dtype="uint8", shape=(SIDE, SIDE, 3)),),
        parameters=100,
        provenance=_PROVENANCE,
        licence="Apache-2.0",
        files={"model.onnx": _digest(onnx)},
    )


def mixing_card(onnx: bytes, uuid: UUID = MIXER, name: str = "tiny-mixer", version: int = 1) -> ModelCard:
    """The card of a generator that mixes styles."""
    plain = generator_card(onnx, uuid, name, version)
    own, truncation = plain.inputs
    mixing = (own.model_copy(update={"name": "style"}), truncation.model_copy(update={"name": "crossover"}))
    return plain.model_copy(update={"inputs": (*plain.inputs, *mixing)})


def write_version(folder: Path, card: ModelCard, onnx: bytes) -> Path:
    """Write `folder/UUID/VERSION/{card.json, model.onnx}`, as models are shipped."""
    version = folder / str(card.uuid) / str(card.version)
    version.mkdir(parents=True)
    (version / "model.onnx").write_bytes(onnx)
    (version / "card.json").write_text(card.model_dump_json())
    return version


def write_tiny_models(folder: Path) -> None:
    """Two detectors and a generator."""
    for seed, uuid, name in ((1, DETECTOR, "tiny-detector"), (2, SECOND_DETECTOR, "other-detector")):
        onnx = detector_onnx(seed)
        write_version(folder, detector_card(onnx, uuid, name), onnx)
    onnx = generator_onnx()
    write_version(folder, generator_card(onnx), onnx)


def write_bad_models(folder: Path) -> None:
    """A detector whose file is damaged, one whose file is missing, one whose answers are no numbers, and a card that is none."""
    onnx = detector_onnx(3)
    damaged = write_version(folder, detector_card(onnx, DAMAGED, "damaged"), onnx)
    (damaged / "model.onnx").write_bytes(onnx[:-10] + b"0123456789")
    without_file = write_version(folder, detector_card(onnx, WITHOUT_FILE, "without-file"), onnx)
    (without_file / "model.onnx").unlink()
    onnx = detector_onnx(4, bias=float("nan"))
    write_version(folder, detector_card(onnx, NOT_A_NUMBER, "not-a-number"), onnx)
    (folder / "rubbish" / "1").mkdir(parents=True)
    (folder / "rubbish" / "1" / "card.json").write_text('{"name": "rubbish"}')


_PROVENANCE = Provenance(
    spec={},
    seed=0,
    steps=1,
    images_seen=1,
    device="none",
    code_version="0",
    started_from="random",
    data="none",
    trained_at=datetime(2026, 1, 1, tzinfo=UTC),
)


_SLOW_WEIGHTS = {"zeros": np.zeros((512, 512), np.float32)}


def _slow_nodes(rounds: int) -> list:
    if not rounds:
        return []
    # What is worked on comes from the image, so that it cannot be computed beforehand.
    nodes = [
        helper.make_node("ReduceMean", ["logits"], ["level"], keepdims=0),
        helper.make_node("Add", ["zeros", "level"], ["work_0"]),
        *(helper.make_node("MatMul", [f"work_{i}", "zeros"], [f"work_{i + 1}"]) for i in range(rounds)),
        helper.make_node("ReduceSum", [f"work_{rounds}"], ["nothing"], keepdims=0),
        helper.make_node("Add", ["logits", "nothing"], ["slow_logits"]),
    ]
    return nodes


def _digest(data: bytes) -> FileDigest:
    return FileDigest(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def onnx_model(nodes, inputs, outputs, weights) -> bytes:
    graph = helper.make_graph(
        nodes, "tiny", inputs, outputs, [numpy_helper.from_array(value, name) for name, value in weights.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()
