import io
import re
import zipfile

import pytest
from PIL import Image
from playwright.sync_api import expect
from support.accessibility import violations
from support.waiting import block_until


def generate(page):
    page.goto("/generator")
    with page.expect_response("**/backend/image/generate") as answered:
        page.get_by_role("button", name=re.compile("^Generate")).first.click()
    made = answered.value.json()["images"]
    assert len(made) == 10
    faces = page.get_by_role("list", name="Gallery").get_by_role("listitem")
    expect(faces.nth(9)).to_be_visible(timeout=60_000)
    # Those that were just made, where others were there before.
    one_of_them = re.compile("|".join(image["uuid"] for image in made))
    expect(faces.first.locator("img")).to_have_attribute("src", one_of_them)
    return faces


def test_plus_fills_the_gallery_with_faces_that_stay(page):
    faces = generate(page)
    shown = faces.first.locator("img")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 0
    newest = page.request.get("/backend/image?type=generated&limit=1").json()["images"][0]["how_made"]["seed"]
    page.reload()
    expect(page.get_by_role("button", name=re.compile(f"seed {newest}.*large view", re.IGNORECASE)).first).to_be_visible()


def test_a_face_is_liked_and_the_like_is_counted(page):
    generate(page)
    before = sum(model["likes"] for model in page.request.get("/backend/image/stats").json())
    like = page.get_by_role("list", name="Gallery").get_by_role("button", name=re.compile("^Like")).first
    with page.expect_response("**/backend/image/stats") as answered:
        like.click()
    assert answered.value.ok
    assert sum(model["likes"] for model in page.request.get("/backend/image/stats").json()) == before + 1


def test_the_large_view_says_how_it_was_made_and_makes_it_again(page):
    generate(page)
    page.get_by_role("button", name=re.compile("large view")).first.click()
    view = page.get_by_role("dialog")
    expect(view.get_by_text("How it was made")).to_be_visible()
    expect(view.get_by_text(re.compile("DCGAN")).first).to_be_visible()
    with page.expect_response("**/backend/image/generate") as answered:
        view.get_by_role("button", name="Make it again").click()
    again = answered.value.json()["images"][0]
    twins = [
        image
        for image in page.request.get("/backend/image?type=generated&limit=50").json()["images"]
        if image["how_made"]["seed"] == again["how_made"]["seed"]
        and image["how_made"]["model_uuid"] == again["how_made"]["model_uuid"]
    ]
    assert len(twins) >= 2
    assert len({page.request.get(twin["url"]).body() for twin in twins}) == 1


def test_more_like_this_makes_neighbours_and_goes_on_from_one_of_them(page):
    generate(page)
    page.get_by_role("button", name=re.compile("large view")).first.click()
    view = page.get_by_role("dialog")
    view.get_by_role("button", name="Very alike").click()
    with page.expect_response("**/backend/image/neighbours") as answered:
        view.get_by_role("button", name="More like this").click()
    made = answered.value.json()["images"]
    assert len(made) == 8
    strip = view.get_by_role("group", name="Faces like this one")
    expect(strip.get_by_role("button")).to_have_count(9)
    expect(strip.get_by_role("button").first).to_have_attribute("aria-pressed", "true")

    strip.get_by_role("button").nth(3).click()
    expect(view.get_by_text("Steps from the seed")).to_be_visible()
    with page.expect_response("**/backend/image/generate") as answered:
        view.get_by_role("button", name="Make it again").click()
    again = answered.value.json()["images"][0]
    assert again["how_made"] == made[2]["how_made"]
    assert page.request.get(again["url"]).body() == page.request.get(made[2]["url"]).body()

    strip = view.get_by_role("group", name="Faces like this one")
    with page.expect_response("**/backend/image/neighbours") as answered:
        view.get_by_role("button", name="More like this").click()
    assert {len(image["how_made"]["steps"]) for image in answered.value.json()["images"]} == {2}


@pytest.fixture
def stylegan2(server):
    """A generator with styles, in service."""
    models = server.client.get("/backend/model/generator").json()
    [uuid] = [model["uuid"] for model in models if model["name"] == "stylegan2-human"]

    def set_status(status: str, state: str) -> None:
        server.admin.patch(f"/backend/model/{uuid}/status/{status}").raise_for_status()
        block_until(lambda: [uuid, state] in [[each["uuid"], each["state"]] for each in told()])

    def told() -> list[dict]:
        return server.client.get("/backend/model/generator").json()

    set_status("enabled", "ready")
    yield uuid
    set_status("disabled", "disabled")


def test_two_selected_faces_are_mixed(page, stylegan2):
    page.request.post("/backend/image/generate", data={"models": [stylegan2], "count": 3})
    page.goto("/generator")
    faces = page.get_by_role("list", name="Gallery").get_by_role("listitem")
    page.get_by_role("button", name="Select", exact=True).click()
    for number in (0, 1):
        faces.nth(number).get_by_role("checkbox").check(force=True)
    page.get_by_role("toolbar", name="Selection").get_by_role("button", name="Mix").click()
    dialog = page.get_by_role("dialog", name="Mix two faces")
    expect(dialog.get_by_role("button", name=re.compile("^Face by StyleGAN2")).nth(2)).to_be_visible()
    assert violations(page) == []
    with page.expect_response("**/backend/image/mix") as answered:
        dialog.get_by_role("button", name="Mix", exact=True).click()
    [first] = answered.value.json()["images"]
    dialog.get_by_role("button", name="Swap the two").click()
    with page.expect_response("**/backend/image/mix") as answered:
        dialog.get_by_role("button", name="Mix", exact=True).click()
    [second] = answered.value.json()["images"]
    assert first["how_made"]["style"]["seed"] == second["how_made"]["seed"]
    assert second["how_made"]["style"]["seed"] == first["how_made"]["seed"]
    dialog.get_by_role("button", name="Enlarge").click()
    view = page.get_by_role("dialog")
    expect(view.get_by_text(f"seed {second['how_made']['style']['seed']}", exact=True)).to_be_visible()
    expect(view.get_by_role("button", name="Mix its style with another")).to_be_visible()


def test_a_selection_downloads_as_one_archive(page):
    faces = generate(page)
    page.get_by_role("button", name="Select", exact=True).click()
    for number in range(3):
        faces.nth(number).get_by_role("checkbox").check(force=True)
    expect(page.get_by_text("3 selected")).to_be_visible()
    with page.expect_download() as downloaded:
        page.get_by_role("toolbar", name="Selection").get_by_role("button", name=re.compile("ZIP")).click()
    archive = zipfile.ZipFile(downloaded.value.path())
    assert len(archive.namelist()) == 3
    for name in archive.namelist():
        assert Image.open(io.BytesIO(archive.read(name))).size == (128, 128)


def test_no_page_is_wider_than_the_screen(page):
    generate(page)
    for path in ("/", "/generator", "/detector", "/settings", "/no-such-page"):
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
