"""Where a model comes from, as its card tells it."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from visionlab_core.model_card import ModelKind, Provenance
from visionlab_core.training_spec import GeneratorTraining, Training
from visionlab_export.card_draft import CardDraft
from visionlab_training.publication import Publication

METRICS_FILE = "metrics.jsonl"


def card_draft(
    spec: Training, about: Publication, run: Path, *, kind: ModelKind, architecture: str, steps: int, **more: Any
) -> CardDraft:
    """The part of a card that is known before the export; `more` are further fields of it."""
    times = _times(run)
    return CardDraft(
        **about.model_dump(exclude={"started_from", "data", "feature_weights", "detectors"}),
        kind=kind,
        architecture=architecture,
        face_class=spec.face_class.generated if isinstance(spec, GeneratorTraining) else None,
        provenance=Provenance(
            spec=portable(spec.model_dump(mode="json")),
            seed=spec.seed,
            steps=steps,
            images_seen=steps * spec.batch_size,
            training_seconds=round(_seconds_at_work(times)),
            device=_device(run),
            code_version=_code_version(),
            started_from=about.started_from,
            data=about.data,
            trained_at=datetime.fromtimestamp(times[-1], UTC) if times else datetime.now(UTC),
        ),
        **more,
    )


def portable(value: Any) -> Any:
    """A spec without the paths of the machine that it ran on: absolute paths keep their last two parts."""
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [portable(item) for item in value]
    if isinstance(value, str) and value.startswith("/"):
        return "/".join(Path(value).parts[-2:])
    return value


def _times(run: Path) -> list[float]:
    file = run / METRICS_FILE
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line)["time"] for line in lines]


def _seconds_at_work(times: Sequence[float]) -> float:
    """Time between reports, without the pauses of a training that was stopped and went on later."""
    gaps = [after - before for before, after in pairwise(times)]
    usual = float(np.median(gaps)) if gaps else 0.0
    return sum(gap for gap in gaps if gap < 10 * usual)


def _device(run: Path) -> str:
    file = run / "progress.json"
    state = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return str(state.get("device", f"{platform.machine()} CPU"))


def _code_version() -> str:
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("visionlab-training")
    return f"{version('visionlab-training')}+{commit}"
