"""POST /backend/image/classify with `Accept: application/x-ndjson`: a line an image, as they come."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from support.image_files import noise_png, png
from support.problem_details import problem_of
from support.tiny_models import DETECTOR
from support.waiting import SECONDS

URL = "/backend/image/classify"
LINES = {"Accept": "application/x-ndjson"}
BOUNDARY = "xyz"
HEAD = (
    f"POST {URL}?models={DETECTOR} HTTP/1.1\r\nHost: a\r\nAccept: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n"
    f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
).encode()
END = f"--{BOUNDARY}--\r\n".encode()


def send(client, *files, **options):
    named = [each if isinstance(each, tuple) else (f"{place}.png", each) for place, each in enumerate(files)]
    return client.post(URL, files=[("images", each) for each in named], data=options, headers=LINES)


def lines_of(answer) -> list[dict]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def by_index(lines: list[dict]) -> list[dict]:
    assert sorted(line["index"] for line in lines) == list(range(len(lines)))
    return sorted(lines, key=lambda line: line["index"])


def part(data: bytes, name: str = "a.png") -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="images"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n"


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@asynccontextmanager
async def connected(server):
    """A connection on which a test sends and reads as it likes."""
    where = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    yield reader, writer
    writer.close()


@pytest.fixture
async def connection(server):
    async with connected(server) as connection:
        yield connection


def requests(client, status: str) -> float:
    """How many requests for answers have ended with a status."""
    metrics = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in metrics for sample in family.samples if sample.name == "visionlab_http_requests_total"]
    return sum(each.value for each in samples if each.labels["route"].endswith("/classify") and each.labels["status"] == status)


async def next_line(reader: asyncio.StreamReader) -> dict:
    """The next line of JSON of a chunked answer."""
    while True:
        line = await asyncio.wait_for(reader.readline(), 30)
        assert line, "the answer ended"
        if line.startswith(b"{"):
            return json.loads(line)


def test_each_image_has_the_answer_that_it_gets_alone(client):
    files = [png(seed=seed) for seed in range(40)]
    lines = by_index(lines_of(send(client, *files)))
    assert [line["filename"] for line in lines] == [f"{place}.png" for place in range(40)]
    for place in (0, 17, 39):
        alone = client.post(URL, files={"images": files[place]}).json()["results"][0]
        assert lines[place]["verdict"]["probabilities"] == pytest.approx(alone["verdict"]["probabilities"], abs=1e-5)
        assert len(lines[place]["models"]) == 2


def test_more_images_than_a_plain_request_may_have(client):
    same = png()
    lines = by_index(lines_of(send(client, *[same] * 600)))
    assert len(lines) == 600
    assert {line["problem"] is None for line in lines} == {True}


def test_bad_images_have_their_problems_beside_the_answers(client):
    large = noise_png(2700)
    lines = by_index(lines_of(send(client, png(), b"no image", b"", noise_png(64)[:5000], large, png(1, 1), png(seed=9))))
    assert [line["problem"] and line["problem"]["status"] for line in lines] == [None, 415, 415, 422, 413, 422, None]
    assert "4.png is larger than 20 MiB" in lines[4]["problem"]["detail"]


def test_options_come_in_fields_or_in_the_query(client):
    [line] = lines_of(send(client, png(), models=str(DETECTOR), explain="true"))
    assert [model["model_uuid"] for model in line["models"]] == [str(DETECTOR)]
    assert line["models"][0]["activation_map"]
    answer = client.post(f"{URL}?models={DETECTOR}", files={"images": png()}, headers=LINES)
    assert [model["model_uuid"] for model in lines_of(answer)[0]["models"]] == [str(DETECTOR)]


def test_images_are_kept_where_asked(client):
    lines = by_index(lines_of(send(client, png(seed=31), b"no image", png(seed=32), store="true")))
    assert lines[1]["image"] is None
    assert client.get(f"/backend/image/{lines[0]['image']}").content == png(seed=31)
    assert client.get(f"/backend/image/{lines[2]['image']}").content == png(seed=32)


def test_stored_images_are_asked_about_by_id(client, upload):
    images = [upload(png(seed=seed))["uuid"] for seed in range(3)]
    answer = client.post(URL, json={"images": images}, headers=LINES)
    assert [line["image"] for line in by_index(lines_of(answer))] == images


def test_what_is_wrong_from_the_start_is_a_problem_and_no_stream(client):
    problem_of(send(client, png(), models=str(uuid4())), 404, "not-found", "models")
    problem_of(send(client, png(), threshold="1"), 422, "invalid-request", "threshold")
    problem_of(client.post(URL, files={"explain": (None, "true")}, headers=LINES), 422, "invalid-request", "images")
    problem_of(client.post(URL, content=b"x", headers={**LINES, "Content-Type": "text/plain"}), 415)
    broken = {**LINES, "Content-Type": "multipart/form-data; boundary=abc"}
    problem_of(client.post(URL, content=b"no part", headers=broken), 422, "invalid-request", "images")


def test_fields_after_a_file_end_the_stream_with_a_line_that_says_so(client):
    body = part(png()) + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="explain"\r\n\r\ntrue\r\n'.encode() + END
    answer = client.post(URL, content=body, headers={**LINES, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    lines = lines_of(answer)
    assert {line["index"] for line in lines} == {0, None}
    [last] = [line for line in lines if line["index"] is None]
    assert last["problem"]["field"] == "explain"


def test_body_that_was_cut_off_answers_what_was_whole(client):
    body = part(png()) + part(png(seed=1))[:200]
    answer = client.post(URL, content=body, headers={**LINES, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    lines = {line["index"]: line for line in lines_of(answer)}
    assert lines[0]["verdict"]
    assert "cut off" in lines[None]["problem"]["detail"]


async def test_answers_come_while_images_are_still_sent(connection):
    reader, writer = connection
    writer.write(HEAD)
    for index in range(3):
        writer.write(chunk(part(png(seed=index), f"{index}.png")))
        # The part's end is seen with the next boundary.
        writer.write(chunk(b"--" + BOUNDARY.encode()[:1]))
        writer.write(chunk(BOUNDARY.encode()[1:] + b"\r\n" + part(b"no image", "bad.png").split(b"\r\n", 1)[1]))
        lines = [await next_line(reader)]
        while lines[-1]["index"] != 2 * index:
            lines.append(await next_line(reader))
        assert lines[-1]["filename"] == f"{index}.png"
    writer.write(chunk(END) + b"0\r\n\r\n")
    await asyncio.wait_for(reader.readuntil(b"\r\n0\r\n\r\n"), 30)


async def test_model_that_is_disabled_meanwhile_is_the_problem_of_the_images_after_it(start_server, tiny_models):
    server = start_server(tiny_models)
    async with connected(server) as (reader, writer):
        # A part's end is seen with the next boundary.
        opening = f"--{BOUNDARY}\r\n".encode()
        writer.write(HEAD + chunk(part(png(seed=1)) + opening))
        assert (await next_line(reader))["verdict"]
        with server.database() as database:
            database.execute(text("UPDATE models SET status = 'disabled' WHERE name = 'tiny-detector'"))
        states = "unknown"
        deadline = time.monotonic() + SECONDS
        while states != "disabled":
            assert time.monotonic() < deadline
            models = server.client.get("/backend/status").json()["models"]
            [states] = [model["state"] for model in models if model["name"] == "tiny-detector"]
        writer.write(chunk(part(png(seed=2)).removeprefix(opening) + part(b"no image") + END) + b"0\r\n\r\n")
        problems = {line["index"]: line["problem"]["status"] for line in [await next_line(reader), await next_line(reader)]}
        assert problems == {1: 409, 2: 409}
        assert (await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 30)).endswith(b"0\r\n\r\n")


async def test_client_that_goes_leaves_nothing_behind(server, connection, client):
    reader, writer = connection
    writer.write(HEAD)
    for index in range(200):
        writer.write(chunk(part(png(seed=index))))
    await next_line(reader)
    writer.transport.abort()
    async with asyncio.timeout(SECONDS):
        while requests(client, "499") == 0:  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.05)
    assert len(lines_of(send(client, *[png()] * 40))) == 40, "the window is free again"


async def test_client_that_does_not_read_holds_up_nobody_else(server, client):
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(HEAD)
        for index in range(300):
            deaf.sendall(chunk(part(png(seed=index % 5))))
        started = time.monotonic()
        assert len(lines_of(send(client, *[png()] * 100))) == 100
        assert time.monotonic() - started < 60
