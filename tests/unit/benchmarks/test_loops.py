"""What the load generator of the serving comparison says of a server is so."""

from __future__ import annotations

import asyncio
import random
import time
from itertools import pairwise

import pytest
from support.small_http_server import answer, serving

from serving_load.figures import Observation, percentile
from serving_load.loops import Target, arrivals, closed_loop, open_loop

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n%04d"


class Window:
    """Notes when it was told of its ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def begin(self) -> None:
        self.ends.append(time.perf_counter())

    def end(self) -> None:
        self.ends.append(time.perf_counter())


def target(port: int, patience: float = 2.0) -> Target:
    return Target("127.0.0.1", port, lambda number: REQUEST % (number % 10_000), patience)


async def test_closed_loop_keeps_each_client_busy_with_one_request():
    under_way = most = 0

    async def behave(number, body):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return answer()

    window = Window()
    async with serving(behave) as port:
        seen = await closed_loop(target(port), clients=4, warmup=0.2, seconds=1.0, window=window)
    assert most == 4
    assert seen.answered_inside == seen.sent == len(seen.latencies)
    assert seen.throughput == seen.answered_inside
    # Little's law holds whatever the machine is busy with: clients = throughput x latency.
    assert 3.4 < seen.throughput * sum(seen.latencies) / len(seen.latencies) < 4.6
    assert min(seen.latencies) >= 0.02
    assert not seen.errors
    assert window.ends[1] - window.ends[0] >= 0.95


async def test_no_two_requests_are_the_same():
    bodies = []

    async def behave(number, body):
        bodies.append(body)
        return answer()

    async with serving(behave) as port:
        await closed_loop(target(port), clients=3, warmup=0.0, seconds=0.2, window=Window())
    assert len(bodies) == len(set(bodies)) > 3


async def test_answers_that_are_errors_are_counted_and_have_no_latency():
    async def behave(number, body):
        await asyncio.sleep(0.002)
        return answer(503) if number % 3 == 0 else answer()

    async with serving(behave) as port:
        seen = await closed_loop(target(port), clients=2, warmup=0.0, seconds=0.6, window=Window())
    assert set(seen.errors) == {"status 503"}
    assert seen.sent == len(seen.latencies) + seen.errors["status 503"]
    assert seen.errors["status 503"] == pytest.approx(seen.sent / 3, abs=2)
    assert seen.answered_inside == len(seen.latencies)


async def test_connections_that_the_server_closes_are_errors_and_are_made_anew():
    async def behave(number, body):
        await asyncio.sleep(0.005)
        return None if number % 4 == 3 else answer()

    async with serving(behave) as port:
        seen = await closed_loop(target(port), clients=1, warmup=0.0, seconds=0.6, window=Window())
    assert seen.errors["ConnectionLost"] >= 2
    assert len(seen.latencies) >= 6


async def test_a_server_that_is_not_there_gives_errors_and_no_exception():
    async with serving(lambda number, body: None) as port:
        pass
    closed = await closed_loop(target(port), clients=2, warmup=0.0, seconds=0.1, window=Window())
    opened = await open_loop(target(port), rate=50, warmup=0.0, seconds=0.2, window=Window())
    assert closed.throughput == opened.throughput == 0
    assert sum(closed.errors.values()) == closed.sent > 0
    assert sum(opened.errors.values()) == opened.sent


@pytest.mark.parametrize("kind", ["closed", "open"])
async def test_requests_that_are_never_answered_count_with_the_time_that_they_waited(kind):
    async def behave(number, body):
        await asyncio.sleep(3600)

    async with serving(behave) as port:
        if kind == "closed":
            seen = await closed_loop(target(port, 0.3), clients=3, warmup=0.0, seconds=0.3, window=Window())
            assert seen.errors["no answer"] == 3
        else:
            seen = await open_loop(target(port, 0.3), rate=40, warmup=0.0, seconds=0.3, window=Window())
            assert seen.errors["no answer"] == seen.sent
    assert seen.answered_inside == 0
    assert len(seen.latencies) == seen.errors["no answer"]
    assert all(0.25 < latency < 5 for latency in seen.latencies)


async def test_open_loop_charges_a_stall_to_all_who_would_have_come_meanwhile():
    """No coordinated omission: while the server stalls for half a second, requests are due as before, and each one waits."""
    stalled = asyncio.Event()

    async def behave(number, body):
        if number == 20:
            await asyncio.sleep(0.5)
            stalled.set()
        elif number > 20 and not stalled.is_set():
            await stalled.wait()
        return answer()

    async with serving(behave) as port:
        seen = await open_loop(target(port), rate=100, warmup=0.0, seconds=1.2, window=Window(), seed=1)
    assert seen.sent == len(seen.latencies) == len(arrivals(100, 0.0, 1.2, random.Random(1)))
    assert not seen.errors
    # Some 50 are due during the stall; the waits of those are spread over its length.
    waited = sorted(latency for latency in seen.latencies if latency > 0.1)
    assert 25 <= len(waited) <= 80
    assert 0.45 < waited[-1] < 1.5
    assert percentile(seen.latencies, 99) > 0.4


async def test_open_loop_counts_the_wait_for_a_connection(monkeypatch):
    monkeypatch.setattr("serving_load.loops.MAX_CONNECTIONS", 1)

    async def behave(number, body):
        await asyncio.sleep(0.05)
        return answer()

    async with serving(behave) as port:
        seen = await open_loop(target(port, 10), rate=40, warmup=0.0, seconds=0.5, window=Window(), seed=3)
    assert seen.sent == len(seen.latencies)
    # The last of n waits for the n - 1 before it, each 50 ms, while they came in half a second.
    assert max(seen.latencies) > seen.sent * 0.05 - 0.5


async def test_open_loop_counts_what_was_due_in_the_window_alone():
    async def behave(number, body):
        return answer()

    async with serving(behave) as port:
        seen = await open_loop(target(port), rate=60, warmup=0.4, seconds=0.6, window=Window(), seed=5)
    due = arrivals(60, 0.0, 1.0, random.Random(5))
    assert seen.sent == len(seen.latencies) == sum(moment >= 0.4 for moment in due) < len(due)
    assert len(seen.late) == seen.sent


def test_arrivals_are_a_poisson_process():
    moments = arrivals(200, 0.0, 100.0, random.Random(0))
    assert len(moments) == pytest.approx(20_000, abs=500)
    gaps = [after - before for before, after in pairwise(moments)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert deviation == pytest.approx(mean, rel=0.05)


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 50), (99, 99), (99.5, 100), (100, 100)])
def test_percentile_is_the_nearest_rank(percent, expected):
    values = list(range(1, 101))
    random.Random(0).shuffle(values)
    assert percentile(values, percent) == expected


def test_percentile_of_few_and_none():
    assert percentile([7.0], 99) == 7.0
    assert percentile([], 50) != percentile([], 50)  # NaN


def test_observation_survives_its_journey_between_processes():
    seen = Observation(2.0, sent=3, answered_inside=2, latencies=[0.1, 0.2])
    seen.errors["status 503"] += 1
    assert Observation.from_json(seen.to_json()) == seen
