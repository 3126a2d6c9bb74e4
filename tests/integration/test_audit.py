"""GET /backend/audit: every act of an admin is there, and no secret."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import text
from support.problem_details import problem_of
from support.server import ADMIN_TOKEN

URL = "/backend/audit"


@pytest.fixture
def server(hospital):
    return hospital


def newest(server, **filters) -> dict:
    return server.admin.get(URL, params={"limit": 1, **filters}).json()["entries"][0]


def test_an_act_is_kept_with_who_what_when_and_how_it_went(server):
    before = datetime.now(UTC)
    server.admin.post("/backend/settings", json={"images_per_batch": 9}, headers={"X-Request-ID": "audited-request-1"})
    entry = newest(server)
    assert before <= datetime.fromisoformat(entry.pop("at")) <= datetime.now(UTC)
    assert entry == {
        "actor_kind": "admin",
        "actor_id": "admin-token",
        "actor_name": "admin token",
        "action": "POST /backend/settings",
        "target": "/backend/settings",
        "status": 200,
        "detail": {"images_per_batch": 9},
        "request_id": "audited-request-1",
    }


def test_what_was_refused_is_kept_too(server):
    key = server.admin.post("/backend/key", json={"name": "only models", "scopes": ["models"]}).json()
    made = newest(server)
    assert made["detail"] == {"key": key["uuid"], "name": "only models", "scopes": ["models"]}
    bearer = {"Authorization": f"Bearer {key['key']}"}
    assert server.client.post("/backend/settings", json={}, headers=bearer).status_code == 403
    refused = newest(server, actor=key["uuid"])
    assert (refused["action"], refused["status"], refused["actor_kind"]) == ("POST /backend/settings", 403, "key")
    assert server.admin.post("/backend/settings", json={"images_per_batch": 99}).status_code == 422
    assert newest(server)["status"] == 422
    assert server.admin.delete(f"/backend/key/{key['uuid']}").status_code == 204
    revoked = newest(server)
    assert (revoked["action"], revoked["target"]) == ("DELETE /backend/key/{uuid}", f"/backend/key/{key['uuid']}")


def test_strangers_cannot_fill_the_log(server):
    server.admin.post("/backend/settings", json={})
    last = newest(server)
    assert server.client.post("/backend/settings", json={}).status_code == 401
    assert server.client.post("/backend/session", json={"token": "vl_wrong"}).status_code == 401
    assert newest(server) == last


def test_signing_in_is_kept_and_no_secret_is(server):
    with httpx.Client(base_url=server.url) as browser:
        browser.post("/backend/session", json={"token": ADMIN_TOKEN})
        assert newest(server)["action"] == "POST /backend/session"
        cookie = browser.cookies["visionlab_session"]
    key = server.admin.post("/backend/key", json={"name": "secret", "scopes": ["models"]}).json()["key"]
    with server.database() as database:
        rows = str(database.execute(text("SELECT * FROM audit")).all())
    assert not any(secret in rows for secret in (ADMIN_TOKEN, cookie, key))


def test_the_log_is_read_in_parts_and_filtered(server):
    for value in range(5):
        server.admin.post("/backend/settings", json={"images_per_batch": value})
    seen, cursor = [], None
    while True:
        page = server.admin.get(URL, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [each["detail"] for each in seen[:5]] == [{"images_per_batch": value} for value in range(4, -1, -1)]
    middle = seen[2]["at"]
    assert server.admin.get(URL, params={"since": middle, "limit": 200}).json()["entries"] == seen[:3]
    assert server.admin.get(URL, params={"until": middle, "limit": 1}).json()["entries"] == seen[3:4]
    assert all(
        each["action"] == "POST /backend/key"
        for each in server.admin.get(URL, params={"action": "POST /backend/key"}).json()["entries"]
    )
    assert server.admin.get(URL, params={"actor": "nobody"}).json() == {"entries": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("filter", "value"), [("since", "yesterday"), ("until", "2026-01-01T00:00:00"), ("limit", 0), ("cursor", "x")]
)
def test_filter_that_makes_no_sense_is_refused(server, filter, value):
    problem_of(server.admin.get(URL, params={filter: value}), 422, field=filter)
