"""Weights of the zoo's networks, made into models by a process of what trains on this machine, with limits."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.training_spec import Network
from visionlab_training.exit_codes import ExitCode
from visionlab_training.last_sentence import last_sentence
from visionlab_training.physical_memory import physical_memory

_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV", "PYTHONPATH")
_LOOK_EVERY = 0.2
_LOG_READ = 16384


class UnusableWeights(ValueError):
    """The weights make no model; the message says why."""


@dataclass(frozen=True, slots=True)
class ConversionLimits:
    """What the process may take: bytes of physical memory, seconds by the clock, bytes of the largest file, steps of `nice`."""

    memory: int
    seconds: int
    largest_file: int
    nice: int = 10


async def convert_weights(
    program: str,
    weights: Path,
    network: Network,
    out: Path,
    *,
    limits: ConversionLimits,
    classes: Sequence[FaceClass] = FACE_CLASSES,
) -> None:
    """Have `program convert` write the model's version folder to `out`.

    The process knows nothing of this one's environment (passwords are in it), works in a folder of its own, and ends with its
    limits, or with this call.

    Args:
        program: what trains, of `visionlab_training.runners.program.training_program`.
        weights: NAME.weights.h5 or NAME.npz.
        network: what they belong to.
        out: a folder that is not there yet; beside it is where the process works.
        limits: of the process.
        classes: of detectors: the order in which it gives the classes.

    Raises:
        UnusableWeights: they make no model.
    """
    words = [*shlex.split(program), "convert", str(weights), "--out", str(out), "--nice", str(limits.nice)]
    words += ["--seconds", str(limits.seconds * (os.cpu_count() or 1)), "--largest", str(limits.largest_file)]
    for name, value in network.model_dump(exclude_unset=True, exclude_none=True).items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    words += [] if network.is_generator else ["--classes", ",".join(classes)]
    folder = out.parent
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": ""}
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(limits.seconds):
            await _ended(process, limits)
    except TimeoutError as error:
        raise UnusableWeights(f"Converting the weights took more than {limits.seconds} seconds.") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if process.returncode != ExitCode.DONE:
        raise UnusableWeights(_reason(process.returncode or 0, log, limits))


async def _ended(process: asyncio.subprocess.Process, limits: ConversionLimits) -> None:
    while process.returncode is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _LOOK_EVERY)
        if physical_memory(process.pid) > limits.memory:
            raise UnusableWeights(f"Converting the weights took more than {limits.memory / 2**30:.3g} GiB of memory.")


def _reason(code: int, log: Path, limits: ConversionLimits) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_READ))
        said = last_sentence(file.read().decode(errors="replace"))
    if code in (ExitCode.INVALID_INPUT, ExitCode.EXPORT_FAILED):
        return said
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"Converting the weights was ended: it took more than {limits.seconds} seconds, or more memory than there is."
    if code < 0:
        return f"The weights brought the process down that converted them ({signal.Signals(-code).name}): the file is damaged."
    return f"The weights could not be converted: {said}"
