"""What a pool points at is kept, and the rest is collected."""

from __future__ import annotations

import pytest

from visionlab_core.store_layout import pool_state_key
from visionlab_inference.releases import PoolState, assemble, collect, read_pool, write_pool

POOL = "detectors"


def test_state_outlives_the_process_that_wrote_it(store):
    assert read_pool(store, POOL) == PoolState()
    write_pool(store, POOL, PoolState(wanted="a", current="b", previous="c"))
    assert read_pool(store, POOL) == PoolState(wanted="a", current="b", previous="c")


@pytest.mark.parametrize("damage", [b"", b"{", b'{"wanted": 7}', b"[]"])
def test_damaged_state_is_begun_anew(store, damage):
    store.put(pool_state_key(POOL), damage)
    assert read_pool(store, POOL) == PoolState()


def test_previous_is_what_was_current_before_and_a_rollback_swaps_them():
    state = PoolState().arrived("a")
    assert state == PoolState(wanted="a", current="a")
    state = state.wanting("b")
    assert state == PoolState(wanted="b", current="a")
    state = state.arrived("b")
    assert state == PoolState(wanted="b", current="b", previous="a")
    assert state.arrived("b") == state
    assert state.arrived("a") == PoolState(wanted="a", current="a", previous="b")


def test_releases_that_nothing_points_at_are_collected_once_they_are_old(store, add):
    releases = [assemble(store, POOL, [add(version=version)]).digest for version in range(1, 6)]
    unfinished = assemble(store, POOL, [add(version=9)])
    store.delete(unfinished.key("release.json"))
    state = PoolState(wanted=releases[3], current=releases[2], previous=releases[1])
    write_pool(store, POOL, state)
    assert collect(store, POOL, state) == set()
    assert collect(store, POOL, state, older_than=0) == {releases[0], releases[4], unfinished.digest}
    assert {info.key.split("/")[2] for info in store.list(f"releases/{POOL}/")} == {"state.json", *releases[1:4]}
    assert read_pool(store, POOL) == state


def test_collecting_one_pool_spares_the_other(store, add):
    other = assemble(store, "generators", [add()])
    assert collect(store, POOL, PoolState(), older_than=0) == set()
    assert store.exists(other.key("release.json"))
