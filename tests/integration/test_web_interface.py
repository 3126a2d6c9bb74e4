"""The built web interface, as the API serves it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.problem_details import problem_of


@pytest.mark.parametrize("path", ["/", "/generator", "/detector", "/some/page", "/index.html"])
def test_pages_are_the_application(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "VisionLab" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "reader", "given"),
    [
        ("/", "en-GB,zh;q=0.5", "home"),
        ("/", "zh-CN,zh;q=0.9,en;q=0.8", "home.zh"),
        ("/detector", "en", "detector"),
        ("/detector", "zh", "detector"),
    ],
)
def test_pages_have_documents_of_their_own_in_the_readers_language(client, path, reader, given):
    answer = client.get(path, headers={"Accept-Language": reader})
    assert f"VisionLab: {given}<" in answer.text
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.headers["cache-control"] == "no-cache"


def test_assets_may_be_kept_for_ever(client):
    answer = client.get("/assets/index-abc123.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert client.get("/assets/index-abc123.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    ("accepted", "given"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None), ("br;q=0.000", None)],
)
def test_files_are_sent_as_the_build_packed_them(client, accepted, given):
    path = "/assets/large-abc123.js"
    headers = {"Accept-Encoding": accepted}
    with client.stream("GET", path, headers=headers) as answer:
        assert answer.headers.get("content-encoding") == given
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        sent = b"".join(answer.iter_raw())
        etag = answer.headers["etag"]
    assert sent == {"br": b"packed by brotli", "gzip": b"packed by gzip", None: b"not packed"}[given]
    assert client.get(path, headers={**headers, "If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("path", ["/assets/index-old.js", "/favicon.ico", "/..%2f..%2fetc%2fpasswd.txt", "/x.php"])
def test_file_that_is_not_there_is_not_found(client, path):
    problem_of(client.get(path), 404)


@pytest.mark.parametrize("path", ["/", "/generator", "/assets/index-abc123.js"])
def test_pages_are_protected(client, path):
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "camera=(self)" in headers["permissions-policy"]
    assert "microphone=()" in headers["permissions-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/%00", "/assets/..%2f..%2fsecret", "/generator%00.js", "/" + "x" * 5000, "/%ff"])
def test_hostile_paths_are_answered(client, path):
    assert client.get(path).status_code in (200, 404)


def test_nginx_protects_the_same_files_in_the_same_way(client):
    conf = (Path(__file__).parents[2] / "images/ui/default.conf").read_text(encoding="utf-8")
    headers = dict(re.findall(r'add_header (\S+) "?([^"$]*?)"? always;', conf))
    assert {"Content-Security-Policy", "Permissions-Policy", "X-Frame-Options"} <= headers.keys()
    served = client.get("/").headers
    for name, value in headers.items():
        assert served[name] == value


def test_pages_take_no_posts(client):
    problem_of(client.post("/generator"), 405)
