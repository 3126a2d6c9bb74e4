"""The command `visionlab-api`, where it does not come to serve."""

from __future__ import annotations

import logging
import socket

import pytest

from visionlab_api.cli import main


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


def test_help_lists_every_setting(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["visionlab-api", "--help"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--port", "--data-folder", "--database-url", "--store-url", "--max-queue", "--graceful-stop-seconds"):
        assert option in shown
