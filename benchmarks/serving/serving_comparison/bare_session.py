"""`python -m serving_comparison.bare_session`: the same loads on ONNX Runtime itself, without a server, on pixels that lie ready.

Standard input and output are those of `python -m serving_load`, with `model`, `threads` and `max_batch` besides. Images that are
due while a run is under way wait, and run together in the next.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from serving_load.figures import Observation
from serving_load.loops import arrivals

Run = Callable[[int, int], NDArray[np.float32]]
"""The probabilities of some images: the number of the first, and how many."""


def main() -> None:
    """Read what to do, do it, and write what was seen."""
    job = json.load(sys.stdin)
    run = _runner(job)
    if job.get("check"):
        print(json.dumps(run(0, job["check"]).tolist()))
        return
    print(json.dumps(_load(job, run).to_json()), flush=True)


def _runner(job: dict[str, Any]) -> Run:
    options = ort.SessionOptions()
    options.intra_op_num_threads = job["threads"]
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(job["model"], options, providers=["CPUExecutionProvider"])
    pixels = np.load(Path(job["photos"]) / "pixels.npy")

    def run(first: int, count: int) -> NDArray[np.float32]:
        places = [number % len(pixels) for number in range(first, first + count)]
        answer: NDArray[np.float32] = session.run(["probabilities"], {"image": pixels[places]})[0]
        return answer

    return run


def _load(job: dict[str, Any], run: Run) -> Observation:
    seen = Observation(job["seconds"], busy=0.0)
    begin = time.perf_counter() + job["warmup"]
    end = begin + job["seconds"]
    clients = job["clients"]
    to_come = deque([] if clients else arrivals(job["rate"], begin - job["warmup"], end, random.Random(job["seed"])))
    seen.sent = sum(moment >= begin for moment in to_come)
    due = deque([time.perf_counter()] * clients)
    number, begun = 0, False
    while (now := time.perf_counter()) < end:
        if not begun and now >= begin:
            begun = True
            print("begin", flush=True)
        while to_come and to_come[0] <= now:
            due.append(to_come.popleft())
        if not due:
            time.sleep(max(0.0, min(to_come[0] if to_come else end, end) - now))
            continue
        batch = [due.popleft() for _ in range(min(len(due), job["max_batch"]))]
        run(number, len(batch))
        number += len(batch)
        answered = time.perf_counter()
        inside = begin <= answered < end
        seen.answered_inside += len(batch) * inside
        if clients:
            seen.sent += len(batch) * inside
            due.extend([answered] * len(batch))
        # As in the loops: of a closed loop what is answered in the window, of an open one what is due in it.
        seen.latencies += [answered - moment for moment in batch if (inside if clients else moment >= begin)]
    print("end", flush=True)
    if not clients:
        for moment in due:
            seen.errors["no answer"] += 1
            seen.latencies.append(end - moment)
    return seen


if __name__ == "__main__":
    main()
