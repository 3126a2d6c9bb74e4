"""ID tokens: of a provider that is not to be trusted to send good ones, or of somebody who speaks in its place."""

from __future__ import annotations

import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from support.other_server import Answer, other_server

from visionlab_api.accounts.oidc import OpenIdProvider
from visionlab_api.accounts.principal import Principal
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.problems import ProblemError

KEY = RSAKey.generate_key(2048, {"kid": "1", "alg": "RS256", "use": "sig"})
STRANGER = RSAKey.generate_key(2048, {"kid": "1"})
CURVE = ECKey.generate_key("P-256", {"kid": "2"})
JSON = {"Content-Type": "application/json"}


def answer(body: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode(), JSON)


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {"iss": issuer, "aud": "visionlab", "sub": "ada", "nonce": "nonce", "iat": now, "exp": now + 300, "name": "Ada"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


async def sign_in(make_token, *, keys: Any = (KEY, CURVE), **options: Any) -> Principal:
    with other_server() as server:
        endpoints = {name: f"{server.url}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
        server.answers += [
            answer({"issuer": server.url, **endpoints}),
            answer({"id_token": make_token(server.url)}),
            answer({"keys": [key.as_dict(private=False) for key in keys]}),
        ]
        configuration = ApiConfiguration(oidc_issuer=server.url, oidc_client_id="visionlab", **options)
        provider = OpenIdProvider(configuration)
        try:
            return await provider.finish({"code": "c", "state": "state"}, "state.nonce.verifier", "http://localhost/callback")
        finally:
            await provider.close()


def signed(key: Any = KEY, alg: str = "RS256", kid: str = "1", **changes: Any):
    return lambda issuer: jwt.encode({"alg": alg, "kid": kid}, claims(issuer, **changes), key, algorithms=[alg])


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(issuer: str, alg: str) -> str:
    header = {"alg": alg, "kid": "1"}
    return f"{part(json.dumps(header).encode())}.{part(json.dumps(claims(issuer)).encode())}"


def unsigned(issuer: str) -> str:
    return f"{by_hand(issuer, 'none')}."


def signed_with_the_public_key(issuer: str) -> str:
    message = by_hand(issuer, "HS256")
    return f"{message}.{part(hmac.digest(KEY.as_pem(private=False), message.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    "make_token", [signed(), signed(CURVE, "ES256", "2"), signed(aud=["visionlab", "other"], azp="visionlab")]
)
async def test_good_token_says_who_it_is(make_token):
    who = await sign_in(make_token)
    assert (who.kind, who.name, who.scopes) == ("user", "Ada", frozenset())
    assert who.id.endswith("#ada")


@pytest.mark.parametrize(
    "make_token",
    [
        unsigned,
        signed_with_the_public_key,
        signed(STRANGER),
        signed(kid="unknown"),
        signed(iss="https://evil.example"),
        signed(aud="other"),
        signed(aud=["other"]),
        signed(azp="other"),
        signed(nonce="other"),
        signed(nonce=None),
        signed(exp=int(time.time()) - 3600),
        signed(exp=None),
        signed(iat=None),
        signed(sub=None),
        signed(sub=["ada"]),
        lambda _: "",
        lambda _: "a.b.c",
        lambda _: "\u2028",
        lambda issuer: signed()(issuer)[:-8] + "AAAAAAAA",
    ],
)
async def test_token_that_does_not_count_is_refused(make_token):
    with pytest.raises(ProblemError) as refused:
        await sign_in(make_token)
    assert (refused.value.status, refused.value.kind) == (403, "sign-in-refused")


@pytest.mark.parametrize(
    ("role", "kind"),
    [
        ("admins", "admin"),
        (["staff", "admins"], "admin"),
        ("admins2", "user"),
        (["x"], "user"),
        (None, "user"),
        ({"admins": 1}, "user"),
    ],
)
async def test_the_claim_says_who_is_an_admin(role, kind):
    who = await sign_in(signed(role=role), oidc_admin_claim="role", oidc_admin_value="admins")
    assert who.kind == kind


@pytest.mark.parametrize("token", [None, 1, {}])
async def test_provider_that_sends_no_token_is_told_of(token):
    with pytest.raises(ProblemError) as refused:
        await sign_in(lambda _: token)
    assert refused.value.kind == "provider-failed"
