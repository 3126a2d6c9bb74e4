"""Addresses of object stores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from visionlab_core.object_store import FolderObjectStore, InvalidKey, open_store


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_folders(tmp_path: Path, form: str) -> None:
    store = open_store(form.format(tmp_path / "store"))
    assert isinstance(store, FolderObjectStore)
    assert store.root == tmp_path / "store"


def test_a_relative_path_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("a/b").put("c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_escapes_in_file_urls(tmp_path: Path) -> None:
    open_store(f"file://{tmp_path}/with%20space").put("c", b"x")
    assert (tmp_path / "with space" / "c").is_file()


@pytest.mark.parametrize(
    "url", ["", "file://", "file://host/path", "s3://", "s3:///prefix", "ftp://x/y", "s3://b/p?q=1", "file:///a#b"]
)
def test_addresses_that_name_no_store(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        open_store(url)


@pytest.mark.parametrize("bucket", ["a", "me:secret@bucket", "bucket:9000", "-bucket", "b" * 64])
def test_buckets_that_are_none(bucket: str) -> None:
    with pytest.raises(ValueError, match="bucket"):
        open_store(f"s3://{bucket}")


def test_a_prefix_that_begins_no_key() -> None:
    with pytest.raises(InvalidKey):
        open_store("s3://bucket/a/../b")


def test_a_folder_does_not_load_the_s3_client(tmp_path: Path) -> None:
    code = (
        "import sys; from visionlab_core.object_store import open_store; open_store(sys.argv[1]); print('minio' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], text=True) == "False\n"
