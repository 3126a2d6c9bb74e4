"""A version is complete under its name, or there is nothing under it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from visionlab_export.errors import ExportError
from visionlab_export.whole_folder import appearing_whole


def write(final: Path, text: str) -> None:
    with appearing_whole(final) as folder:
        (folder / "part").mkdir()
        (folder / "part" / "file").write_text(text)
        assert not (final / "part").exists()


def test_the_name_appears_with_the_content(tmp_path: Path) -> None:
    final = tmp_path / "model" / "1"
    write(final, "content")
    assert (final / "part" / "file").read_text() == "content"
    assert list(final.parent.iterdir()) == [final]


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def stopped_half_way() -> None:
        with appearing_whole(tmp_path / "model" / "1") as folder:
            (folder / "file").write_text("content")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_half_way()
    assert list(tmp_path.iterdir()) == []


def test_a_version_is_never_replaced(tmp_path: Path) -> None:
    final = tmp_path / "model" / "1"
    write(final, "first")
    with pytest.raises(ExportError, match="already"):
        write(final, "second")
    assert (final / "part" / "file").read_text() == "first"


def test_of_two_exports_at_once_the_later_loses(tmp_path: Path) -> None:
    final = tmp_path / "model" / "1"

    def slower() -> None:
        with appearing_whole(final) as folder:
            (folder / "file").write_text("slower")
            write(final, "faster")

    with pytest.raises(ExportError, match="meanwhile"):
        slower()
    assert (final / "part" / "file").read_text() == "faster"
    assert list(final.parent.iterdir()) == [final]


def test_a_killed_process_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal, sys\n"
        "from visionlab_export.whole_folder import appearing_whole\n"
        "with appearing_whole(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'model.onnx').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    final = tmp_path / "model" / "1"
    killed = subprocess.run([sys.executable, "-c", code, str(final)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not final.exists()
    write(final, "the next export")
    assert (final / "part" / "file").read_text() == "the next export"
