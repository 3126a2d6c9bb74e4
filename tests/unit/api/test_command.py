"""The command `visionlab-api`, where it does not come to serve."""

from __future__ import annotations

import logging
import socket

import pytest

from visionlab_api.cli import main
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.reconcile.backends import served_variant
from visionlab_inference.repository import USUAL, Instances, TensorRt, Variant


@pytest.fixture(autouse=True)
def own_logging():
    """The command sets up the logging of its process, which here is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def test_port_that_is_taken_is_said_so(monkeypatch, tmp_path):
    monkeypatch.setenv("VISIONLAB_DATA_FOLDER", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["visionlab-api"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("VISIONLAB_PORT", str(taken.getsockname()[1]))
        with pytest.raises(SystemExit, match="choose another --port"):
            main()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "value"), [("PORT", "x"), ("PORT", "70000"), ("MAX_QUEUE", "0"), ("LOG_FORMAT", "xml")])
def test_setting_out_of_range_is_said_so(monkeypatch, name, value):
    monkeypatch.setenv(f"VISIONLAB_{name}", value)
    monkeypatch.setattr("sys.argv", ["visionlab-api"])
    with pytest.raises(SystemExit, match=name.lower()):
        main()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"TRITON_DEVICE": "tpu"}, "triton_device"),
        ({"TRITON_INSTANCES": "0"}, "triton_instances"),
        ({"TRITON_RESPONSE_CACHE_BYTES": "-1"}, "triton_response_cache_bytes"),
        ({"TRITON_TENSORRT": "FP16"}, "needs VISIONLAB_TRITON_DEVICE=gpu"),
        ({"TRITON_DEVICE": "gpu", "SERVING": "triton"}, "runs on CPUs"),
    ],
)
def test_setting_that_triton_cannot_serve_with_is_said_so(monkeypatch, settings, says):
    for name, value in settings.items():
        monkeypatch.setenv(f"VISIONLAB_{name}", value)
    monkeypatch.setattr("sys.argv", ["visionlab-api"])
    with pytest.raises(SystemExit, match=says):
        main()


def test_settings_say_how_models_are_released():
    settings = {"triton_device": "gpu", "triton_instances": 2, "triton_tensorrt": "FP16", "triton_response_cache_bytes": 1024}
    variant = served_variant(ApiConfiguration(**settings))
    assert variant == Variant(Instances(2, "gpu"), TensorRt(precision="FP16"), response_cache=True)
    assert served_variant(ApiConfiguration()) == USUAL


def test_help_lists_every_setting(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["visionlab-api", "--help"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--port", "--data-folder", "--database-url", "--store-url", "--max-queue", "--graceful-stop-seconds"):
        assert option in shown
