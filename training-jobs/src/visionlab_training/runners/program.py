"""What trains on this machine, if anything does."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from shlex import quote, split

from visionlab_training.runners.contract import RunnerUnavailable

PROGRAM = "visionlab-train"
_NEEDED = ("keras", "tensorflow", "tf2onnx")


def training_program(command: str | None) -> str:
    """What trains, as a shell would read it: the command that the operator named, or the `visionlab-train` that is installed.

    Raises:
        RunnerUnavailable: there is none here.
    """
    if command:
        words = split(command)
        if words and shutil.which(words[0]):
            return command
        raise RunnerUnavailable(
            f"VISIONLAB_TRAIN_COMMAND is {command!r}, and there is no such program here. Mend it, or leave it out."
        )
    beside = Path(sys.executable).with_name(PROGRAM)
    if beside.exists() and all(find_spec(name) for name in _NEEDED):
        return quote(str(beside))
    elsewhere = shutil.which(PROGRAM)
    if elsewhere and Path(elsewhere).parent != beside.parent:
        return quote(elsewhere)
    raise RunnerUnavailable(
        "What trains is not installed here: run `make trainer`, or install visionlab-training[job], or name a command in "
        "VISIONLAB_TRAIN_COMMAND."
    )
