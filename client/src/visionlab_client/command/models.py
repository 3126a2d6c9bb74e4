"""`visionlab models`."""

from __future__ import annotations

import argparse
import json

from visionlab_client.answers import Model
from visionlab_client.calls import Kind
from visionlab_client.command.exit_codes import DONE
from visionlab_client.command.server import server
from visionlab_client.command.table import print_table

_KINDS: tuple[Kind, ...] = ("detector", "generator")


async def run(arguments: argparse.Namespace) -> int:
    """List the models; gives the exit code."""
    found: list[Model] = []
    async with server(arguments) as lab:
        for kind in _KINDS if arguments.type is None else (arguments.type,):
            found += await lab.models(kind)
    if arguments.json:
        print(json.dumps([model.model_dump(mode="json") for model in found], indent=2))
    else:
        print_table(
            ("type", "name", "version", "state", "uuid", "description"),
            [
                (model.type, model.name, str(model.version), model.state, str(model.uuid), model.reason or model.label)
                for model in found
            ],
        )
    return DONE
