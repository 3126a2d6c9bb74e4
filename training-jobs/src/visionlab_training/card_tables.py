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
from uuid import UUID

from visionlab_core.face_class import FACE_CLASSES
from visionlab_core.model_card import DetectorMetrics, GeneratorMetrics, ModelCard
from visionlab_training.original import beside_the_original

_PICTURES = {
    "samples.jpg": "64 faces, seeds 0 to 63",
    "confusion.png": "Confusion",
    "sources.png": "By source",
}
_MARKED = re.compile(r"(<!-- cards: (\w+) -->\n).*?(<!-- /cards -->)", re.DOTALL)


def main() -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(prog="card_tables", description=__doc__)
    parser.add_argument("models", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    cards = newest(arguments.models)
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


def newest(models: Path) -> list[tuple[Path, ModelCard]]:
    """The newest version of each model in `models/UUID/VERSION/card.json`, each with its folder: detectors first, by name."""
    found: dict[UUID, tuple[Path, ModelCard]] = {}
    for path in models.glob("*/*/card.json"):
        card = ModelCard.model_validate_json(path.read_bytes())
        if card.uuid not in found or found[card.uuid][1].version < card.version:
            found[card.uuid] = (path.parent, card)
    return sorted(found.values(), key=lambda each: (each[1].kind, each[1].name))


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
            parts.append(
                f"`{split}`: {metrics.accuracy:.1%} right (mean over sources {metrics.source_mean:.1%}), "
                f"{_percent(metrics.false_accusation_rate)} of real faces called generated"
            )
        else:
            parts.append(f"KID {metrics.kid:.3f} ± {metrics.kid_std:.3f} (real images: {metrics.kid_of_real:.3f})")
    return "; ".join(parts)


def _details(cards: list[tuple[Path, ModelCard]], base: Path) -> str:
    detectors = [(folder, card) for folder, card in cards if card.kind == "detector"]
    comparison = [_side_by_side(detectors, base), beside_the_original([card for _, card in detectors])] if detectors else []
    return "\n".join([*comparison, *(_section(folder, card, base) for folder, card in cards)])


def _side_by_side(detectors: list[tuple[Path, ModelCard]], base: Path) -> str:
    lines = [
        "## The detectors side by side",
        "",
        "Real faces called generated, AUROC (generated against real) and ECE (calibration error) are those on `unseen`.",
        "",
        "| model | parameters | `test` | `unseen` | `unseen`, mean over sources | real faces called generated | AUROC | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for folder, card in detectors:
        test, unseen = _detector_metrics(card, "test"), _detector_metrics(card, "unseen")
        name = _linked(card.label, folder, base)
        figures = [
            "–" if test is None else _percent(test.accuracy),
            *(["–"] * 5 if unseen is None else _unseen_figures(unseen)),
        ]
        lines.append(f"| {name} | {card.parameters:,} | {' | '.join(figures)} |")
    return "\n".join([*lines, ""])


def _unseen_figures(metrics: DetectorMetrics) -> list[str]:
    return [
        _percent(metrics.accuracy),
        _percent(metrics.source_mean),
        _percent(metrics.false_accusation_rate),
        "–" if metrics.auroc is None else f"{metrics.auroc:.3f}",
        _percent(metrics.ece),
    ]


def _detector_metrics(card: ModelCard, split: str) -> DetectorMetrics | None:
    metrics = card.metrics.get(split)
    return metrics if isinstance(metrics, DetectorMetrics) else None


def _linked(text: str, folder: Path, base: Path) -> str:
    report = folder / "report.html"
    return f"[{text}]({Path(os.path.relpath(report, base)).as_posix()})" if report.is_file() else text


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


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
    for name, text in _PICTURES.items():
        if name in card.files:
            lines += [f"![{text}]({(where / name).as_posix()})", ""]
    if (folder / "report.html").is_file():
        lines += [_linked("All that was measured: the whole report", folder, base) + ".", ""]
    return "\n".join(lines)


def _detector(split: str, metrics: DetectorMetrics) -> list[str]:
    rows = [f"### On `{split}`: {metrics.images:,} images", ""]
    rows += [
        f"Accuracy {metrics.accuracy:.2%}, mean over sources {metrics.source_mean:.2%}; real or generated alone "
        f"{metrics.real_or_generated_accuracy:.2%}. **{_percent(metrics.false_accusation_rate)} of real faces are called "
        f"generated**, {_percent(metrics.missed_rate)} of generated ones real.",
        "",
        "| class | precision | recall | F1 | images |",
        "|---|---|---|---|---|",
    ]
    for face_class in FACE_CLASSES:
        c = metrics.classes[face_class]
        rows.append(f"| {face_class} | {c.precision:.3f} | {c.recall:.3f} | {c.f1:.3f} | {c.support} |")
    rows += ["", *_calibration(metrics), *_robustness(metrics)]
    rows += ["<details><summary>By source</summary>", "", "| source | right | images |", "|---|---|---|"]
    rows += [f"| {name} | {source.accuracy:.1%} | {source.support} |" for name, source in metrics.sources.items()]
    return [*rows, "", "</details>", ""]


def _calibration(metrics: DetectorMetrics) -> list[str]:
    if metrics.auroc is None or metrics.ece is None or metrics.ece_uncalibrated is None:
        return []
    before = "" if metrics.ece == metrics.ece_uncalibrated else f" ({metrics.ece_uncalibrated:.1%} before temperature scaling)"
    return [f"AUROC of generated against real {metrics.auroc:.3f}; calibration error (ECE) {metrics.ece:.1%}{before}.", ""]


def _robustness(metrics: DetectorMetrics) -> list[str]:
    if metrics.robustness is None:
        return []
    robustness = metrics.robustness
    return [
        f"<details><summary>After compression, resizing and blur: {robustness.images:,} images, {robustness.real_images:,} of "
        "them real, sources balanced</summary>",
        "",
        "| change, at 128 px | accuracy | mean over sources | real faces called generated |",
        "|---|---|---|---|",
        *(
            f"| {name} | {figures.accuracy:.1%} | {figures.source_mean:.1%} | {_percent(figures.false_accusation_rate)} |"
            for name, figures in robustness.corruptions.items()
        ),
        "",
        "</details>",
        "",
    ]


def _generator(split: str, metrics: GeneratorMetrics) -> list[str]:
    fid = (
        ""
        if metrics.fid is None or metrics.fid_of_real is None
        else f"FID {metrics.fid:.1f}, of real faces {metrics.fid_of_real:.1f}. "
    )
    lines = [
        f"KID {metrics.kid:.4f} ± {metrics.kid_std:.4f} between {metrics.generated:,} generated and {metrics.images:,} {split} "
        f"real faces; between training and {split} real faces {metrics.kid_of_real:.4f}. {fid}"
        f"Feature network: {metrics.feature_network}.",
        "",
    ]
    if metrics.nearest_training is not None:
        lines += [
            f"Its faces are {metrics.nearest_training:.2f} times as far from the nearest training image as held-out real faces "
            "are (median, in feature space): far below 1, it would copy.",
            "",
        ]
    if metrics.recognised:
        called = "; ".join(f"{name} {share:.1%}" for name, share in metrics.recognised.items())
        lines += [f"Share of its faces that detectors call generated: {called}.", ""]
    return lines


if __name__ == "__main__":
    main()
