"""Pictures of every page, from the real server with the shipped models: `make pictures` makes those of the guide anew.

All faces in them are of our own generators. With --every FOLDER, each page at three widths, light and dark, to look at.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from browser.conftest import CHROMIUM, ROOT, own_chromium
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from support.archives import zip_of
from support.server import ADMIN_TOKEN, Server
from support.tus import upload_file

QUALITY = 82
DESK, TALL, PHONE = (1280, 860), (1280, 1240), (390, 844)
WIDTHS = {360: 740, 768: 1024, 1600: 1000}
TRAINING = {"batch_size": 8, "max_epochs": 3, "resolution": 64, "test_fraction": 0.25, "preset": "robust"}
FACES = 120
"""In the data set."""
SECONDS = 900


@dataclass
class Filled:
    """What is on the server for the pictures."""

    faces: list[bytes]
    """PNG files: the first of a cartoon, the second of a person"""
    dataset: str
    training: str


def fill(server: Server, trained: bool) -> Filled:
    """Make faces, a data set of them, and perhaps train a detector on it."""
    models = {model["name"]: model["uuid"] for model in server.client.get("/backend/model/generator?status=enabled").json()}
    made = []
    files = {"human_gen/notes.txt": b"Not a picture."}
    for seed in range(FACES // 20):
        name, folder = (("dcgan-human", "human_gen"), ("dcgan-anime", "anime_gen"))[seed % 2]
        body = {"models": [models[name]], "count": 20, "seed": 20 * seed, "truncation": 0.8}
        images = server.client.post("/backend/image/generate", json=body).raise_for_status().json()["images"]
        files |= {f"{folder}/{image['uuid']}.png": server.client.get(image["url"]).content for image in images}
        made.append(images)
    faces = [made[side][0] for side in (1, 0)]
    files["anime_gen/again.png"] = server.client.get(faces[0]["url"]).content
    # The gallery shows the newest first: the two by turns, a few at a time.
    for seed in range(8):
        body = {"models": [models["dcgan-human"], models["dcgan-anime"]], "count": 6, "seed": 1000 + 10 * seed, "truncation": 0.8}
        made.append(server.client.post("/backend/image/generate", json=body).raise_for_status().json()["images"])
    everything = [image["uuid"] for images in made for image in images]
    for action, images in (("like", everything[::5]), ("like", everything[::7]), ("download", everything[::6])):
        server.client.post("/backend/image/stats", json={"images": images, "action": action}).raise_for_status()

    upload = upload_file(server.admin, "made-here.zip", zip_of(files))
    body = {"type": "detector", "name": "made-here", "label": "Faces made here", "uploads": [upload]}
    dataset = server.admin.post("/backend/dataset", json=body).raise_for_status().json()["uuid"]
    wait_for(lambda: server.admin.get(f"/backend/dataset/{dataset}/report").json(), "state", "ready")
    training = ""
    if trained:
        body = {"type": "detector", "name": "first-try", "label": "First try", "architecture": "EfficientNetLite0"}
        body |= {"datasets": [dataset], "weights": "imagenet", **TRAINING}
        training = server.admin.post("/backend/training", json=body).raise_for_status().json()["uuid"]
    return Filled([server.client.get(face["url"]).content for face in faces], dataset, training)


def wait_for(look: Callable[[], dict], field: str, value: str) -> None:
    """Until a field of what the server tells has this value."""
    until = time.monotonic() + SECONDS
    while (told := look())[field] != value:
        assert told[field] != "failed", told
        assert time.monotonic() < until, told
        time.sleep(0.5)


@contextmanager
def opened(browser: Browser, url: str, size: tuple[int, int], scheme: str = "light", admin: bool = True) -> Iterator[Page]:
    """A page, signed in as an admin."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        base_url=url,
        color_scheme=scheme,
        reduced_motion="reduce",
        locale="en-GB",
        # What waits here for a page is evaluated in it, which its policy lets nobody do.
        bypass_csp=True,
    )
    page = context.new_page()
    page.set_default_timeout(120_000)
    if admin:
        page.goto("/settings?part=keys")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        page.get_by_role("dialog").get_by_label("Token").fill(ADMIN_TOKEN)
        page.get_by_role("dialog").get_by_label("Token").press("Enter")
        expect(page.get_by_role("dialog")).not_to_be_visible()
    yield page
    context.close()


def show_detector(page: Page, filled: Filled) -> None:
    """Two pictures were asked about; the answer to one is open, with its heat map."""
    page.goto("/detector")
    files = [
        {"name": f"face-{n}.png", "mimeType": "image/png", "buffer": enlarged(face)} for n, face in enumerate(filled.faces, 1)
    ]
    page.locator("input[type=file]").first.set_input_files(files)
    page.get_by_text("This looks like").first.wait_for()
    page.get_by_label("Show what decided").check(force=True)
    page.get_by_text("Is the robot right?").wait_for()


def enlarged(face: bytes) -> bytes:
    """As large as photos come."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(face)).resize((384, 384), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def show_large(page: Page, filled: Filled) -> None:
    """A face in large, with how it was made and others like it."""
    page.goto("/generator")
    page.get_by_role("button", name="large view").first.click()
    page.get_by_role("button", name="More like this").click()
    page.get_by_role("group", name="Faces like this one").get_by_role("button").nth(8).wait_for()
    page.mouse.move(0, 0)


def at(path: str) -> Callable[[Page, Filled], None]:
    """A page as it is when it is opened."""

    def show(page: Page, filled: Filled) -> None:
        page.goto(path.format(dataset=filled.dataset, training=filled.training))

    return show


def show_wizard(step: str) -> Callable[[Page, Filled], None]:
    """The questions before a training, with the data set chosen."""
    return at("/trainings/new?data={dataset}&step=" + step)


def show_model(page: Page, filled: Filled) -> None:
    """What is known of a model."""
    page.goto("/settings")
    page.get_by_role("button", name="Details of EfficientNet-Lite0").click()
    page.get_by_role("dialog").wait_for()


PAGES: dict[str, Callable[[Page, Filled], None]] = {
    "home": at("/"),
    "generator": at("/generator"),
    "face": show_large,
    "detector": show_detector,
    "trainings": at("/trainings"),
    "dataset": at("/trainings/data/{dataset}"),
    "datasets": at("/trainings/data"),
    "upload": at("/trainings/data/new"),
    "wizard": show_wizard("what"),
    "review": show_wizard("review"),
    "training": at("/trainings/{training}"),
    "compare": at("/trainings/compare"),
    "settings": at("/settings"),
    "model": show_model,
    "challenges": at("/settings?part=challenges"),
    "keys": at("/settings?part=keys"),
    "log": at("/settings?part=log"),
    "pictures": at("/settings?part=pictures"),
}
GUIDE = (
    ("home", DESK),
    ("generator", DESK),
    ("face", DESK),
    ("detector", DESK),
    ("detector", PHONE),
    ("trainings", DESK),
    ("dataset", TALL),
    ("wizard", DESK),
    ("training", TALL),
    ("training", PHONE),
    ("settings", DESK),
)

OF_TRAINING = ("trainings", "training", "settings")
# What is looked at before anything was made.
EMPTY = ("home", "generator", "trainings", "datasets", "upload", "compare", "challenges", "keys", "log", "pictures")


def settled(page: Page) -> None:
    """All pictures are there, and nothing is on its way."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(
        "[...document.images].every((image) => image.complete || image.getBoundingClientRect().top > innerHeight)"
    )
    page.wait_for_function("!document.querySelector('.MuiSkeleton-root, .tile-coming, .samples-coming')")
    page.evaluate("document.fonts.ready")


def take(page: Page, file: Path, whole: bool = False) -> None:
    """What is on the screen, or the whole page, as WebP."""
    settled(page)
    size = page.viewport_size
    if whole:
        # Not Playwright's full_page, which leaves bars that stick to the screen's edge in the middle.
        page.set_viewport_size({**size, "height": page.evaluate("Math.max(innerHeight, document.documentElement.scrollHeight)")})
        settled(page)
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    page.set_viewport_size(size)
    taken.save(file, "WEBP", quality=QUALITY, method=6)
    print(f"{file.name}: {file.stat().st_size // 1000} kB", flush=True)


def main() -> None:
    """Fill a server, then take the pictures."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--out", type=Path, default=ROOT / "docs/images", help="where the pictures of the guide go")
    words.add_argument("--every", type=Path, metavar="FOLDER", help="every page, at every width, in light and dark")
    words.add_argument("--only", nargs="*", default=list(PAGES), help="names of pages")
    given = words.parse_args()
    for folder in filter(None, (given.out, given.every)):
        folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright, started() as server:
        browser = playwright.chromium.launch(executable_path=own_chromium(), args=list(CHROMIUM))
        filled = fill(server, trained=bool(given.every) or any(name in OF_TRAINING for name in given.only))
        report = f"/backend/training/{filled.training}/report"
        # While it trains, what shows nothing of it.
        for name, size in sorted(GUIDE, key=lambda view: view[0] in OF_TRAINING):
            if name not in given.only:
                continue
            if name in OF_TRAINING:
                wait_for(lambda: server.admin.get(report).json(), "status", "done")
            with opened(browser, server.url, size) as page:
                PAGES[name](page, filled)
                take(page, given.out / f"{name}{'-phone' if size is PHONE else ''}.webp")
        if given.every:
            take_every(browser, server, given.every, given.only, "", filled)
            with started() as empty:
                take_every(browser, empty, given.every, [name for name in EMPTY if name in given.only], "-empty", None)
        browser.close()


@contextmanager
def started() -> Iterator[Server]:
    """A server of its own, with the shipped models and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), ROOT / "models", VISIONLAB_UI_FOLDER=str(ROOT / "ui/dist")).start()
        try:
            yield server
        finally:
            server.close()


def take_every(browser: Browser, server: Server, folder: Path, names: list[str], ending: str, filled: Filled | None) -> None:
    """Pages at every width, in light and dark."""
    for width, height in WIDTHS.items():
        for scheme in ("light", "dark"):
            with opened(browser, server.url, (width, height), scheme) as page:
                for name in names:
                    PAGES[name](page, filled or Filled([], "", ""))
                    take(page, folder / f"{name}-{width}-{scheme}{ending}.webp", whole=True)


if __name__ == "__main__":
    main()
