"""A gallery of 5,000 faces costs no more than one of 50."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow

FACES = 5_000
FEW = 300
# One that is drawn here: what is measured is the page, not the server.
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#7a9"/></svg>"""
# Half a row a frame, as a quick finger does it, from the middle on.
_SCROLL = """
async () => {
  const frames = [];
  window.scrollTo({top: document.documentElement.scrollHeight / 3, behavior: 'instant'});
  for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
  for (let frame = 0, last = performance.now(); frame < 60; frame += 1) {
    window.scrollBy({top: 90, behavior: 'instant'});
    await new Promise(requestAnimationFrame);
    frames.push(performance.now() - last);
    last = performance.now();
  }
  return frames;
}
"""


def gallery_of(page, count: int):
    """The page of the generator, with so many faces that the server says it has."""

    def face(number: int) -> dict:
        uuid = str(UUID(int=number))
        return {
            "uuid": uuid,
            "image_type": "generated",
            "url": f"/backend/image/{uuid}.png",
            "filename": None,
            "width": 128,
            "height": 128,
            "class_label": "human_gen",
            "likes": number % 5,
            "downloads": 0,
            "shared": False,
            "how_made": {
                "model_uuid": str(UUID(int=1)),
                "model_name": "dcgan",
                "model_label": "DCGAN",
                "model_version": 1,
                "seed": number,
                "truncation": 1,
            },
            "created_at": "2026-01-01T00:00:00Z",
        }

    everything = json.dumps({"images": [face(number) for number in range(1, count + 1)], "next_cursor": None})
    page.route("**/backend/image?*", lambda route: route.fulfill(body=everything, content_type="application/json"))
    page.route("**/backend/image/*.png*", lambda route: route.fulfill(body=PICTURE, content_type="image/svg+xml"))
    page.goto("/generator")
    expect(page.get_by_text(f"{count:,} faces")).to_be_visible()
    return page


def test_few_of_5000_faces_are_in_the_document(page):
    gallery_of(page, FACES)
    tiles = page.get_by_role("list", name="Gallery").get_by_role("listitem")
    print(f"{page.evaluate('() => document.querySelectorAll(`*`).length')} nodes, {tiles.count()} tiles")
    assert 20 < tiles.count() < 200
    assert page.evaluate("() => document.querySelectorAll('*').length") < 5_000
    page.evaluate("() => window.scrollTo({top: document.documentElement.scrollHeight, behavior: 'instant'})")
    expect(page.get_by_role("button", name=f"seed {FACES}").first).to_be_visible()
    assert tiles.count() < 200


def test_scrolling_through_5000_faces_is_as_smooth_as_through_300(page):
    def frames(count):
        times = sorted(gallery_of(page, count).evaluate(_SCROLL))
        return times[len(times) // 2], times[int(len(times) * 0.95)]

    # In turns, as the machine may have much else to do now and then.
    few, many = zip(*((frames(FEW), frames(FACES)) for _ in range(2)), strict=True)
    print(f"median and 95th of frames, ms: of {FEW} {few}, of {FACES} {many}")
    assert min(many)[0] < 2 * max(few)[0] + 17
