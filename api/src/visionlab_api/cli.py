"""The command `visionlab-api`."""

from __future__ import annotations

import sys

from visionlab_api.command_line import read_configuration
from visionlab_api.configuration import ApiConfiguration

_WORDS = ("new-admin-token", "backup", "restore", "verify-backup", "install-models")


def main() -> None:
    """`visionlab-api`: run the facade. Every option is also an environment variable VISIONLAB_*."""
    arguments = sys.argv[1:]
    # Imported only where they are asked for: to load all that serves takes seconds.
    if arguments and arguments[0] in _WORDS:
        from visionlab_api.commands import run_command

        run_command(arguments[0], arguments[1:], _configuration)
    else:
        configuration = _configuration(arguments)
        from visionlab_api.serve import serve

        serve(configuration)


def _configuration(arguments: list[str]) -> ApiConfiguration:
    return read_configuration("visionlab-api", ApiConfiguration, arguments)
