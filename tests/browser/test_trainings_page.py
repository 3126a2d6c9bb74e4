"""From a ZIP file to a model in service, as somebody does it who has never seen the page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect
from support.accessibility import violations
from support.archives import face, zip_of
from support.server import ADMIN_TOKEN, Server
from support.tiny_models import write_tiny_models
from support.tiny_training import HELD_AT, HELD_COMMAND

from .conftest import ROOT, SIZES, watched_page

CLASSES = ("human", "human_gen", "anime", "anime_gen")
PIECE = 8 * 2**20
LONG = 300_000


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    models = tmp_path_factory.mktemp("models")
    write_tiny_models(models)
    server = Server(
        tmp_path_factory.mktemp("trainings"),
        models,
        VISIONLAB_UI_FOLDER=str(ROOT / "ui/dist"),
        VISIONLAB_TRAIN_COMMAND=HELD_COMMAND,
        VISIONLAB_EXTRA_ARCHITECTURES="Tiny",
        VISIONLAB_TRAININGS_AT_ONCE="2",
        VISIONLAB_TRAINING_NICE="0",
    ).start()
    yield server
    server.close()


@pytest.fixture(params=SIZES)
def page(request, chromium, trainer):
    with watched_page(chromium, trainer.url, request.param) as page:
        page.size = request.param
        page.set_default_timeout(LONG)
        yield page


@pytest.fixture(scope="module")
def archive():
    """Ten faces of each class, and a file that is no image and takes three pieces to send."""
    noise = np.random.default_rng(0).integers(0, 256, 2 * PIECE + 1000, np.uint8).tobytes()
    faces = {f"{name}/{seed}.jpg": face(50 * place + seed) for place, name in enumerate(CLASSES) for seed in range(10)}
    return zip_of({**faces, "human/holiday.mov": noise})


def sign_in(page):
    page.goto("/trainings")
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Token").fill(ADMIN_TOKEN)
    dialog.get_by_label("Token").press("Enter")
    expect(dialog).not_to_be_visible()


def assert_fit_for_all(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "wider than the screen"
    assert violations(page) == []


@pytest.mark.timeout(1800)
def test_from_a_zip_file_to_a_model_in_service(page, archive, trainer):
    sign_in(page)
    name = f"faces-{page.size}"

    # The connection breaks in the second piece; it goes on by itself.
    page.get_by_role("link", name=re.compile("Add pictures|Bring the first pictures")).first.click()
    pieces = []

    def break_off_once(route):
        pieces.append(int(route.request.headers["upload-offset"]))
        if pieces == [0, PIECE]:
            route.abort()
        else:
            route.continue_()

    page.route(
        "**/backend/file/upload/*", lambda route: break_off_once(route) if route.request.method == "PATCH" else route.continue_()
    )
    page.locator("input[type=file]").first.set_input_files(
        {"name": f"{name}.zip", "mimeType": "application/zip", "buffer": archive}
    )
    expect(page.get_by_role("textbox", name=re.compile("^Name"))).to_have_value(name)
    assert_fit_for_all(page)
    page.get_by_role("button", name=re.compile("^Make ")).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible(timeout=LONG)
    assert pieces[:2] == [0, PIECE]
    assert pieces[2:] == [PIECE, 2 * PIECE]
    page.complaints.clear()  # the browser's console tells of the piece that broke off

    # What became of each file.
    expect(page.get_by_text("40 of 41 files kept")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("human/holiday.mov")).to_be_visible()
    expect(
        page.get_by_role("img", name="Classes: Real person 10, Generated person 10, Drawn cartoon 10, Generated cartoon 10")
    ).to_be_visible()
    expect(page.get_by_role("list", name="Pictures").get_by_role("img")).to_have_count(40)
    assert_fit_for_all(page)

    # Four questions; a number that cannot be is told at its field.
    page.get_by_role("link", name="Train with it").click()
    page.get_by_role("combobox", name="All networks").click()
    page.get_by_role("option", name="Tiny", exact=True).click()
    assert_fit_for_all(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("checkbox", name=re.compile(name))).to_be_checked()
    assert_fit_for_all(page)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("textbox", name="Name").fill(f"mine-{page.size}")
    page.get_by_role("radio", name=re.compile("As it was")).check()
    page.get_by_label("Resolution").fill("32")
    page.get_by_label("Passes over the pictures").fill("5")
    page.get_by_label("Pictures at a time").fill("1")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("From 2 to 4,096.")).to_be_visible()
    page.get_by_label("Pictures at a time").fill("4")
    assert_fit_for_all(page)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Nothing like it was trained here yet").or_(page.get_by_text("going by"))).to_be_visible()
    assert_fit_for_all(page)
    page.get_by_role("button", name="Start the training").click()

    # It learns; it pauses, and goes on.
    expect(page.get_by_role("heading", level=1, name=f"mine-{page.size}")).to_be_visible()
    expect(page.get_by_text(re.compile(rf"Step {HELD_AT} of 40"))).to_be_visible(timeout=LONG)
    expect(page.get_by_role("img", name=re.compile(r"^Loss\. while learning: [\d.]+"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"^Accuracy\..*on pictures kept aside: \d+\s?%"))).to_be_visible()
    assert_fit_for_all(page)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Resume", exact=True).click()

    # How good it is, and into service with it.
    enable = page.get_by_role("button", name="Put into service")
    expect(enable).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"^[\d.]+% right$"))).to_be_visible()
    assert sum(int(cell) for cell in page.locator("table").first.locator("td").all_inner_texts() if cell.strip()) == 8
    assert_fit_for_all(page)
    enable.click()
    expect(page.get_by_role("heading", name="In service")).to_be_visible(timeout=LONG)
    served = [each for each in trainer.client.get("/backend/model/detector").json() if each["name"] == f"mine-{page.size}"]
    assert [each["state"] for each in served] == ["ready"]

    # A data set that a training used can be removed; the list has it all.
    page.goto("/trainings")
    expect(page.get_by_role("list", name="Finished").get_by_text(f"mine-{page.size}")).to_be_visible()
    assert_fit_for_all(page)
    page.goto("/trainings/compare")
    expect(page.get_by_role("region", name="Accuracy, by model")).to_be_visible()
    assert_fit_for_all(page)


def test_a_visitor_is_told_what_the_page_is_for(page):
    page.goto("/trainings/new")
    expect(page.get_by_role("heading", name="For those who run this VisionLab")).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_have_count(0)
    assert_fit_for_all(page)
