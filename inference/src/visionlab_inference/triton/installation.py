"""Where Triton is installed on this machine: the wheel nvidia-pytriton, in an environment of its own.

`make triton` installs it. It has the server and the Python backend, and not the C++ backend of ONNX Runtime, whose place
`onnxruntime_backend` takes.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOME_VARIABLE: Final = "VISIONLAB_TRITON_HOME"
UNSUPPORTED_FILE: Final = "unsupported"


class TritonNotInstalled(RuntimeError):
    """There is no server in the folder. The message says what to do."""


class TritonUnsupported(TritonNotInstalled):
    """The server cannot run on this machine. The message says why."""


@dataclass(frozen=True, slots=True)
class TritonInstallation:
    """The parts of the server.

    `caches` is the folder of its response caches, `stub` the program that runs Python models, one process a model instance.
    `libraries` are the folders in which the server and the stub find what they are linked to; `programs` is the folder of the
    Python that the stub becomes.
    """

    server: Path
    python_backend: Path
    caches: Path
    stub: Path
    libraries: tuple[Path, ...]
    programs: Path


def find_installation(home: Path | None = None) -> TritonInstallation:
    """The server in `home`; without one in $VISIONLAB_TRITON_HOME, or in `.tools/triton` beside this Python's environment.

    Raises:
        TritonUnsupported: the installer found that this machine cannot run the server.
        TritonNotInstalled: there is none in that folder.
    """
    if home is None:
        home = Path(os.environ.get(HOME_VARIABLE) or Path(sys.prefix).parent / ".tools" / "triton")
    home = home.absolute()
    unsupported = home / UNSUPPORTED_FILE
    if unsupported.exists():
        raise TritonUnsupported(f"Triton cannot run here: {unsupported.read_text(encoding='utf-8').strip()}")
    packages = next(home.glob("lib/python3.*/site-packages"), None)
    if packages is None or not (packages / "pytriton").is_dir():
        raise TritonNotInstalled(f"{home} has no Triton: run `make triton`, or set ${HOME_VARIABLE} to where it is.")
    triton = packages / "pytriton" / "tritonserver"
    python = packages.parent.name.removeprefix("python")
    return TritonInstallation(
        server=triton / "bin" / "tritonserver",
        python_backend=triton / "backends" / "python",
        caches=triton / "caches",
        stub=triton / "python_backend_stubs" / python / "triton_python_backend_stub",
        libraries=(packages / "nvidia_pytriton.libs", *_python_library(home, python)),
        programs=home / "bin",
    )


def _python_library(home: Path, python: str) -> tuple[Path, ...]:
    # The environment's base Python may lie where the loader does not look. It must come before another of the same version that
    # the loader does find, as the two may be built differently.
    lines = (line.partition("=") for line in (home / "pyvenv.cfg").read_text(encoding="utf-8").splitlines())
    base = next(Path(value.strip()) for key, _, value in lines if key.strip() == "home")
    library = base.parent / "lib"
    return (library,) if (library / f"libpython{python}.so.1.0").exists() else ()
