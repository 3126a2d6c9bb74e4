"""What can go wrong in an export. Importing this imports no TensorFlow, so that commands can."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visionlab_export.parity import ParityReport


class ExportError(ValueError):
    """The model, the card or the images cannot be exported as they are; the message says what to change."""


class ParityError(RuntimeError):
    """Runtimes disagree; the message says which, where, and by how much, and `report` has every comparison."""

    def __init__(self, report: ParityReport) -> None:
        failed = sorted((c for c in report.comparisons if not c.passed), key=lambda c: c.difference / c.tolerance, reverse=True)
        super().__init__("The runtimes disagree, so nothing was exported: " + "; ".join(map(str, failed)) + ".")
        self.report = report
