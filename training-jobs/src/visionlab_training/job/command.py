"""The command `visionlab-job`: does a training that is ordered in the object store. Runners start it."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from pathlib import Path
from uuid import UUID

from visionlab_core.object_store import S3Settings, open_store
from visionlab_training.exit_codes import ExitCode
from visionlab_training.job.supervise import Job
from visionlab_training.runners.identity import note_process

_CODES = {"done": 0, "paused": int(ExitCode.INTERRUPTED), "failed": 1}


def main() -> None:
    """Do the training of an order in the object store, or go on with it; SIGTERM: checkpoint and stop."""
    parser = argparse.ArgumentParser(
        prog="visionlab-job", description=main.__doc__, epilog="Exit codes: 0 done; 1 failed; 75 stopped. outcome.json says more."
    )
    parser.add_argument("training", type=UUID)
    parser.add_argument("--store", required=True, help="file:///path or s3://bucket/prefix; S3 is reached by VISIONLAB_S3_*")
    parser.add_argument("--work", type=Path, required=True, help="folder of its own on this machine")
    parser.add_argument("--command", default="visionlab-train", help="what trains, as a shell would read it")
    parser.add_argument("--memory", type=int, help="bytes that the training may take up")
    parser.add_argument("--nice", type=int, default=10, help="how far it steps back behind others (default: 10)")
    parser.add_argument("--echo", action="store_true", help="write what the training says to standard output too")
    parser.add_argument("--lock", type=int, help="descriptor that the training is to hold as long as it lives")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    os.nice(arguments.nice)
    arguments.work.mkdir(parents=True, exist_ok=True)
    note_process(arguments.work)
    job = Job(
        store=open_store(arguments.store, S3Settings.from_environment(os.environ)),
        training=arguments.training,
        work=arguments.work,
        command=shlex.split(arguments.command),
        memory=arguments.memory,
        echo=arguments.echo,
        keep_open=() if arguments.lock is None else (arguments.lock,),
    )
    sys.exit(_CODES[job.run().state])


if __name__ == "__main__":
    main()
