"""A virtual environment for each peer: their dependencies contradict each other and ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).parent.parent / "peers"
_INSTALLED: Final = ".requirements.sha256"


class NotInstalled(RuntimeError):
    """A peer's environment could not be made. The message says why."""


def python_of(peer: str, tools: Path) -> Path:
    """The Python of `tools/peers/<peer>`, made from the peer's requirements.txt where it is missing or out of date.

    Raises:
        NotInstalled: uv is missing, or a package cannot be had for this machine.
    """
    home = tools / "peers" / peer
    python = home / "bin" / "python"
    requirements = PEERS / peer / "requirements.txt"
    digest = sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    mark = home / _INSTALLED
    if mark.exists() and mark.read_text() == digest:
        return python
    uv = shutil.which("uv") or shutil.which("uv", path=str(tools / "bin"))
    if uv is None:
        raise NotInstalled("uv is neither on the PATH nor in the tools folder; `make setup` installs it")
    print(f"installing {peer} into {home} ...", flush=True)
    _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home))
    _run(uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(requirements))
    mark.write_text(digest)
    return python


def version_of(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "?"


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotInstalled(" ".join(done.stderr.split())[-600:] or f"{command[1]} failed")
