from __future__ import annotations

import pytest

from visionlab_client import AsyncVisionLab, InvalidURL, VisionLab


@pytest.mark.parametrize("client", [VisionLab, AsyncVisionLab])
@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://host", "http://", "http://host:port", "http://host/?a=b", "http://[::1", "http://ho\nst", None],
)
def test_what_is_no_address_is_said_at_once(client, url):
    with pytest.raises(InvalidURL, match="http://localhost:8000"):
        client(url)


@pytest.mark.parametrize("wrong", [{"patience": -1}, {"timeout": 0}, {"timeout": float("nan")}, {"patience": float("nan")}])
def test_seconds_that_are_none(wrong):
    with pytest.raises(ValueError, match="seconds"):
        VisionLab("http://localhost", **wrong)


def test_several_images_are_not_one():
    lab = VisionLab("http://localhost")
    for one in ("a.jpg", b"data"):
        with pytest.raises(TypeError, match="several"):
            lab.classify_many(one)
    with pytest.raises(ValueError, match="concurrency"):
        lab.classify_many([], concurrency=0)
