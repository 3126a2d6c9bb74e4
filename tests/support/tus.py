"""Resumable uploads, request by request."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from support.server import ADMIN_TOKEN, Server

UPLOADS = "/backend/file/upload"
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


def metadata(filename: str) -> str:
    """The header that names a file."""
    return f"filename {base64.b64encode(filename.encode()).decode()}"


def begin(client: httpx.Client, length: int, filename: str = "faces.zip", **headers: str) -> str:
    """Begin an upload; gives its address."""
    answer = client.post(UPLOADS, headers={**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(filename), **headers})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def send(client: httpx.Client, address: str, offset: int, piece: bytes | Iterable[bytes], **headers: str) -> httpx.Response:
    """Send a piece."""
    return client.patch(address, headers={**PIECE, "Upload-Offset": str(offset), **headers}, content=piece)


def offset_of(client: httpx.Client, address: str) -> int:
    """How far an upload has come."""
    answer = client.head(address, headers=TUS)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def upload_file(client: httpx.Client, filename: str, data: bytes) -> str:
    """Upload a file in one piece; gives the upload's id."""
    address = begin(client, len(data), filename)
    assert send(client, address, 0, data).status_code == 204
    return address.rsplit("/", 1)[-1]


def stored(server: Server, address: str) -> bytes:
    """A finished upload as it lies in the store."""
    return (Path(server.folder) / "store" / "uploads" / address.rsplit("/", 1)[-1]).read_bytes()


@contextmanager
def unfinished_piece(server: Server, address: str, offset: int, data: bytes, announced: int) -> Iterator[socket.socket]:
    """A piece of `announced` bytes of which `data` are sent; the connection stays open for the block.

    When the block begins the server is receiving it.
    """
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as connection:
        head = [f"PATCH {address} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {announced}", f"Upload-Offset: {offset}"]
        head += [f"{name}: {value}" for name, value in (PIECE | {"Authorization": f"Bearer {ADMIN_TOKEN}"}).items()]
        # It says "continue" once it reads the body (RFC 9110, section 10.1.1).
        connection.sendall("\r\n".join([*head, "Expect: 100-continue", "", ""]).encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(data)
        yield connection
