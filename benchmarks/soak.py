"""Half an hour of everything at once: is the server's memory flat, and does it still answer?

    python benchmarks/soak.py [--minutes 30] [--models FOLDER]

Starts the real server, and sends single images, streams of many, faces to be made, damaged files, and requests whose client goes
away in the middle, from several clients without a pause. Prints the server's resident memory through the run; exits with 1 where
the last quarter's median is more than 5 % above the second's (the first warms up), where an answer is wrong, or where the server
is not ready at the end. `--csv FILE` keeps the readings.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from single_image import ROOT, resident_mib, start_server

sys.path.insert(0, str(Path(__file__).parent / "serving"))
from serving_comparison.photos import drawn_photos

ALLOWED_GROWTH = 1.05
CLASSIFY = "/backend/image/classify"


def main() -> None:
    """Run, print, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--models", type=Path, default=ROOT / "models")
    parser.add_argument("--csv", type=Path, help="write the readings of memory here")
    arguments = parser.parse_args()
    os.environ["VISIONLAB_STARTER_MODELS"] = str(arguments.models)
    with tempfile.TemporaryDirectory() as folder:
        server, url = start_server(Path(folder))
        try:
            readings, done = asyncio.run(soak(url, server.pid, arguments.minutes * 60))
        finally:
            server.terminate()
            server.wait()
    if arguments.csv:
        with arguments.csv.open("w", newline="") as file:
            csv.writer(file).writerows([("seconds", "mib"), *readings])
    quarters = [
        statistics.median(memory for _, memory in readings[begin : begin + len(readings) // 4])
        for begin in range(0, len(readings) - len(readings) // 4 + 1, len(readings) // 4)
    ][:4]
    print(f"answers   {', '.join(f'{count} {what}' for what, count in sorted(done.items()))}")
    print(f"memory    medians of the quarters: {', '.join(f'{each:.0f}' for each in quarters)} MiB")
    growth = quarters[3] / quarters[1]
    print(f"growth    {growth - 1:+.1%} from the second quarter to the last (allowed: {ALLOWED_GROWTH - 1:.0%})")
    sys.exit(0 if growth <= ALLOWED_GROWTH and not done["wrong"] and done["ready at the end"] else 1)


async def soak(url: str, pid: int, seconds: float) -> tuple[list[tuple[float, float]], Counter[str]]:
    """Readings of seconds and MiB, and what was answered how often."""
    done: Counter[str] = Counter()
    photos = [drawn_photos(1, side)[0] for side in (128, 256, 400, 1000)]
    readings: list[tuple[float, float]] = []
    started = time.monotonic()

    async with httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=64)) as client:
        generators = [each["uuid"] for each in (await client.get("/backend/model/generator?status=enabled")).json()]

        async def follow(work) -> None:  # type: ignore[no-untyped-def]
            while time.monotonic() - started < seconds:
                what, right = await work()
                done[what if right else "wrong"] += 1
                if not right:
                    print(f"wrong: {what}", file=sys.stderr)

        async def single() -> tuple[str, bool]:
            data = different(random.choice(photos))
            answer = await client.post(CLASSIFY, content=data, headers={"Content-Type": "image/jpeg"})
            return "single images", answer.status_code in (200, 503)

        async def stream() -> tuple[str, bool]:
            count = random.randint(1, 60)
            files = [("images", (f"{place}.jpg", different(random.choice(photos)))) for place in range(count)]
            answer = await client.post(CLASSIFY, files=files, headers={"Accept": "application/x-ndjson"})
            lines = [json.loads(line) for line in answer.text.splitlines()]
            return "streams", sorted(line["index"] for line in lines) == list(range(count))

        async def made() -> tuple[str, bool]:
            body = {"models": generators, "count": 4}
            return "batches of faces", (await client.post("/backend/image/generate", json=body)).status_code in (201, 503)

        async def damaged() -> tuple[str, bool]:
            data = random.choice(photos)[: random.randint(0, 3000)]
            answer = await client.post(CLASSIFY, content=data, headers={"Content-Type": "image/jpeg"})
            await asyncio.sleep(0.05)
            return "damaged files", answer.status_code in (415, 422)

        async def gone() -> tuple[str, bool]:
            files = [("images", (f"{place}.jpg", different(photos[2]))) for place in range(40)]
            try:
                async with asyncio.timeout(random.uniform(0.01, 0.2)):
                    await client.post(CLASSIFY, files=files)
            except TimeoutError:
                pass
            await asyncio.sleep(0.2)
            return "clients that went", True

        async def watch() -> None:
            step = max(0.5, seconds / 400)
            while time.monotonic() - started < seconds:
                readings.append((round(time.monotonic() - started, 1), resident_mib(pid)))
                if len(readings) % 20 == 0:
                    print(f"{readings[-1][0]:7.0f} s  {readings[-1][1]:6.0f} MiB  {sum(done.values())} answers", flush=True)
                await asyncio.sleep(step)

        kinds = [single, single, stream, damaged, gone, *([made] if generators else [])]
        await asyncio.gather(watch(), *(follow(kind) for kind in kinds))
        done["ready at the end"] = int((await client.get("/backend/status")).json()["ready"])
    return readings, done


def different(photo: bytes) -> bytes:
    """The same picture in a file of its own: a comment (JPEG marker 0xFFFE) makes its digest new."""
    comment = random.randbytes(8)
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


if __name__ == "__main__":
    main()
