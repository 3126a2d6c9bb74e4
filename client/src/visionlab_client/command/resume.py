"""Going on with a file of an earlier run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

from visionlab_client.command.exit_codes import UsageError
from visionlab_client.command.rows import CSV_COLUMNS, csv_line, original_text
from visionlab_client.connection import whole_file


def keep_answers(file: Path, form: str) -> set[str]:
    """Take rows without an answer, and a last row that was cut off, out of a file; gives the paths of the rows that stay.

    The file is replaced as a whole: whoever stops this loses nothing. Where there is none, nothing happens.

    Args:
        file: what an earlier run wrote.
        form: csv or ndjson.

    Raises:
        UsageError: the file is not one of `visionlab classify` in this form.
    """
    if not file.exists():
        return set()
    done = set()
    with whole_file(file) as kept:
        if form == "csv":
            kept.write(csv_line(CSV_COLUMNS))
        for path, row in _csv_rows(file) if form == "csv" else _json_rows(file):
            if path not in done:
                kept.write(row)
                done.add(path)
    return done


def _csv_rows(file: Path) -> Iterator[tuple[str, bytes]]:
    with file.open("r", encoding="utf-8", errors="surrogateescape", newline="") as text:
        cut_off = _is_cut_off(file)
        # Strict: a cell whose quotes never close, because its row was cut off, is an error and not a cell.
        reader = csv.reader(text, strict=True)
        header = next(reader, None)
        if header is None:
            return
        if tuple(header) != CSV_COLUMNS:
            raise UsageError(
                f"{file} is not a CSV file of `visionlab classify`, so --resume leaves it alone. Choose another --out."
            )
        try:
            before: list[str] | None = None
            for cells in reader:
                yield from _complete(before)
                before = cells
        except csv.Error:
            cut_off = False  # the row that was cut off is no row at all
        if not cut_off:
            yield from _complete(before)


def _complete(cells: list[str] | None) -> Iterator[tuple[str, bytes]]:
    if cells is not None and len(cells) == len(CSV_COLUMNS) and cells[1]:
        yield original_text(cells[0]), csv_line(cells)


def _json_rows(file: Path) -> Iterator[tuple[str, bytes]]:
    with file.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return  # cut off
            try:
                row = json.loads(line)
                path, answered = row["path"], row["verdict"] is not None
            except (ValueError, TypeError, KeyError) as error:
                raise UsageError(
                    f"{file} is not a file of `visionlab classify --ndjson`, so --resume leaves it alone. Choose another --out."
                ) from error
            if answered:
                yield path, line


def _is_cut_off(file: Path) -> bool:
    with file.open("rb") as data:
        if data.seek(0, io.SEEK_END) == 0:
            return False
        data.seek(-1, io.SEEK_END)
        return data.read(1) != b"\n"
