import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect


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
