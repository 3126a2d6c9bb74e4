"""The server that the command line names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from uuid import UUID

from visionlab_client.async_client import AsyncVisionLab
from visionlab_client.calls import Kind
from visionlab_client.command.exit_codes import UsageError


def server(arguments: argparse.Namespace) -> AsyncVisionLab:
    """A client of it.

    Raises:
        UsageError: the timeout is 0, or the key none.
    """
    if arguments.timeout == 0:
        raise UsageError("--timeout must be more than 0.")
    try:
        return AsyncVisionLab(arguments.url, patience=arguments.patience, timeout=arguments.timeout, key=arguments.key)
    except ValueError as error:
        raise UsageError(str(error)) from error


async def chosen_models(lab: AsyncVisionLab, kind: Kind, names: Sequence[str] | None) -> list[UUID] | None:
    """The uuids of the models of --models; None where the option is not given.

    Raises:
        UsageError: there is no such model; the message lists those that there are.
    """
    if names is None:
        return None
    known = await lab.models(kind)
    by_name = {name: model.uuid for model in known for name in (model.name, str(model.uuid))}
    wanted = [name.strip() for part in names for name in part.split(",") if name.strip()]
    for name in wanted:
        if name not in by_name:
            raise UsageError(
                f"There is no {kind} {name!r}. There are: {', '.join(sorted(model.name for model in known)) or 'none'}."
            )
    if not wanted:
        raise UsageError("--models names no model.")
    return list(dict.fromkeys(by_name[name] for name in wanted))
