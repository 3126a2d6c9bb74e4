"""What axe-core finds wrong with a page that is open in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js"
_RUN = """async () => (await axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})).violations
    .map(({id, nodes}) => `${id}: ${nodes.map(({target, failureSummary}) => `${target} ${failureSummary}`).join(' | ')}`)"""


def violations(page: Any) -> list[str]:
    """Faults of a Playwright page by WCAG 2.2, levels A and AA; each with where it is.

    The window is as tall as the page meanwhile: what lies under a bar at the edge of the screen can be scrolled away from it.
    """
    size = page.viewport_size
    tall = page.evaluate("Math.max(window.innerHeight, document.documentElement.scrollHeight)")
    page.set_viewport_size({**size, "height": tall})
    try:
        page.evaluate(AXE.read_text())
        return page.evaluate(_RUN)
    finally:
        page.set_viewport_size(size)
