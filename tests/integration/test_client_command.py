"""`visionlab`, as a user runs it, against the real server."""

from __future__ import annotations

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from support.image_files import jpeg, png
from support.other_server import Answer, other_server
from support.tiny_models import GENERATOR
from support.waiting import block_until

COMMAND = Path(sys.executable).parent / "visionlab"
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def environment(server) -> dict[str, str]:
    return {**os.environ, "VISIONLAB_URL": server.url}


@pytest.fixture
def run(environment, tmp_path) -> Run:
    """Run `visionlab` in `tmp_path`."""

    def command(*arguments: str | Path, given: bytes = b"") -> subprocess.CompletedProcess:
        return subprocess.run([COMMAND, *arguments], env=environment, cwd=tmp_path, timeout=120, capture_output=True, input=given)

    return command


@pytest.fixture
def folder(tmp_path) -> Path:
    """Five images, one of them damaged, and a text."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(jpeg(40, 40, number))
    (folder / "more" / "3.png").write_bytes(png())
    (folder / "more" / "damaged.png").write_bytes(png()[:-30])
    (folder / "notes.txt").write_text("notes")
    return folder


def test_key_that_does_not_count_is_told_of(run):
    done = run("models", "--key", "vl_nobody-has-this-one")
    assert done.returncode == 3
    assert b"unknown, expired or revoked" in done.stderr
    assert run("models", "--key", "two words").returncode == 2


NAMES = ["photos/0.jpg", "photos/1.jpg", "photos/2.jpg", "photos/more/3.png", "photos/more/damaged.png"]


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(text.decode("utf-8", "surrogateescape").splitlines(), strict=True))


def test_help_is_complete(run):
    done = run("--help")
    assert done.returncode == 0
    for word in ("classify", "generate", "models", "status", "examples:", "exit codes:", "VISIONLAB_URL"):
        assert word in done.stdout.decode()
    for command in ("classify", "generate", "models", "status"):
        text = run(command, "--help").stdout.decode()
        assert "--url" in text
        assert max(map(len, text.splitlines())) <= 130
    assert run("--version").stdout.decode().startswith("visionlab 0.")


def test_table(run, folder):
    done = run("classify", *NAMES)
    assert done.returncode == 1
    lines = done.stdout.decode().splitlines()
    assert lines[0].split() == ["answer", "sure", "image"]
    assert [line.split("  ")[-1].strip().split(":")[0] for line in lines[1:]] == NAMES
    assert "damaged" in lines[-1]
    assert "5 images: " in done.stderr.decode()
    assert "1 without an answer" in done.stderr.decode()
    assert run("classify", *NAMES[:-1]).returncode == 0


def test_csv_of_a_folder(run, folder):
    done = run("classify", "photos", "--csv", "--models", "tiny-detector, other-detector")
    rows = rows_of(done.stdout)
    assert done.returncode == 1
    assert [row["path"] for row in rows] == NAMES
    for row in rows[:4]:
        assert row["models"] == "tiny-detector/1 other-detector/1"
        assert sum(float(row[name]) for name in ("human", "human_gen", "anime", "anime_gen")) == pytest.approx(1, abs=1e-4)
        assert row["generated"] == str(row["called"].endswith("_gen")).lower()
        assert row["error"] == ""
    assert rows[4]["called"] == ""
    assert "damaged" in rows[4]["error"]


def test_json_and_ndjson_say_the_same(run, folder):
    array = json.loads(run("classify", "photos", "--json").stdout)
    lines = [json.loads(line) for line in run("classify", "photos", "--ndjson", "--unordered").stdout.splitlines()]
    assert [row["path"] for row in array] == NAMES
    by_index = sorted(lines, key=lambda row: row["index"])
    assert [row["path"] for row in by_index] == NAMES
    for one, other in zip(array, by_index, strict=True):
        assert (one["error"] is None) == (other["error"] is None) == (one["verdict"] is not None)
    assert array[4]["problem"]["type"] == "/problems/unusable-image"


def test_names_that_are_hard(run, tmp_path):
    names = [b"=cmd.png", b"-x.png", b"f\xffce.png", b"line\nend.png", 'ü "quoted", comma.png'.encode()]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(png())
    done = run("classify", "--null", "-", "--ndjson", given=b"\0".join(names))
    assert done.returncode == 0
    assert [os.fsencode(json.loads(line)["path"]) for line in done.stdout.splitlines()] == names
    done = run("classify", "--null", "-", "--csv", given=b"\0".join(names))
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith(b"'=cmd.png,")
    assert b"f\xffce.png" in done.stdout


def test_what_is_not_there(run, folder):
    done = run("classify", "gone.jpg", "photos/0.jpg", "--files-from", "gone.txt", "--csv")
    assert done.returncode == 1
    rows = rows_of(done.stdout)
    assert [(row["path"], row["called"] != "") for row in rows] == [
        ("gone.jpg", False),
        ("photos/0.jpg", True),
        ("gone.txt", False),
    ]


def test_resume_asks_only_about_what_has_no_answer(run, folder, server):
    out = folder.parent / "answers.csv"
    first = run("classify", *NAMES[:2], NAMES[4], "--csv", "--out", out)
    assert (first.returncode, first.stdout) == (1, b"")
    with out.open("ab") as file:
        file.write(b'"photos/2.jpg",hum')  # as a killed run leaves it
    (folder / "more" / "damaged.png").write_bytes(png())
    done = run("classify", "photos", "--csv", "--out", out, "--resume")
    assert done.returncode == 0
    assert "3 images: " in done.stderr.decode()
    assert "2 had their answer already" in done.stderr.decode()
    rows = rows_of(out.read_bytes())
    assert sorted(row["path"] for row in rows) == sorted(NAMES)
    assert all(row["called"] for row in rows)
    assert run("classify", "photos", "--csv", "--out", out, "--resume").returncode == 0
    assert len(rows_of(out.read_bytes())) == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["classify"], "Name images"),
        (["classify", "a.jpg", "--models", "nobody"], "tiny-detector"),
        (["classify", "a.jpg", "--resume"], "--out"),
        (["classify", "a.jpg", "--out", "none/such/folder.csv"], "cannot be written"),
        (["classify", "."], "nothing to ask"),
        (["classify", "a.jpg", "--concurrency", "0"], "1 or more"),
        (["status", "--url", "localhost:8000"], "does not begin with http"),
        (["status", "--timeout", "0"], "--timeout"),
        (["generate", "--seed", "-1"], "between 0 and"),
        (["generate", "--out", "/dev/null/x"], "cannot be made a folder"),
        (["generate", "--models", ","], "names no model"),
        (["dance"], "dance"),
        ([], "COMMAND"),
    ],
)
def test_wrong_usage(run, arguments, says):
    done = run(*arguments)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_server_that_is_not_there_is_said_at_once(run, free_port, tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    began = time.monotonic()
    for arguments in (["status"], ["classify", "a.png"]):
        done = run(*arguments, "--url", f"http://127.0.0.1:{free_port()}")
        assert (done.returncode, done.stdout) == (3, b"")
        assert "Is VisionLab running there" in done.stderr.decode()
    assert time.monotonic() - began < 60
    with other_server(Answer(200, b"<html>", {"Content-Type": "text/html"})) as other:
        assert run("models", "--url", other.url).returncode == 3


def test_status_and_models(run):
    done = run("status")
    assert done.returncode == 0
    assert ", ready, " in done.stdout.decode()
    assert json.loads(run("status", "--json").stdout)["ready"] is True
    lines = run("models", "detector").stdout.decode().splitlines()
    assert [line.split()[1] for line in lines] == ["name", "tiny-detector", "other-detector"]
    assert [model["uuid"] for model in json.loads(run("models", "generator", "--json").stdout)] == [str(GENERATOR)]


def test_generate(run, tmp_path):
    done = run("generate", "--count", "3", "--seed", "7", "--models", "tiny-generator", "--out", "faces")
    assert done.returncode == 0
    paths = done.stdout.decode().splitlines()
    assert paths == [f"faces/tiny-generator-v1-seed{seed}.png" for seed in (7, 8, 9)]
    before = [(tmp_path / path).read_bytes() for path in paths]
    assert all(data.startswith(b"\x89PNG") for data in before)
    more = run("generate", "--count", "102", "--seed", "7", "--out", "faces").stdout.decode().splitlines()
    assert len(more) == len(set(more)) == 102, "more than the server makes at once"
    assert [(tmp_path / path).read_bytes() for path in paths] == before, "the same seeds make the same faces"


def test_rows_come_one_by_one_and_an_interrupt_keeps_them(environment, folder):
    # Shells start what they run in the background deaf to Ctrl-C, and that is inherited.
    hears = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([COMMAND, "classify", "-", "--ndjson"], env=environment, cwd=folder, preexec_fn=hears, **PIPES)
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        process.stdin.write(f"{name}\n".encode())
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["path"] == name, "the row is there before the list ends"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    assert process.stdout.read() == b""
    assert b"Traceback" not in process.stderr.read()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def test_killed_run_has_lost_no_row_that_it_wrote(environment, folder):
    out = folder / "out.ndjson"
    process = subprocess.Popen([COMMAND, "classify", "-", "--ndjson", "--out", out], env=environment, cwd=folder, **PIPES)
    process.stdin.write(b"0.jpg\n1.jpg\n")
    process.stdin.flush()
    block_until(lambda: out.exists() and out.read_bytes().count(b"\n") >= 2, "a flushed row")
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
    assert [json.loads(line)["path"] for line in out.read_text().splitlines()] == ["0.jpg", "1.jpg"]


def test_output_that_is_closed(environment, folder):
    process = subprocess.Popen(
        [COMMAND, "classify", "--csv", *["0.jpg"] * 500],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline().startswith(b"path,")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_progress_is_shown_on_a_terminal_alone(run, environment, folder):
    assert b"images/s" not in run("classify", *NAMES).stderr
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 100))
    process = subprocess.Popen(
        [COMMAND, "classify", "--csv", *NAMES * 20], env=environment, cwd=folder.parent, stdout=subprocess.PIPE, stderr=inside
    )
    os.close(inside)
    rows = process.stdout.read()
    assert process.wait(timeout=60) == 1
    process.stdout.close()
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert b" images/s" in shown
    assert len(rows_of(rows)) == 100
