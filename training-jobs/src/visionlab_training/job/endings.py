"""How the process that trains ended, in a sentence a person can act on."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import Literal

from visionlab_core.training_job import TrainingOutcome
from visionlab_training.exit_codes import ExitCode
from visionlab_training.last_sentence import last_sentence

_LONGEST = 900


def outcome_of(exit_code: int, last_words: str, *, asked_to_stop: bool, over_memory: str | None) -> TrainingOutcome:
    """The outcome of a training.

    Args:
        exit_code: of its process; negative: the signal that ended it.
        last_words: the end of what it wrote to standard error.
        asked_to_stop: it was told to checkpoint and stop.
        over_memory: why it was killed for its memory; None: it was not. Where others killed it there is no outcome.
    """
    sentence = last_sentence(last_words)
    match exit_code:
        case _ if over_memory:
            return _outcome("failed", exit_code, over_memory)
        case ExitCode.DONE:
            return _outcome("done", exit_code, None)
        case ExitCode.INTERRUPTED:
            return _outcome("paused", exit_code, None)
        # While it loads its libraries, and while it exports, there is nobody to take the signal: it begins that part again.
        case code if asked_to_stop and code == -signal.SIGTERM:
            return _outcome("paused", exit_code, None)
        case ExitCode.DIVERGED:
            return _outcome("failed", exit_code, sentence or "The loss is no number any more: lower the learning rate.")
        case ExitCode.INVALID_INPUT:
            return _outcome("failed", exit_code, sentence or "The settings or the images cannot be used.")
        case ExitCode.EXPORT_FAILED:
            return _outcome("failed", exit_code, f"The model was trained, but could not be exported: {sentence}")
        case ExitCode.NO_SPACE:
            return _outcome("failed", exit_code, f"A file could not be written ({sentence}). Make room, then try it again.")
        case code if code < 0:
            return _outcome("failed", exit_code, f"The training was ended by {signal.Signals(-code).name}. Try it again.")
    return _outcome("failed", exit_code, f"The training broke off with exit code {exit_code}: {sentence or 'it said nothing.'}")


def failed(reason: str) -> TrainingOutcome:
    """The outcome of a training that could not even begin."""
    return _outcome("failed", None, reason)


def _outcome(state: Literal["done", "paused", "failed"], exit_code: int | None, reason: str | None) -> TrainingOutcome:
    return TrainingOutcome(state=state, exit_code=exit_code, reason=reason and reason[:_LONGEST], ended_at=datetime.now(UTC))
