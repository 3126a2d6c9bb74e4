"""What a visitor sees before the application runs, and what the document asks for at once."""

from __future__ import annotations

import re

import pytest

from .conftest import SIZES, watched_page

HEAD = "#root h1, #root h1 + p"
MOST_CODE = 250_000
"""Bytes of scripts as they travel, packed by gzip, until a page is there."""


def places(page) -> list[list[int]]:
    """Where heading and lead are, in pixels."""
    found = page.locator(HEAD)
    return [[round(found.nth(n).bounding_box()[side]) for side in ("x", "y")] for n in range(found.count())]


@pytest.fixture(scope="module")
def visited(server):
    """With faces: home's heading stands in the middle of their height."""
    models = [model["uuid"] for model in server.client.get("/backend/model/generator?status=enabled").json()]
    server.client.post("/backend/image/generate", json={"models": models, "count": 9}).raise_for_status()
    return server


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/", "/generator", "/detector", "/trainings", "/settings"])
def test_the_heading_is_there_before_any_script_and_stays(chromium, visited, path, size):
    context = chromium.new_context(viewport=SIZES[size], base_url=visited.url, java_script_enabled=False, locale="en-GB")
    still = context.new_page()
    still.goto(path, wait_until="networkidle")  # its fonts are there
    before = places(still)
    words = still.locator(HEAD).all_inner_texts()
    context.close()
    assert len(before) == 2
    with watched_page(chromium, visited.url, size) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path)
        # The application has taken over.
        page.get_by_role("main").get_by_role("heading", level=1).wait_for()
        page.wait_for_load_state("networkidle")
        assert page.locator(HEAD).all_inner_texts() == words
        assert all(now == pytest.approx(was, abs=2) for now, was in zip(places(page), before, strict=True))
        # What the document asked for early is what the application uses.
        again = {url for url in asked if asked.count(url) > 1 and "/assets/logo-" not in url}
        assert again == set()


def test_a_reader_of_chinese_sees_it_in_chinese(chromium, server):
    context = chromium.new_context(base_url=server.url, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto("/generator")
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("h1").inner_text() == "图像生成器"
    context.close()


@pytest.mark.parametrize("path", ["/", "/generator", "/detector", "/trainings", "/settings"])
def test_a_page_asks_for_little_code_at_first(server, path):
    document = server.client.get(path, headers={"Accept": "text/html"}).text
    scripts = set(re.findall(r'"(/assets/[^"]+\.js)"', document))
    assert len(scripts) > 5
    sizes = {}
    for script in scripts:
        with server.client.stream("GET", script, headers={"Accept-Encoding": "gzip"}) as response:
            response.read()
            sizes[script] = response.num_bytes_downloaded
    assert sum(sizes.values()) < MOST_CODE, sorted(sizes.items(), key=lambda each: -each[1])[:12]
