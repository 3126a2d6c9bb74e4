"""What the serving comparison says that a server used is all that its processes used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.waiting import block_until

from serving_comparison.process_tree import PeakMemory, ProcessTree

# Starts a daemon that is nobody's child, uses CPU time and memory in it, and ends.
DETACHING = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    held = bytearray(os.urandom(1)) * (50 * 2**20)
    begin = time.process_time()
    while time.process_time() - begin < 0.3:
        pass
    time.sleep(600)
"""


@pytest.fixture
def tree():
    tree = ProcessTree()
    yield tree
    tree.kill()


def test_daemons_count_and_are_ended(tree):
    before = set(ProcessTree().pids())
    subprocess.run([sys.executable, "-c", DETACHING], env={**os.environ, **tree.environment}, check=True)
    block_until(lambda: tree.cpu_seconds() >= 0.3)
    [daemon] = tree.pids()
    with PeakMemory(tree) as peak:
        block_until(lambda: peak.bytes > 50 * 2**20)
    tree.kill()
    block_until(lambda: not os.path.exists(f"/proc/{daemon}") or not tree.pids())
    assert tree.cpu_seconds() >= 0.3  # what it used stays counted
    assert before == set()


def test_other_processes_do_not_count(tree):
    other = ProcessTree()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={**os.environ, **other.environment}):
        block_until(other.pids)
        assert tree.pids() == []
    assert other.pids() == []
