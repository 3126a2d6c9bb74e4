"""Signing people in with an OpenID Connect provider: authorization code with PKCE (RFC 7636).

https://openid.net/specs/openid-connect-core-1_0.html, with the advice of RFC 9700. What must be remembered between the two visits
(state, nonce, verifier) is in a cookie of the browser that began, so any replica can end what another began, and nobody else can.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from visionlab_api.accounts.principal import Principal, Scope
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.problems import ProblemError

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: none with a shared secret, and not 'none'."""
_LEEWAY: Final = 60
_SECONDS_OF_METADATA: Final = 3600.0
_SECONDS_BETWEEN_KEYS: Final = 30.0
"""Whoever sends tokens of unknown keys must not make us ask the provider each time."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun: where the browser goes, and what its cookie remembers."""

    url: str
    cookie: str


class OpenIdProvider:
    """The provider of the configuration. Its metadata and keys are fetched when they are first needed."""

    def __init__(self, configuration: ApiConfiguration) -> None:
        assert configuration.oidc_issuer is not None
        assert configuration.oidc_client_id is not None
        self._issuer = configuration.oidc_issuer
        self._client_id = configuration.oidc_client_id
        secret = configuration.oidc_client_secret
        self._secret = None if secret is None else secret.get_secret_value()
        self._scopes = configuration.oidc_scopes
        self._admin_claim = configuration.oidc_admin_claim
        self._admin_value = configuration.oidc_admin_value
        self._http = httpx.AsyncClient(timeout=10)
        self._metadata: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def begin(self, callback: str) -> Begun:
        """Begin to sign somebody in; `callback` is where the provider sends them back to.

        Raises:
            ProblemError: 502, the provider does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": callback,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _s256(verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str((await self._known())["authorization_endpoint"])
        return Begun(f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}", f"{state}.{nonce}.{verifier}")

    async def finish(self, query: Mapping[str, str], cookie: str, callback: str) -> Principal:
        """Who came back from the provider.

        Raises:
            ProblemError: 403, it is not the browser that began, or the provider refused; 502, the provider's answer is none.
        """
        state, _, rest = cookie.partition(".")
        nonce, _, verifier = rest.partition(".")
        if not (state and nonce and verifier) or not compare_digest(query.get("state", "").encode(), state.encode()):
            raise _refused("This sign-in was not begun in this browser, or too long ago. Begin it again.")
        if "code" not in query:
            raise _refused(f"The provider did not sign you in ({query.get('error', 'without a reason')[:80]}). Begin again.")
        return self._principal(await self._claims(await self._redeem(query["code"], verifier, callback), nonce))

    async def _redeem(self, code: str, verifier: str, callback: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        if self._secret is None:
            form["client_id"] = self._client_id
            auth = None
        else:  # each of them encoded as in a form (RFC 6749, section 2.3.1)
            auth = httpx.BasicAuth(quote_plus(self._client_id), quote_plus(self._secret))
        answer = await self._ask("POST", str((await self._known())["token_endpoint"]), data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _no_use("sent no ID token")
        return token

    async def _claims(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that is the provider's, for us, of now, and of this sign-in (Core, section 3.1.3.7)."""
        try:
            try:
                decoded = jwt.decode(token, await self._key_set(), algorithms=_ALGORITHMS)
            except JoseError:  # perhaps it is signed with a key that is new
                decoded = jwt.decode(token, await self._key_set(anew=True), algorithms=_ALGORITHMS)
            registry = jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise _refused(f"The provider's ID token does not count: {error}. Begin again.") from error
        claims = decoded.claims
        if claims.get("azp", self._client_id) != self._client_id or not isinstance(claims["sub"], str):
            raise _refused("The provider's ID token is for another program. Begin again.")
        return claims

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        role = claims.get(self._admin_claim)
        roles = role if isinstance(role, list) else [role]
        admin = self._admin_value in roles
        name = next((str(claims[key]) for key in ("name", "preferred_username", "email", "sub") if claims.get(key)), "somebody")
        identity = f"{self._issuer}#{claims['sub']}"
        if len(identity) > 255:
            identity = hashlib.sha256(identity.encode()).hexdigest()
        return Principal("admin" if admin else "user", identity, name[:80], frozenset({Scope.ADMIN} if admin else ()))

    async def _known(self) -> dict[str, Any]:
        now = time.monotonic()
        if self._metadata is None or now - self._metadata[0] > _SECONDS_OF_METADATA:
            found = await self._ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            wanted = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != self._issuer or not all(isinstance(found.get(name), str) for name in wanted):
                raise _no_use("describes another issuer, or not all of itself; is VISIONLAB_OIDC_ISSUER right?")
            self._metadata = (now, found)
        return self._metadata[1]

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        now = time.monotonic()
        age = None if self._keys is None else now - self._keys[0]
        if self._keys is None or age is None or age > _SECONDS_OF_METADATA or (anew and age > _SECONDS_BETWEEN_KEYS):
            found: Any = await self._ask("GET", str((await self._known())["jwks_uri"]))
            self._keys = (now, KeySet.import_key_set(found))
        return self._keys[1]

    async def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, url, **options)
            body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise _no_use("does not answer") from error
        if not isinstance(body, dict):
            raise _no_use("does not answer in JSON")
        if answer.is_client_error and method == "POST":
            raise _refused(f"The provider did not take the code ({str(body.get('error'))[:80]}). Begin again.")
        if not answer.is_success:
            raise _no_use(f"answers {answer.status_code}")
        return body


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _refused(detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.FORBIDDEN, "sign-in-refused", "Not signed in", detail)


def _no_use(why: str) -> ProblemError:
    detail = f"The OpenID Connect provider {why}. Try again; if it stays so, tell the operator."
    return ProblemError(HTTPStatus.BAD_GATEWAY, "provider-failed", "Provider failed", detail)
