"""The commands as they are called: specs with mistakes, exit codes, signals, the way from a spec to a version folder."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter
from support.brightness_detector import brightness_detector
from support.drawn_faces import write_dataset, write_faces

from visionlab_core.model_card import ModelCard
from visionlab_core.training_spec import TrainingSpec
from visionlab_training import cli
from visionlab_training.cli import seconds, train
from visionlab_training.publication import read_publication
from visionlab_training.spec_file import SpecError, read_spec
from visionlab_training.starters import main, read_plan

pytestmark = pytest.mark.slow

DETECTOR = """
kind: detector
name: tiny
architecture: MobileNetV2
resolution: 32
batch_size: 4
steps: 2
data: {manifest: manifest.csv}
"""
GENERATOR = """
kind: generator
name: tiny
face_class: human
data: {folders: [faces]}
width: 4
batch_size: 4
steps: 100000
checkpoint_every: 50000
"""


@pytest.fixture
def train_here(tmp_path, monkeypatch, tiny_in_the_zoo):
    """`visionlab-train` in this process, in a folder with a manifest; gives its exit code."""
    write_dataset(tmp_path, each=4)
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["visionlab-train", *words])
        try:
            train()
        except SystemExit as ended:
            return ended.code
        return 0

    return call


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DETECTOR + "learning_rat: 0.1", "learning_rat: there is no such field; did you mean learning_rate"),
        (DETECTOR.replace("manifest: ", "manifets: "), r"data\.manifets: there is no such field; did you mean manifest"),
        (DETECTOR + "preset: best", "preset.*'original' or 'robust'"),
        (DETECTOR + "epochs: 3", "either steps or epochs"),
        (DETECTOR.replace("kind: detector", "kind: detectr"), "detectr"),
        (DETECTOR.replace("steps: 2", "steps: many"), "steps.*integer"),
        (DETECTOR.replace("manifest.csv", "$VISIONLAB_NOWHERE/m.csv"), "VISIONLAB_NOWHERE, which is not set"),
        (GENERATOR + "stpes: 3", "stpes: there is no such field; did you mean steps"),
        ("kind: ensemble\nname: e\nbases: [a, a]\nsteps: 1\ndata: {manifest: m.csv}", "same folder is there twice"),
        ("name: [", "YAML"),
    ],
)
def test_a_faulty_spec_names_its_fault(tmp_path, text, says):
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(SpecError, match=says):
        read_spec(tmp_path / "s.yaml")


def test_a_preset_fills_what_the_spec_leaves_out(tmp_path):
    (tmp_path / "s.yaml").write_text(DETECTOR)
    original = read_spec(tmp_path / "s.yaml")
    assert (original.optimizer, original.batch_size, original.sampling, original.ema_decay) == ("rmsprop", 4, "epochs", 0)
    assert original.data.validation_fraction == 0.2
    (tmp_path / "s.yaml").write_text(DETECTOR + "preset: robust\nlearning_rate: 0.5")
    robust = read_spec(tmp_path / "s.yaml")
    assert (robust.optimizer, robust.augmentation, robust.learning_rate) == ("adamw", "robust", 0.5)


def test_times_are_read_and_others_refused():
    assert [seconds(text) for text in ("90", "90s", "1.5m", "2h")] == [90, 90, 90, 7200]
    for text in ("", "soon", "0m", "-3s", "5d"):
        with pytest.raises(Exception, match="not a time"):
            seconds(text)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("MobileNetV2", "mobilenetv2"), "did you mean 'MobileNetV2'"),
        (lambda text: text + "weights: nowhere.npz", r"nowhere\.npz"),
        (lambda text: text.replace("manifest.csv", "none.csv"), r"no manifest at none\.csv"),
    ],
)
def test_bad_input_ends_with_exit_code_2_and_one_sentence(tmp_path, train_here, capsys, change, says):
    (tmp_path / "spec.yaml").write_text(change(DETECTOR))
    assert train_here("spec.yaml", "--out", "run") == 2
    [*_, last] = capsys.readouterr().err.splitlines()
    assert re.search(says, last), last


def test_a_full_disk_ends_with_exit_code_4(tmp_path, train_here, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    (tmp_path / "spec.yaml").write_text(DETECTOR.replace("MobileNetV2", "Tiny"))
    assert train_here("spec.yaml", "--out", "run") == 4
    assert "No space left" in capsys.readouterr().err.splitlines()[-1]


def test_a_loss_that_is_no_number_ends_with_exit_code_1(tmp_path, train_here, capsys):
    (tmp_path / "spec.yaml").write_text(
        DETECTOR.replace("MobileNetV2", "Tiny").replace("steps: 2", "steps: 40\nlearning_rate: 1e38")
    )
    assert train_here("spec.yaml", "--out", "run") == 1
    assert "Lower the learning rate" in capsys.readouterr().err.splitlines()[-1]


def test_data_that_cannot_be_used_ends_with_exit_code_2(tmp_path, train_here, capsys):
    text = (tmp_path / "manifest.csv").read_text()
    for lines, says in (
        ([line for line in text.splitlines() if "human," not in line], None),
        (text.splitlines()[:4], "a detector needs at least 8"),
        ([line for line in text.splitlines() if line.startswith("path") or ",human," in line], "All images .* class human"),
    ):
        (tmp_path / "manifest.csv").write_text("\n".join(lines))
        (tmp_path / "spec.yaml").write_text(DETECTOR.replace("MobileNetV2", "Tiny"))
        code = train_here("spec.yaml", "--out", f"run{len(lines)}")
        if says is None:  # three classes are enough
            assert code == 0
        else:
            assert code == 2
            assert re.search(says, capsys.readouterr().err.splitlines()[-1])


def test_a_comparison_that_was_broken_off_is_made_up_for_without_a_second_export(tmp_path, train_here, monkeypatch, capsys):
    def publish_here(program, words, environment):
        monkeypatch.setattr(sys, "argv", ["visionlab-publish", *words[3:]])
        cli.publish()

    monkeypatch.setattr(os, "execve", publish_here)
    champion = tmp_path / "champion"
    champion.mkdir()
    (champion / "model.onnx").write_bytes(brightness_detector(right=True))
    about = {"uuid": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "name": "tiny", "label": "Tiny", "version": 2}
    said = {"description": "For tests.", "licence": "none", "data": "Drawn in code."}
    (tmp_path / "card.yaml").write_text(yaml.safe_dump(about | said))
    (tmp_path / "spec.yaml").write_text(DETECTOR.replace("MobileNetV2", "Tiny"))
    words = ["spec.yaml", "--out", "run", "--card", "card.yaml", "--models", "models", "--backend", "tensorflow"]
    words += ["--champion", "champion", "--judged", "manifest.csv"]
    assert train_here(*words) == 0
    result = tmp_path / "run" / "comparison.json"
    first = result.read_text()
    assert (json.loads(first)["images"], json.loads(first)["left_out"]) == (32, 0)
    card = tmp_path / "models" / about["uuid"] / "2" / "card.json"
    made = card.stat().st_mtime_ns
    result.unlink()
    assert train_here(*words) == 0
    assert (result.read_text(), card.stat().st_mtime_ns) == (first, made)
    assert train_here(*words[:-2]) == 2
    assert "--champion and --judged go together" in capsys.readouterr().err


def test_sigterm_writes_a_checkpoint_and_has_its_own_exit_code(tmp_path):
    write_faces(tmp_path / "faces", 12)
    (tmp_path / "spec.yaml").write_text(GENERATOR)
    command = [str(Path(sys.executable).parent / "visionlab-train"), "spec.yaml", "--out", "run", "--threads", "1"]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as process:
        while process.poll() is None and not (tmp_path / "run/progress.json").exists():
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=60)
    assert process.returncode == 75, log
    with np.load(tmp_path / "run/checkpoint.npz") as file:
        assert int(file["step"]) >= 10


STARTERS = {
    "plan.yaml": {
        "stages": [
            {"name": "gan", "share": 1, "faces": [{"folder": "gan", "count": 3}], "gpu": {"precision": "bfloat16"}},
            {"name": "first", "share": 1},
            {"name": "second", "share": 1},
            {"name": "vote", "share": 0},
        ]
    },
    "gan.yaml": {
        "kind": "generator",
        "name": "gan",
        "face_class": "human",
        "data": {"folders": ["$VISIONLAB_DATA/human-a-train"]},
        "width": 4,
        "batch_size": 4,
        "steps": 2,
    },
    "first.yaml": {
        "kind": "detector",
        "name": "first",
        "architecture": "Tiny",
        "resolution": 32,
        "batch_size": 4,
        "steps": 1,
        "data": {
            "manifest": "$VISIONLAB_DATA/manifest.csv",
            "extra": [{"path": "$VISIONLAB_OWN/gan", "face_class": "human_gen", "source": "own"}],
        },
    },
}
UUID = "00000000-0000-4000-8000-0000000000{:02}"


@pytest.fixture
def recipes(tmp_path):
    """A plan with a generator, two detectors and a vote, and data for it."""
    folder = tmp_path / "recipes"
    folder.mkdir()
    write_dataset(tmp_path / "data", each=4)
    files = dict(STARTERS)
    files["second.yaml"] = {**files["first.yaml"], "name": "second", "seed": 1}
    files["vote.yaml"] = {
        "kind": "ensemble",
        "name": "vote",
        "method": "voting",
        "bases": [f"$VISIONLAB_MODELS/{UUID.format(number)}/1" for number in (1, 2)],
        "data": {"manifest": "$VISIONLAB_DATA/manifest.csv"},
    }
    for number, name in enumerate(("gan", "first", "second", "vote")):
        words = {"label": name, "version": 1, "description": "For tests.", "licence": "none", "data": "Drawn in code."}
        files[f"{name}.card.yaml"] = {"uuid": UUID.format(number), "name": name, **words}
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content))
    return folder


class HereInsteadOfThere:
    """A process that is none: the command runs in this one, which has TensorFlow and the tiny architecture already."""

    ran: ClassVar[list[str]] = []

    def __init__(self, command, env):
        [_, _, program, *words] = command
        name = re.fullmatch(r"from visionlab_training.cli import (\w+); \1\(\)", program)[1]
        self.ran.append(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", [name, *words])
            try:
                getattr(cli, name)()
                self.code = 0
            except SystemExit as ended:
                self.code = ended.code

    def wait(self):
        return self.code


@pytest.fixture
def starters(tmp_path, recipes, monkeypatch, tiny_in_the_zoo):
    """`visionlab-starters` in this process; gives its exit code."""
    HereInsteadOfThere.ran = []
    monkeypatch.setattr("visionlab_training.starters.subprocess", SimpleNamespace(Popen=HereInsteadOfThere))
    places = ["--data", tmp_path / "data", "--weights", tmp_path, "--out", tmp_path / "out", "--plan", recipes / "plan.yaml"]

    def call(*words):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "environ", os.environ.copy())
            patch.setattr(sys, "argv", ["visionlab-starters", *map(str, places), "--budget", "30s", *words])
            try:
                main()
            except SystemExit as ended:
                return ended.code or 0
            return 0

    return call


def test_every_starter_is_made_and_nothing_twice(tmp_path, starters, capsys):
    assert starters("--phase", "train", "publish", "--judge-at-most", "4") == 0, capsys.readouterr().err
    assert HereInsteadOfThere.ran == ["train", "sample", "train", "train", *["publish"] * 2, "train", "publish", "publish"]
    cards = [ModelCard.model_validate_json(path.read_bytes()) for path in (tmp_path / "out/models").glob("*/1/card.json")]
    by_name = {card.name: card for card in cards}
    assert by_name.keys() == {"gan", "first", "second", "vote"}
    assert {split.images for name in ("first", "vote") for split in by_name[name].metrics.values()} == {4}
    assert by_name["vote"].parameters == 2 * by_name["first"].parameters
    assert by_name["first"].provenance.spec["data"]["extra"][0]["path"].endswith("own/gan")
    assert json.loads((tmp_path / "out/runs/first/data.json").read_text())["images"]["train/human_gen/own"] == 3
    assert starters("--phase", "train", "publish") == 0
    assert len(HereInsteadOfThere.ran) == 9


def test_a_step_that_fails_ends_the_run_with_its_code_and_the_next_goes_on(tmp_path, starters, recipes, capsys):
    good = (recipes / "first.yaml").read_text()
    (recipes / "first.yaml").write_text(good.replace("Tiny", "Tinny"))
    assert starters("--phase", "train") == 2
    assert "first: training: exit code 2" in capsys.readouterr().err
    assert not (tmp_path / "out/runs/second").exists()
    (recipes / "first.yaml").write_text(good)
    assert starters("--phase", "train") == 0
    assert HereInsteadOfThere.ran == ["train", "sample", "train", "train", "train"]


def test_two_models_of_one_uuid_and_version_are_refused(tmp_path, starters, recipes, capsys):
    (recipes / "second.card.yaml").write_text((recipes / "first.card.yaml").read_text().replace("first", "second"))
    assert starters("--phase", "train") == 2
    assert "The cards of first and second have the same uuid and version" in capsys.readouterr().err
    assert HereInsteadOfThere.ran == []


def test_the_plan_divides_the_time_and_says_how(tmp_path, starters, capsys):
    assert starters("--show") == 0
    assert capsys.readouterr().out.split()[:3] == ["gan", "0.2", "min"]
    assert not (tmp_path / "out").exists()
    assert starters("--only", "frist") == 2
    assert "frist: not in the plan" in capsys.readouterr().err


def test_the_shipped_plan_gives_a_gpu_a_full_set_in_25_minutes():
    folder = Path(__file__).parents[3] / "training-jobs/starters"
    plan = read_plan(folder / "plan.yaml")
    budgets = plan.budgets(25 * 60)
    assert sum(budgets.values()) == pytest.approx(25 * 60)
    names = [stage.name for stage in plan.stages]
    kinds = {}
    environment = {f"VISIONLAB_{name}": "/somewhere" for name in ("DATA", "WEIGHTS", "OWN", "MODELS")}
    for stage in plan.stages:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            for changes in ({}, stage.gpu):
                spec = TypeAdapter(TrainingSpec).validate_python(
                    yaml.safe_load(os.path.expandvars((folder / f"{stage.name}.yaml").read_text())) | changes
                )
            about = read_publication(folder / f"{stage.name}.card.yaml")
        assert about.name == spec.name == stage.name
        kinds.setdefault(spec.kind, []).append(stage.name)
        # A minute is the least in which compiling leaves time for training.
        assert budgets[stage.name] >= 45 or stage.share == 0
    assert len(kinds["generator"]) == 4
    assert {"mobilenetv2", "densenet121", "nasnetmobile", "efficientnetlite0"} <= set(kinds["detector"])
    assert max(map(names.index, kinds["generator"])) < min(map(names.index, kinds["detector"]))
