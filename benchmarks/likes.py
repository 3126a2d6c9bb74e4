"""How many likes a second does one image take, and is any lost?

    python benchmarks/likes.py [--database postgresql://user:password@host/empty] [--seconds 5] [--clients 64]

Starts the real server on an empty database (default: SQLite in a temporary folder), and lets many clients like one image, over
HTTP, each again as soon as it is answered. Beside it, in the same run and in turns, the shape that VisionLab had before: as many
tasks in one process, each like an UPDATE and a commit of its own over the same driver and the same pool of connections, without
HTTP; so the comparison favours it. Prints the machine, the versions, both rates and whether all likes are in the database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import URL, select, update
from sqlalchemy.ext.asyncio import async_sessionmaker

from visionlab_api.database.engine import open_engine, read_url
from visionlab_api.database.tables import ImageRow
from visionlab_api.services.popularity import add_images

sys.path.insert(0, str(Path(__file__).parent))
from single_image import ROOT, cpu_name, start_server

sys.path.insert(0, str(Path(__file__).parent / "serving"))
from serving_comparison.version import find_version

ROUNDS = 3
TO_REACH = 500

Like = Callable[[], Awaitable[None]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="URL of an empty database; default: SQLite in a temporary folder")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round of each way")
    parser.add_argument("--clients", type=int, default=64)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = read_url(arguments.database or f"sqlite:///{folder}/visionlab.db")
        server, address = start_server(
            Path(folder),
            only=find_version("mobilenetv2", ROOT / "models"),
            VISIONLAB_DATABASE_URL=url.render_as_string(hide_password=False),
        )
        try:
            print(f"machine   {cpu_name()}, {platform.system()} {platform.release()}")
            print(f"versions  Python {platform.python_version()}, {url.get_backend_name()}, SQLAlchemy {version('sqlalchemy')}")
            asyncio.run(measure(url, address, arguments.clients, arguments.seconds))
        finally:
            server.terminate()
            server.wait()


async def measure(url: URL, address: str, clients: int, seconds: float) -> None:
    """Both ways in turns, on one image each."""
    engine = open_engine(url)
    sessions = async_sessionmaker(engine)
    served, alone = _image(), _image()
    images = {"over HTTP, together": served.uuid, "an UPDATE and a commit each": alone.uuid}
    async with sessions() as session:
        session.add_all([served, alone])
        await session.flush()
        await add_images(session, [served, alone])
        await session.commit()

    async def update_one() -> None:
        more = {"likes": ImageRow.likes + 1}
        async with sessions() as session:
            await session.execute(update(ImageRow).where(ImageRow.uuid == images["an UPDATE and a commit each"]).values(more))
            await session.commit()

    connections = [await Connection.open(address, images["over HTTP, together"]) for _ in range(clients)]
    ways: dict[str, list[Like]] = {
        "over HTTP, together": [connection.like for connection in connections],
        "an UPDATE and a commit each": [update_one] * clients,
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    waits: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, likes in ways.items():
            end = time.perf_counter() + seconds
            times = [wait for of_one in await asyncio.gather(*(_until(end, like) for like in likes)) for wait in of_one]
            waits[name] += times
            rates[name].append(len(times) / seconds)
    async with sessions() as session:
        found = await session.execute(select(ImageRow.uuid, ImageRow.likes).where(ImageRow.uuid.in_(images.values())))
        likes_of = {image: likes for image, likes in found}
    counted = {name: likes_of[image] for name, image in images.items()}
    await engine.dispose()
    for name, rate in rates.items():
        slowest = statistics.quantiles(waits[name], n=100)[98] * 1e3
        lost = len(waits[name]) - counted[name]
        print(f"{name:30} {statistics.median(rate):7.0f} likes/s ({min(rate):.0f} to {max(rate):.0f}), "
              f"p99 {slowest:.0f} ms, {len(waits[name])} acknowledged, {lost} lost")  # fmt: skip
    together, each = (statistics.median(rate) for rate in rates.values())
    print(f"ratio {together / each:.1f}; to reach: {TO_REACH} likes/s over HTTP")


class Connection:
    """A client that does no more than it must, so that the server is measured and not the client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        self._reader = reader
        self._writer = writer
        self._request = request

    @classmethod
    async def open(cls, address: str, image: UUID) -> Connection:
        """Connect."""
        host, _, port = address.removeprefix("http://").partition(":")
        body = json.dumps({"images": [str(image)], "action": "like"}).encode()
        head = f"POST /backend/image/stats HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        reader, writer = await asyncio.open_connection(host, int(port))
        return cls(reader, writer, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def like(self) -> None:
        """Send a like, and wait for the answer."""
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        [length] = [line.partition(":")[2] for line in head.splitlines() if line.startswith("content-length:")]
        body = await self._reader.readexactly(int(length))
        if " 200 " not in head.partition("\r\n")[0] + " ":
            raise SystemExit(f"the server answered {head}{body.decode()}")


async def _until(end: float, like: Like) -> list[float]:
    times = []
    while (started := time.perf_counter()) < end:
        await like()
        times.append(time.perf_counter() - started)
    return times


def _image() -> ImageRow:
    uuid = uuid4()
    return ImageRow(
        uuid=uuid, image_type="generated", model_uuid=uuid, model_name="g", model_version=1, seed=1, store_key="images/face.png",
        content_type="image/png", size=1, sha256="0" * 64, width=1, height=1, visitor=uuid, likes=0, downloads=0,
    )  # fmt: skip


if __name__ == "__main__":
    main()
