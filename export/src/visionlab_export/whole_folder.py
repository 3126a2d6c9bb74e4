"""Folders that are complete or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from visionlab_export.errors import ExportError


@contextmanager
def appearing_whole(final: Path) -> Iterator[Path]:
    """A folder to fill, which gets the name `final` at the end of the block, and disappears where the block fails.

    Until then it is `.<name>.<random>.partial` beside it; a process that is killed leaves that, and nothing under the final name.
    What has got its name is on the disk.

    Raises:
        ExportError: the final name is taken, now or at the end.
    """
    if final.exists():
        raise ExportError(f"{final} is there already. Versions never change: give the model a new version number.")
    parent_is_new = not final.parent.exists()
    unfinished = final.with_name(f".{final.name}.{uuid4().hex}.partial")
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        for path in (*unfinished.rglob("*"), unfinished):
            _sync(path)
        try:
            # Fails where another export of the same version has finished meanwhile: that folder is not empty.
            unfinished.rename(final)
        except OSError as error:
            raise ExportError(f"{final} was written by somebody else meanwhile.") from error
        _sync(final.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        if parent_is_new and not any(final.parent.iterdir()):
            final.parent.rmdir()
        raise


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
