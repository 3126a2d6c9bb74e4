from __future__ import annotations

import pytest

from visionlab_client import Classification, FaceClass, Outcome, UnreadableImage, Verdict
from visionlab_client.command.exit_codes import UsageError
from visionlab_client.command.resume import keep_answers
from visionlab_client.command.rows import rows_of

NAMES = ["a.jpg", "=b.jpg", "'=c.jpg", 'd"\n,.jpg', "e\udcff.jpg", "f\n.jpg"]


def written(form: str) -> list[bytes]:
    """The rows of a run: every second image failed."""
    rows = rows_of(form)
    verdict = Verdict(
        called="anime", generated=False, confidence=1, probabilities=dict.fromkeys(FaceClass, 0.25), sentence="It looks drawn."
    )
    answered, failed = Outcome(0, "", Classification(verdict=verdict)), Outcome(0, "", error=UnreadableImage("It is gone."))
    parts = [rows.head()]
    for name in NAMES:
        parts += [rows.row(answered, name), rows.row(failed, f"failed {name}")]
    return parts


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_answers_stay_and_failures_go(tmp_path, form):
    file = tmp_path / "out"
    parts = written(form)
    file.write_bytes(b"".join(parts))
    assert keep_answers(file, form) == set(NAMES)
    assert file.read_bytes() == parts[0] + b"".join(parts[1::2])
    assert keep_answers(file, form) == set(NAMES), "once more changes nothing"


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_run_that_was_killed_at_any_byte(tmp_path, form):
    parts = written(form)
    whole = b"".join(parts)
    file = tmp_path / "out"
    row_ends = [len(b"".join(parts[:number])) for number in range(1, len(parts) + 1)]
    near_ends = {end + near for end in row_ends for near in (-2, -1, 0, 1)}
    for size in sorted(near_ends | set(range(len(parts[0]), len(whole), 7))):
        if not len(parts[0]) <= size <= len(whole):
            continue
        file.write_bytes(whole[:size])
        done = keep_answers(file, form)
        ends = [len(b"".join(parts[: number + 1])) for number in range(1, len(parts), 2)]
        assert done == {name for name, end in zip(NAMES, ends, strict=True) if end <= size}
        kept = b"".join(row for row, end in zip(parts[1::2], ends, strict=True) if end <= size)
        assert file.read_bytes() == parts[0] + kept


def test_nothing_to_go_on_with(tmp_path):
    assert keep_answers(tmp_path / "none.csv", "csv") == set()
    assert not (tmp_path / "none.csv").exists()
    (tmp_path / "empty.csv").touch()
    assert keep_answers(tmp_path / "empty.csv", "csv") == set()
    assert (tmp_path / "empty.csv").read_bytes() == written("csv")[0]


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("text", ["name,price\napple,1\n", "[1]\n", '{"path": 1}\n'])
def test_file_of_another_program_is_left_alone(tmp_path, form, text):
    file = tmp_path / "out"
    file.write_text(text)
    with pytest.raises(UsageError, match="Choose another --out"):
        keep_answers(file, form)
    assert file.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
