"""Objects that grow block by block before they are objects: one suite, run on a folder and on S3."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from visionlab_core.object_store import (
    BLOCK_BYTES,
    BytesMissing,
    FolderObjectStore,
    KeyNotFound,
    ObjectStore,
    open_seekable,
)

SMALL = b"0123456789" * 100
KEY = "uploads/whole"


@pytest.fixture
def name() -> UUID:
    return uuid4()


def test_blocks_become_one_object(store: ObjectStore, name: UUID) -> None:
    whole = random.Random(1).randbytes(2 * BLOCK_BYTES + 5000)
    for at in range(0, len(whole), BLOCK_BYTES):
        store.append(name, whole[at : at + BLOCK_BYTES], at=at)
        assert list(store.list()) == [], "nobody sees it before it is whole"
    assert list(store.growing()) == [name]
    store.finish(name, KEY, size=len(whole))
    assert sha256(store.get(KEY)).digest() == sha256(whole).digest()
    assert store.stat(KEY).size == len(whole)
    assert list(store.growing()) == []


def test_many_small_blocks_become_one_object(store: ObjectStore, name: UUID) -> None:
    for at in range(0, len(SMALL), 100):
        store.append(name, SMALL[at : at + 100], at=at)
    store.finish(name, KEY, size=len(SMALL))
    assert store.get(KEY) == SMALL


def test_a_small_end_is_gone_on_from(store: ObjectStore, name: UUID) -> None:
    whole = random.Random(2).randbytes(BLOCK_BYTES + 300)
    for start, end in ((0, 100), (100, BLOCK_BYTES), (BLOCK_BYTES, BLOCK_BYTES + 10), (BLOCK_BYTES + 10, len(whole))):
        store.append(name, whole[start:end], at=start)
    store.finish(name, KEY, size=len(whole))
    assert store.get(KEY) == whole


@pytest.mark.parametrize("at", [0, 1, 499, 500, 999, 1000])
def test_what_is_beyond_the_place_is_dropped(store: ObjectStore, name: UUID, at: int) -> None:
    store.append(name, SMALL[:500], at=0)
    store.append(name, SMALL[500:], at=500)
    store.append(name, b"else", at=at)
    store.finish(name, KEY, size=at + 4)
    assert store.get(KEY) == SMALL[:at] + b"else"


def test_what_is_beyond_the_size_is_no_part_of_the_object(store: ObjectStore, name: UUID) -> None:
    store.append(name, bytes(BLOCK_BYTES), at=0)
    store.append(name, SMALL, at=BLOCK_BYTES)
    store.finish(name, KEY, size=BLOCK_BYTES - 7)
    assert store.get(KEY) == bytes(BLOCK_BYTES - 7)


def test_no_gap_is_left(store: ObjectStore, name: UUID) -> None:
    with pytest.raises(BytesMissing) as nothing:
        store.append(name, b"x", at=1)
    assert nothing.value.size == 0
    store.append(name, SMALL, at=0)
    with pytest.raises(BytesMissing) as less:
        store.append(name, b"x", at=len(SMALL) + 1)
    assert less.value.size == len(SMALL)
    with pytest.raises(BytesMissing):
        store.finish(name, KEY, size=len(SMALL) + 1)
    with pytest.raises(BytesMissing):
        store.finish(uuid4(), KEY, size=1)
    assert not store.exists(KEY)


def test_finishing_twice_is_finishing_once(store: ObjectStore, name: UUID) -> None:
    store.append(name, SMALL, at=0)
    for _ in range(2):
        store.finish(name, KEY, size=len(SMALL))
    assert store.get(KEY) == SMALL


def test_an_empty_object(store: ObjectStore, name: UUID) -> None:
    for _ in range(2):
        store.finish(name, KEY, size=0)
    assert store.get(KEY) == b""


def test_an_abandoned_object_is_gone(store: ObjectStore, name: UUID) -> None:
    store.append(name, SMALL, at=0)
    for _ in range(2):
        store.abandon(name)
    assert list(store.growing()) == []
    with pytest.raises(BytesMissing):
        store.append(name, b"x", at=len(SMALL))


def test_growing_objects_do_not_meet(store: ObjectStore) -> None:
    first, second = uuid4(), uuid4()
    store.append(first, b"first", at=0)
    store.append(second, b"second", at=0)
    assert set(store.growing()) == {first, second}
    store.finish(first, "a", size=5)
    store.finish(second, "b", size=6)
    assert (store.get("a"), store.get("b")) == (b"first", b"second")


APPEND_UNTIL_KILLED = """
import sys
from uuid import UUID
from visionlab_core.object_store import FolderObjectStore
store, name, at = FolderObjectStore(sys.argv[1]), UUID(int=1), int(sys.argv[2])
while True:
    store.append(name, bytes([at // 50_000 % 251]) * 50_000, at=at)
    at += 50_000
    print(at, flush=True)
"""


def test_kill_in_the_middle_of_appends(tmp_path: Path) -> None:
    acknowledged = 0
    for lines in (1, 9):
        command = [sys.executable, "-c", APPEND_UNTIL_KILLED, str(tmp_path), str(acknowledged)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            read = [child.stdout.readline() for _ in range(lines)]
            child.kill()
            read += [line for line in child.stdout if line.endswith("\n")]
        acknowledged = int(read[-1])
    store = FolderObjectStore(tmp_path)
    store.finish(UUID(int=1), KEY, size=acknowledged)
    assert store.get(KEY) == b"".join(bytes([i % 251]) * 50_000 for i in range(acknowledged // 50_000))


FILL_THE_DISK = """
import resource, sys
from uuid import UUID
from visionlab_core.object_store import FolderObjectStore, StoreFull
store, name = FolderObjectStore(sys.argv[1]), UUID(int=1)
store.append(name, b"x" * 1000, at=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    store.append(name, b"y" * 10_000, at=1000)
except StoreFull as error:
    print(error)
store.append(name, b"z" * 1000, at=1000)
store.finish(name, "whole", size=2000)
"""


def test_no_room_keeps_what_was_there(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", FILL_THE_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    assert "make room" in child.stdout
    assert FolderObjectStore(tmp_path).get("whole") == b"x" * 1000 + b"z" * 1000


def test_sweeping_leaves_growing_objects(tmp_path: Path, name: UUID) -> None:
    FolderObjectStore(tmp_path).append(name, SMALL, at=0)
    os.utime(tmp_path / ".growing" / str(name), (0, 0))
    store = FolderObjectStore(tmp_path)
    store.finish(name, KEY, size=len(SMALL))
    assert store.get(KEY) == SMALL


def test_an_object_is_read_as_a_file(store: ObjectStore) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.bin", random.Random(number).randbytes(700_000))
    store.put("archive.zip", buffer.getvalue())
    with open_seekable(store, "archive.zip") as file, zipfile.ZipFile(file) as archive:
        for number in (2, 0, 1):
            assert archive.read(f"{number}.bin") == random.Random(number).randbytes(700_000)
        file.seek(-2, os.SEEK_END)
        assert file.read() == buffer.getvalue()[-2:]
        file.seek(10**9)
        assert file.read(5) == b""
    with pytest.raises(KeyNotFound):
        open_seekable(store, "nothing")
