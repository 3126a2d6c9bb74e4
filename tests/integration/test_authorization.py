"""Who may call what: the table of authorization against the real server, for everyone who might ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import grpc
import httpx
import pytest
from sqlalchemy import Update, insert, update
from support.problem_details import problem_of
from support.server import ADMIN_TOKEN, Server

from visionlab_api.accounts.principal import Scope
from visionlab_api.accounts.rules import RULES
from visionlab_api.database.account_tables import ApiKeyRow, SessionRow
from visionlab_inference.oip import open_inference_pb2 as messages

CALLS = [(method, path, rule) for (method, path), rule in RULES.items() if method != "gRPC"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
UNSAFE = ("POST", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def server(tmp_path_factory, tiny_models, web_folder):
    folder = tmp_path_factory.mktemp("authorization")
    server = Server(folder, tiny_models, VISIONLAB_UI_FOLDER=str(web_folder), VISIONLAB_GRPC_PORT="0").start()
    yield server
    server.close()


def change(server: Server, statement: Update) -> None:
    with server.database() as database:
        assert database.execute(statement).rowcount == 1


def make_key(server: Server, *scopes: str, **more: object) -> dict:
    answer = server.admin.post("/backend/key", json={"name": "test", "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def person(server: Server, scopes: tuple[str, ...] = ()) -> dict[str, str]:
    """The cookie of a person whom a provider vouched for."""
    secret, now = f"session-{uuid4()}", datetime.now(UTC)
    row = {
        "digest": sha256(secret.encode()).hexdigest(),
        "subject": "ada",
        "name": "Ada",
        "scopes": list(scopes),
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    with server.database() as database:
        database.execute(insert(SessionRow).values(row))
    return {"Cookie": f"visionlab_session={secret}"}


@pytest.fixture(scope="module")
def callers(server) -> dict[str, dict[str, str]]:
    expired = make_key(server, "admin", expires_at=str(datetime.now(UTC) + timedelta(days=1)))
    change(server, update(ApiKeyRow).where(ApiKeyRow.prefix == expired["prefix"]).values(expires_at=LONG_AGO))
    revoked = make_key(server, "admin")
    assert server.admin.delete(f"/backend/key/{revoked['uuid']}").status_code == 204
    return {
        "anonymous": {},
        "admin": bearer(ADMIN_TOKEN),
        "wrong key": bearer("vl_nobody-has-this-one"),
        "no key": {"Authorization": b"Bearer \xff"},
        "expired key": bearer(expired["key"]),
        "revoked key": bearer(revoked["key"]),
        **{f"key for {scope}": bearer(make_key(server, scope)["key"]) for scope in Scope},
    }


def ask(server: Server, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    # The body is one that no route takes: what is asked is only whether one gets so far.
    path = re.sub(r"\{type\}", "detector", path)
    path = re.sub(r"\{[^}]*\}", str(uuid4()), path)
    sent = {"json": ["nothing"]} if method in UNSAFE else {}
    server.client.cookies.clear()
    return server.client.request(method, path, headers=headers, **sent)


@pytest.mark.parametrize(("method", "path", "rule"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_each_call_lets_in_whom_it_should(server, callers, method, path, rule):
    people = {"user": person(server), "admin of the provider": person(server, ("admin",))}
    for caller, headers in (callers | people).items():
        known = caller not in ("wrong key", "no key", "expired key", "revoked key")
        allowed = rule.scope is None or "admin" in caller or caller == f"key for {rule.scope}"
        answer = ask(server, method, path, headers)
        status = answer.status_code
        if known and allowed:
            assert (status not in (401, 403) and status < 500) or path.startswith("/v2"), (caller, answer.text)
        elif caller == "anonymous" or not known:
            assert status == 401, (caller, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer ")
        else:
            assert status == 403, (caller, answer.text)
        if method == "HEAD":
            continue  # its answers have no body
        if status in (401, 403) and not path.startswith("/v2"):
            problem_of(answer, status)
        elif status in (401, 403):
            assert set(answer.json()) == {"error"}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "SELF"}, True),
        ({}, True),
    ],
)
def test_pages_of_other_sites_cannot_use_a_session(server, headers, passes):
    with httpx.Client(base_url=server.url) as browser:
        headers = {name: server.url if value == "SELF" else value for name, value in headers.items()}
        signed_in = browser.post("/backend/session", json={"token": ADMIN_TOKEN}, headers=headers)
        assert signed_in.status_code == (201 if passes else 403)
        if not passes:
            problem_of(signed_in, 403, "other-site")
            browser.post("/backend/session", json={"token": ADMIN_TOKEN})
        answer = browser.post("/backend/settings", json={}, headers=headers)
        assert answer.status_code == (200 if passes else 403)
        assert browser.get("/backend/key", headers=headers).status_code == 200
        assert browser.delete("/backend/session", headers=headers).status_code == (204 if passes else 403)


def test_a_browser_signs_in_and_out(server):
    with httpx.Client(base_url=server.url) as browser:
        assert browser.get("/backend/session").json() == {
            "kind": "anonymous", "name": "visitor", "scopes": [], "accounts": True, "provider": None,
        }  # fmt: skip
        problem_of(browser.post("/backend/session", json={"token": "vl_wrong"}), 401, "unknown-key")
        assert "visionlab_session" not in browser.cookies
        answer = browser.post("/backend/session", json={"token": ADMIN_TOKEN})
        assert answer.status_code == 201
        assert ADMIN_TOKEN not in answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
        assert browser.get("/backend/session").json()["kind"] == "admin"
        assert browser.post("/backend/settings", json={}).status_code == 200
        cookie = browser.cookies["visionlab_session"]
        assert browser.delete("/backend/session").status_code == 204
        copied = httpx.get(f"{server.url}/backend/session", headers={"Cookie": f"visionlab_session={cookie}"})
        assert copied.json()["kind"] == "anonymous"
        problem_of(browser.post("/backend/settings", json={}), 401, "sign-in-needed")


def test_cookie_goes_over_tls_alone_where_the_page_came_over_tls(server):
    headers = {"X-Forwarded-Proto": "https"}
    answer = httpx.post(f"{server.url}/backend/session", json={"token": ADMIN_TOKEN}, headers=headers)
    assert "Secure" in answer.headers["set-cookie"]


def test_a_session_ends_with_the_key_that_opened_it(server):
    key = make_key(server, "settings")
    with httpx.Client(base_url=server.url) as browser:
        browser.post("/backend/session", json={"token": key["key"]})
        assert browser.get("/backend/session").json()["scopes"] == ["settings"]
        server.admin.delete(f"/backend/key/{key['uuid']}")
        assert browser.get("/backend/session").json()["kind"] == "anonymous"


def test_an_idle_session_ends(server):
    cookie = person(server)
    digest = sha256(cookie["Cookie"].removeprefix("visionlab_session=").encode()).hexdigest()
    change(server, update(SessionRow).where(SessionRow.digest == digest).values(expires_at=LONG_AGO))
    assert httpx.get(f"{server.url}/backend/session", headers=cookie).json()["kind"] == "anonymous"


def test_a_key_is_shown_once_and_kept_as_a_digest(server):
    made = make_key(server, "models", "inference", expires_at="2999-01-01T00:00:00Z")
    [listed] = [each for each in server.admin.get("/backend/key").json() if each["uuid"] == made["uuid"]]
    secret = made.pop("key")
    assert listed == made
    assert secret.startswith(made["prefix"])
    assert made["scopes"] == ["inference", "models"]
    assert made["expires_at"] == "2999-01-01T00:00:00Z"
    assert httpx.get(f"{server.url}/backend/session", headers=bearer(secret)).json()["name"] == "test"
    files = [path.read_bytes() for path in server.folder.glob("visionlab.db*")]
    assert not any(secret.encode() in data or ADMIN_TOKEN.encode() in data for data in files)
    assert not any(secret in line or ADMIN_TOKEN in line for line in server.log)


@pytest.mark.parametrize(
    ("new", "field"),
    [
        ({"scopes": ["root"]}, "scopes.0"),
        ({"scopes": []}, "scopes"),
        ({"name": ""}, "name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, "expires_at"),
        ({"key": "mine"}, "key"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(server, new, field):
    problem_of(server.admin.post("/backend/key", json={"name": "x", "scopes": ["models"]} | new), 422, field=field)


def test_no_such_key_to_revoke(server):
    problem_of(server.admin.delete(f"/backend/key/{uuid4()}"), 404, "not-found", "uuid")


def test_grpc_takes_keys_too(server):
    [line] = [line for line in server.log if "over gRPC at" in line]
    address = re.search(r"127\.0\.0\.1:\d+", line)[0]
    with grpc.insecure_channel(address) as channel:
        live = channel.unary_unary(
            "/inference.GRPCInferenceService/ServerLive",
            request_serializer=messages.ServerLiveRequest.SerializeToString,
            response_deserializer=messages.ServerLiveResponse.FromString,
        )
        assert live(messages.ServerLiveRequest(), timeout=30).live
        assert live(messages.ServerLiveRequest(), timeout=30, metadata=[("authorization", f"Bearer {ADMIN_TOKEN}")]).live
        with pytest.raises(grpc.RpcError) as refused:
            live(messages.ServerLiveRequest(), timeout=30, metadata=[("authorization", "Bearer vl_wrong")])
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
