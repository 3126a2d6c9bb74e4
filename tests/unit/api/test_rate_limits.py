"""Limits of rate: what is let through, what is said, and that memory does not grow with callers."""

from __future__ import annotations

import asyncio

import pytest

from visionlab_api.accounts import rate_limits
from visionlab_api.accounts.principal import ANONYMOUS, LOCAL, Principal, Scope
from visionlab_api.accounts.rate_limits import Limit, RateLimits, caller_of, network_of
from visionlab_api.problems import ProblemError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_passes_and_then_what_refills(clock):
    limit = Limit("requests", 60, clock)
    assert [limit.take("a") for _ in range(60)] == [0.0] * 60
    assert limit.take("a") == pytest.approx(1.0)
    clock.now += 0.5
    assert limit.take("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert limit.take("a") == 0.0
    assert limit.take("b") == 0.0


def test_bucket_is_never_more_than_full(clock):
    limit = Limit("requests", 2, clock)
    limit.take("a")
    clock.now += 3600
    assert [limit.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_more_than_a_bucket_is_paid_off_afterwards(clock):
    limit = Limit("images", 60, clock)
    assert limit.take("a", 90) == 0.0
    assert limit.take("a") == pytest.approx(31.0)
    clock.now += 31
    assert limit.take("a") == 0.0


def test_headers_say_what_is_left(clock):
    limit = Limit("requests", 60, clock)
    assert limit.headers("a") == [(b"ratelimit-policy", b'"requests";q=60;w=60'), (b"ratelimit", b'"requests";r=60;t=0')]
    limit.take("a", 20)
    assert limit.headers("a")[1] == (b"ratelimit", b'"requests";r=40;t=20')


def test_memory_is_bound(clock, monkeypatch):
    monkeypatch.setattr(rate_limits, "MOST_CALLERS", 100)
    limit = Limit("requests", 2, clock)
    limit.take("kept", 2)
    for number in range(1000):
        limit.take(str(number))
        assert limit.take("kept") > 0
    assert len(limit) == 100


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense:", "nonsense:"),
        ("unknown", "unknown"),
    ],
)
def test_a_household_is_one_caller(address, network):
    assert network_of(address) == network


def test_who_is_counted_as_what():
    assert caller_of(ANONYMOUS, "192.0.2.7") == "192.0.2.7"
    assert caller_of(LOCAL, "192.0.2.7") is None
    assert caller_of(Principal("key", "1", "k", frozenset({Scope.INFERENCE})), "192.0.2.7") is None
    assert caller_of(Principal("key", "1", "k", frozenset({Scope.MODELS})), "192.0.2.7") == "key:1"
    assert caller_of(Principal("user", "ada", "Ada"), "192.0.2.7") == "user:ada"


def test_nothing_is_counted_without_limits():
    limits = RateLimits(requests=0, images=0, sign_ins=0)
    for _ in range(100):
        limits.charge_request("a")
        limits.charge_images("a", 1000)
        limits.charge_sign_in("a")


def test_too_many_are_told_when_to_come_again():
    limits = RateLimits(requests=1, images=0, sign_ins=0)
    limits.charge_request("a")
    with pytest.raises(ProblemError, match="more than 1 requests a minute") as error:
        limits.charge_request("a")
    assert error.value.status == 429
    assert 0 < error.value.retry_after <= 60


async def test_a_stream_waits_for_its_next_image():
    limits = RateLimits(requests=0, images=6000, sign_ins=0)
    limits.images.take("a", 6001)
    began = asyncio.get_running_loop().time()
    await limits.wait_for_image("a")
    assert asyncio.get_running_loop().time() - began > 0.015
