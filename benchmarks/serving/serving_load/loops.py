"""Closed and open loops.

In a closed loop each of a number of clients sends its next request when it has the answer to the last: it shows what a server can
do. In an open loop requests come when they come, as from the many people of a public page, whether or not the server keeps up: it
shows how long they wait. Their latency counts from when they were due, not from when the load came to send them, so that a server
that stalls is charged with all who wait meanwhile ("coordinated omission" would forget them; Tene, "How NOT to measure latency").
"""

from __future__ import annotations

import asyncio
import http
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from serving_load.connection import Answer, Connection
from serving_load.figures import Observation

MAX_CONNECTIONS: Final = 512
"""Of an open loop. More requests than that wait for a free one, and their time counts."""

Now = Callable[[], float]


class Window(Protocol):
    """Told of the window's ends, so that others can measure the same time."""

    def begin(self) -> None:
        """The warm-up is over."""

    def end(self) -> None:
        """Nothing more is sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, what they are, and how long anything is waited for.

    `make` gives the bytes of a request, by its number. `patience` is how many seconds after the window answers are waited for.
    """

    host: str
    port: int
    make: Callable[[int], bytes]
    patience: float = 10.0


async def closed_loop(target: Target, *, clients: int, warmup: float, seconds: float, window: Window) -> Observation:
    """`clients` connections, each with one request under way at all times."""
    seen = Observation(seconds)
    numbers = iter(range(10**12))
    begin = time.perf_counter() + warmup
    end = begin + seconds
    under_way: dict[int, float] = {}

    async def client(place: int) -> None:
        connection: Connection | None = None
        while (sent := time.perf_counter()) < end:
            under_way[place] = sent
            try:
                if connection is None or not connection.usable:
                    connection = await Connection.open(target.host, target.port)
                error = _error_of(await connection.send(target.make(next(numbers))))
            except OSError as failure:
                error = type(failure).__name__
                # A server that refuses at once is not to be asked a million times.
                await asyncio.sleep(0.01)
            del under_way[place]
            now = time.perf_counter()
            if begin <= now < end:
                seen.sent += 1
                _note(seen, error, now - sent)
        if connection is not None:
            connection.close()

    tasks = [asyncio.create_task(client(place)) for place in range(clients)]
    await _watch(window, begin, end, seen)
    seen.answered_inside = len(seen.latencies)
    await asyncio.wait(tasks, timeout=target.patience)
    _give_up(seen, list(under_way.values()))
    await _cancel(tasks)
    return seen


async def open_loop(target: Target, *, rate: float, warmup: float, seconds: float, window: Window, seed: int = 0) -> Observation:
    """Requests at random times, `rate` a second on average (a Poisson process: each gap is independent of the others)."""
    seen = Observation(seconds)
    loop = asyncio.get_running_loop()
    begin = time.perf_counter() + warmup
    end = begin + seconds
    due = arrivals(rate, begin - warmup, end, random.Random(seed))
    seen.sent = sum(moment >= begin for moment in due)
    free: list[Connection] = []
    waiting: deque[tuple[int, float]] = deque()
    under_way: dict[int, float] = {number: moment for number, moment in enumerate(due) if moment >= begin}
    tasks: set[asyncio.Task[None]] = set()
    connections = 0

    async def carry(number: int, moment: float, connection: Connection | None) -> None:
        """Send a request, and then whatever waits for its connection."""
        nonlocal connections
        while True:
            try:
                if connection is None or not connection.usable:
                    connection = await Connection.open(target.host, target.port)
                error = _error_of(await connection.send(target.make(number)))
            except OSError as failure:
                error = type(failure).__name__
            now = time.perf_counter()
            if error is None and begin <= now < end:
                seen.answered_inside += 1
            if under_way.pop(number, None) is not None:
                _note(seen, error, now - moment)
            if not waiting:
                break
            number, moment = waiting.popleft()
        if connection is not None and connection.usable:
            free.append(connection)
        else:
            connections -= 1

    def arrive(number: int) -> None:
        nonlocal connections
        moment = due[number]
        while free and not free[-1].usable:
            free.pop()
            connections -= 1
        if not free and connections >= MAX_CONNECTIONS:
            waiting.append((number, moment))
            return
        if free:
            connection = free.pop()
        else:
            connection, connections = None, connections + 1
        if moment >= begin:
            seen.late.append(time.perf_counter() - moment)
        task = loop.create_task(carry(number, moment, connection))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    pace = _pace(due, lambda number: loop.call_soon_threadsafe(arrive, number))
    await _watch(window, begin, end, seen)
    await asyncio.to_thread(pace.join)
    # Those that wait for a connection are carried by the tasks of others.
    while tasks and (left := end + target.patience - time.perf_counter()) > 0:
        await asyncio.wait(set(tasks), timeout=left)
    _give_up(seen, list(under_way.values()))
    await _cancel(list(tasks))
    for connection in free:
        connection.close()
    return seen


def arrivals(rate: float, begin: float, end: float, chance: random.Random) -> list[float]:
    """The moments of a Poisson process of `rate` a second between `begin` and `end`."""
    moments = []
    moment = begin + chance.expovariate(rate)
    while moment < end:
        moments.append(moment)
        moment += chance.expovariate(rate)
    return moments


def _pace(due: Sequence[float], arrive: Callable[[int], object]) -> threading.Thread:
    """Call `arrive` at each moment. On a thread, as an event loop's own timers are a millisecond coarse."""

    def run() -> None:
        for number, moment in enumerate(due):
            wait = moment - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            try:
                arrive(number)
            except RuntimeError:  # the event loop has ended
                return

    thread = threading.Thread(target=run, name="pace", daemon=True)
    thread.start()
    return thread


async def _watch(window: Window, begin: float, end: float, seen: Observation) -> None:
    await asyncio.sleep(max(0.0, begin - time.perf_counter()))
    window.begin()
    used = time.process_time()
    await asyncio.sleep(max(0.0, end - time.perf_counter()))
    seen.busy = (time.process_time() - used) / seen.seconds
    window.end()


def _error_of(answer: Answer) -> str | None:
    return None if answer.status == http.HTTPStatus.OK else f"status {answer.status}"


def _note(seen: Observation, error: str | None, seconds: float) -> None:
    if error is None:
        seen.latencies.append(seconds)
    else:
        seen.errors[error] += 1


def _give_up(seen: Observation, since: Sequence[float]) -> None:
    now = time.perf_counter()
    for moment in since:
        seen.errors["no answer"] += 1
        seen.latencies.append(now - moment)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
