import io
import re
import zipfile

from PIL import Image
from playwright.sync_api import expect


def generate(page):
    page.goto("/generator")
    with page.expect_response("**/backend/image/generate") as answered:
        page.get_by_role("button", name=re.compile("^Generate")).first.click()
    assert len(answered.value.json()["images"]) == 10
    faces = page.get_by_role("list", name="Gallery").get_by_role("listitem")
    expect(faces.nth(9)).to_be_visible(timeout=60_000)
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
