"""Every route has its entry in the table of authorization."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from visionlab_api.accounts.principal import ANONYMOUS, LOCAL, Principal, Scope
from visionlab_api.accounts.rules import RULES, Rule, find_rule
from visionlab_api.app import create_app
from visionlab_api.configuration import ApiConfiguration


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        contexts = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        for each in contexts:
            if isinstance(each, APIRoute) or hasattr(each, "methods"):
                yield from ((method, each.path) for method in each.methods)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    ui = tmp_path_factory.mktemp("ui")
    (ui / "index.html").touch()
    return create_app(ApiConfiguration(ui_folder=ui))


def test_every_route_is_found_in_the_table_under_its_own_path(app):
    known = set(routes(app))
    assert len(known) > 25
    for method, path in known - {("GET", "/backend/openapi.json"), ("HEAD", "/backend/openapi.json")}:
        found = find_rule(method, path.replace("{uuid:uuid}", str(uuid4())))
        assert found is not None, f"{method} {path} has no rule: nobody may call it"
        assert found[0] == path


def test_what_changes_the_system_needs_a_scope_and_is_written_down():
    public = {
        "/backend/image/classify",
        "/backend/image/generate",
        "/backend/image/neighbours",
        "/backend/image/mix",
        "/backend/image/label",
        "/backend/image/stats",
        "/backend/image/archive",
        "/backend/image",
        "/backend/image/fetch",
        "/backend/image/{uuid:uuid}",
        "/backend/session",
        "/v2/models/{name}/infer",
        "/v2/models/{name}/versions/{version}/infer",
    }
    pieces = ("PATCH", "/backend/file/upload/{upload}"), ("POST", "/backend/file/upload/{upload}")
    for (method, path), rule in RULES.items():
        if method not in ("GET", "HEAD", "OPTIONS", "gRPC") and path not in public:
            assert rule.scope is not None, (method, path)
            assert rule.audited != ((method, path) in pieces), (method, path)


@pytest.mark.parametrize(
    ("method", "path", "found"),
    [
        ("HEAD", "/backend/image/a.png", "/backend/image/{path:path}"),
        ("GET", "/backend/image/stats", "/backend/image/stats"),
        ("GET", "/v2/models/a/versions/1/ready", "/v2/models/{name}/versions/{version}/ready"),
        ("PUT", "/backend/settings", None),
        ("GET", "/backend/settings/x", None),
        ("GET", "/", None),
    ],
)
def test_rule_of_a_request(method, path, found):
    rule = find_rule(method, path)
    assert (rule and rule[0]) == found


def test_admin_may_all_and_a_scope_only_its_own():
    models = Principal("key", "1", "deploy", frozenset({Scope.MODELS}))
    assert LOCAL.may(Scope.UPLOADS)
    assert models.may(Scope.MODELS)
    assert not models.may(Scope.ADMIN)
    assert models.may(Rule().scope)
    assert not any(ANONYMOUS.may(scope) for scope in Scope)
