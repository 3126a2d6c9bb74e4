"""POST /backend/image."""

from __future__ import annotations

import hashlib

import pytest
from PIL import Image
from support.image_files import black_png, encoded, jpeg, noise_png, picture, png
from support.problem_details import problem_of

from visionlab_inference.image_metadata import without_metadata

URL = "/backend/image"


def post(client, data: bytes, filename: str = "face.png"):
    return client.post(URL, files={"file": (filename, data)})


def test_uploaded_image_is_kept_whole(client):
    data = jpeg(300, 200)
    answer = post(client, data, "me.jpeg")
    assert answer.status_code == 201
    image = answer.json()
    assert image["image_type"] == "uploaded"
    assert image["filename"] == "me.jpeg"
    assert (image["width"], image["height"]) == (300, 200)
    assert image["how_made"] is None
    assert image["class_label"] is None
    assert image["url"].endswith(".jpg")
    served = client.get(image["url"])
    assert served.content == data
    assert served.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'


def test_same_file_twice_makes_two_images(upload):
    assert upload()["uuid"] != upload()["uuid"]


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG"),
        encoded(Image.fromarray(picture(64, 64)[:, :, 0].astype("uint16") * 257)),
        encoded(Image.fromarray(picture(64, 64)).convert("RGBA")),
        encoded(Image.fromarray(picture(64, 64)).convert("P")),
        encoded(Image.fromarray(picture(64, 64)), save_all=True, append_images=[Image.fromarray(picture(64, 64, 1))]),
        encoded(Image.fromarray(picture(64, 64)), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 64))]),
        jpeg(64, 64, progressive=True),
        png(16, 10_000),
    ],
    ids=["cmyk", "16 bit", "alpha", "palette", "animated", "several pictures", "progressive", "very tall"],
)
def test_every_kind_of_jpeg_and_png_is_kept_classified_and_shown_small(client, upload, data):
    image = upload(data)
    assert client.get(image["url"]).content == without_metadata(data)
    assert client.get(image["url"], params={"width": 64}).status_code == 200
    answer = client.post("/backend/image/classify", json={"images": [image["uuid"]], "explain": True})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["verdict"]


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", 415, "not-an-image"),
        (b"no image", 415, "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415, "not-an-image"),
        (encoded(picture(64, 64), "GIF"), 415, "not-an-image"),
        (encoded(picture(64, 64), "WEBP"), 415, "not-an-image"),
        (jpeg(300, 200)[:3000], 422, "unusable-image"),
        (noise_png(64)[:5000], 422, "unusable-image"),
        (png(1, 1), 422, "unusable-image"),
        (black_png(30_000, 30_000), 413, "image-too-large"),
        (noise_png(2700), 413, "image-too-large"),
    ],
    ids=["empty", "text", "svg", "gif", "webp", "cut jpeg", "cut png", "1x1", "30,000 x 30,000", "24 MB"],
)
def test_bad_image_is_refused_and_nothing_is_kept(client, upload, data, status, kind):
    last = upload()["uuid"]
    problem_of(post(client, data), status, kind)
    assert client.get(URL, params={"type": "uploaded", "limit": 1}).json()["images"][0]["uuid"] == last


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.png", "passwd.png"),
        ("C:\\fakepath\\me.png", "me.png"),
        ("Zoë 顔 🙂.png", "Zoë 顔 🙂.png"),
        ("bell\x7f and\u2028line.png", "bell andline.png"),
        ("a" * 1000 + ".png", "a" * 251 + ".png"),
    ],
)
def test_file_name_is_kept_as_plain_text(client, upload, sent, kept):
    image = upload(filename=sent)
    assert image["filename"] == kept
    assert client.get(image["url"]).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "unicode_escape", "utf-7", "no-such-charset"])
def test_file_name_in_a_hostile_charset_harms_nothing(client, charset):
    body = (
        b'--abc\r\nContent-Disposition: form-data; name="file"; filename="\\ud800\\x00+2AA-.png"\r\n\r\n'
        + png()
        + b"\r\n--abc--\r\n"
    )
    headers = {"Content-Type": f"multipart/form-data; boundary=abc; charset={charset}"}
    for url, name in ((URL, b'name="file"'), ("/backend/image/classify", b'name="images"')):
        answer = client.post(url, content=body.replace(b'name="file"', name), headers=headers)
        assert answer.status_code in (200, 201)


def test_form_without_the_file_is_refused(client):
    problem_of(client.post(URL), 422, "invalid-request", "file")
    problem_of(client.post(URL, files={"image": ("a.png", png())}), 422, "invalid-request", "file")
    problem_of(client.post(URL, json={"file": "x"}), 422, "invalid-request", "file")
    problem_of(client.post(URL, files={"file": (None, "text")}), 422, "invalid-request", "file")
    problem_of(client.post(URL, content=b"x\r\n\r\n", headers={"Content-Type": "multipart/form-data; boundary=abc"}), 400)


def test_visitor_is_known_by_a_cookie_that_scripts_cannot_read(client):
    header = post(client, png()).headers["set-cookie"]
    assert header.startswith("visionlab_visitor=")
    assert "HttpOnly" in header
    assert "SameSite=lax" in header
    assert "set-cookie" not in post(client, png()).headers
