"""`visionlab status`."""

from __future__ import annotations

import argparse

from visionlab_client.command.exit_codes import DONE, SOME_FAILED
from visionlab_client.command.server import server
from visionlab_client.command.table import print_table


async def run(arguments: argparse.Namespace) -> int:
    """Say how the server fares; gives the exit code."""
    async with server(arguments) as lab:
        status = await lab.status(patience=0)
    if arguments.json:
        print(status.model_dump_json(indent=2))
    else:
        print(
            f"{arguments.url}: VisionLab {status.version}, {'ready' if status.ready else 'not ready'}, serving {status.serving}"
        )
        rows = [(model.kind, model.name, str(model.version), model.state, model.reason or "") for model in status.models]
        print_table(("type", "name", "version", "state", ""), rows)
    return DONE if status.ready else SOME_FAILED
