"""Signing in with an OpenID Connect provider: a real one, of another project, runs beside the server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from support.problem_details import problem_of
from support.server import Server

PEOPLE = [
    User(sub="ada", claims={"name": "Ada Lovelace", "groups": ["staff", "visionlab-admin"]}),
    User(sub="bob", claims={"name": "Bob", "groups": ["staff"]}),
    User(sub="eve", claims={"preferred_username": "eve", "groups": "visionlab-admin-not"}),
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_server_in_thread(user_claims=PEOPLE, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider):
    folder = tmp_path_factory.mktemp("oidc")
    options = {"VISIONLAB_OIDC_ISSUER": provider, "VISIONLAB_OIDC_CLIENT_ID": "visionlab", "VISIONLAB_OIDC_CLIENT_SECRET": "s"}
    server = Server(folder, folder, VISIONLAB_OIDC_NAME="Example Inc.", **options).start()
    yield server
    server.close()


@pytest.fixture
def browser(server):
    with httpx.Client(base_url=server.url, timeout=60) as browser:
        yield browser


def to_provider(browser: httpx.Client) -> str:
    answer = browser.get("/backend/session/oidc")
    assert answer.status_code == 303
    return answer.headers["location"]


def back_from(url: str, person: str) -> str:
    """Sign in on the provider's page; gives the address that it leads back to."""
    answer = httpx.post(url, data={"sub": person})
    assert answer.status_code in (302, 303), answer.text
    return answer.headers["location"]


def sign_in(browser: httpx.Client, person: str) -> httpx.Response:
    return browser.get(back_from(to_provider(browser), person))


@pytest.mark.parametrize(
    ("person", "kind", "name", "status"),
    [("ada", "admin", "Ada Lovelace", 200), ("bob", "user", "Bob", 403), ("eve", "user", "eve", 403)],
)
def test_people_sign_in_and_are_admins_by_their_claim(server, browser, person, kind, name, status):
    answer = sign_in(browser, person)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/backend/session").json() == {
        "kind": kind, "name": name, "scopes": ["admin"] if kind == "admin" else [], "accounts": True, "provider": "Example Inc.",
    }  # fmt: skip
    assert browser.post("/backend/settings", json={}).status_code == status
    newest = server.admin.get("/backend/audit", params={"limit": 1}).json()["entries"][0]
    assert (newest["actor_name"], newest["status"]) == (name, status)
    assert browser.delete("/backend/session").status_code == 204
    assert browser.get("/backend/session").json()["kind"] == "anonymous"


def test_the_code_is_bound_to_this_browser_by_state_nonce_and_pkce(browser):
    asked = {name: values[0] for name, values in parse_qs(urlsplit(to_provider(browser)).query).items()}
    state, nonce, verifier = browser.cookies["visionlab_sign_in"].split(".")
    assert (asked["state"], asked["nonce"], asked["code_challenge_method"]) == (state, nonce, "S256")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    assert asked["redirect_uri"] == f"{str(browser.base_url).rstrip('/')}/backend/session/callback"
    assert {"openid"} <= set(asked["scope"].split())


def test_a_code_of_another_browser_signs_nobody_in(server, browser):
    with httpx.Client(base_url=server.url, timeout=60) as other:
        stolen = back_from(to_provider(other), "ada")
    problem_of(browser.get(stolen), 403, "sign-in-refused")  # without any sign-in of its own
    to_provider(browser)
    problem_of(browser.get(stolen), 403, "sign-in-refused")  # with another one
    assert "visionlab_session" not in browser.cookies


def test_a_token_of_another_sign_in_is_refused(browser):
    back = back_from(to_provider(browser), "ada")
    state, _, verifier = browser.cookies["visionlab_sign_in"].split(".")
    forged = {"Cookie": f"visionlab_sign_in={state}.another-nonce.{verifier}"}
    answer = httpx.get(str(browser.base_url.join(back)), headers=forged)
    problem_of(answer, 403, "sign-in-refused")
    assert "nonce" in answer.json()["detail"]


def test_a_code_counts_once(browser):
    back = back_from(to_provider(browser), "ada")
    cookie = {"Cookie": f"visionlab_sign_in={browser.cookies['visionlab_sign_in']}"}
    assert httpx.get(back, headers=cookie).status_code == 303
    problem_of(httpx.get(back, headers=cookie), 403, "sign-in-refused")


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=", "?error=access_denied&state=x"])
def test_what_no_provider_sends_is_refused(browser, query):
    problem_of(browser.get(f"/backend/session/callback{query}"), 403, "sign-in-refused")
    to_provider(browser)
    problem_of(browser.get(f"/backend/session/callback{query}"), 403, "sign-in-refused")


def test_a_provider_that_is_gone_is_told_of(start_server, tmp_path, free_port):
    issuer = f"http://127.0.0.1:{free_port()}"
    server = start_server(tmp_path, VISIONLAB_OIDC_ISSUER=issuer, VISIONLAB_OIDC_CLIENT_ID="visionlab")
    problem_of(server.client.get("/backend/session/oidc"), 502, "provider-failed")
