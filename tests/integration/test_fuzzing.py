"""Requests made from the OpenAPI document: whatever they are, answers are as the document says, and none is a fault of ours.

`make fuzz` does the same for longer.
"""

from __future__ import annotations

import pytest
from fuzzing.runner import VISITORS, fuzz, start

DETERMINISTIC = ("--generation-deterministic", "--no-shrink")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = start(tmp_path_factory.mktemp("fuzzed"))
    yield server
    server.close()


def no_fault(server, done):
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [line for line in server.log if "unforeseen" in line]


def test_admin_finds_no_fault(server):
    no_fault(server, fuzz(server, "--phases", "examples,coverage", *DETERMINISTIC))


def test_visitor_finds_no_fault(server):
    no_fault(server, fuzz(server, "--phases", "fuzzing", "--max-examples", "5", *VISITORS, *DETERMINISTIC, token=None))
