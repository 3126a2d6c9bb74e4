"""What does the Python client cost a program that sends thousands of images?

    python benchmarks/bulk_client.py [--url http://localhost:8000] [--images 1000]

Classifies the same JPEG files (256 x 256, 16 KB) with one detector, in three ways and in turns, and prints images a second:
a loop over httpx.Client that sends one image after the other (the least that a program can do), the same requests from
asyncio tasks over httpx.AsyncClient without any of the client's care, and `classify_many`; and the CPU time that the
program itself spends on an image. Without --url it starts the server.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import httpx

from visionlab_client import VisionLab

sys.path.insert(0, str(Path(__file__).parent))
from single_image import ROOT, cpu_name, start_server

sys.path.insert(0, str(Path(__file__).parent / "serving"))
from serving_comparison.photos import drawn_photos
from serving_comparison.version import find_version

ROUNDS = 3
MODEL = "mobilenetv2"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a running server; default: one is started")
    parser.add_argument("--images", type=int, default=1000, help="images in each round")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[4, 8, 16, 32, 64])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = None
        url = arguments.url
        if url is None:
            server, url = start_server(Path(folder) / "data", only=find_version(MODEL, ROOT / "models"))
        try:
            measure(url, written_images(Path(folder) / "images", arguments.images), arguments.concurrency)
        finally:
            if server is not None:
                server.terminate()
                server.wait()


def measure(url: str, paths: Sequence[Path], concurrencies: Sequence[int]) -> None:
    """Run all ways in turns."""
    with VisionLab(url) as lab:
        [model] = [model.uuid for model in lab.models("detector") if model.name == MODEL]

        def client(concurrency: int) -> int:
            outcomes = lab.classify_many(paths, models=[model], concurrency=concurrency)
            return sum(outcome.answer is not None for outcome in outcomes)

        ways: dict[str, Callable[[], int]] = {"httpx, one after the other": lambda: bare_loop(url, str(model), paths)}
        for concurrency in concurrencies:
            ways[f"httpx, {concurrency} at once"] = lambda concurrency=concurrency: asyncio.run(
                bare_tasks(url, str(model), paths, concurrency)
            )
            ways[f"classify_many, {concurrency} at once"] = lambda concurrency=concurrency: client(concurrency)
        speeds: dict[str, list[float]] = {way: [] for way in ways}
        costs: dict[str, list[float]] = {way: [] for way in ways}
        bare_loop(url, str(model), paths[:100])
        for _ in range(ROUNDS):
            for way, run in ways.items():
                began, cpu = time.perf_counter(), time.process_time()
                answered = run()
                costs[way].append((time.process_time() - cpu) / len(paths) * 1e3)
                speeds[way].append(len(paths) / (time.perf_counter() - began))
                assert answered == len(paths), f"{way}: {answered} of {len(paths)} images have an answer"
    print(f"machine   {cpu_name()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}")
    print(
        f"versions  Python {platform.python_version()}, httpx {httpx.__version__}, visionlab-client {version('visionlab-client')}"
    )
    print(f"images    {len(paths)} in each of {ROUNDS} rounds, detector {MODEL}")
    for way, each in speeds.items():
        cost = statistics.median(costs[way])
        print(
            f"{way:28} {statistics.median(each):6.1f} images/s ({min(each):.1f} to {max(each):.1f}), {cost:.2f} ms CPU an image"
        )


def bare_loop(url: str, model: str, paths: Sequence[Path]) -> int:
    """One image after the other."""
    with httpx.Client(base_url=url, timeout=60) as client:
        for path in paths:
            answer = client.post(
                "/backend/image/classify",
                params={"models": model},
                content=path.read_bytes(),
                headers={"Content-Type": "image/jpeg"},
            )
            answer.raise_for_status().json()
    return len(paths)


async def bare_tasks(url: str, model: str, paths: Sequence[Path], concurrency: int) -> int:
    """Several at once."""
    waiting = iter(paths)

    async def work(client: httpx.AsyncClient) -> None:
        for path in waiting:
            answer = await client.post(
                "/backend/image/classify",
                params={"models": model},
                content=path.read_bytes(),
                headers={"Content-Type": "image/jpeg"},
            )
            answer.raise_for_status().json()

    async with httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=concurrency)) as client:
        await asyncio.gather(*(work(client) for _ in range(concurrency)))
    return len(paths)


def written_images(folder: Path, count: int) -> list[Path]:
    """The same photo in many files."""
    folder.mkdir()
    [data] = drawn_photos(1, 256)
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(data)
    return paths


if __name__ == "__main__":
    main()
