"""Classifications at a steady rate, as people ask for them."""

from __future__ import annotations

import threading
import time
from collections import Counter

import httpx
from support.image_files import png


class Load:
    """Requests at a steady rate from threads of their own, none of them tried again. The client is closed at the end.

    `answers` counts by status, or by the error where there was none; `failed_at` are seconds since the start of the block.
    """

    def __init__(self, client: httpx.Client, per_second: float = 20.0, models: list[str] | None = None) -> None:
        self.answers: Counter[str] = Counter()
        self.failed_at: list[float] = []
        self.seconds: list[float] = []
        self._client = client
        self._pause = 1 / per_second
        self._data = {} if models is None else {"models": models}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pictures = [png(seed=seed) for seed in range(20)]

    def __enter__(self) -> Load:
        self._began = time.monotonic()
        self._clock = threading.Thread(target=self._run)
        self._clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._clock.join()
        for thread in self._threads:
            thread.join()
        self._client.close()

    @property
    def failures(self) -> dict[str, int]:
        """What was no answer."""
        return {name: count for name, count in self.answers.items() if name != "200"}

    @property
    def outage(self) -> float:
        """Seconds from the first failure to the last."""
        return max(self.failed_at) - min(self.failed_at) if self.failed_at else 0.0

    def quantile(self, part: float) -> float:
        """Seconds within which this part of the answers came."""
        return sorted(self.seconds)[int(part * (len(self.seconds) - 1))]

    def _run(self) -> None:
        count = 0
        due = time.monotonic()
        while not self._stop.is_set():
            thread = threading.Thread(target=self._ask, args=(count,))
            thread.start()
            self._threads.append(thread)
            count += 1
            due += self._pause
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _ask(self, count: int) -> None:
        began = time.monotonic()
        # Each is another image to the facade, so that none is answered from memory.
        image = self._pictures[count % len(self._pictures)] + str(count).encode()
        try:
            answer = self._client.post("/backend/image/classify", files={"images": ("face.png", image)}, data=self._data)
            problem = answer.json()["results"][0]["problem"] if answer.status_code == 200 else answer.text[:300]
            said = "200" if problem is None else f"{answer.status_code} {problem}"
        except (httpx.HTTPError, ValueError) as error:
            said = repr(error)
        self.answers[said] += 1
        if said == "200":
            self.seconds.append(time.monotonic() - began)
        else:
            self.failed_at.append(began - self._began)
