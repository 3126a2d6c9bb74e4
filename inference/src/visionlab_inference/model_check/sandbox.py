"""Starts the process that looks at a model from elsewhere, and puts an end to it where it takes too much."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from visionlab_core.face_class import FACE_CLASSES, FaceClass
from visionlab_core.model_card import ModelKind, TensorSpec

_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "VIRTUAL_ENV", "PYTHONPATH")
_LONGEST_ANSWER = 1 << 20


class UnusableUpload(ValueError):
    """The model cannot be served; the message says why."""


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """What the process may take: bytes of address space, seconds by the clock and by the CPU."""

    memory: int = 6 << 30
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class CheckedModel:
    """A model that may be served."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    parameters: int


async def check_in_sandbox(
    model: Path,
    kind: ModelKind,
    *,
    classes: Sequence[FaceClass] = FACE_CLASSES,
    ordered: Path | None = None,
    limits: CheckLimits = CheckLimits(),
) -> CheckedModel:
    """Look at an ONNX file, and try it.

    The process knows nothing of this one's environment (passwords are in it), may write no file (but for `ordered`), and ends
    with its limits.

    Args:
        model: the file.
        kind: what it is to be.
        classes: of detectors: the order in which it gives the classes.
        ordered: where a detector goes whose order is another than ours; it is what is tried, and what is to be served.
        limits: of the process.

    Raises:
        UnusableUpload: it cannot be served.
    """
    words = [sys.executable, "-m", "visionlab_inference.model_check", str(model), "--kind", kind]
    words += ["--memory", str(limits.memory), "--seconds", str(limits.seconds)]
    words += [] if ordered is None else ["--ordered", str(ordered), "--classes", ",".join(classes)]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory(prefix="visionlab-check-") as folder:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            cwd=folder,
            start_new_session=True,
            limit=_LONGEST_ANSWER,
        )
        try:
            answer, _ = await asyncio.wait_for(process.communicate(), limits.seconds)
        except TimeoutError as error:
            raise _too_slow(limits) from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
    return _read(answer, process.returncode or 0, limits)


def _read(answer: bytes, code: int, limits: CheckLimits) -> CheckedModel:
    try:
        found = json.loads(answer)
    except ValueError as error:
        if code in (-24, -9):  # SIGXCPU, and the end that follows it
            raise _too_slow(limits) from error
        raise UnusableUpload(
            "The model brought the process down that tried it: it is damaged, or takes too much memory."
        ) from error
    if found.get("problem") == "memory":
        raise UnusableUpload(f"Trying the model took more than {limits.memory / 2**30:.3g} GiB of memory.")
    if "problem" in found:
        raise UnusableUpload(found["problem"])
    return CheckedModel(
        inputs=tuple(map(TensorSpec.model_validate, found["inputs"])),
        outputs=tuple(map(TensorSpec.model_validate, found["outputs"])),
        parameters=int(found["parameters"]),
    )


def _too_slow(limits: CheckLimits) -> UnusableUpload:
    return UnusableUpload(f"The model had not answered after {limits.seconds} seconds: it is too slow to be served.")
