"""POST /backend/image/fetch."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from support.image_files import jpeg, png
from support.problem_details import problem_of
from support.server import Server
from support.small_site import site_of

from visionlab_inference.image_metadata import without_metadata

URL = "/backend/image/fetch"
THERE = {
    "/face.jpg": (jpeg(300, 200), "image/jpeg"),
    "/called/text.png": (png(64, 64), "text/plain"),
    "/page.jpg": (b"<!doctype html><title>A face</title>", "image/jpeg"),
    "/broken.jpg": (jpeg(300, 200)[:2000], "image/jpeg"),
    "/large.png": (bytes(300_000), "image/png"),
    "/nothing.jpg": (b"", "image/jpeg"),
}


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """A web of one site."""

    with site_of(THERE, {"/inside": "http://127.0.0.1:1/"}) as address:
        yield address


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_models, web) -> Iterator[Server]:
    server = Server(
        tmp_path_factory.mktemp("fetching"),
        tiny_models,
        VISIONLAB_FETCH_ALSO_FROM=web.removeprefix("http://"),
        VISIONLAB_IMAGES_PER_MINUTE="1000",
        VISIONLAB_MAX_IMAGE_BYTES="200000",
    ).start()
    yield server
    server.close()


def fetch(client: httpx.Client, url: str, **more: object) -> httpx.Response:
    return client.post(URL, json={"url": url, **more})


def test_a_picture_of_the_web_is_kept_as_an_upload(client, web):
    answer = fetch(client, f"{web}/face.jpg")
    assert answer.status_code == 201, answer.text
    image = answer.json()
    assert image["image_type"] == "uploaded"
    assert image["filename"] == "face.jpg"
    assert (image["width"], image["height"]) == (300, 200)
    assert image["shared"] is False
    assert client.get(image["url"]).content == without_metadata(THERE["/face.jpg"][0])
    asked = client.post("/backend/image/classify", json={"images": [image["uuid"]]})
    assert asked.json()["results"][0]["verdict"]


def test_it_is_its_visitors_alone(client, server, web):
    image = fetch(client, f"{web}/face.jpg").json()
    with httpx.Client(base_url=server.url, timeout=180) as other:
        problem_of(other.get(image["url"]), 404, "not-found")
    mine = client.get("/backend/image", params={"mine": "true"}).json()["images"]
    assert [each["uuid"] for each in mine] == [image["uuid"]]
    assert client.delete("/backend/image", params={"mine": "true"}).json() == {"deleted": 1}


def test_it_may_be_shared(client, web):
    assert fetch(client, f"{web}/face.jpg", share=True).json()["shared"] is True


def test_what_it_is_its_bytes_say(client, web):
    image = fetch(client, f"{web}/called/text.png").json()
    assert image["url"].endswith(".png")
    problem_of(fetch(client, f"{web}/page.jpg"), 415, "not-an-image", "url")
    problem_of(fetch(client, f"{web}/nothing.jpg"), 415, "not-an-image", "url")
    problem_of(fetch(client, f"{web}/broken.jpg"), 422, "unusable-image")


def test_too_large(client, web):
    problem_of(fetch(client, f"{web}/large.png"), 413, "image-too-large", "url")


def test_what_the_site_answers_is_told(client, web):
    assert "404" in problem_of(fetch(client, f"{web}/other.jpg"), 502, "web-failed", "url")["detail"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://localhost/", "http://169.254.169.254/", "http://[::1]/"])
def test_what_is_inside_is_not_reached(client, web, url):
    direct = problem_of(fetch(client, url), 400, "address-not-public", "url")
    led = problem_of(fetch(client, f"{web}/inside"), 400, "address-not-public", "url")
    assert direct["detail"] == led["detail"]


def test_not_even_our_own_server(client, server):
    problem_of(fetch(client, f"{server.url}/backend/status"), 400, "address-not-public", "url")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": ""},
        {"url": 7},
        {"url": "x" * 3000},
        {"url": "http://a\0b/"},
        {"url": "http://a/", "more": 1},
        {"url": "face.jpg"},
    ],
)
def test_requests_that_are_none(client, body):
    problem_of(client.post(URL, json=body), 422, "invalid-request")


def test_nothing_is_kept_of_what_failed(client, web):
    fetch(client, f"{web}/page.jpg")
    fetch(client, f"{web}/large.png")
    assert client.get("/backend/image", params={"mine": "true"}).json()["images"] == []


def test_it_counts_as_an_image_and_the_page_is_told_of_it(start_server, tiny_models, web):
    address = web.removeprefix("http://")
    server = start_server(tiny_models, VISIONLAB_FETCH_ALSO_FROM=address, VISIONLAB_IMAGES_PER_MINUTE="2")
    assert server.client.get("/backend/status").json()["fetches_pictures"] is True
    for _ in range(2):
        assert fetch(server.client, f"{web}/face.jpg").status_code == 201
    problem_of(fetch(server.client, f"{web}/face.jpg"), 429, "too-many")


def test_it_can_be_turned_off(start_server, tiny_models, web):
    server = start_server(tiny_models, VISIONLAB_FETCH_PICTURES="off")
    assert server.client.get("/backend/status").json()["fetches_pictures"] is False
    problem_of(fetch(server.client, f"{web}/face.jpg"), 403, "fetching-off")
