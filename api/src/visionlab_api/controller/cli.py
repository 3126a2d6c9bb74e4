"""The command `visionlab-controller`."""

from __future__ import annotations

import sys

from visionlab_api.command_line import read_configuration
from visionlab_api.controller.configuration import ControllerConfiguration


def main() -> None:
    """`visionlab-controller`: run the control loops. Every option is also an environment variable VISIONLAB_*."""
    configuration = read_configuration("visionlab-controller", ControllerConfiguration, sys.argv[1:])
    # Imported only now: to load all of it takes seconds, which `--help` need not wait for.
    from visionlab_api.controller.app import create_controller
    from visionlab_api.serve import run
    from visionlab_api.starting import CannotStart, check_kserve

    try:
        check_kserve(configuration)
    except CannotStart as error:
        sys.exit(f"visionlab-controller: {error}")
    run("visionlab-controller", "VisionLab's controller", configuration, create_controller)
