"""Input that breaks parsers, numbers and databases: it is refused with a problem, whatever the database."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from support.image_files import png
from support.problem_details import problem_of
from support.tiny_models import GENERATOR

STATS = "/backend/image/stats"
JSON = {"Content-Type": "application/json"}
DEEP = 100_000
GENERATE = f'"models": ["{GENERATOR}"]'


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"images":' * 5000 + b"1" + b"}" * 5000,
        b"1" * 5000,
        b'{"images": [], "action": "\xff\xfe"}',
        b"\xff\xfe{\x00}\x00",
        b'{"images": [], "action": "\\ud800"}',
        b'{"images": ["\\udfff"], "action": "like"}',
        b'{"images": ["' + b"a" * 500_000 + b'"], "action": "like"}',
        b'{"\\u0000": 1}',
        b"",
        b"null",
        b"NaN",
        b'{"images": [NaN], "action": "like"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_body_that_is_no_request_is_refused(client, body):
    problem_of(client.post(STATS, content=body, headers=JSON), 422, "invalid-request")


def test_of_a_key_that_stands_twice_the_last_counts(client, faces):
    [face] = faces()
    body = f'{{"images": ["{uuid4()}"], "images": ["{face["uuid"]}"], "action": "unlike", "action": "like"}}'
    assert client.post(STATS, content=body, headers=JSON).json() == [{"uuid": face["uuid"], "likes": 1, "downloads": 0}]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ('"truncation": NaN', "truncation"),
        ('"truncation": Infinity', "truncation"),
        ('"truncation": -1e400', "truncation"),
        ('"truncation": "0.5"', "truncation"),
        ('"count": true', "count"),
        ('"count": "1"', "count"),
        ('"count": 1.5', "count"),
        ('"seed": 9223372036854775808', "seed"),
        ('"seed": -1', "seed"),
        ('"seed": 1e30', "seed"),
    ],
)
def test_numbers_that_are_none_are_refused(client, value, field):
    answer = client.post("/backend/image/generate", content=f"{{{GENERATE}, {value}}}", headers=JSON)
    problem_of(answer, 422, "invalid-request", field)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("image?limit=-1", "limit"),
        ("image?limit=99999999999999999999999", "limit"),
        ("image?cursor=99999999999999999999", "cursor"),
        ("image?cursor=-1", "cursor"),
        ("image?model=%00", "model"),
        ("audit?actor=a%00b", "actor"),
        ("audit?action=%00", "action"),
        ("audit?since=0001-01-01T00:00:00%2B23:59", "since"),
        ("audit?until=9999-12-31T23:59:59-23:59", "until"),
        ("audit?until=0.5", "until"),
        ("audit?since=2026-02-30T00:00:00Z", "since"),
        ("audit?since=2026-02-01T00:00:00", "since"),
        ("audit?cursor=9999999999999999999", "cursor"),
        ("dataset/detector?name=%00", "name"),
        ("dataset/detector?cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDgsIDFd", "cursor"),
        ("dataset/detector?sort=name&cursor=WyJcdTAwMDAiLCAxXQ==", "cursor"),
        ("training/detector?name=%00", "name"),
    ],
)
def test_values_that_no_database_takes_are_refused(admin, path, field):
    problem_of(admin.get(f"/backend/{path}"), 422, "invalid-request", field)


def test_largest_cursor_that_is_one_leads_to_the_list(admin):
    for path in ("image", "audit"):
        assert admin.get(f"/backend/{path}?cursor={10**18 - 1}").status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"name": "a\0b"}, {"name": "\0"}, {"expires_at": 4e9}, {"expires_at": "9999-12-31T23:59:59-10:00"}, {"name": "é" * 81}],
)
def test_key_with_what_cannot_be_kept_is_refused(admin, change):
    body = json.dumps({"name": "key", "scopes": ["inference"], **change})
    problem_of(admin.post("/backend/key", content=body, headers=JSON), 422, "invalid-request", next(iter(change)))


@pytest.mark.parametrize("path", ["dataset/%00", "dataset/00000000-0000-4000-8000-000000000000%00", "key/%00", "training/a%00b"])
def test_nothing_has_a_name_with_nul(admin, path):
    problem_of(admin.delete(f"/backend/{path}"), 404, "not-found")


def test_file_names_lose_what_is_no_text(client):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\0b\xed\xa0\x80\x07.png"\r\n\r\n'
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/backend/image", content=head + png() + b"\r\n--x--\r\n", headers=form)
    assert answer.status_code == 201, answer.text
    assert answer.json()["filename"].isprintable()
    assert answer.json()["filename"].endswith(".png")


def test_wrong_method_is_told_all_that_are_there(client):
    answer = client.put("/backend/image")
    problem_of(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "DELETE, GET, POST"
