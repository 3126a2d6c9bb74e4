"""A real Chromium against the real server with the shipped models and the built pages."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from support.image_files import jpeg
from support.server import Server
from support.small_site import site_of

ROOT = Path(__file__).parents[2]
SIZES = {"desk": {"width": 1280, "height": 860}, "phone": {"width": 360, "height": 740}}
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Two cameras that show a pattern which moves.
    "--use-fake-device-for-media-stream=device-count=2",
)

# The machine may have much else to do; a page that is right is not waited for.
expect.set_options(timeout=120_000)


def own_chromium() -> str | None:
    """The machine's; else Playwright brings one."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


def chromium_path() -> str:
    """Where the browser of the tests is."""
    own = own_chromium()
    if own:
        return own
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


@pytest.fixture(scope="session")
def web():
    """A site with pictures, which stands for the web."""
    files = {"/face.jpg": (jpeg(300, 300), "image/jpeg"), "/page.html": (b"<!doctype html><img src=face.jpg>", "text/html")}
    with site_of(files) as address:
        yield address


@pytest.fixture(scope="session")
def server(tmp_path_factory, web):
    assert (ROOT / "ui/dist/index.html").is_file(), "the pages are not built: run 'make ui'"
    environment = {"VISIONLAB_UI_FOLDER": str(ROOT / "ui/dist"), "VISIONLAB_FETCH_ALSO_FROM": web.removeprefix("http://")}
    server = Server(tmp_path_factory.mktemp("browser"), ROOT / "models", **environment).start()
    yield server
    server.close()


# Not for the whole session: while Playwright's synchronous API runs, no other test of this process could have an event loop.
@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own_chromium(), args=list(CHROMIUM))
        yield browser
        browser.close()


@contextmanager
def watched_page(chromium, url, size):
    """A page of a fresh visitor; anything that the browser itself complains of fails the test."""
    context = chromium.new_context(
        viewport=SIZES[size], base_url=url, accept_downloads=True, reduced_motion="reduce", locale="en-GB"
    )
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    strangers = []
    page.on("request", lambda asked: strangers.append(asked.url) if not asked.url.startswith((url, "blob:", "data:")) else None)
    page.complaints = complaints
    yield page
    context.close()
    assert complaints == []
    assert strangers == []


@pytest.fixture(params=SIZES)
def page(request, chromium, server):
    with watched_page(chromium, server.url, request.param) as page:
        yield page
