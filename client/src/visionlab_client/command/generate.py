"""`visionlab generate`."""

from __future__ import annotations

import argparse
import asyncio
import re
from pathlib import Path
from uuid import UUID

from visionlab_client.answers import Image
from visionlab_client.async_client import AsyncVisionLab
from visionlab_client.command.exit_codes import DONE, UsageError
from visionlab_client.command.server import chosen_models, server
from visionlab_client.connection import whole_file

_AT_ONCE = 100
"""The most that the server makes for one request."""


async def run(arguments: argparse.Namespace) -> int:
    """Make the faces, save them and print their paths; gives the exit code."""
    folder = _folder(arguments.out)
    async with server(arguments) as lab:
        models = await chosen_models(lab, "generator", arguments.models)
        if models is None:
            models = [model.uuid for model in await lab.models("generator") if model.state == "ready"]
            if not models:
                raise UsageError("No generator is in service; `visionlab models generator` says why.")
        for number, model in enumerate(models):
            # Shared out as the server does it: the first models make one more.
            share = arguments.count // len(models) + (number < arguments.count % len(models))
            await _make(lab, model, share, arguments, folder)
    return DONE


def _folder(name: str) -> Path:
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder: {error.strerror}.") from error
    return folder


async def _make(lab: AsyncVisionLab, model: UUID, count: int, arguments: argparse.Namespace, folder: Path) -> None:
    for first in range(0, count, _AT_ONCE):
        seed = None if arguments.seed is None else arguments.seed + first
        images = await lab.generate([model], min(_AT_ONCE, count - first), seed=seed, truncation=arguments.truncation)
        for image in images:
            path = folder / _name(image)
            data = await lab.download(image)
            await asyncio.to_thread(_save, path, data)
            print(path, flush=True)


def _save(path: Path, data: bytes) -> None:
    with whole_file(path) as file:
        file.write(data)


def _name(image: Image) -> str:
    """MODEL-vVERSION-seedSEED.SUFFIX: the same face has the same name."""
    suffix = re.sub(r"[^a-z0-9]", "", image.url.rsplit(".", 1)[-1].lower())
    made = image.how_made
    if made is None:
        return f"{image.uuid}.{suffix}"
    squeezed = "" if made.truncation == 1 else f"-truncation{made.truncation:g}"
    # A name is the server's word, and must not lead out of the folder.
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', made.model_name)}-v{made.model_version}-seed{made.seed}{squeezed}.{suffix}"
