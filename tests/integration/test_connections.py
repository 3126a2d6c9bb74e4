"""Thousands of connections, most of them silent, and one client that is served all the same."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import uvicorn
from support.image_files import png

from visionlab_api import connections
from visionlab_api.connections import PatientProtocol, allow_many_connections

WANTED = 10_000
SPARE = 200


@pytest.fixture
def many_files():
    """Leave to open as many files as the system allows, in this process too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    allow_many_connections()
    yield resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ten_thousand_silent_connections_hold_up_nobody(server, client, many_files):
    where = urlsplit(server.url)
    count = min(WANTED, many_files - SPARE)
    with ExitStack() as stack:
        for number in range(count):
            connection = stack.enter_context(socket.create_connection((where.hostname, where.port)))
            if number % 2:
                connection.sendall(b"POST /backend/image/classify HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
        started = time.monotonic()
        answer = client.post("/backend/image/classify", files={"images": png(seed=3)})
        assert answer.status_code == 200
        assert time.monotonic() - started < 60
    assert client.get("/backend/status").json()["ready"]


async def test_connection_that_sends_no_request_is_closed(monkeypatch):
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.05)

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(app, port=0, http=PatientProtocol, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    for beginning in (b"", b"GET / HTTP/1.1\r\nHost", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(beginning)
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.count(b"204") == beginning.count(b"\r\n\r\n")
        writer.close()
    server.should_exit = True
    await serving
