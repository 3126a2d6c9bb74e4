"""`visionlab-train` that knows the architecture "Tiny" too; run as a program, it takes the place of the command."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

HELD_AT = 20
COMMAND = f"{sys.executable} {__file__}"
HELD_COMMAND = f"{COMMAND} --hold"
"""One that comes to step HELD_AT and there waits to be stopped; started again, it goes on to its end."""
NARROW_COMMAND = f"{COMMAND} --narrow"
"""One whose GANs have a few channels only, whatever their spec says: the others take minutes here."""


def main() -> None:
    """Train, then publish in this process, which has loaded TensorFlow already."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from support import tiny_architecture

    from visionlab_training import cli

    tiny_architecture.install()
    if "--hold" in sys.argv:
        sys.argv.remove("--hold")
        hold()
    if "--narrow" in sys.argv:
        sys.argv.remove("--narrow")
        narrow(Path(sys.argv[1]))

    def publish_here(program: str, words: list[str], environment: dict[str, str]) -> None:
        sys.argv = ["visionlab-publish", *words[3:]]
        cli.publish()
        sys.exit(0)

    os.execve = publish_here
    cli.train()


def narrow(file: Path) -> None:
    """Write the spec of a GAN anew, with few channels."""
    from support.tiny_gans import SETTINGS

    spec = json.loads(file.read_text())
    widths = {"DCGAN": {"width": 4}, "StyleGAN2": {"stylegan2": SETTINGS.model_dump(mode="json")}}
    file.write_text(json.dumps({**spec, **widths.get(spec.get("architecture"), {})}))


def hold() -> None:
    """Let the training wait for SIGTERM once it has told that it is at step HELD_AT."""
    from visionlab_training.training import learning
    from visionlab_training.training.progress import Progress, StopRequest

    listening = []

    class Listening(StopRequest):
        def __init__(self) -> None:
            super().__init__()
            listening.append(self)

    tell = Progress.step

    def told(self: Progress, step: int, *arguments: object, **options: object) -> None:
        tell(self, step, *arguments, **options)
        while step == HELD_AT and not listening[-1].requested:
            time.sleep(0.01)

    learning.StopRequest = Listening
    Progress.step = told


if __name__ == "__main__":
    main()
