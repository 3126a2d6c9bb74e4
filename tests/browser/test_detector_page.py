import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect
from support.waiting import block_until


@pytest.fixture
def face(page, server):
    """A face that the shipped generator made, as a JPEG photo would come."""
    model = next(m for m in page.request.get("/backend/model/generator").json() if m["name"] == "dcgan-anime")
    made = page.request.post("/backend/image/generate", data={"models": [model["uuid"]], "count": 1, "seed": 3}).json()["images"][
        0
    ]
    buffer = io.BytesIO()
    Image.open(io.BytesIO(page.request.get(made["url"]).body())).resize((300, 300)).save(buffer, "JPEG", quality=95)
    return {"name": "face.jpg", "mimeType": "image/jpeg", "buffer": buffer.getvalue()}


def ask(page, *files):
    page.goto("/detector")
    page.locator("input[type=file]").first.set_input_files(list(files))
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_text(re.compile("This looks like"))).to_be_visible(timeout=60_000)
    return answer


def labels_of(page):
    return page.request.get("/backend/image?type=uploaded&limit=1").json()["images"][0]["class_label"]


def test_a_photo_gets_an_answer_with_probabilities_of_a_trained_model(page, face):
    answer = ask(page, face)
    expect(answer.get_by_text("Generated cartoon face").first).to_be_visible()
    expect(answer.get_by_text("EfficientNet-Lite0").first).to_be_visible()
    shares = [float(text.rstrip("%").strip()) for text in answer.get_by_text(re.compile(r"^[\d.]+\s?%$")).all_inner_texts()]
    assert len(shares) >= 4
    assert sum(shares[:4]) == pytest.approx(100, abs=1)


def test_the_regions_that_decided_are_shown(page, face):
    ask(page, face)
    page.get_by_label("Show what decided").check(force=True)
    expect(page.get_by_role("img", name=re.compile("region|decided|heat", re.IGNORECASE)).first).to_be_visible()


def test_agreeing_files_the_image_under_the_answer(page, face):
    answer = ask(page, face)
    with page.expect_response("**/backend/image/label") as answered:
        answer.get_by_role("button", name="Agree", exact=True).click()
    assert answered.value.json()["agreed"] is True
    assert labels_of(page) == answered.value.json()["label"]


def test_disagreeing_asks_what_it_really_is(page, face):
    answer = ask(page, face)
    answer.get_by_role("button", name="Disagree").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_text("Drawn cartoon face").click()
    with page.expect_response("**/backend/image/label") as answered:
        dialog.get_by_role("button").last.click()
    assert answered.value.json()["label"] == "anime"
    assert labels_of(page) == "anime"


def test_a_file_that_is_no_image_is_refused_in_words(page, server):
    page.goto("/detector")
    page.locator("input[type=file]").first.set_input_files(
        [{"name": "letter.jpg", "mimeType": "image/jpeg", "buffer": b"Dear Sir or Madam"}]
    )
    expect(page.get_by_text(re.compile("not a JPEG or PNG"))).to_be_visible(timeout=60_000)
    page.complaints.clear()  # the browser's console tells of the 415 as well


def test_several_pictures_at_once_have_an_answer_each(page, face):
    second = {**face, "name": "other.jpg"}
    ask(page, face, second)
    history = page.get_by_role("region", name="This visit")
    expect(history.get_by_role("button", name=re.compile(r"^(face|other)\.jpg: Generated cartoon"))).to_have_count(2)


def name_web_picture(page, address):
    page.goto("/detector")
    page.get_by_role("button", name="From the web").click()
    field = page.get_by_label("Address of the picture")
    expect(field).to_be_focused()
    field.fill(address)
    page.keyboard.press("Enter")


def expect_answer(page):
    answer = page.get_by_role("region", name="Answer")
    expect(answer.get_by_text(re.compile("This looks like"))).to_be_visible(timeout=60_000)
    return answer


def test_a_picture_of_the_web_gets_an_answer_and_can_be_labelled(page, web):
    name_web_picture(page, f"{web}/face.jpg")
    answer = expect_answer(page)
    expect(page.get_by_role("img", name="The picture face.jpg")).to_be_visible()
    assert page.get_by_role("img", name="The picture face.jpg").evaluate("(image) => image.naturalWidth") == 300
    expect(page.get_by_label("Address of the picture")).to_have_count(0)
    with page.expect_response("**/backend/image/label") as answered:
        answer.get_by_role("button", name="Agree", exact=True).click()
    assert labels_of(page) == answered.value.json()["label"]


def test_an_address_that_is_pasted_into_the_page_is_enough(page, web):
    page.goto("/detector")
    expect(page.get_by_role("button", name="From the web")).to_be_visible()
    page.evaluate(
        """(address) => {
            const data = new DataTransfer();
            data.setData("text/plain", address);
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        f"{web}/face.jpg",
    )
    expect_answer(page)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{web}/page.html", "is not a JPEG or PNG picture"),
        ("{web}/nothing.jpg", "The site does not give the picture"),
        ("http://169.254.169.254/face.jpg", "does not lead to the public web"),
        ("just words", "This is no web address"),
    ],
)
def test_why_a_picture_of_the_web_does_not_come_is_said(page, web, place, said):
    name_web_picture(page, place.format(web=web))
    expect(page.get_by_text(said)).to_be_visible()
    page.complaints.clear()  # the browser's console tells of the answer as well
    page.keyboard.press("Escape")
    expect(page.get_by_text(said)).to_have_count(0)
    expect(page.get_by_role("button", name="From the web")).to_be_focused()


def track_states(page):
    return page.evaluate("window.tracks.map((track) => track.readyState)")


@pytest.fixture
def cameras(page):
    """What the page opens is remembered."""
    page.add_init_script(
        """window.tracks = [];
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await open(wanted);
            window.tracks.push(...stream.getTracks());
            return stream;
        };"""
    )
    page.context.grant_permissions(["camera"])
    page.goto("/detector")
    page.get_by_role("button", name="Camera").click()
    dialog = page.get_by_role("dialog", name="Take a picture")
    expect(dialog.get_by_role("button", name="Take picture")).to_be_enabled()
    return dialog


def test_a_picture_of_the_camera_gets_an_answer(page, cameras):
    expect(cameras.get_by_role("button", name="Take picture")).to_be_focused()
    page.keyboard.press("Enter")
    expect(cameras).to_have_count(0)
    expect_answer(page)
    picture = page.get_by_role("img", name=re.compile(r"The picture camera .*\.jpg"))
    assert picture.evaluate("(image) => image.naturalWidth") >= 320
    assert track_states(page) == ["ended"]


def test_the_other_camera_is_one_press_away_and_none_stays_on(page, cameras):
    cameras.get_by_role("button", name="Other camera").click()
    # Not wait_for_function, which evaluates in the page: its policy lets nobody do that.
    block_until(lambda: page.evaluate("window.tracks.length") == 2)
    expect(cameras.get_by_role("button", name="Take picture")).to_be_enabled()
    assert track_states(page) == ["ended", "live"]
    first, second = page.evaluate("window.tracks.map((track) => track.getSettings().deviceId || track.label)")
    assert first != second
    page.keyboard.press("Escape")
    expect(cameras).to_have_count(0)
    assert track_states(page) == ["ended", "ended"]


def test_a_camera_that_is_not_allowed_is_explained(page):
    page.goto("/detector")
    page.get_by_role("button", name="Camera").click()
    dialog = page.get_by_role("dialog", name="Take a picture")
    expect(dialog.get_by_text("does not let this page use the camera")).to_be_visible()
    page.context.grant_permissions(["camera"])
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog.get_by_role("button", name="Take picture")).to_be_enabled()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
