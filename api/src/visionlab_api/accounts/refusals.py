"""The answers to those who may not, or not yet."""

from __future__ import annotations

from http import HTTPStatus

from visionlab_api.accounts.principal import Principal, Scope
from visionlab_api.problems import ProblemError

_REALM = 'Bearer realm="VisionLab"'


def sign_in_needed() -> ProblemError:
    """401: nobody said who asks."""
    detail = "This needs an admin. Sign in on the page, or send an API key as 'Authorization: Bearer KEY'."
    return _unauthorized("sign-in-needed", "Sign in", detail, _REALM)


def unknown_key() -> ProblemError:
    """401: the key, or token, is none that counts."""
    detail = "This key is unknown, expired or revoked. Ask an admin for another, or leave the Authorization header out."
    return _unauthorized("unknown-key", "Unknown key", detail, f'{_REALM}, error="invalid_token"')


def not_allowed(principal: Principal, scope: Scope) -> ProblemError:
    """403: it is known who asks, and they may not."""
    detail = f"This needs the scope {scope.value!r}, which {principal.name[:80]!r} does not have. Ask an admin for it."
    headers = {"WWW-Authenticate": f'{_REALM}, error="insufficient_scope", scope="{scope.value}"'}
    return ProblemError(HTTPStatus.FORBIDDEN, "not-allowed", "Not allowed", detail, headers=headers)


def no_rule(method: str, path: str) -> ProblemError:
    """403: a call that the table of authorization does not know."""
    detail = f"{method} {path[:80]!r} has no entry in the table of authorization, so nobody may call it."
    return ProblemError(HTTPStatus.FORBIDDEN, "no-rule", "Not allowed", detail)


def other_site() -> ProblemError:
    """403: a browser says that the request comes from a page of another site."""
    detail = "The request comes from a page of another site. Do this on VisionLab's own page, or with an API key."
    return ProblemError(HTTPStatus.FORBIDDEN, "other-site", "Request of another site", detail)


def _unauthorized(kind: str, title: str, detail: str, challenge: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, kind, title, detail, headers={"WWW-Authenticate": challenge})
