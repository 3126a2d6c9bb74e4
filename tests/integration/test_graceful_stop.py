"""SIGTERM: what is under way is finished, nothing new is taken, and what was acknowledged is there afterwards."""

from __future__ import annotations

import json
import signal
import socket
import time
from uuid import uuid4

import httpx
from support.image_files import png
from support.waiting import SECONDS

ONE_VISITOR = {"visionlab_visitor": str(uuid4())}


def begun_upload(server, data: bytes) -> tuple[socket.socket, bytes]:
    """An upload that the server has begun to read, and the rest of it."""
    body = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + data + b"\r\n--abc--\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    head = (
        f"POST /backend/image HTTP/1.1\r\nHost: {host}\r\nContent-Type: multipart/form-data; boundary=abc\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
        f"Cookie: visionlab_visitor={ONE_VISITOR['visionlab_visitor']}\r\n\r\n"
    )
    connection.sendall(head.encode())
    # The server says this when the application asks for the body: from here on the request is under way.
    assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
    connection.sendall(body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def wait_until_nobody_listens(server) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with httpx.Client(base_url=server.url, timeout=5) as client:
                client.get("/backend/status")
        except httpx.TransportError:
            return
        assert time.monotonic() < deadline, "the server still takes requests"
        time.sleep(0.02)


def test_request_under_way_is_finished(start_server, tiny_models):
    server = start_server(tiny_models)
    uploads = [begun_upload(server, png(seed=seed)) for seed in range(3)]
    server.process.send_signal(signal.SIGTERM)
    wait_until_nobody_listens(server)
    assert server.process.poll() is None
    images = []
    for connection, rest in uploads:
        with connection:
            connection.sendall(rest)
            answer = b"".join(iter(lambda connection=connection: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 201 ")
        images.append(json.loads(body))
    assert server.process.wait(timeout=30) == 0

    again = start_server(tiny_models, VISIONLAB_GRACEFUL_STOP_SECONDS="1")
    again.client.cookies.update(ONE_VISITOR)
    for seed, image in enumerate(images):
        assert again.client.get(image["url"]).content == png(seed=seed)

    # A client that never finishes does not hold the server for ever.
    connection, _ = begun_upload(again, png())
    with connection:
        again.process.send_signal(signal.SIGTERM)
        assert again.process.wait(timeout=30) in (0, -signal.SIGTERM)
