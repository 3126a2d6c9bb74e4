"""`python -m serving_comparison.bare_triton VERSION_FOLDER THREADS`: a Triton server with one model, until it is told to end."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from visionlab_inference.repository import CONFIG_FILE
from visionlab_inference.triton.assemble import assemble
from visionlab_inference.triton.server import HOST, LocalTriton


def main(version: Path, threads: int) -> None:
    """Serve; prints the address once the model is ready."""
    with TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        [card] = assemble([version], repository)
        config = repository / card.name / CONFIG_FILE
        more = f'\nparameters {{ key: "intra_op_thread_count" value {{ string_value: "{threads}" }} }}\n'
        config.write_text(config.read_text() + more)
        with LocalTriton(repository, timeout=300) as triton:
            print(f"Triton: http://{HOST}:{triton.http_port}", flush=True)
            signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    # Threads that come later inherit this: only sigwait takes the signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    main(Path(sys.argv[1]), int(sys.argv[2]))
