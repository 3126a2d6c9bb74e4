"""VisionLab beside other model servers: the same ONNX file, photos and machine, in one run.

    python benchmarks/serving/compare.py [--quick] [--only visionlab,bentoml] [--model stacking] [--json FILE] [--chart FILE]

Each server gets the same loads: closed loops of 1, 8 and 64 clients, and open loops with random arrivals at 50 % and 80 % of what
VisionLab can do. Prints the machine, the versions, the settings of each server and a table a load. docs/benchmarks.md says how it
is measured. The other servers are installed by this script, each in an environment of its own in .tools/peers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from serving_comparison.chart import write_chart
from serving_comparison.contenders import BASELINE, Contender, Terms, contenders, described, versions
from serving_comparison.cpus import cpu_name, plan_cpus
from serving_comparison.loads import Load, LoadFailed, Timing
from serving_comparison.photos import drawn_photos, lay_out, photos_of
from serving_comparison.report import TOLERANCE, as_json, tables
from serving_comparison.rounds import Comparison, Course
from serving_comparison.server import NotStarted
from serving_comparison.version import find_version

ROOT = Path(__file__).parent.parent.parent
CAPACITY_CLIENTS = 8
"""Clients of the closed loop that finds VisionLab's capacity."""

OWN_PACKAGES = ("visionlab-api", "onnxruntime", "numpy", "pillow", "opencv-python-headless", "uvicorn", "fastapi")


def main() -> int:
    """Run it; 1 where a server's probabilities are wrong or VisionLab itself could not be measured."""
    options = _parser().parse_args()
    chosen = _chosen(options.only)
    timing = Timing(options.seconds, options.warmup)
    if options.quick:
        timing, options.rounds = Timing(min(options.seconds, 1.5), 0.5), 1
    plan = plan_cpus(options.server_cpus, options.load_cpus)
    # What this process does while servers are measured, such as reading their memory, is no burden of theirs.
    os.sched_setaffinity(0, plan.load)
    with tempfile.TemporaryDirectory(prefix="serving-comparison-") as folder:
        jpegs = photos_of(options.images) if options.images else drawn_photos(options.photos, options.side)
        lay_out(jpegs, Path(folder) / "photos")
        found = find_version(options.model, ROOT / "models")
        terms = Terms(
            version=found,
            models=found.alone(Path(folder) / "models"),
            tools=options.tools.absolute(),
            cpus=len(plan.server),
            max_batch=options.max_batch,
            batch_seconds=options.batch_wait_ms / 1000,
        )
        course = Course(
            terms, plan, Path(folder) / "photos", jpegs, timing, options.start_seconds, say=lambda text: print(text, flush=True)
        )
        comparison = Comparison(course, chosen)
        comparison.prepare()
        about = _about(course, options, chosen)
        print("\n".join(about), flush=True)
        try:
            loads = _loads(options, comparison)
        except (NotStarted, LoadFailed) as error:
            print(f"{BASELINE}: {error}", file=sys.stderr)
            return 1
        comparison.run(loads, options.rounds)
    print("\n" + "\n".join(about) + "\n\n" + tables(comparison.results, loads))
    if options.json:
        content = {"about": about, "results": as_json(comparison.results, loads)}
        options.json.write_text(json.dumps(content, indent=1) + "\n")
    if options.chart:
        write_chart(options.chart, comparison.results, loads, f"{cpu_name()}, {plan.described()}, {found.card.label}")
    wrong = any(result.difference > TOLERANCE for result in comparison.results.values())
    return 1 if wrong or comparison.results[BASELINE].missing else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", default="mobilenetv2", help="version folder, or name of a shipped detector (mobilenetv2, stacking, ...)")
    add("--images", type=Path, help="folder of JPEG files to send (default: drawn ones)")
    add("--photos", type=int, default=256, help="how many photos are drawn")
    add("--side", type=int, default=256, help="side of the drawn photos in pixels")
    add(
        "--only", help=f"names, with commas between ({', '.join(each.name for each in contenders())}); {BASELINE} is always there"
    )
    add("--seconds", type=float, default=8.0, help="length of a measurement")
    add("--warmup", type=float, default=2.0, help="seconds of the same load before each measurement")
    add("--rounds", type=int, default=3, help="measurements of each load on each server")
    add("--quick", action="store_true", help="one short round: does everything work? The figures mean nothing")
    add("--clients", type=_numbers, default=(1, 8, 64), help="of the closed loops; default: 1,8,64")
    add("--parts", type=_parts, default=(0.5, 0.8), help="open loops, as parts of VisionLab's capacity; default: 0.5,0.8")
    add("--max-batch", type=int, default=8, help="images in one run of a peer's model")
    add("--batch-wait-ms", type=float, default=2.0, help="how long a peer may wait for a batch to fill")
    add("--server-cpus", type=_cpus, help="CPUs of the servers, as 0,1,2 (default: all but the load's)")
    add("--load-cpus", type=_cpus, help="CPUs of the load (default: the last quarter, at least one)")
    add("--start-seconds", type=float, default=180.0, help="how long a server may take to start")
    add("--tools", type=Path, default=ROOT / ".tools", help="where peers are installed and Triton is looked for")
    add("--json", type=Path, help="write the results here")
    add("--chart", type=Path, help="write a picture of the results here (.png, .svg)")
    return parser


def _chosen(only: str | None) -> tuple[Contender, ...]:
    everything = contenders()
    if only is None:
        return everything
    names = {BASELINE, *(name.strip() for name in only.split(","))}
    if unknown := names - {each.name for each in everything}:
        raise SystemExit(f"--only: there is no {', '.join(sorted(unknown))}")
    return tuple(each for each in everything if each.name in names)


def _loads(options: argparse.Namespace, comparison: Comparison) -> list[Load]:
    loads = [Load(clients=clients) for clients in options.clients]
    if options.parts:
        capacity = comparison.capacity(CAPACITY_CLIENTS)
        print(f"VisionLab's capacity: {capacity:.1f} images/s ({CAPACITY_CLIENTS} clients)", flush=True)
        loads += [Load(rate=part * capacity, part=part) for part in options.parts]
    return loads


def _about(course: Course, options: argparse.Namespace, chosen: Sequence[Contender]) -> list[str]:
    terms, plan = course.terms, course.plan
    card, mebibytes = terms.version.card, terms.version.onnx.stat().st_size / 2**20
    own = ", ".join(f"{package} {version(package)}" for package in OWN_PACKAGES)
    peers = ", ".join(f"{name} {number}" for name, number in versions([each.name for each in chosen], terms.tools).items())
    size = sum(map(len, course.jpegs)) / len(course.jpegs) / 1024
    rate = f"{options.rounds} round(s) of {course.timing.seconds:g} s after {course.timing.warmup:g} s of warm-up"
    return [
        f"machine   {cpu_name()}, {platform.system()} {platform.release()}; {plan.described()}",
        f"versions  Python {platform.python_version()}, {own}",
        f"peers     {peers or 'none'}",
        f"model     {card.label} version {card.version}, {mebibytes:.1f} MiB",
        f"photos    {len(course.jpegs)} JPEGs of {size:.0f} KiB on average; no two requests have the same bytes",
        f"measured  {rate}; each server alone, in another order each round",
        *(f"settings  {each.title}: {described(each, terms)}" for each in chosen),
    ]


def _cpus(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(",")))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


def _parts(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(",") if part)


if __name__ == "__main__":
    sys.exit(main())
