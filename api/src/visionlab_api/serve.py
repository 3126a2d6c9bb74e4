"""Runs a server, until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

import uvicorn

from visionlab_api.app import create_app
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.connections import KEEP_ALIVE_SECONDS, PatientProtocol, allow_many_connections
from visionlab_api.starting import CannotStart, await_database, check_kserve, check_store
from visionlab_core.telemetry import configure_logging, configure_tracing
from visionlab_inference.triton.installation import TritonNotInstalled, find_installation

C = TypeVar("C", bound=ApiConfiguration)


def serve(configuration: ApiConfiguration) -> None:
    """Serve.

    Raises:
        SystemExit: it cannot start, or was told to stop.
    """
    if configuration.serving == "triton":
        try:
            find_installation()
        except TritonNotInstalled as error:
            sys.exit(f"visionlab-api: {error}")
    if configuration.control_loops == "on":
        try:
            check_kserve(configuration)
        except CannotStart as error:
            sys.exit(f"visionlab-api: {error}")
    run("visionlab-api", "VisionLab", configuration, create_app)


def run(command: str, title: str, configuration: C, create: Callable[[C], Any]) -> None:
    """Run an application as this command.

    Args:
        command: its name, for messages and traces.
        title: stands before the address in the line that tells it.
        configuration: its settings.
        create: makes the ASGI application.

    Raises:
        SystemExit: it cannot start, or was told to stop.
    """
    as_json = configuration.log_format == "json" or (configuration.log_format == "auto" and not sys.stderr.isatty())
    configure_logging(configuration.log_level, json=as_json)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    send_last_spans = configure_tracing(command, version("visionlab-api"))
    allow_many_connections()
    try:
        await_database(configuration)
    except CannotStart as error:
        sys.exit(f"{command}: {error}")
    try:
        listener = _listen(configuration.host, configuration.port)
    except OSError as error:
        where = f"{configuration.host}:{configuration.port}"
        sys.exit(f"{command}: cannot listen at {where} ({error.strerror}); choose another --port.")
    try:
        check_store(configuration)
    except CannotStart as error:
        sys.exit(f"{command}: {error}")
    server = uvicorn.Server(
        uvicorn.Config(
            create(configuration),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=configuration.graceful_stop_seconds,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            forwarded_allow_ips=configuration.trusted_proxies,
            loop="uvloop",
            http=PatientProtocol,
        )
    )
    host, port = listener.getsockname()[:2]
    print(f"{title}: http://{host if ':' not in host else f'[{host}]'}:{port}", flush=True)
    # uvicorn finishes the requests under way, then raises the signal again: a stop that was asked for is no failure.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(0))
    try:
        server.run(sockets=[listener])
    finally:
        send_last_spans()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    return listener
