"""Models from elsewhere: good ones are described, hostile ones are refused with a reason, in a process that may fail."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, load_from_string, numpy_helper
from support.tiny_models import detector_onnx, generator_onnx, mixing_onnx

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_inference.model_check import CheckLimits, UnusableUpload, check_in_sandbox
from visionlab_inference.model_check.graph import UnusableGraph, check_size, read_graph
from visionlab_inference.model_check.trial import try_out

IMAGE = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 224, 224, 3])
PROBABILITIES = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 4])
GIB = 1 << 30


def changed(change) -> bytes:
    model = load_from_string(detector_onnx())
    change(model)
    return model.SerializeToString()


def external(model) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def hidden_external(model) -> None:
    """In the branch of an operator."""
    tensor = TensorProto(name="secret", data_type=1, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../secret")
    constant = helper.make_node("Constant", [], ["there"])
    constant.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1, np.float32))))
    constant.attribute[0].t.CopyFrom(tensor)
    branch = helper.make_graph([constant], "branch", [], [helper.make_tensor_value_info("there", 1, [1])])
    model.graph.node.append(helper.make_node("If", ["flag"], ["unused"], then_branch=branch, else_branch=branch))


def endless(model) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])],
        "body",
        [helper.make_tensor_value_info("turn", 7, []), helper.make_tensor_value_info("go", 9, [])],
        [helper.make_tensor_value_info("on", 9, [])],
    )
    model.graph.node.append(helper.make_node("Loop", ["", ""], [], body=body))


def huge(model) -> None:
    model.graph.initializer.append(TensorProto(name="huge", data_type=1, dims=[1 << 40]))


def of_another_domain(model) -> None:
    model.graph.node[0].domain = "com.evil"
    model.opset_import.append(helper.make_opsetid("com.evil", 1))


def of_a_function(model) -> None:
    model.functions.append(helper.make_function("com.evil", "Trick", [], [], [], [helper.make_opsetid("", 17)]))


def by_chance(model) -> None:
    model.graph.node.insert(0, helper.make_node("RandomNormal", [], ["noise"], shape=[4]))


def five_classes(model) -> None:
    for tensor, shape in zip(model.graph.initializer, ((3, 5), (5,)), strict=True):
        tensor.CopyFrom(numpy_helper.from_array(np.zeros(shape, np.float32), tensor.name))
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[-1].dim_value = 5


def renamed(model) -> None:
    model.graph.output[0].name = model.graph.node[-1].output[0] = "scores"


def one_at_a_time(model) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def without_softmax(model) -> None:
    model.graph.node[-1].CopyFrom(helper.make_node("Identity", ["logits"], ["probabilities"]))


def of_its_batch(model) -> None:
    """The answer is the mean of the batch."""
    model.graph.node[-1].input[0] = "mixed"
    model.graph.node.insert(
        len(model.graph.node) - 1, helper.make_node("ReduceMean", ["logits"], ["of_all"], axes=[0], keepdims=1)
    )
    model.graph.node.insert(len(model.graph.node) - 1, helper.make_node("Sub", ["logits", "of_all"], ["mixed"]))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no ONNX file"),
        (b"PK\x03\x04 a zip file, or a pickle", "no ONNX file"),
        (detector_onnx()[: len(detector_onnx()) // 2], "no ONNX file|cut off"),
        (changed(external), "in another file"),
        (changed(hidden_external), "in another file"),
        (changed(endless), "'Loop' may go on without an end"),
        (changed(huge), "too large"),
        (changed(of_another_domain), "com.evil"),
        (changed(of_a_function), "function of its own"),
        (changed(by_chance), "by chance"),
        (changed(lambda model: setattr(model.opset_import[0], "version", 99)), "opset 99"),
        (changed(lambda model: setattr(model, "ir_version", 77)), "IR version is 77"),
        (changed(lambda model: setattr(model.graph.node[0], "op_type", "Teleport")), "ONNX Runtime does not take"),
        (changed(five_classes), "5 classes apart; there are 4"),
        (changed(renamed), "'probabilities' has to be"),
        (changed(one_at_a_time), "batches of any size"),
        (changed(without_softmax), "do not add up to 1"),
        (changed(of_its_batch), "depends on the others"),
        (detector_onnx(bias=float("nan")), "no numbers"),
        (generator_onnx(), "'image' has to be"),
    ],
)
def test_a_hostile_model_is_refused_with_the_reason(data, says):
    def look() -> None:
        check_size(read_graph(data), GIB)
        try_out(data, "detector")

    with pytest.raises(UnusableGraph, match=says):
        look()


@pytest.mark.parametrize(("data", "says"), [(b"no model", "no ONNX file"), (detector_onnx(bias=float("nan")), "no numbers")])
async def test_the_process_hands_the_reason_on(tmp_path, data, says):
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(UnusableUpload, match=says):
        await check_in_sandbox(path, "detector")


async def test_a_model_that_takes_too_long_or_too_much_memory_is_ended(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(detector_onnx(rounds=100_000 // 4))
    with pytest.raises(UnusableUpload, match="after 3 seconds"):
        await check_in_sandbox(path, "detector", limits=CheckLimits(seconds=3))

    def spread(model) -> None:
        shape = numpy_helper.from_array(np.array([1 << 36], np.int64), "wide")
        model.graph.initializer.append(shape)
        model.graph.node.insert(0, helper.make_node("ConstantOfShape", ["wide"], ["zeros"]))
        model.graph.node.append(helper.make_node("ReduceSum", ["zeros"], ["nothing"], keepdims=0))
        model.graph.node[-2].input[0] = "logits_and_nothing"
        model.graph.node.insert(len(model.graph.node) - 2, model.graph.node.pop())
        model.graph.node.insert(len(model.graph.node) - 1, helper.make_node("Add", ["logits", "nothing"], ["logits_and_nothing"]))

    path.write_bytes(changed(spread))
    with pytest.raises(UnusableUpload, match="memory"):
        await check_in_sandbox(path, "detector", limits=CheckLimits(memory=4 * GIB))


async def test_good_models_are_described(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(detector_onnx())
    checked = await check_in_sandbox(path, "detector")
    assert [(spec.name, spec.shape) for spec in checked.outputs] == [("probabilities", (4,)), ("activation_map", (7, 7, 4))]
    assert checked.parameters == 16
    path.write_bytes(generator_onnx())
    checked = await check_in_sandbox(path, "generator")
    assert {spec.name for spec in checked.inputs} == {"latent", "truncation"}
    path.write_bytes(mixing_onnx())
    checked = await check_in_sandbox(path, "generator")
    assert {spec.name for spec in checked.inputs} == {"latent", "truncation", "style", "crossover"}


async def test_classes_of_another_order_are_put_into_ours(tmp_path):
    path, ordered = tmp_path / "model.onnx", tmp_path / "ordered.onnx"
    path.write_bytes(detector_onnx())
    theirs = [FaceClass.ANIME_GEN, FaceClass.HUMAN, FaceClass.ANIME, FaceClass.HUMAN_GEN]
    await check_in_sandbox(path, "detector", classes=theirs, ordered=ordered)
    image = {"image": np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)}
    before, after = (
        onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(["probabilities", "activation_map"], image)
        for file in (path, ordered)
    )
    for one, other in zip(before, after, strict=True):
        for place, face_class in enumerate(FACE_CLASSES):
            np.testing.assert_array_equal(other[..., place], one[..., theirs.index(face_class)])
