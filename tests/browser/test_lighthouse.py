"""Lighthouse's judgement of the built pages, as the real server gives them to a fresh visitor.

Its score for speed takes times on this machine: it counts where nothing else runs, which is what `make lighthouse` is for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from .conftest import CHROMIUM, ROOT, chromium_path

pytestmark = pytest.mark.slow

LEAST = 95
CATEGORIES = ("performance", "accessibility", "best-practices")
ALONE = bool(os.environ.get("LIGHTHOUSE_ALONE"))
# What else runs here makes a page slower, never quicker.
TRIES = 3 if ALONE else 1
# Of scripts, styles, fonts and pictures together; a page that grew shows here on any machine.
MOST_BYTES = 450_000


def judge(url: str, form: str, folder, chromium: str) -> dict:
    """The report, which stays in the folder."""
    report = folder / "report.json"
    subprocess.run(
        [
            shutil.which("node"),
            ROOT / "ui/node_modules/lighthouse/cli/index.js",
            url,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags=--headless=new {' '.join(CHROMIUM)}",
            *(["--preset=desktop"] if form == "desk" else []),
        ],
        env={**os.environ, "CHROME_PATH": chromium},
        check=True,
        timeout=180,
    )
    judged = json.loads(report.read_text())
    assert not judged.get("runtimeError"), judged["runtimeError"]
    return judged


@pytest.fixture(scope="module")
def visited(server):
    """A server on which somebody has made faces."""
    models = [model["uuid"] for model in server.client.get("/backend/model/generator?status=enabled").json()]
    server.client.post("/backend/image/generate", json={"models": models, "count": 20}).raise_for_status()
    return server


@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["desk", "phone"])
@pytest.mark.parametrize("path", ["/", "/generator", "/detector"])
def test_pages_are_quick_and_fit_for_all(visited, path, form, tmp_path):
    best = dict.fromkeys(CATEGORIES, 0)
    for _ in range(TRIES):
        judged = judge(visited.url + path, form, tmp_path, chromium_path())
        best = {name: max(best[name], round(100 * judged["categories"][name]["score"])) for name in CATEGORIES}
        if min(best.values()) >= LEAST:
            break
    print(f"{path} ({form}): {best}; the last report: {tmp_path}/report.json")
    assert best["accessibility"] >= LEAST, best
    assert best["best-practices"] >= LEAST, best
    # These do not depend on what else runs.
    assert judged["audits"]["cumulative-layout-shift"]["numericValue"] < 0.1
    assert judged["audits"]["total-byte-weight"]["numericValue"] < MOST_BYTES
    if ALONE:
        assert best["performance"] >= LEAST, best
