"""The command `visionlab-api`."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from importlib.metadata import version

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp
from sqlalchemy.ext.asyncio import async_sessionmaker

from visionlab_api.accounts.admin_token import new_admin_token
from visionlab_api.app import create_app
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.connections import KEEP_ALIVE_SECONDS, PatientProtocol, allow_many_connections
from visionlab_api.database.engine import migrate, open_engine
from visionlab_core.telemetry import configure_logging, configure_tracing
from visionlab_inference.triton.installation import TritonNotInstalled, find_installation


def main() -> None:
    """`visionlab-api`: run the facade. Every option is also an environment variable VISIONLAB_*."""
    arguments = sys.argv[1:]
    only_token = arguments[:1] == ["new-admin-token"]
    try:
        configuration = CliApp.run(ApiConfiguration, cli_args=arguments[only_token:])
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        sys.exit(f"visionlab-api: {faults}")
    if only_token:
        print(asyncio.run(_new_admin_token(configuration)))
        return
    if configuration.serving == "triton":
        try:
            find_installation()
        except TritonNotInstalled as error:
            sys.exit(f"visionlab-api: {error}")
    as_json = configuration.log_format == "json" or (configuration.log_format == "auto" and not sys.stderr.isatty())
    configure_logging(configuration.log_level, json=as_json)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    send_last_spans = configure_tracing("visionlab-api", version("visionlab-api"))
    allow_many_connections()
    try:
        listener = _listen(configuration.host, configuration.port)
    except OSError as error:
        where = f"{configuration.host}:{configuration.port}"
        sys.exit(f"visionlab-api: cannot listen at {where} ({error.strerror}); choose another --port.")
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(configuration),
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
    print(f"VisionLab: http://{host if ':' not in host else f'[{host}]'}:{port}", flush=True)
    # uvicorn finishes the requests under way, then raises the signal again: a stop that was asked for is no failure.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(0))
    try:
        server.run(sockets=[listener])
    finally:
        send_last_spans()


async def _new_admin_token(configuration: ApiConfiguration) -> str:
    if configuration.admin_token is not None:
        sys.exit("visionlab-api: the admin token is the one of VISIONLAB_ADMIN_TOKEN; change it there.")
    url = configuration.resolved_database_url()
    await asyncio.to_thread(migrate, url)
    engine = open_engine(url)
    try:
        return await new_admin_token(async_sessionmaker(engine))
    finally:
        await engine.dispose()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(2048)
    return listener
