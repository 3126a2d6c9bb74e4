"""How long does a list take when there is much to list?

    python benchmarks/lists.py [--database postgresql://user:password@host/empty] [--requests 100] [--only image]

Fills an empty database (default: SQLite in a temporary folder) with 100,000 images, 10,000 models, 1,000 data sets with 100,000
files, 1,000 trainings, 1,000 API keys and 10,000 acts in the audit log, starts the real server on it, and asks for every list, by
all of its filters and sorts: for the first part, and for one far down. One request after the other, over one connection. Prints
the machine, the versions, and for each list the median, the 99th percentile and the size of the answer.
"""

from __future__ import annotations

import argparse
import http.client
import json
import platform
import re
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid5

import numpy as np
from sqlalchemy import URL, create_engine

from visionlab_api.database.engine import read_url
from visionlab_core.model_card import ModelCard

sys.path.insert(0, str(Path(__file__).parent))
from long_lists import BUSY, ME, QUIET, fill
from single_image import ROOT, cpu_name, resident_mib, start_server

sys.path.insert(0, str(Path(__file__).parent / "serving"))
from serving_comparison.version import find_version

ADMIN = "vl_admin-of-the-benchmark-0123456789abcdefgh"
FIRST_DATASET = uuid5(UUID(int=0), "dataset 0")
MOST_PARTS = 60
"""Followed from the first one, 200 entries each: this far down is the deep part."""


@dataclass(frozen=True, slots=True)
class List:
    """A list to ask for; as a visitor, or as an admin."""

    path: str
    query: dict[str, str]
    admin: bool = True

    def __str__(self) -> str:
        query = "&".join(f"{key}={value if len(value) < 30 else '...'}" for key, value in self.query.items())
        return f"{self.path}{'?' if query else ''}{query}{'' if self.admin else ' (a visitor)'}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="URL of an empty database; default: SQLite in a temporary folder")
    parser.add_argument("--requests", type=int, default=100, help="of each kind")
    parser.add_argument("--filled", action="store_true", help="the database was filled by an earlier run")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--others", type=int, default=1000, help="data sets, trainings, keys")
    parser.add_argument("--only", default="", help="lists that have this in their path alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = read_url(arguments.database or f"sqlite:///{folder}/visionlab.db")
        cards = {card.kind: card for card in _cards()}
        if not arguments.filled:
            fill(url, images=arguments.images, models=arguments.models, others=arguments.others, cards=cards)
        started = time.perf_counter()
        server, address = start_server(
            Path(folder),
            only=find_version("mobilenetv2", ROOT / "models"),
            VISIONLAB_DATABASE_URL=url.render_as_string(hide_password=False),
            VISIONLAB_ADMIN_TOKEN=ADMIN,
            VISIONLAB_TRAININGS_AT_ONCE="0",
            VISIONLAB_UPLOAD_DAYS="0",
            VISIONLAB_AUDIT_DAYS="0",
        )
        try:
            print(f"machine   {cpu_name()}, {platform.system()} {platform.release()}")
            print(f"versions  Python {platform.python_version()}, {_server_of(url)}, SQLAlchemy {version('sqlalchemy')}")
            print(f"server    ready after {time.perf_counter() - started:.1f} s")
            connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
            for each in all_lists():
                if arguments.only in each.path:
                    measure(connection, each, arguments.requests)
            print(f"server's memory afterwards {resident_mib(server.pid):.0f} MiB")
        finally:
            server.terminate()
            server.wait()


def measure(connection: http.client.HTTPConnection, each: List, requests: int) -> None:
    """Print a line for the first part and one for the deep part."""
    deep, parts = None, 0
    while parts < MOST_PARTS:
        more = {"limit": "200"} | ({"cursor": deep} if deep else {}) if parts else {}
        try:
            _, _, cursor = ask(connection, each, more)
        except SystemExit:
            break  # a list without parts
        if cursor is None:
            break
        deep, parts = cursor, parts + 1
    for name, more in {"first": {}, **({f"part {parts + 1}": {"cursor": deep}} if deep else {})}.items():
        times, size = [], 0
        for _ in range(requests):
            seconds, size, _ = ask(connection, each, more)
            times.append(seconds * 1e3)
        p50, p99 = statistics.median(times), np.percentile(times, 99)
        print(f"{p50:8.1f} ms  {p99:8.1f} ms p99  {size / 1e3:8.1f} kB  {each}, {name}", flush=True)


def ask(connection: http.client.HTTPConnection, each: List, more: dict[str, str]) -> tuple[float, int, str | None]:
    """Seconds, bytes, and the cursor to the next part."""
    headers = {"Authorization": f"Bearer {ADMIN}"} if each.admin else {"Cookie": f"visionlab_visitor={ME}"}
    started = time.perf_counter()
    connection.request("GET", f"{each.path}?{urlencode(each.query | more)}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    seconds = time.perf_counter() - started
    if response.status != 200:
        raise SystemExit(f"{each}: the server answered {response.status}: {body[:500].decode()}")
    link = re.search(r"[?&]cursor=([^&>]*)", response.headers.get("Link", ""))
    answer = json.loads(body)
    cursor = answer.get("next_cursor") if isinstance(answer, dict) else link and link.group(1).replace("%3D", "=")
    return seconds, len(body), cursor


def all_lists() -> list[List]:
    """Every list of the API, with its filters and its sorts."""
    orders = [{"sort": sort} for sort in ("newest", "oldest", "name", "-name")]
    return [
        *(
            List("/backend/image", query, admin)
            for admin in (False, True)
            for query in ({}, {"type": "generated"}, {"type": "uploaded"}, {"model": str(BUSY)}, {"model": str(QUIET)})
        ),
        List("/backend/image/stats", {}, admin=False),
        List("/backend/status", {}, admin=False),
        *(
            List(f"/backend/model/{kind}", query, admin=False)
            for kind in ("generator", "detector")
            for query in ({}, {"status": "enabled"}, {"status": "disabled"}, {"name": "r-0012"}, *orders)
        ),
        *(
            List("/backend/dataset/detector", query)
            for query in (
                {}, {"status": "disabled"}, {"state": "failed"}, {"origin": "labelled"}, {"face_class": "anime"},
                {"name": "s-0009"}, *orders,
            )
        ),
        *(List(f"/backend/dataset/{FIRST_DATASET}/files", query) for query in ({}, {"fate": "duplicate"}, {"refused": "true"})),
        *(
            List("/backend/training/detector", query)
            for query in ({}, {"status": "failed"}, {"status": "pending"}, {"name": "n-0009"}, *orders)
        ),
        *(
            List("/backend/audit", query)
            for query in (
                {}, {"actor": "key 7"}, {"action": "DELETE /backend/model/{uuid}"}, {"action": "none"},
                {"since": "2026-01-05T00:00:00Z"}, {"until": "2026-01-02T00:00:00Z"},
            )
        ),
        List("/backend/key", {}),
    ]  # fmt: skip


def _cards() -> list[ModelCard]:
    return [ModelCard.model_validate_json(path.read_bytes()) for path in sorted((ROOT / "models").glob("*/*/card.json"))]


def _server_of(url: URL) -> str:
    engine = create_engine(url.set(drivername="sqlite") if url.get_backend_name() == "sqlite" else url)
    with engine.connect() as connection:
        name = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[engine.dialect.name]
        found = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    engine.dispose()
    return f"{name} {found}"


if __name__ == "__main__":
    main()
