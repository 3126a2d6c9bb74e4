"""What holds for the folder store alone: crashes, a full disk, links, leftovers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from visionlab_core.object_store import FolderObjectStore, InvalidKey, KeyNotFound, StoreUnavailable

PUT_UNTIL_KILLED = """
import os, sys
from hashlib import sha256
from visionlab_core.object_store import FolderObjectStore
store = FolderObjectStore(sys.argv[1])
while True:
    data = os.urandom(1 << 18)
    print(store.put(f"images/{sha256(data).hexdigest()}", data).key, flush=True)
"""


def test_kill_in_the_middle_of_puts(tmp_path: Path) -> None:
    for acknowledgements in (1, 7, 20):
        with subprocess.Popen(
            [sys.executable, "-c", PUT_UNTIL_KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout
            acknowledged = [child.stdout.readline() for _ in range(acknowledgements)]
            child.kill()
            acknowledged += [line for line in child.stdout if line.endswith("\n")]
        store = FolderObjectStore(tmp_path)
        for line in acknowledged:
            key = line.strip()
            assert sha256(store.get(key)).hexdigest() == key.removeprefix("images/")
        for info in store.list():
            assert sha256(store.get(info.key)).hexdigest() == info.etag == info.key.removeprefix("images/")


FILL_THE_DISK = """
import io, resource, sys
from visionlab_core.object_store import FolderObjectStore, StoreFull
store = FolderObjectStore(sys.argv[1])
store.put("a", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
for key in ("a", "new/b"):
    for data in (bytes(5 << 20), io.BytesIO(bytes(5 << 20))):
        try:
            store.put(key, data)
        except StoreFull as error:
            print(error)
store.put("c", b"small things still fit")
"""


def test_no_room_leaves_nothing_behind(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", FILL_THE_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert child.returncode == 0, child.stderr
    assert child.stdout.count("make room") == 4
    store = FolderObjectStore(tmp_path)
    assert [info.key for info in store.list()] == ["a", "c"]
    assert store.get("a") == b"old"
    assert list((tmp_path / ".incoming").iterdir()) == []


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store = FolderObjectStore(tmp_path / "store")
    store.put("inside", b"mine")
    (store.root / "folder").symlink_to(outside)
    (store.root / "file").symlink_to(outside / "secret")
    (store.root / "loop").symlink_to("loop")
    (store.root / "alias").symlink_to("inside")
    for key in ("folder/secret", "file", "loop", "alias", "loop/x"):
        for ask in (store.get, store.open, store.stat, store.local_path):
            with pytest.raises(KeyNotFound):
                ask(key)
        assert not store.exists(key)
        store.delete(key)
    with pytest.raises(InvalidKey, match="link"):
        store.put("folder/secret", b"overwritten")
    store.put("file", b"the link is replaced, not followed")
    assert [info.key for info in store.list()] == ["file", "inside"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert os.listdir(outside) == ["secret"]


def test_a_link_in_place_of_incoming_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / ".incoming").symlink_to(outside)
    with pytest.raises(StoreUnavailable, match="not a folder"):
        FolderObjectStore(tmp_path / "store")


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    FolderObjectStore(tmp_path / "link").put("a", b"x")
    assert (tmp_path / "disk" / "a").read_bytes() == b"x"


def test_special_files_are_no_objects(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert not store.exists("pipe")
    assert list(store.list()) == []


def test_leftovers_are_not_listed_and_swept_when_old(tmp_path: Path) -> None:
    FolderObjectStore(tmp_path)
    for name, age in (("old", 3700), ("young", 3500)):
        leftover = tmp_path / ".incoming" / name
        leftover.write_bytes(b"half an obj")
        os.utime(leftover, (time.time() - age,) * 2)
    store = FolderObjectStore(tmp_path)
    assert list(store.list()) == []
    assert os.listdir(tmp_path / ".incoming") == ["young"]


def test_a_key_is_not_file_and_folder_at_once(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    store.put("a/b", b"x")
    for key in ("a", "a/b/c"):
        with pytest.raises(InvalidKey):
            store.put(key, b"y")
    assert [info.key for info in store.list()] == ["a/b"]
    assert os.listdir(tmp_path / ".incoming") == []


def test_local_path_is_the_file(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    store.put("models/m/model.onnx", b"graph")
    assert store.local_path("models/m/model.onnx") == tmp_path / "models" / "m" / "model.onnx"
    assert store.local_path("models/m/model.onnx").read_bytes() == b"graph"
    with pytest.raises(KeyNotFound):
        store.local_path("models/m")


def test_a_file_that_was_changed_or_brought_by_hand_is_told_by_another_etag(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    told = store.put("a", b"old", content_type="image/png")
    (tmp_path / "a").write_bytes(b"damaged")
    (tmp_path / "b").write_bytes(b"by hand")
    assert len({told.etag, store.stat("a").etag, store.stat("b").etag}) == 3
    assert store.stat("b").content_type == "application/octet-stream"


def test_many_streams_that_nobody_reads_leave_no_open_files(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    store.put("a", b"x" * 3_000_000)
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        store.open("a")
        next(store.open("a"))
        next(store.list())
        with pytest.raises(KeyNotFound):
            store.get("b/c")
    assert len(os.listdir("/dev/fd")) <= before


def test_a_root_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for root in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreUnavailable, match="check that it is a folder"):
            FolderObjectStore(root)
    store = FolderObjectStore(tmp_path / "store")
    (tmp_path / "store" / ".incoming").rmdir()
    store.check()
    (tmp_path / "store" / ".incoming").rmdir()
    (tmp_path / "store").rmdir()
    for use in (
        store.check,
        lambda: store.get("a"),
        lambda: store.put("a", b"x"),
        lambda: list(store.list()),
        lambda: store.delete("a"),
    ):
        with pytest.raises(StoreUnavailable, match="check that it is a folder"):
            use()


def test_a_put_into_a_folder_that_a_delete_removes_meanwhile(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    opened = os.open
    deletes = []

    def open_then_delete(path: str, *arguments: Any, **options: Any) -> int:
        """Take the folder away just after it was found or made: the moment that chance rarely hits."""
        descriptor = opened(path, *arguments, **options)
        if path == "folder" and len(deletes) < 3:
            deletes.append(path)
            (tmp_path / "folder").rmdir()
        return descriptor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", open_then_delete)
        store.put("folder/a", b"x")
    assert len(deletes) == 3
    assert store.get("folder/a") == b"x"


def test_copy_takes_no_room_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store = FolderObjectStore(tmp_path)
    store.put("a", b"1")
    for _ in range(2):
        store.copy("a", "b/c")
    assert store.local_path("a").samefile(store.local_path("b/c"))
    assert os.listdir(tmp_path / ".incoming") == []


def test_copy_where_the_file_system_has_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    store = FolderObjectStore(tmp_path)
    store.put("a", b"1", content_type="image/png")
    store.copy("a", "b")
    assert (store.get("b"), store.stat("b").content_type) == (b"1", "image/png")
