"""The command `visionlab-api`, where it does not come to serve."""

from __future__ import annotations

import logging
import socket

import pytest
from sqlalchemy import URL
from support.postgres import shared_postgres

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


@pytest.fixture
def free_port():
    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return taken.getsockname()[1]

    return find


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


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"TRAININGS": "cloud"}, "trainings"),
        ({"TRAININGS": "kubernetes"}, "needs VISIONLAB_JOB_TEMPLATE"),
        ({"TRAININGS": "kubernetes", "JOB_TEMPLATE": "job.yaml"}, "needs a VISIONLAB_STORE_URL s3://"),
        ({"KUBERNETES_NAME": "Vision Lab"}, "kubernetes_name"),
    ],
)
def test_trainings_that_cannot_be_jobs_are_said_so(monkeypatch, settings, says):
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


@pytest.mark.parametrize("command", ["backup", "restore", "verify-backup"])
@pytest.mark.parametrize("arguments", [[], ["--data-folder", "x"]])
def test_backups_are_named_first(monkeypatch, command, arguments):
    monkeypatch.setattr("sys.argv", ["visionlab-api", command, *arguments])
    with pytest.raises(SystemExit, match=f"visionlab-api {command} FILE"):
        main()


@pytest.mark.parametrize("command", ["restore", "verify-backup"])
def test_backup_that_is_not_there_is_said_so(monkeypatch, tmp_path, command):
    monkeypatch.setattr("sys.argv", ["visionlab-api", command, str(tmp_path / "none"), "--data-folder", str(tmp_path / "data")])
    with pytest.raises(SystemExit, match="none cannot be used: No such file"):
        main()


@pytest.mark.parametrize("argument", ["--s3-secret-key=hush", "--admin-token=hush", "--oidc-client-secret=hush"])
def test_secrets_are_not_taken_where_everyone_can_read_them(monkeypatch, argument):
    monkeypatch.setattr("sys.argv", ["visionlab-api", argument])
    with pytest.raises(SystemExit, match=r"as environment variable, VISIONLAB_\w+\.$") as refused:
        main()
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"S3_ENDPOINT": "minio:9000"}, "VISIONLAB_S3_ENDPOINT: an S3 endpoint looks like"),
        ({"S3_ACCESS_KEY": "someone"}, "give both access_key and secret_key"),
        ({"S3_ADDRESSING": "both"}, "s3_addressing"),
    ],
)
def test_settings_of_s3_that_cannot_be_are_said_so(monkeypatch, settings, says):
    for name, value in settings.items():
        monkeypatch.setenv(f"VISIONLAB_{name}", value)
    monkeypatch.setattr("sys.argv", ["visionlab-api"])
    with pytest.raises(SystemExit, match=says):
        main()


@pytest.mark.parametrize("fault", ["away", "unknown role"])
def test_a_database_that_does_not_come_or_refuses_is_said_so_without_the_password(monkeypatch, tmp_path, fault, free_port):
    if fault == "away":
        url = URL.create("postgresql", "me", "secret-word", host="127.0.0.1", port=free_port(), database="x")
    else:
        url = shared_postgres().url("refused").set(drivername="postgresql", username="nobody-known", password="secret-word")
    monkeypatch.setenv("VISIONLAB_DATA_FOLDER", str(tmp_path))
    monkeypatch.setenv("VISIONLAB_DATABASE_URL", url.render_as_string(hide_password=False))
    monkeypatch.setenv("VISIONLAB_DATABASE_WAIT_SECONDS", "0")
    monkeypatch.setattr("sys.argv", ["visionlab-api"])
    with pytest.raises(SystemExit, match=r"the database cannot be used: .*Check VISIONLAB_DATABASE_URL") as end:
        main()
    assert "secret-word" not in str(end.value)
