"""Multipart bodies in pieces of any size."""

from __future__ import annotations

import pytest

from visionlab_api.services.multipart_stream import BrokenForm, parts_of

TYPE = "multipart/form-data; boundary=xyz"
FILES = {"a.png": b"\x89PNG \r\n--xy no boundary \r\n", "b.png": b"", "c.png": bytes(range(256)) * 20}


def body(**files: bytes) -> bytes:
    parts = [b'--xyz\r\nContent-Disposition: form-data; name="explain"\r\n\r\ntrue\r\n']
    for name, content in files.items():
        head = f'--xyz\r\nContent-Disposition: form-data; name="images"; filename="{name}"\r\nContent-Type: image/png\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join([*parts, b"--xyz--\r\n"])


async def read(data: bytes, step: int, *, content_type: str = TYPE, max_bytes: int = 10_000) -> list:
    async def chunks():
        for begin in range(0, len(data), step):
            yield data[begin : begin + step]

    return [part async for part in parts_of(chunks(), content_type, max_bytes=max_bytes)]


@pytest.mark.parametrize("step", [1, 7, 100, 10**6])
async def test_parts_are_what_was_sent_however_the_body_is_torn(step):
    field, *files = await read(body(**FILES), step)
    assert (field.name, field.filename, field.content) == ("explain", None, b"true")
    assert {part.filename: part.content for part in files} == FILES
    assert {part.name for part in files} == {"images"}


async def test_parts_come_while_the_body_still_arrives():
    data = body(**FILES)
    middle = data.index(b"c.png")
    seen = []

    async def chunks():
        yield data[:middle]
        assert [part.filename for part in seen] == [None, "a.png", "b.png"]
        yield data[middle:]

    async for part in parts_of(chunks(), TYPE, max_bytes=10_000):
        seen.append(part)
    assert len(seen) == 4


async def test_too_large_a_part_is_not_held_and_the_next_is_whole():
    parts = await read(body(small=b"1", large=bytes(5000), last=b"2"), 64, max_bytes=1000)
    assert [(part.filename, part.too_large, len(part.content)) for part in parts[1:]] == [
        ("small", False, 1),
        ("large", True, 0),
        ("last", False, 1),
    ]


@pytest.mark.parametrize(
    ("data", "content_type", "says"),
    [
        (body(**FILES)[:-10], TYPE, "cut off"),
        (b"", TYPE, "cut off"),
        (b"hello", TYPE, "no multipart form"),
        (body(), "multipart/form-data", "no boundary"),
        (b"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xyz--\r\n", TYPE, "no name"),
        (b"--xyz\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\nx\r\n--xyz--\r\n", TYPE, "header size"),
    ],
)
async def test_what_is_no_form_is_said_to_be_none(data, content_type, says):
    with pytest.raises(BrokenForm, match=says):
        await read(data, 50, content_type=content_type)
