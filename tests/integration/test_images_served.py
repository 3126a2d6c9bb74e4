"""GET /backend/image and /backend/image/{path}."""

from __future__ import annotations

import hashlib
import io
import socket
from uuid import uuid4

import pytest
from PIL import Image
from support.image_files import jpeg, noise_png, png
from support.problem_details import problem_of


def test_image_is_served_as_it_was_stored(client, upload):
    for data, kind in ((png(40, 30), "png"), (jpeg(40, 30), "jpeg")):
        image = upload(data, f"face.{kind}")
        for url in (image["url"], f"/backend/image/{image['uuid']}"):
            answer = client.get(url)
            assert answer.status_code == 200
            assert answer.content == data
            assert answer.headers["content-type"] == f"image/{kind}"
            assert answer.headers["content-length"] == str(len(data))
            assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
            assert answer.headers["accept-ranges"] == "bytes"


def test_served_image_may_be_kept_for_ever_and_can_do_no_harm(client, faces, upload):
    assert client.get(upload()["url"]).headers["cache-control"] == "private, no-cache"
    [face] = faces()
    headers = client.get(face["url"]).headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert "set-cookie" not in headers


def test_head_tells_what_get_would(client, upload):
    url = upload()["url"]
    head, get = client.head(url), client.get(url)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-type", "content-length", "etag", "cache-control", "accept-ranges"):
        assert head.headers[name] == get.headers[name]


def test_client_that_has_it_is_not_sent_it_again(client, upload):
    url = upload()["url"]
    etag = client.get(url).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(url, headers={"If-None-Match": known})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == "private, no-cache"
    for other in ('"other"', etag[:-2] + '"', "", etag.strip('"')):
        assert client.get(url, headers={"If-None-Match": other}).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, None),
        ("bytes=-10", -10, None),
        ("bytes=5-999999999", 5, None),
        ("bytes=-999999999", 0, None),
    ],
)
def test_part_of_an_image_is_served(client, upload, wanted, begin, end):
    data = png()
    url = upload(data)["url"]
    answer = client.get(url, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == data[begin:end]
    first = range(len(data))[begin]
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(data)}"
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize(
    "wanted", ["bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "lines=0-9", "bytes=0-1,5-9", "bytes 0-9", "bytes=0-" + "9" * 5000]
)
def test_range_that_says_nothing_is_ignored(client, upload, wanted):
    answer = client.get(upload()["url"], headers={"Range": wanted})
    assert answer.status_code == 200
    assert answer.content == png()


@pytest.mark.parametrize("wanted", ["bytes=1000000-", "bytes=-0", "bytes=99999999-99999999"])
def test_range_outside_of_the_image_is_refused(client, upload, wanted):
    answer = client.get(upload()["url"], headers={"Range": wanted})
    problem_of(answer, 416, "range", "range")
    assert answer.headers["content-range"] == f"bytes */{len(png())}"


def test_interrupted_download_goes_on_only_with_the_same_image(client, upload):
    url = upload()["url"]
    etag = client.get(url).headers["etag"]
    assert client.get(url, headers={"Range": "bytes=5-", "If-Range": etag}).status_code == 206
    assert client.get(url, headers={"Range": "bytes=5-", "If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize("width", [64, 128, 256, 512])
def test_thumbnail_has_the_width_asked_for(client, upload, width):
    image = upload(jpeg(1024, 768))
    answer = client.get(image["url"], params={"width": width})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, no-cache"
    with Image.open(io.BytesIO(answer.content)) as small:
        assert small.size == (width, width * 3 // 4)
    again = client.get(image["url"], params={"width": width}, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert answer.headers["etag"] != client.get(image["url"]).headers["etag"]


def test_thumbnail_of_a_small_image_is_not_enlarged(client, upload):
    answer = client.get(upload(png(20, 30))["url"], params={"width": 512})
    with Image.open(io.BytesIO(answer.content)) as small:
        assert small.size == (20, 30)


@pytest.mark.parametrize("width", ["65", "0", "-64", "64.5", "x", "", "9" * 5000, "1e2"])
def test_other_widths_are_refused(client, upload, width):
    problem = problem_of(client.get(upload()["url"], params={"width": width}), 422, "invalid-request", "width")
    assert "64, 128, 256 or 512" in problem["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "0192f3a4-5b6c-7d8e-9f00-112233445566",
        "face.png",
        "..",
        "%2e%2e",
        "../../../etc/passwd",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e%2f%2e%2e%2fvisionlab.db",
        "....//....//etc/passwd",
        "..\\..\\etc\\passwd",
        "%5c..%5c..%5cetc%5cpasswd",
        "%252e%252e%252fetc%252fpasswd",
        "..%c0%af..%c0%afetc/passwd",
        "%00",
        "/etc/passwd",
        "//etc/passwd",
        "%0a",
        "x" * 4000,
        "%ff%fe",
    ],
)
def test_path_that_is_no_image_is_not_found(server, path):
    # By hand, as HTTP clients tidy such paths up before they send them.
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET /backend/image/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in head
    assert b"root:" not in body


def test_image_answers_to_its_exact_name_alone(client, upload):
    uuid = upload()["uuid"]
    for path in (
        f"{uuid}.jpg",
        f"{uuid}.gif",
        f"{uuid}.png/",
        f"x/{uuid}.png",
        uuid.upper() + ".png",
        uuid[:-1],
    ):
        problem_of(client.get(f"/backend/image/{path}"), 404, "not-found", "path")


def test_slow_readers_do_not_keep_the_others_from_the_database(client, server, upload):
    # More of them than there are connections to the database; the answer is larger than what sockets buffer.
    image = upload(noise_png(2500))
    host, port = server.url.removeprefix("http://").split(":")
    readers = []
    try:
        for _ in range(20):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(30)
            reader.connect((host, int(port)))
            reader.sendall(f"GET {image['url']} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert reader.recv(9) == b"HTTP/1.1 "
            readers.append(reader)
        assert client.get("/backend/settings", timeout=60).status_code == 200
        assert client.get(image["url"], headers={"Range": "bytes=0-9"}, timeout=60).status_code == 206
    finally:
        for reader in readers:
            reader.close()


def test_list_can_be_narrowed_and_read_in_parts(client, upload, faces):
    uploaded, [face] = upload()["uuid"], faces()
    newest = client.get("/backend/image", params={"type": "uploaded", "limit": 1}).json()
    assert [image["uuid"] for image in newest["images"]] == [uploaded]
    made_by = client.get("/backend/image", params={"model": face["how_made"]["model_uuid"], "limit": 1}).json()
    assert made_by["images"] == [face]
    assert client.get("/backend/image", params={"model": str(uuid4())}).json() == {"images": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", 0), ("limit", 201), ("limit", "x"), ("cursor", "x"), ("cursor", "-1"), ("type", "other"), ("model", "x")],
)
def test_list_refuses_what_it_does_not_know(client, name, value):
    problem_of(client.get("/backend/image", params={name: value}), 422, "invalid-request", name)
