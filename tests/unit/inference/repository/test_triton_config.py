"""config.pbtxt: what is written can be read again, says what the card says, and nothing that Triton would refuse gets through."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import FileDigest, ModelCard, Provenance, TensorSpec
from visionlab_inference.repository import (
    ConfigError,
    DynamicBatching,
    Instances,
    TensorRt,
    config_text,
    model_config,
    parse_config,
    read_config,
    write_config,
)

SHIPPED = sorted(path.parent for path in (Path(__file__).parents[4] / "models").glob("*/*/card.json"))


@pytest.fixture
def card() -> ModelCard:
    return ModelCard(
        uuid=UUID(int=7),
        name="mobilenetv2",
        label="MobileNetV2",
        version=3,
        kind="detector",
        architecture="MobileNetV2",
        description="A detector.",
        classes=FACE_CLASSES,
        inputs=(TensorSpec(name="image", dtype="uint8", shape=(224, 224, 3)),),
        outputs=(
            TensorSpec(name="probabilities", dtype="float32", shape=(4,)),
            TensorSpec(name="activation_map", dtype="float32", shape=(7, 7, 4)),
        ),
        parameters=2_263_108,
        provenance=Provenance(
            spec={},
            seed=0,
            steps=1,
            images_seen=32,
            device="CPU",
            code_version="0",
            started_from="random",
            data="drawn shapes",
            trained_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        licence="Apache-2.0",
        files={"model.onnx": FileDigest(sha256="0" * 64, size=1)},
    )


def test_the_file_says_what_the_card_says(card: ModelCard, tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    write_config(path, model_config(card))
    read = read_config(path)
    assert read == model_config(card)
    assert (read.name, read.backend, read.default_model_filename) == ("mobilenetv2", "onnxruntime", "model.onnx")
    assert read.max_batch_size == 32
    assert [(t.name, list(t.dims)) for t in read.input] == [("image", [224, 224, 3])]
    assert [(t.name, list(t.dims)) for t in read.output] == [("probabilities", [4]), ("activation_map", [7, 7, 4])]
    text = path.read_text()
    assert 'name: "image"\n  data_type: TYPE_UINT8' in text
    assert 'name: "probabilities"\n  data_type: TYPE_FP32' in text
    assert read.version_policy.latest.num_versions == 1


def test_equal_configurations_are_equal_text(card: ModelCard) -> None:
    assert config_text(model_config(card)) == config_text(model_config(card))
    assert config_text(parse_config(config_text(model_config(card)))) == config_text(model_config(card))


def test_batching_and_instances_are_settings(card: ModelCard) -> None:
    config = model_config(
        card,
        batching=DynamicBatching(max_batch_size=16, preferred_sizes=(8, 16, 32), max_queue_delay_us=500, max_queue_size=64),
        instances=Instances(count=2, kind="cpu"),
    )
    assert list(config.dynamic_batching.preferred_batch_size) == [8, 16]
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    assert config.dynamic_batching.default_queue_policy.max_queue_size == 64
    assert "count: 2\n  kind: KIND_CPU" in config_text(config)


def test_triton_may_prepare_the_next_batch_while_the_model_runs(card: ModelCard) -> None:
    # It does not with a queue policy or priority levels, and then single requests wait for half a second now and then.
    config = model_config(card)
    assert config.HasField("dynamic_batching")
    assert not config.dynamic_batching.HasField("default_queue_policy")
    assert not config.dynamic_batching.priority_levels


@pytest.mark.parametrize("version", SHIPPED, ids=lambda version: version.parent.name)
def test_shipped_models_serve_as_every_export_does(version: Path) -> None:
    card = ModelCard.model_validate_json((version / "card.json").read_bytes())
    assert read_config(version / "config.pbtxt") == model_config(card)


def test_warm_up_runs_each_size_on_all_inputs(card: ModelCard) -> None:
    config = parse_config(config_text(model_config(card, warm_up=(1, 8))))
    assert [warm_up.batch_size for warm_up in config.model_warmup] == [1, 8]
    for warm_up in config.model_warmup:
        [(name, tensor)] = warm_up.inputs.items()
        assert (name, list(tensor.dims), tensor.zero_data) == ("image", [224, 224, 3], True)
    with pytest.raises(ConfigError, match="batch of 33"):
        model_config(card, warm_up=(33,))
    with pytest.raises(ConfigError, match="batch of 0"):
        model_config(card, warm_up=(0,))


def test_gpu_variant_runs_on_tensorrt(card: ModelCard) -> None:
    tensorrt = TensorRt(precision="FP16", engine_cache="/var/cache/engines")
    config = parse_config(config_text(model_config(card, instances=Instances(kind="gpu"), tensorrt=tensorrt)))
    [accelerator] = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    assert dict(accelerator.parameters) == {
        "precision_mode": "FP16", "max_workspace_size_bytes": "1073741824",
        "trt_engine_cache_enable": "true", "trt_engine_cache_path": "/var/cache/engines",
    }  # fmt: skip
    assert "kind: KIND_GPU" in config_text(config)
    with pytest.raises(ConfigError, match="kind 'gpu'"):
        model_config(card, tensorrt=tensorrt)


def test_response_cache_is_off_unless_it_is_asked_for(card: ModelCard) -> None:
    assert not model_config(card).response_cache.enable
    assert parse_config(config_text(model_config(card, response_cache=True))).response_cache.enable


def test_batches_of_one_are_not_gathered(card: ModelCard) -> None:
    config = model_config(card, batching=DynamicBatching(max_batch_size=1))
    assert config.max_batch_size == 1
    assert not config.HasField("dynamic_batching")


STEP = 'step { model_name: "a" input_map { key: "in" value: "x" } output_map { key: "out" value: "y" } }'
TENSORS = 'input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" data_type: TYPE_FP32 dims: 4 }'


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f'backend: "onnxruntime" {TENSORS}', "name is missing"),
        (f'name: "m" {TENSORS}', "backend is missing"),
        ('name: "m" backend: "onnxruntime" output { name: "y" data_type: TYPE_FP32 dims: 4 }', "input is missing"),
        (
            f'name: "m" backend: "onnxruntime" {TENSORS} output {{ name: "y" data_type: TYPE_FP32 dims: 1 }}',
            "'y' is there 2 times",
        ),
        (f'name: "m" backend: "onnxruntime" {TENSORS} output {{ name: "z" dims: 1 }}', "'z' has no data_type"),
        (f'name: "m" backend: "onnxruntime" {TENSORS} output {{ name: "z" data_type: TYPE_FP32 dims: 0 }}', "dims"),
        (f'name: "m" backend: "onnxruntime" max_batch_size: -1 {TENSORS}', "max_batch_size is -1"),
        (f'name: "m" backend: "onnxruntime" {TENSORS} dynamic_batching {{ }}', "needs a max_batch_size"),
        (
            f'name: "m" backend: "onnxruntime" max_batch_size: 4 {TENSORS} dynamic_batching {{ preferred_batch_size: 8 }}',
            "preferred_batch_size 8",
        ),
        (f'name: "m" backend: "onnxruntime" {TENSORS} instance_group {{ count: -1 }}', "instance_group.count"),
        (f'name: "m" backend: "onnxruntime" max_batchsize: 4 {TENSORS}', "max_batchsize"),
        ("}{", "1:1"),
        (f'name: "e" platform: "ensemble" {TENSORS}', "has no step"),
        (f'name: "e" backend: "onnxruntime" {TENSORS} ensemble_scheduling {{ {STEP} }}', "goes with platform 'ensemble'"),
        (f'name: "e" platform: "ensemble" {TENSORS} ensemble_scheduling {{ {STEP} {STEP} }}', "'y' is made 2 times"),
        (
            f'name: "e" platform: "ensemble" {TENSORS} ensemble_scheduling {{ {STEP.replace("x", "z")} }}',
            "nothing makes the tensor 'z'",
        ),
        (
            f'name: "e" platform: "ensemble" {TENSORS} ensemble_scheduling {{ step {{ model_name: "a" }} }}',
            "lacks its model, input_map",
        ),
        (
            f'name: "e" platform: "ensemble" max_batch_size: 8 {TENSORS} instance_group {{}} ensemble_scheduling {{ {STEP} }}',
            "neither",
        ),
    ],
)
def test_what_triton_would_refuse_is_refused(text: str, names: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert names in str(caught.value)


def test_an_error_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"config\.pbtxt"):
        read_config(path)
    with pytest.raises(FileNotFoundError):
        read_config(tmp_path / "none.pbtxt")


def test_a_configuration_of_another_kind_is_read(tmp_path: Path) -> None:
    text = f'name: "e" platform: "ensemble" max_batch_size: 8 {TENSORS} ensemble_scheduling {{ {STEP} }}'
    assert parse_config(text).ensemble_scheduling.step[0].model_name == "a"


def test_the_message_leaves_room_for_other_users_of_its_name() -> None:
    """Triton's client and the KServe SDK register messages of the package "inference" in the same process."""
    code = (
        "import sys; import visionlab_inference.repository as r;"
        "assert not r.ModelConfig.DESCRIPTOR.full_name.startswith('inference.');"
        "assert 'grpc' not in sys.modules and 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
