"""`visionlab classify`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from tqdm import tqdm

from visionlab_client.bulk import Outcome
from visionlab_client.command.exit_codes import DONE, SOME_FAILED, UsageError
from visionlab_client.command.images_found import find_images
from visionlab_client.command.resume import keep_answers
from visionlab_client.command.rows import Rows, rows_of
from visionlab_client.command.server import chosen_models, server
from visionlab_client.errors import UnreadableImage


async def run(arguments: argparse.Namespace) -> int:
    """Ask about all images and write a row for each; gives the exit code."""
    if not arguments.images and arguments.files_from is None:
        raise UsageError("Name images, folders, or a list of them: `visionlab classify --help` shows how.")
    if arguments.resume and (arguments.out is None or arguments.format not in ("csv", "ndjson")):
        raise UsageError("--resume needs --out FILE, and --csv or --ndjson.")
    unreadable: list[OSError] = []
    tally = _Tally()
    async with server(arguments) as lab:
        # Whoever mistyped the address is told so at once, not after the patience that a long run needs.
        await lab.status(patience=0)
        models = await chosen_models(lab, "detector", arguments.models)
        done = keep_answers(Path(arguments.out), arguments.format) if arguments.resume else set()
        found = find_images(arguments.images, arguments.files_from, null=arguments.null, unreadable=unreadable.append)
        wanted = _Counted(found, done)
        outcomes = lab.classify_many(wanted, models=models, concurrency=arguments.concurrency, ordered=not arguments.unordered)
        with _output(arguments.out, rows_of(arguments.format), goes_on=arguments.resume) as output, _progress(arguments) as bar:

            def note(outcome: Outcome) -> None:
                output.write(outcome)
                tally.add(outcome)
                bar.update()

            async with aclosing(outcomes):
                async for outcome in outcomes:
                    note(outcome)
            for error in unreadable:
                note(_failed(error))
    if tally.images == 0 and wanted.skipped == 0:
        raise UsageError("There is nothing to ask about: no .jpg, .jpeg or .png file was found.")
    print(tally.sentence(wanted.skipped), file=sys.stderr)
    return SOME_FAILED if tally.failed else DONE


class _Counted:
    """Paths that are not done yet."""

    def __init__(self, paths: Iterator[str], done: set[str]) -> None:
        self._paths = paths
        self._done = done
        self.skipped = 0

    def __iter__(self) -> Iterator[str]:
        for path in self._paths:
            if path in self._done:
                self.skipped += 1
            else:
                yield path


class _Tally:
    """How it went."""

    def __init__(self) -> None:
        self.images = self.generated = self.failed = 0
        self._began = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Count an image."""
        self.images += 1
        if outcome.answer is None or outcome.answer.verdict is None:
            self.failed += 1
        elif outcome.answer.verdict.generated:
            self.generated += 1

    def sentence(self, skipped: int) -> str:
        """All of it in words."""
        real = self.images - self.generated - self.failed
        seconds = time.monotonic() - self._began
        before = f" {skipped:,} had their answer already." if skipped else ""
        return (
            f"{self.images:,} images: {real:,} real, {self.generated:,} generated, {self.failed:,} without an answer; "
            f"{self.images / seconds:.1f} a second.{before}"
        )


class _Writer:
    """Writes each row at once and whole, so that a run that is killed has lost no row that it wrote."""

    def __init__(self, file: BinaryIO, rows: Rows) -> None:
        self._file = file
        self._rows = rows
        # A row and the progress bar cannot share a line of the terminal.
        self._aside = partial(tqdm.external_write_mode, file=sys.stderr) if file.isatty() else nullcontext

    def write(self, outcome: Outcome) -> None:
        """Write a row."""
        assert isinstance(outcome.image, str), "the command asks about paths"
        self.put(self._rows.row(outcome, outcome.image))

    def put(self, data: bytes) -> None:
        """Write and flush."""
        if data:
            with self._aside():
                self._file.write(data)
                self._file.flush()


@contextmanager
def _output(path: str | None, rows: Rows, *, goes_on: bool) -> Iterator[_Writer]:
    begun = goes_on and path is not None and Path(path).exists()
    with nullcontext(sys.stdout.buffer) if path is None else _opened(path, "ab" if begun else "wb") as file:
        writer = _Writer(file, rows)
        if not begun:
            writer.put(rows.head())
        try:
            yield writer
        finally:
            writer.put(rows.foot())


def _opened(path: str, mode: Literal["ab", "wb"]) -> BinaryIO:
    try:
        return open(path, mode)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error


def _progress(arguments: argparse.Namespace) -> tqdm:
    """A bar on stderr where that is a terminal. How many images a folder or a list holds is not known beforehand."""
    plain = arguments.files_from is None and not any(name == "-" or os.path.isdir(name) for name in arguments.images)
    return tqdm(
        total=len(arguments.images) if plain else None,
        unit=" images",
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        leave=False,
    )


def _failed(error: OSError) -> Outcome:
    path = error.filename if isinstance(error.filename, str) else "-"
    return Outcome(-1, path, error=UnreadableImage(f"This folder or list cannot be read: {error.strerror}."))
