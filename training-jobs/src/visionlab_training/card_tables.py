"""`python -m visionlab_training.card_tables MODELS FILE ...`: write what the model cards say into marked places of Markdown.

`<!-- cards: overview -->` ... `<!-- /cards -->` receives a line for each model, `<!-- cards: details -->` figures and pictures.
With `--check` nothing is written, and the exit code is 1 where a file is out of date.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics, GeneratorMetrics, ModelCard

_MARKED = re.compile(r"(<!-- cards: (\w+) -->\n).*?(<!-- /cards -->)", re.DOTALL)


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(prog="card_tables", description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    cards = [(path.parent, ModelCard.model_validate_json(path.read_bytes())) for path in arguments.models.glob("*/*/card.json")]
    cards.sort(key=lambda each: (each[1].kind, each[1].name, each[1].version))
    stale = []
    for file in arguments.files:
        before = file.read_text(encoding="utf-8")
        after = filled(before, cards, file.parent)
        if after != before:
            stale.append(str(file))
            if not arguments.check:
                file.write_text(after, encoding="utf-8")
    if stale and arguments.check:
        sys.exit(f"{', '.join(stale)}: not what the model cards say; run 'make generate'.")


def filled(text: str, cards: list[tuple[Path, ModelCard]], base: Path) -> str:
    """The text with its marked places filled anew; pictures are linked relative to `base`."""
    makers: dict[str, Callable[[], str]] = {"overview": lambda: _overview(cards), "details": lambda: _details(cards, base)}
    return _MARKED.sub(lambda match: match.group(1) + makers[match.group(2)]() + match.group(3), text)


def _overview(cards: list[tuple[Path, ModelCard]]) -> str:
    lines = ["| model | does | how good, honestly |", "|---|---|---|"]
    for _, card in cards:
        lines.append(f"| {card.label} | {card.description} | {_summary(card)} |")
    return "\n".join(lines) + "\n"


def _summary(card: ModelCard) -> str:
    parts = []
    for split, metrics in card.metrics.items():
        if isinstance(metrics, DetectorMetrics):
            parts.append(f"`{split}`: {metrics.accuracy:.1%} right (mean over sources {metrics.source_mean:.1%})")
        else:
            parts.append(f"KID {metrics.kid:.3f} ± {metrics.kid_std:.3f} (real images: {metrics.kid_of_real:.3f})")
    return "; ".join(parts)


def _details(cards: list[tuple[Path, ModelCard]], base: Path) -> str:
    return "\n".join(_section(folder, card, base) for folder, card in cards)


def _section(folder: Path, card: ModelCard, base: Path) -> str:
    made = card.provenance
    hours = (
        "" if made.training_seconds is None else f", {made.training_seconds / 3600:.1f} hours on a shared machine ({made.device})"
    )
    lines = [
        f"## {card.label}, version {card.version}",
        "",
        f"{card.description} {card.parameters:,} parameters.",
        "",
        f"- **Training**: {made.steps:,} steps, {made.images_seen:,} images{hours}; started from: {made.started_from}.",
        f"- **Data**: {made.data}",
        f"- **Licence**: {card.licence}.",
        *(f"- **Weak**: {limitation}" for limitation in card.limitations),
        "",
    ]
    for split, metrics in card.metrics.items():
        lines += _detector(split, metrics) if isinstance(metrics, DetectorMetrics) else _generator(split, metrics)
    where = Path(os.path.relpath(folder, base))
    for name, text in (("samples.jpg", "64 faces, seeds 0 to 63"), ("confusion.png", "Confusion"), ("sources.png", "By source")):
        if name in card.files:
            lines += [f"![{text}]({(where / name).as_posix()})", ""]
    return "\n".join(lines)


def _detector(split: str, metrics: DetectorMetrics) -> list[str]:
    rows = [f"### On `{split}`: {metrics.images:,} images", ""]
    rows += [
        f"Accuracy {metrics.accuracy:.2%}, mean over sources {metrics.source_mean:.2%}; real or generated alone "
        f"{metrics.real_or_generated_accuracy:.2%}.",
        "",
        "| class | precision | recall | F1 | images |",
        "|---|---|---|---|---|",
    ]
    for face_class in FACE_CLASSES:
        c = metrics.classes[face_class]
        rows.append(f"| {face_class} | {c.precision:.3f} | {c.recall:.3f} | {c.f1:.3f} | {c.support} |")
    rows += ["", "<details><summary>By source</summary>", "", "| source | right | images |", "|---|---|---|"]
    rows += [f"| {name} | {source.accuracy:.1%} | {source.support} |" for name, source in metrics.sources.items()]
    return [*rows, "", "</details>", ""]


def _generator(split: str, metrics: GeneratorMetrics) -> list[str]:
    return [
        f"KID {metrics.kid:.4f} ± {metrics.kid_std:.4f} between {metrics.generated:,} generated and {metrics.images:,} {split} "
        f"real faces; between training and {split} real faces {metrics.kid_of_real:.4f}. "
        f"Feature network: {metrics.feature_network}.",
        "",
    ]


if __name__ == "__main__":
    main()
