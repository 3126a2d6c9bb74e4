from __future__ import annotations

import csv
import io
import json
import os

import pytest

from visionlab_client import Classification, FaceClass, Outcome, UnreadableImage, Verdict
from visionlab_client.command.rows import CSV_COLUMNS, original_text, rows_of, safe_cell

VERDICT = Verdict(
    called="human_gen",
    generated=True,
    confidence=0.875,
    probabilities={"human": 0.125, "human_gen": 0.75, "anime": 0.0, "anime_gen": 0.125},
    sentence="It looks generated.",
)
ANSWERED = Outcome(0, "a.jpg", Classification(verdict=VERDICT))
FAILED = Outcome(1, "a.jpg", error=UnreadableImage("=There is no such file."))

NAMES = ["a.jpg", "=cmd|' /C calc'!A0.jpg", "+1.jpg", "-1.jpg", "@SUM.jpg", "\tx.jpg", "\rx.jpg", "'=x.jpg", "''-x.jpg", "'x.jpg"]
HARD_NAMES = [*NAMES, 'quote".jpg', "comma,.jpg", "line\nend.jpg", os.fsdecode(b"f\xffce.jpg"), "ünïcødé 🙂.jpg", ""]


@pytest.mark.parametrize("name", HARD_NAMES)
def test_csv_gives_back_every_name_byte_by_byte(name):
    text = rows_of("csv").row(ANSWERED, name).decode("utf-8", "surrogateescape")
    [cells] = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert original_text(cells[0]) == name
    assert cells[1:9] == ["human_gen", "true", "0.875", "0.125", "0.75", "0.0", "0.125", ""]
    assert len(cells) == len(CSV_COLUMNS)


@pytest.mark.parametrize("name", HARD_NAMES)
def test_no_cell_is_a_formula(name):
    for outcome in (ANSWERED, FAILED):
        text = rows_of("csv").row(outcome, name).decode("utf-8", "surrogateescape")
        [cells] = csv.reader(io.StringIO(text, newline=""), strict=True)
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


def test_safe_texts_stay_as_they_are():
    assert [safe_cell(text) for text in ("a=b", "it's", "'quoted'")] == ["a=b", "it's", "'quoted'"]


@pytest.mark.parametrize("form", ["json", "ndjson"])
@pytest.mark.parametrize("name", HARD_NAMES)
def test_json_gives_back_every_name(form, name):
    rows = rows_of(form)
    text = rows.head() + rows.row(ANSWERED, name) + rows.row(FAILED, name) + rows.foot()
    answered, failed = json.loads(text) if form == "json" else map(json.loads, text.decode().split("\n")[:-1])
    assert os.fsencode(answered["path"]) == os.fsencode(name)
    assert (answered["index"], answered["error"], answered["verdict"]["called"]) == (0, None, "human_gen")
    assert (failed["index"], failed["error"], failed["verdict"]) == (1, "=There is no such file.", None)


def test_empty_array():
    rows = rows_of("json")
    assert json.loads(rows.head() + rows.foot()) == []


@pytest.mark.parametrize("name", HARD_NAMES)
def test_table_has_one_line_an_image_and_moves_no_cursor(name):
    for outcome in (ANSWERED, FAILED):
        line = rows_of("table").row(outcome, name + "\x1b[2J").decode()
        assert line.endswith("\n")
        assert line[:-1].isprintable()


def test_every_class_has_words():
    for face_class in FaceClass:
        verdict = VERDICT.model_copy(update={"called": face_class})
        line = rows_of("table").row(Outcome(0, "a.jpg", Classification(verdict=verdict)), "a.jpg").decode()
        assert line.split("  ")[0] in ("real person", "generated person", "drawn cartoon", "generated cartoon")
        assert "88%" in line
