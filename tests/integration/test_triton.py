"""A real Triton server: it loads what we export, answers as the embedded backend does, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from support.image_files import picture
from support.processes import session
from support.tiny_models import detector_card, detector_onnx, generator_card, generator_onnx
from support.version_folders import write_exported
from support.waiting import block_until

from visionlab_inference.backend import ModelFailed, ServingState
from visionlab_inference.embedded import load_session
from visionlab_inference.generation import generator_inputs, mixes_styles
from visionlab_inference.repository import model_config, write_config
from visionlab_inference.seeds import Latent, Style
from visionlab_inference.triton import LocalTriton, TritonFailed, TritonUnsupported, assemble, check, find_installation
from visionlab_inference.triton.server import NAME_PREFIX

# As in /proc/net/tcp: of IPv4, and the same mapped into IPv6.
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F"}
LISTEN = "0A"
MODELS = Path(__file__).parents[2] / "models"
SHIPPED = sorted(path.parent for path in MODELS.glob("*/*/card.json"))


@pytest.fixture(scope="module", autouse=True)
def _installed():
    try:
        find_installation()
    except TritonUnsupported as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    repository = tmp_path_factory.mktemp("shipped") / "repository"
    cards = assemble(SHIPPED, repository)
    with LocalTriton(repository) as triton:
        yield triton, {card.name: (card, version) for card, version in zip(cards, SHIPPED, strict=True)}


@pytest.fixture
def tiny(tmp_path):
    """A repository with a small detector and a small generator."""
    onnx, generator = detector_onnx(), generator_onnx()
    versions = [
        write_exported(tmp_path / "models", detector_card(onnx), onnx),
        write_exported(tmp_path / "models", generator_card(generator), generator),
    ]
    assemble(versions, tmp_path / "repository")
    return tmp_path / "repository"


def own_names(leader: int) -> set[str]:
    """How the shared memory and the temporary files of a server's session are called: other tests run servers meanwhile."""
    names = {name for command in session(leader).values() for name in re.findall(rf"{NAME_PREFIX}\w+", command)}
    assert names
    return names


def left_files(names: set[str]) -> set[str]:
    """Shared memory and temporary files with such names."""
    folders = (Path("/dev/shm"), Path(tempfile.gettempdir()))
    return {str(path) for folder in folders for name in names for path in folder.glob(f"{name}*")}


def erratic_onnx() -> bytes:
    """A generator whose pictures are chance."""
    nodes = [
        helper.make_node("RandomUniform", [], ["noise"], shape=[1, 16, 16, 3], low=0.0, high=255.0),
        helper.make_node("ReduceSum", ["latent"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "truncation"], ["one"]),
        helper.make_node("Reshape", ["one", "pixel"], ["ones"]),
        helper.make_node("Add", ["ones", "noise"], ["value"]),
        helper.make_node("Cast", ["value"], ["image"], to=TensorProto.UINT8),
    ]
    return generator(nodes, {"pixel": np.array([-1, 1, 1, 1], np.int64)})


def picky_onnx() -> bytes:
    """A generator that makes grey pictures at truncation 0, and fails at 1."""
    nodes = [
        helper.make_node("Cast", ["truncation"], ["row"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "row"], ["flat"], axis=0),
        helper.make_node("Reshape", ["flat", "shape"], ["image"]),
    ]
    return generator(nodes, {"table": np.full((1, 768), 7, np.uint8), "shape": np.array([-1, 16, 16, 3], np.int64)})


def generator(nodes: list[NodeProto], weights: dict[str, np.ndarray]) -> bytes:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size])
            for name, size in (("latent", 100), ("truncation", 1))
        ],
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 16, 16, 3])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def test_every_shipped_model_is_ready(shipped):
    triton, models = shipped
    assert models
    assert triton.client.models() == {name: ServingState("ready") for name in models}


def test_every_shipped_model_answers_as_in_this_process_alone_and_in_a_shared_batch(shipped):
    triton, models = shipped
    for name, (card, version) in models.items():
        here = load_session(card, lambda file, version=version: (version / file).read_bytes())
        if card.kind == "detector":
            calls = [{"image": np.stack([picture(seed=seed)])} for seed in range(5)]
        else:
            size, mixing = card.input("latent").shape[0], mixes_styles(card)
            style = Style(Latent(9), 0.5) if mixing else None
            calls = [generator_inputs([Latent(seed)], size, 0.7, style, mixing=mixing) for seed in range(5)]
        alone = triton.client.infer(name, calls[0])
        assert alone.keys() == {output.name for output in card.outputs}
        with ThreadPoolExecutor(len(calls)) as callers:
            together = list(callers.map(lambda inputs, name=name: triton.client.infer(name, inputs), calls))
        for inputs, answer in zip((calls[0], *calls), (alone, *together), strict=True):
            for output, expected in here.run(inputs).items():
                assert answer[output].dtype == expected.dtype
                if expected.dtype == np.uint8:
                    np.testing.assert_array_equal(answer[output], expected)
                else:
                    np.testing.assert_allclose(answer[output], expected, rtol=1e-5, atol=1e-5)


def test_wrong_request_is_refused_in_words_and_the_next_is_answered(shipped):
    triton, models = shipped
    name = next(name for name, (card, _) in models.items() if card.kind == "detector")
    with pytest.raises(ModelFailed, match="shape"):
        triton.client.infer(name, {"image": np.zeros((1, 100, 224, 3), np.uint8)})
    with pytest.raises(ModelFailed, match="UINT8"):
        triton.client.infer(name, {"image": np.zeros((1, 224, 224, 3), np.float32)})
    with pytest.raises(ModelFailed, match="batch"):
        triton.client.infer(name, {"image": np.zeros((33, 224, 224, 3), np.uint8)})
    with pytest.raises(ModelFailed, match="unknown model"):
        triton.client.infer("unheard-of", {"image": np.zeros((1, 224, 224, 3), np.uint8)})
    with pytest.raises(ValueError, match="float64"):
        triton.client.infer(name, {"image": np.zeros((1, 224, 224, 3))})
    assert triton.client.infer(name, {"image": np.zeros((1, 224, 224, 3), np.uint8)})


def test_only_this_machine_can_connect(shipped):
    triton, _ = shipped
    ports = {triton.http_port, triton.grpc_port}
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            host, port = address.split(":")
            if int(port, 16) in ports and state == LISTEN:
                listening[int(port, 16)] = host
    assert listening.keys() == ports
    assert set(listening.values()) <= LOOPBACK


def test_request_that_the_model_fails_on_spoils_no_other(tmp_path):
    onnx = picky_onnx()
    assemble([write_exported(tmp_path, generator_card(onnx), onnx)], tmp_path / "repository")
    latent = np.zeros((1, 100), np.float32)
    good, bad = ({"latent": latent, "truncation": np.full((1, 1), value, np.float32)} for value in (0, 1))
    with LocalTriton(tmp_path / "repository") as triton, ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(triton.client.infer, "tiny-generator", call) for call in (good, bad, *[good] * 6)]
        with pytest.raises(ModelFailed, match="Gather"):
            answers.pop(1).result()
        assert [int(answer.result()["image"].min()) for answer in answers] == [7] * 7


def test_model_with_warm_up_and_response_cache_is_served(tmp_path):
    onnx = detector_onnx()
    card = detector_card(onnx)
    version = write_exported(tmp_path, card, onnx)
    write_config(version / "config.pbtxt", model_config(card, warm_up=(1, 8), response_cache=True))
    assemble([version], tmp_path / "repository")
    with LocalTriton(tmp_path / "repository") as triton:
        assert triton.client.infer("tiny-detector", {"image": np.zeros((2, 224, 224, 3), np.uint8)})


def test_end_of_the_block_leaves_nothing(tiny):
    with LocalTriton(tiny) as triton:
        assert triton.running
        assert any("tritonserver" in command for command in session(triton.pid).values())
    assert not triton.running
    assert session(triton.pid) == {}
    with pytest.raises(OSError, match="refused"):
        triton.client.ready()


def test_model_that_cannot_be_loaded_is_named_with_its_reason_and_the_log(tiny):
    onnx = tiny / "tiny-detector" / "1" / "model.onnx"
    onnx.write_bytes(onnx.read_bytes()[:-100])
    config = tiny / "tiny-generator" / "config.pbtxt"
    config.write_text(config.read_text().replace("dims: 100", "dims: 99"))
    triton = LocalTriton(tiny)
    with pytest.raises(TritonFailed) as failure, triton:
        pass
    message = str(failure.value)
    assert "tiny-detector: " in message
    assert "ONNX Runtime cannot load model.onnx" in message
    assert "tiny-generator: " in message
    assert "'latent' is TYPE_FP32 [99] in the configuration" in message
    assert "failed to load 'tiny-detector'" in message, "the end of the log"
    assert session(triton.pid) == {}


def test_configuration_that_triton_cannot_read_is_an_error(tiny):
    (tiny / "tiny-detector" / "config.pbtxt").write_text('name: "tiny-detector" nonsense: 1')
    with pytest.raises(TritonFailed, match=r"tiny-detector: not loaded(.|\n)*nonsense"), LocalTriton(tiny):
        pass


def test_start_that_takes_too_long_is_an_error_and_leaves_nothing(tiny):
    triton = LocalTriton(tiny, timeout=0.1)
    with pytest.raises(TritonFailed, match=r"not ready within 0\.1 s"), triton:
        pass
    assert session(triton.pid) == {}


def test_server_that_is_killed_is_seen_as_ended_and_leaves_nothing(tiny):
    with LocalTriton(tiny) as triton:
        names = own_names(triton.pid)
        executable = str(find_installation().server)
        server = next(pid for pid, command in session(triton.pid).items() if command.startswith(executable))
        assert any(path.startswith("/dev/shm") for path in left_files(names))
        os.kill(server, signal.SIGKILL)
        block_until(lambda: not triton.running)
        assert session(triton.pid) == {}
    assert left_files(names) == set()


@pytest.mark.parametrize("victim", ["owner", "guard"])
def test_sigkill_leaves_nothing(tiny, victim):
    program = (
        "import sys; from pathlib import Path; from visionlab_inference.triton import LocalTriton\n"
        "with LocalTriton(Path(sys.argv[1])) as triton: print(triton.pid, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, tiny], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with owner:
        leader = int(owner.stdout.readline())
        assert len(session(leader)) > 2
        names = own_names(leader)
        os.kill(owner.pid if victim == "owner" else leader, signal.SIGKILL)
        if victim == "guard":
            owner.stdin.close()
    block_until(lambda: session(leader) == {} and left_files(names) == set())


def test_check_prints_a_line_for_each_model_and_says_which_differs(tmp_path, capsys):
    onnx = detector_onnx()
    generator = generator_onnx()
    fair = write_exported(tmp_path, detector_card(onnx), onnx)
    erratic = write_exported(tmp_path, generator_card(erratic_onnx()), erratic_onnx())
    assert check.main([str(fair), str(erratic)]) == check.DIFFERENT
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("tiny-detector version 1: answers alike; largest difference: probabilities 0")
    assert lines[2].startswith("tiny-generator version 1: ANSWERS DIFFERENTLY")
    (erratic / "model.onnx").write_bytes(generator)
    assert check.main([str(fair), str(erratic)]) == check.BAD_INPUT
    assert "damaged" in capsys.readouterr().err
