"""What every object store must hold: one suite, run on a folder and on S3."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256

import pytest

from visionlab_core.object_store import InvalidKey, KeyNotFound, ObjectStore, S3Settings

DATA = bytes(range(256)) * 20


class Breaking:
    """A stream that gives some zeros, fewer at a time than it is asked for, and then raises."""

    def __init__(self, zeros: int, error: BaseException) -> None:
        self.left, self.error = zeros, error

    def read(self, size: int) -> bytes:
        if not self.left:
            raise self.error
        size = min(size, self.left, 1 << 16)
        self.left -= size
        return bytes(size)


def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [info.key for info in store.list(prefix)]


@pytest.mark.parametrize("data", [b"", b"x", DATA], ids=["empty", "one byte", "some"])
@pytest.mark.parametrize("as_stream", [False, True], ids=["bytes", "stream"])
def test_what_is_put_is_got(store: ObjectStore, data: bytes, as_stream: bool) -> None:
    put = store.put("images/ab/face.png", io.BytesIO(data) if as_stream else data, content_type="image/png")
    assert store.get("images/ab/face.png") == b"".join(store.open("images/ab/face.png")) == data
    found = store.stat("images/ab/face.png")
    assert (found.key, found.size, found.content_type) == ("images/ab/face.png", len(data), "image/png")
    assert found.etag in (sha256(data).hexdigest(), md5(data).hexdigest())
    assert (put.key, put.size, put.etag, put.content_type) == (found.key, found.size, found.etag, found.content_type)
    for info in (put, found):
        assert info.modified.utcoffset() == timedelta(0)
        assert abs(info.modified - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_put_replaces_and_changes_the_etag(store: ObjectStore) -> None:
    first = store.put("a/b", b"old", content_type="text/plain")
    second = store.put("a/b", b"new", content_type="text/html; charset=utf-8")
    assert store.get("a/b") == b"new"
    assert first.etag != second.etag == store.stat("a/b").etag
    assert store.stat("a/b").content_type == "text/html; charset=utf-8"


def test_a_copy_is_an_object_of_its_own(store: ObjectStore) -> None:
    put = store.put("a/b", DATA, content_type="image/png")
    store.copy("a/b", "c/d")
    assert store.get("c/d") == DATA
    found = store.stat("c/d")
    assert (found.size, found.etag, found.content_type) == (put.size, put.etag, "image/png")
    store.copy("a/b", "c/d")
    store.put("a/b", b"new")
    assert store.get("c/d") == DATA
    store.put("e", b"old")
    store.copy("a/b", "e")
    store.delete("a/b")
    assert store.get("e") == b"new"
    assert keys(store) == ["c/d", "e"]
    with pytest.raises(KeyNotFound):
        store.copy("a/b", "f")
    with pytest.raises(InvalidKey):
        store.copy("e", "../f")


def test_what_is_not_there(store: ObjectStore) -> None:
    store.put("a/b", b"1")
    for key in ("nothing", "a", "a/c", "a/b/c"):
        for ask in (store.get, store.stat, store.open, lambda key: store.open(key, length=0)):
            with pytest.raises(KeyNotFound, match="no object has the key"):
                ask(key)
        assert not store.exists(key)
        store.delete(key)
    assert store.exists("a/b")


def test_delete(store: ObjectStore) -> None:
    store.put("a/b/c", b"1")
    store.put("a/d", b"2")
    store.delete("a/b/c")
    store.delete("a/b/c")
    assert keys(store) == ["a/d"]
    assert not store.exists("a/b/c")
    store.delete("a/d")
    store.put("a", b"the name of what was a folder is free again")
    assert keys(store) == ["a"]


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (0, None),
        (0, 0),
        (0, 1),
        (5, 10),
        (5, None),
        (5119, 1),
        (5119, 2),
        (5120, 1),
        (5120, None),
        (10**9, 5),
        (0, 10**12),
        (7, 0),
    ],
)
def test_ranges_cut_like_slices(store: ObjectStore, start: int, length: int | None) -> None:
    store.put("a", DATA)
    assert len(DATA) == 5120
    assert b"".join(store.open("a", start=start, length=length)) == DATA[start : None if length is None else start + length]


def test_ranges_of_an_empty_object(store: ObjectStore) -> None:
    store.put("a", b"")
    assert [b"".join(store.open("a", start=start, length=length)) for start in (0, 1) for length in (None, 0, 1)] == [b""] * 6


def test_negative_ranges_are_refused(store: ObjectStore) -> None:
    store.put("a", DATA)
    for wrong in ({"start": -1}, {"length": -1}):
        with pytest.raises(ValueError, match="range"):
            store.open("a", **wrong)


HOSTILE = [
    "",
    "/",
    "/etc/passwd",
    "..",
    "../x",
    "a/../../x",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "//a",
    "a\\b",
    "..\\x",
    "a\0b",
    "a\nb",
    "a\x1b[2J",
    "a\x7f",
    "a\x85",
    "\udc80",
    "x" * 256,
    "é" * 128,
    "x/" * 256 + "x",
    ".incoming",
    ".incoming/a",
]


@pytest.mark.parametrize("key", HOSTILE, ids=lambda key: ascii(key)[:20])
def test_hostile_keys_are_refused_everywhere(store: ObjectStore, key: str) -> None:
    calls = (store.get, store.open, store.stat, store.exists, store.delete, store.local_path, lambda key: store.put(key, b"x"))
    for call in calls:
        with pytest.raises(InvalidKey) as refusal:
            call(key)
        assert len(str(refusal.value)) < 200
        assert str(refusal.value).isprintable()
    assert keys(store) == []


@pytest.mark.parametrize("prefix", ["/", "..", "../", "a/../b", "a//", "a\nb", "\\", ".incoming/", "x" * 600])
def test_hostile_prefixes_are_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(InvalidKey):
        store.list(prefix)


UNUSUAL = [
    "a b+c",
    "%2e%2e/x",
    "?q=1&r#f",
    "é/日本語/👍.png",
    "...",
    "..a",
    "a/.hidden",
    "~",
    "x" * 255,
    "C:",
    "-rf",
    "a'\"<>|*b",
]


def test_unusual_keys_work(store: ObjectStore) -> None:
    for key in UNUSUAL:
        store.put(key, key.encode())
    assert keys(store) == sorted(UNUSUAL)
    for key in UNUSUAL:
        assert store.get(key) == key.encode()
        assert keys(store, key) == [key]
        store.delete(key)
    assert keys(store) == []


def test_listings_are_sorted_and_cut_by_prefix(store: ObjectStore) -> None:
    names = ["a-b", "a.b", "a/b", "a/b.c/d", "a/b-c", "a0", "aa/b", "b/1/x", "b/10/x", "b/2/x", "é", "z"]
    for name in reversed(names):
        store.put(name, name.encode())
    assert keys(store) == sorted(names)
    for prefix in ("a", "a/", "a/b", "a/b.", "b/1", "b/1/", "c", "b/1/x/", "z/"):
        assert keys(store, prefix) == sorted(name for name in names if name.startswith(prefix))
    for info in store.list():
        found = store.stat(info.key)
        assert (info.size, info.etag, info.content_type) == (found.size, found.etag, None)


@pytest.mark.parametrize(
    "content_type", ["", "png", "image/png\r\nX-Evil: 1", "image/png\n", "a/b; c", "text/é", "a/" + "b" * 300]
)
def test_content_types_that_are_none_are_refused(store: ObjectStore, content_type: str) -> None:
    with pytest.raises(ValueError, match="media type"):
        store.put("a", b"x", content_type=content_type)
    assert not store.exists("a")


@pytest.mark.parametrize("megabytes", [0, 20])
def test_a_stream_that_breaks_changes_nothing(store: ObjectStore, megabytes: int) -> None:
    store.put("a", b"old")
    for error in (OSError("the client went away"), ValueError("odd"), SyntaxError(), KeyboardInterrupt()):
        with pytest.raises(type(error)) as raised:
            store.put("a", Breaking(megabytes << 20, error))
        assert raised.value is error
    assert store.get("a") == b"old"
    assert keys(store) == ["a"]


def test_a_stream_of_text_is_refused(store: ObjectStore) -> None:
    with pytest.raises(TypeError):
        store.put("a", io.StringIO("text"))  # type: ignore[arg-type]
    assert not store.exists("a")


def test_an_open_stream_keeps_its_version(store: ObjectStore) -> None:
    old, new = b"o" * 3_000_000, b"n" * 3_000_000
    store.put("a", old)
    stream = store.open("a")
    first = next(stream)
    store.put("a", new)
    assert first + b"".join(stream) == old
    assert store.get("a") == new


def test_puts_of_one_key_at_once_leave_one_of_them_whole(store: ObjectStore) -> None:
    versions = [bytes([number]) * 300_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        infos = list(pool.map(lambda data: store.put("a/b", io.BytesIO(data)), versions))
    left = store.get("a/b")
    assert left in versions
    assert store.stat("a/b").etag == infos[versions.index(left)].etag
    assert keys(store) == ["a/b"]


def test_a_reader_sees_the_old_object_or_the_new_one(store: ObjectStore) -> None:
    versions = [bytes([number]) * (100_000 + number) for number in range(20)]
    store.put("a", versions[0])
    written, seen = threading.Event(), []

    def read() -> None:
        while not written.is_set():
            seen.append(store.get("a"))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        try:
            for version in versions:
                store.put("a", io.BytesIO(version))
        finally:
            written.set()
        for reader in readers:
            reader.result()
    assert seen
    assert set(seen) <= set(versions)


def test_puts_and_deletes_in_one_folder_do_not_disturb_each_other(store: ObjectStore) -> None:
    def come_and_go(name: int) -> None:
        for turn in range(15):
            store.put(f"a/b/{name}", b"%d" % turn)
            assert store.get(f"a/b/{name}") == b"%d" % turn
            store.delete(f"a/b/{name}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(come_and_go, range(4)))
    assert keys(store) == []


STREAM_50_MB = """
import resource, sys
from visionlab_core.object_store import S3Settings, open_store

class Generated:
    left = 50 << 20
    def read(self, size):
        size = min(size, self.left, 1 << 20)
        self.left -= size
        return b"x" * size

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20 if sys.platform == "darwin" else 1 << 10)

store = open_store(sys.argv[1], S3Settings.model_validate_json(sys.argv[2]))
store.put("small", b"x")
before = peak()
assert store.put("large", Generated()).size == 50 << 20
assert sum(len(chunk) for chunk in store.open("large")) == 50 << 20
print(peak() - before)
"""


def test_50_mb_pass_through_little_memory(store: ObjectStore, store_url: str, s3_settings: S3Settings) -> None:
    settings = s3_settings.model_dump(mode="json") | {"secret_key": "something"}
    arguments = [store_url, json.dumps(settings)]
    child = subprocess.run([sys.executable, "-c", STREAM_50_MB, *arguments], capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) < (8 if store_url.startswith("file:") else 40), "MB"
    assert store.get("large") == b"x" * (50 << 20)


def test_check_passes(store: ObjectStore) -> None:
    store.check()
    assert keys(store) == []
