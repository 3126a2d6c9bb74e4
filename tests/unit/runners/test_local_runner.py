"""Trainings as processes of this machine: they outlive whoever started them, pause, go on and say how they ended."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from support.drawn_faces import portrait
from support.image_files import encoded
from support.waiting import block_until

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.object_store import FolderObjectStore
from visionlab_core.store_layout import training_key
from visionlab_core.training_job import OrderedModel, TrainingOrder, TrainingProgress
from visionlab_core.training_spec import DetectorTraining
from visionlab_training.job.supervise import Job
from visionlab_training.runners import LocalRunner, RunnerUnavailable

SLEEPER = f"{sys.executable} -c 'import time; time.sleep(600)'"


@pytest.fixture
def store(tmp_path):
    return FolderObjectStore(tmp_path / "store")


@pytest.fixture
def runner_of(tmp_path, store):
    """Runners on one work folder; whatever they started ends with the test."""
    trainings: list[UUID] = []

    def make(command: str | None, **options) -> LocalRunner:
        return LocalRunner(store, str(tmp_path / "store"), tmp_path / "work", command=command, **options)

    make.trainings = trainings
    yield make
    for training in trainings:
        block_until(lambda training=training: make(None).stop(training))


def order(store, runner_of, steps: int = 4, **learning) -> UUID:
    """Put an order with a few drawn faces into the store."""
    training = uuid4()
    runner_of.trainings.append(training)
    rows = [("path", "class", "source", "split")]
    for number, face_class in enumerate(FACE_CLASSES):
        for seed in range(6):
            key = f"datasets/x/images/{face_class}/{seed}.jpg"
            store.put(key, encoded(portrait(100 * number + seed, 48), "JPEG"))
            rows.append((f"../../{key}", face_class.value, "drawn", "train"))
    manifest = training_key(training, "manifest.csv")
    path = Path(store.root) / "manifest.tmp"
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    store.put(manifest, path.read_bytes())
    spec = {"name": "tiny", "architecture": "Tiny", "resolution": 32, "batch_size": 4, "steps": steps, "checkpoint_every": 5}
    ordered = TrainingOrder(
        training=training,
        backend="tensorflow",
        spec=DetectorTraining.model_validate({**spec, "data": {"manifest": manifest}, **learning}),
        model=OrderedModel(
            uuid=uuid4(), name="tiny", label="Tiny", version=1, description="For tests.", licence="none", data="Drawn in code."
        ),
    )
    store.put(training_key(training, "spec.json"), ordered.model_dump_json().encode())
    return training


def progress(store, training: UUID) -> TrainingProgress | None:
    key = training_key(training, "progress.json")
    return TrainingProgress.model_validate_json(store.get(key)) if store.exists(key) else None


def ended(runner, training: UUID):
    block_until(lambda: runner.observe(training).state != "running")
    return runner.observe(training)


def test_a_training_goes_on_where_only_the_store_is_known(store, runner_of, tmp_path):
    training = order(store, runner_of, steps=60)
    # It leaves the files of a training, and waits to be stopped.
    script = tmp_path / "train.sh"
    script.write_text(
        "echo weights > $3/checkpoint.npz; echo best > $3/best.npz; echo {} > $3/best.json\n"
        """echo '{"step": 20, "steps": 60, "loss": 0.5}' > $3/progress.json\n"""
        "trap 'exit 75' TERM; while :; do sleep 0.1; done\n"
    )
    runner = runner_of(f"sh {script}")
    runner.start(training)
    block_until(lambda: (told := progress(store, training)) is not None and told.step == 20)
    assert (progress(store, training).phase, progress(store, training).metrics) == ("training", {"loss": 0.5})
    runner.suspend(training)
    assert ended(runner, training).state == "paused"
    elsewhere = LocalRunner(
        store,
        str(tmp_path / "store"),
        tmp_path / "other work",
        command="sh -c 'cd \"$3\"; echo visionlab: I found $(cat best.json best.npz checkpoint.npz) >&2; exit 2' train",
    )
    elsewhere.resume(training)
    assert ended(elsewhere, training).reason == "I found {} best weights"
    assert elsewhere.stop(training)


def test_nobody_starts_a_training_twice_and_everybody_sees_it(store, runner_of):
    training = order(store, runner_of)
    runner, other = runner_of(SLEEPER), runner_of(SLEEPER)
    runner.start(training)
    other.start(training)
    assert other.observe(training).state == "running"
    folder = runner._work / str(training)
    block_until(lambda: (folder / "log.txt").exists() and (folder / "process.json").exists())
    process = json.loads((folder / "process.json").read_text())
    listed = Path(f"/proc/{process['pid']}/task/{process['pid']}/children")
    block_until(lambda: listed.read_text().split())
    children = listed.read_text().split()
    assert len(children) == 1
    assert os.getsid(int(children[0])) == process["pid"] != os.getsid(0)
    assert os.getpriority(os.PRIO_PROCESS, int(children[0])) == 10
    block_until(lambda: other.stop(training))
    assert runner.observe(training).state == "absent"
    assert not folder.exists()


def test_a_training_outlives_the_process_that_started_it(store, runner_of, tmp_path):
    training = order(store, runner_of)
    starter = (
        "import sys, os; from pathlib import Path; from uuid import UUID; from visionlab_core.object_store import open_store;"
        "from visionlab_training.runners import LocalRunner;"
        "LocalRunner(open_store(sys.argv[1]), sys.argv[1], Path(sys.argv[2]), command=sys.argv[3]).start(UUID(sys.argv[4]));"
        "os.kill(os.getpid(), 9)"
    )
    words = [sys.executable, "-c", starter, str(tmp_path / "store"), str(tmp_path / "work"), SLEEPER, str(training)]
    assert subprocess.run(words, check=False).returncode == -9
    runner = runner_of(None)
    assert runner.observe(training).state == "running"
    block_until(lambda: (runner._work / str(training) / "log.txt").exists())
    runner.suspend(training)
    assert ended(runner, training).state == "paused"


def test_a_killed_job_takes_its_training_along_and_is_absent(store, runner_of):
    training = order(store, runner_of)
    runner = runner_of(SLEEPER)
    runner.start(training)
    folder = runner._work / str(training)
    block_until(lambda: (folder / "log.txt").exists() and (folder / "process.json").exists())
    os.kill(json.loads((folder / "process.json").read_text())["pid"], signal.SIGKILL)
    assert ended(runner, training).state == "absent"


def test_a_training_that_others_kill_has_no_outcome_and_may_go_on(store, runner_of):
    training = order(store, runner_of)
    runner = runner_of("sh -c 'kill -9 $$'")
    runner.start(training)
    assert ended(runner, training).state == "absent"


def test_a_job_whose_training_is_killed_does_not_say_that_it_may_be_begun_again_for_nothing(store, runner_of, tmp_path):
    """75 costs a Kubernetes Job no try, so one without memory enough would begin again and again."""
    job = Job(store, order(store, runner_of), tmp_path / "job", ["sh", "-c", "kill -9 $$"])
    with pytest.raises(SystemExit) as end:
        job.run()
    assert end.value.code == 137


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("echo 'visionlab: The loss became nan. Lower the learning rate.' >&2; exit 1", r"^The loss became nan\. Lower"),
        ("echo 'visionlab: data: there is one class.' >&2; exit 2", r"^data: there is one class\.$"),
        ("echo 'visionlab: ONNX Runtime disagrees.' >&2; exit 3", r"could not be exported: ONNX Runtime disagrees\."),
        ("echo 'visionlab: [Errno 28] No space left' >&2; exit 4", r"No space left\). Make room"),
        ("echo 'Traceback' >&2; echo 'KeyError: 7' >&2; exit 70", r"exit code 70: KeyError: 7"),
        ("kill -11 $$", r"SIGSEGV"),
    ],
)
def test_each_ending_has_a_reason(store, runner_of, program, reason):
    training = order(store, runner_of)
    runner = runner_of(f'sh -c "{program}"')
    runner.start(training)
    observed = ended(runner, training)
    assert observed.state == "failed"
    assert re.search(reason, observed.reason), observed.reason


def test_a_training_that_takes_too_much_memory_is_ended_and_told_so(store, runner_of):
    training = order(store, runner_of)
    runner = runner_of(
        f"{sys.executable} -c 'import time; held = bytes(300 << 20).replace(bytes(1), b\"1\"); time.sleep(600)'", memory=100 << 20
    )
    runner.start(training)
    observed = ended(runner, training)
    assert observed.state == "failed"
    assert "smaller batch size" in observed.reason


def test_an_image_that_is_gone_is_named(store, runner_of):
    training = order(store, runner_of)
    store.delete("datasets/x/images/human/3.jpg")
    runner = runner_of(SLEEPER)
    runner.start(training)
    observed = ended(runner, training)
    assert (observed.state, "human/3.jpg is no longer in the store" in observed.reason) == ("failed", True)


def test_what_trains_has_to_be_there(store, runner_of):
    runner = runner_of("/nowhere/visionlab-train")
    assert "no such program" in runner.why_unavailable()
    training = order(store, runner_of)
    with pytest.raises(RunnerUnavailable, match="VISIONLAB_TRAIN_COMMAND"):
        runner.start(training)
    assert runner.observe(training).state == "absent"
    assert runner_of(None).why_unavailable() is None  # the tests' environment has it


def test_a_job_that_is_to_stop_does_not_wait_for_its_store(store, runner_of, tmp_path):
    training = order(store, runner_of)
    runner = runner_of(SLEEPER)
    runner.start(training)
    block_until(lambda: (runner._work / str(training) / "log.txt").exists())
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").write_text("no folder")
    runner.suspend(training)
    block_until(lambda: not runner._runs(training))
    (tmp_path / "store").unlink()
    shutil.move(tmp_path / "away", tmp_path / "store")
    assert runner.observe(training).state == "absent"
