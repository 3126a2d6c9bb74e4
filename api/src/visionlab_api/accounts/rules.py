"""The table of authorization: what each call needs. A call that is not in it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from starlette.routing import compile_path

from visionlab_api.accounts.principal import Scope


@dataclass(frozen=True, slots=True)
class Rule:
    """What a call needs: a scope, or None where everyone may do it.

    `limited` calls count against limits of rate. `audited` ones are written down, with who did it.
    """

    scope: Scope | None = None
    limited: bool = False
    audited: bool = False


_WATCH: Final = Rule()
_PUBLIC: Final = Rule(limited=True)


def _may(scope: Scope) -> Rule:
    return Rule(scope)


def _acts(scope: Scope) -> Rule:
    return Rule(scope, audited=True)


RULES: Final = MappingProxyType(
    {
        ("POST", "/backend/image/classify"): _PUBLIC,
        ("GET", "/backend/status"): _WATCH,
        ("GET", "/metrics"): _WATCH,
        ("GET", "/backend/docs"): _WATCH,
        ("GET", "/backend/settings"): _PUBLIC,
        ("POST", "/backend/settings"): _acts(Scope.SETTINGS),
        ("POST", "/backend/image/generate"): _PUBLIC,
        ("POST", "/backend/image/neighbours"): _PUBLIC,
        ("POST", "/backend/image/mix"): _PUBLIC,
        ("POST", "/backend/image/label"): _PUBLIC,
        ("GET", "/backend/image/stats"): _PUBLIC,
        ("POST", "/backend/image/stats"): _PUBLIC,
        ("POST", "/backend/image/archive"): _PUBLIC,
        ("POST", "/backend/image"): _PUBLIC,
        ("POST", "/backend/image/fetch"): _PUBLIC,
        ("GET", "/backend/image"): _PUBLIC,
        # Of one's own images; the routes see to it.
        ("DELETE", "/backend/image"): _PUBLIC,
        ("DELETE", "/backend/image/{uuid:uuid}"): _PUBLIC,
        # Served from the page by the hundred: a gallery is not what limits are for.
        ("GET", "/backend/image/{path:path}"): _WATCH,
        ("GET", "/backend/model/options"): _may(Scope.MODELS),
        ("GET", "/backend/model/{type}"): _PUBLIC,
        # The report that a card points to, and its pictures.
        ("GET", "/backend/model/{uuid}/version/{version}/file/{name}"): _PUBLIC,
        ("POST", "/backend/model"): _acts(Scope.MODELS),
        ("PATCH", "/backend/model/{uuid}/status/{status}"): _acts(Scope.MODELS),
        ("DELETE", "/backend/model/{uuid}"): _acts(Scope.MODELS),
        ("GET", "/backend/training/options"): _may(Scope.TRAININGS),
        ("GET", "/backend/training/{type}"): _may(Scope.TRAININGS),
        ("POST", "/backend/training"): _acts(Scope.TRAININGS),
        ("POST", "/backend/training/process"): _acts(Scope.TRAININGS),
        ("GET", "/backend/training/{uuid}/report"): _may(Scope.TRAININGS),
        ("GET", "/backend/training/{uuid}/events"): _may(Scope.TRAININGS),
        ("GET", "/backend/training/{uuid}/log"): _may(Scope.TRAININGS),
        ("GET", "/backend/training/{uuid}/file/{name}"): _may(Scope.TRAININGS),
        ("GET", "/backend/training/{uuid}/sample/{step}"): _may(Scope.TRAININGS),
        ("PATCH", "/backend/training/{uuid}/status/{status}"): _acts(Scope.TRAININGS),
        ("POST", "/backend/training/{uuid}/retry"): _acts(Scope.TRAININGS),
        ("DELETE", "/backend/training/{uuid}"): _acts(Scope.TRAININGS),
        ("GET", "/backend/challenge"): _may(Scope.TRAININGS),
        ("POST", "/backend/challenge"): _acts(Scope.TRAININGS),
        ("GET", "/backend/challenge/settings"): _may(Scope.TRAININGS),
        ("POST", "/backend/challenge/settings"): _acts(Scope.SETTINGS),
        ("GET", "/backend/challenge/{uuid}"): _may(Scope.TRAININGS),
        ("POST", "/backend/challenge/{uuid}/cancel"): _acts(Scope.TRAININGS),
        # What is in service is a matter of models.
        ("POST", "/backend/challenge/{uuid}/accept"): _acts(Scope.MODELS),
        ("POST", "/backend/challenge/{uuid}/reject"): _acts(Scope.MODELS),
        ("POST", "/backend/challenge/{uuid}/rollback"): _acts(Scope.MODELS),
        ("OPTIONS", "/backend/file/upload"): _WATCH,
        ("OPTIONS", "/backend/file/upload/{upload}"): _WATCH,
        ("POST", "/backend/file/upload"): _acts(Scope.UPLOADS),
        # Piece after piece of an upload: its beginning and end are written down.
        ("HEAD", "/backend/file/upload/{upload}"): _may(Scope.UPLOADS),
        ("PATCH", "/backend/file/upload/{upload}"): _may(Scope.UPLOADS),
        ("POST", "/backend/file/upload/{upload}"): _may(Scope.UPLOADS),
        ("DELETE", "/backend/file/upload/{upload}"): _acts(Scope.UPLOADS),
        ("GET", "/backend/dataset/{type}"): _may(Scope.DATASETS),
        ("POST", "/backend/dataset"): _acts(Scope.DATASETS),
        ("GET", "/backend/dataset/{uuid}/report"): _may(Scope.DATASETS),
        ("GET", "/backend/dataset/{uuid}/events"): _may(Scope.DATASETS),
        ("GET", "/backend/dataset/{uuid}/files"): _may(Scope.DATASETS),
        ("GET", "/backend/dataset/{uuid}/file/{position}"): _may(Scope.DATASETS),
        ("PATCH", "/backend/dataset/{uuid}/status/{status}"): _acts(Scope.DATASETS),
        ("DELETE", "/backend/dataset/{uuid}"): _acts(Scope.DATASETS),
        ("GET", "/backend/session"): _WATCH,
        ("POST", "/backend/session"): _PUBLIC,
        ("DELETE", "/backend/session"): _WATCH,
        ("GET", "/backend/session/oidc"): _PUBLIC,
        ("GET", "/backend/session/callback"): _PUBLIC,
        ("GET", "/backend/key"): _may(Scope.ADMIN),
        ("POST", "/backend/key"): _acts(Scope.ADMIN),
        ("DELETE", "/backend/key/{uuid}"): _acts(Scope.ADMIN),
        ("GET", "/backend/audit"): _may(Scope.ADMIN),
        # The Open Inference Protocol, over HTTP and gRPC.
        ("GET", "/v2"): _WATCH,
        ("GET", "/v2/health/live"): _WATCH,
        ("GET", "/v2/health/ready"): _WATCH,
        ("GET", "/v2/models/{name}"): _PUBLIC,
        ("GET", "/v2/models/{name}/versions/{version}"): _PUBLIC,
        ("GET", "/v2/models/{name}/ready"): _WATCH,
        ("GET", "/v2/models/{name}/versions/{version}/ready"): _WATCH,
        ("POST", "/v2/models/{name}/infer"): _PUBLIC,
        ("POST", "/v2/models/{name}/versions/{version}/infer"): _PUBLIC,
        ("gRPC", "ServerLive"): _WATCH,
        ("gRPC", "ServerReady"): _WATCH,
        ("gRPC", "ServerMetadata"): _WATCH,
        ("gRPC", "ModelReady"): _WATCH,
        ("gRPC", "ModelMetadata"): _PUBLIC,
        ("gRPC", "ModelInfer"): _PUBLIC,
    }
)

_FIXED = {key: (key[1], rule) for key, rule in RULES.items() if "{" not in key[1]}
_TEMPLATES = [(method, compile_path(path)[0], (path, rule)) for (method, path), rule in RULES.items() if "{" in path]


def find_rule(method: str, path: str) -> tuple[str, Rule] | None:
    """The path template and rule of a request; None where the table has none. HEAD is as GET, unless it has a rule of its own."""
    found = _FIXED.get((method, path))
    if found is not None:
        return found
    for each, pattern, rule in _TEMPLATES:
        if each == method and pattern.match(path):
            return rule
    return find_rule("GET", path) if method == "HEAD" else None


def methods_of(path: str) -> list[str]:
    """The methods that the table has for a path: those of the path itself where it is a fixed one, else of all templates."""
    fixed = [method for method, each in _FIXED if each == path]
    return sorted(fixed or {method for method, pattern, _ in _TEMPLATES if pattern.match(path)})
