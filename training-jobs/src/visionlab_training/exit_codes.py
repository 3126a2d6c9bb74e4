"""What the commands' exit codes mean, for whoever starts them: a Job's podFailurePolicy, a script."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Anything else is a mistake of ours, with a traceback."""

    DONE = 0
    DIVERGED = 1
    """The loss is no number: the last checkpoint is kept, the spec has to change."""
    INVALID_INPUT = 2
    """The spec, the data, the weights or the checkpoint cannot be used. Trying again is of no use."""
    EXPORT_FAILED = 3
    """The runtimes disagree, or the version is there already."""
    NO_SPACE = 4
    """A file could not be written; what was written before is whole."""
    INTERRUPTED = 75
    """A signal stopped it, and a checkpoint is written: run it again to go on (EX_TEMPFAIL)."""
    KILLED = 137
    """Of a job: the system killed what trains, mostly for want of memory. Kubernetes says the same of a container."""
