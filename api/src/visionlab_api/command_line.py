"""Settings from the command line and the environment, for every command."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import CliApp

from visionlab_api.configuration import ApiConfiguration

_SECRETS = ("--admin-token", "--database-url", "--oidc-client-secret", "--s3-secret-key")

C = TypeVar("C", bound=ApiConfiguration)


def read_configuration(command: str, kind: type[C], arguments: Sequence[str]) -> C:
    """The settings of a command.

    Raises:
        SystemExit: they are none, or the arguments have a secret.
    """
    for option in _SECRETS:
        if any(argument.partition("=")[0] == option for argument in arguments):
            name = f"VISIONLAB{option[1:].replace('-', '_').upper()}"
            sys.exit(f"{command}: every program of this machine can read {option}: give it as environment variable, {name}.")
    try:
        return CliApp.run(kind, cli_args=list(arguments))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        sys.exit(f"{command}: {faults}")
