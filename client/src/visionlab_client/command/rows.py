"""One row for each image, in the form that was asked for."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from typing import Any, Protocol

from visionlab_client.answers import Classification, FaceClass
from visionlab_client.bulk import Outcome
from visionlab_client.errors import RefusedByServer

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WORDS = {
    FaceClass.human: "real person",
    FaceClass.human_gen: "generated person",
    FaceClass.anime: "drawn cartoon",
    FaceClass.anime_gen: "generated cartoon",
}
_ANSWER_WIDTH = max(map(len, _WORDS.values()))

CSV_COLUMNS = ("path", "called", "generated", "confidence", *FaceClass, "models", "error")


class Rows(Protocol):
    """A form of output. All methods give the bytes to write; names of files keep the bytes that they have on disk."""

    def head(self) -> bytes:
        """What comes before the first row."""

    def row(self, outcome: Outcome, path: str) -> bytes:
        """The whole row of an image."""

    def foot(self) -> bytes:
        """What comes after the last row."""


def rows_of(form: str) -> Rows:
    """The form of this name: table, csv, json or ndjson."""
    forms: dict[str, Callable[[], Rows]] = {"table": Table, "csv": Csv, "json": JsonArray, "ndjson": JsonLines}
    return forms[form]()


class Table:
    """For people."""

    def head(self) -> bytes:
        """The names of the columns."""
        return self._line("answer", "sure", "image")

    def row(self, outcome: Outcome, path: str) -> bytes:
        """What the image is, how sure the detectors are of real or generated, and its path; or why it failed."""
        shown = _printable(path)
        if outcome.answer is None or outcome.answer.verdict is None:
            return self._line("-", "", f"{shown}: {_printable(reason(outcome))}")
        verdict = outcome.answer.verdict
        return self._line(_WORDS[verdict.called], f"{verdict.confidence:.0%}", shown)

    def foot(self) -> bytes:
        """Nothing."""
        return b""

    @staticmethod
    def _line(answer: str, sure: str, image: str) -> bytes:
        return f"{answer:{_ANSWER_WIDTH}}  {sure:>4}  {image}\n".encode("utf-8", "surrogateescape")


class Csv:
    """For spreadsheets and programs."""

    def head(self) -> bytes:
        """The names of the columns."""
        return csv_line(CSV_COLUMNS)

    def row(self, outcome: Outcome, path: str) -> bytes:
        """Empty cells where there is no answer."""
        answer = outcome.answer
        if answer is None or answer.verdict is None:
            return csv_line((safe_cell(path), *[""] * (len(CSV_COLUMNS) - 2), safe_cell(reason(outcome))))
        verdict = answer.verdict
        return csv_line(
            (
                safe_cell(path),
                verdict.called,
                str(verdict.generated).lower(),
                verdict.confidence,
                *(verdict.probabilities[face_class] for face_class in FaceClass),
                safe_cell(" ".join(f"{model.model_name}/{model.model_version}" for model in answer.models)),
                "",
            )
        )

    def foot(self) -> bytes:
        """Nothing."""
        return b""


class JsonLines:
    """For programs: one object a line."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def row(self, outcome: Outcome, path: str) -> bytes:
        """The answer as the API gives it, with `index`, `path` and `error`."""
        return json.dumps(_object(outcome, path)).encode("ascii") + b"\n"

    def foot(self) -> bytes:
        """Nothing."""
        return b""


class JsonArray:
    """One array of the objects of `JsonLines`."""

    def __init__(self) -> None:
        self._separator = "\n"

    def head(self) -> bytes:
        """The bracket."""
        return b"["

    def row(self, outcome: Outcome, path: str) -> bytes:
        """A line."""
        row = f"{self._separator}{json.dumps(_object(outcome, path))}"
        self._separator = ",\n"
        return row.encode("ascii")

    def foot(self) -> bytes:
        """The bracket."""
        return b"\n]\n"


def reason(outcome: Outcome) -> str:
    """Why there is no answer."""
    return str(outcome.error) if outcome.error is not None else "The server gave no verdict."


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: a ' goes in front of = + - @, tab and carriage return.

    Texts that begin with such a ' themselves get one more, so that `original_text` can undo it.
    """
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def original_text(cell: str) -> str:
    """What `safe_cell` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def csv_line(cells: Any) -> bytes:
    """A row of a CSV file, with its end. Names of files that are no UTF-8 keep their bytes."""
    line = io.StringIO(newline="")
    # The writer puts quotes around what would end a line only where it is part of the line's end that it was given.
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue().removesuffix("\r\n").encode("utf-8", "surrogateescape") + b"\n"


def _object(outcome: Outcome, path: str) -> dict[str, Any]:
    answer = outcome.answer or Classification(
        problem=outcome.error.problem if isinstance(outcome.error, RefusedByServer) else None
    )
    error = None if outcome.answer is not None else str(outcome.error)
    return {"index": outcome.index, "path": path, "error": error, **answer.model_dump(mode="json", exclude={"filename"})}


def _printable(text: str) -> str:
    """A text that moves no cursor and changes no colour of a terminal."""
    shown = "".join(char if char.isprintable() or "\udc80" <= char <= "\udcff" else ascii(char)[1:-1] for char in text)
    return os.fsencode(shown).decode("utf-8", "backslashreplace")
