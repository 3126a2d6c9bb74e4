"""What every error of the API must look like (RFC 9457)."""

from __future__ import annotations

from typing import Any

import httpx


def problem_of(response: httpx.Response, status: int, kind: str | None = None, field: str | None = None) -> dict[str, Any]:
    """The problem in an answer, after checking that it is one, complete, of this status (and kind, and field)."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "instance", "field"}
    assert problem["status"] == status
    assert problem["type"].startswith("/problems/")
    assert problem["title"]
    assert problem["detail"].endswith(".")
    assert len(problem["detail"]) > 15
    assert problem["instance"] == response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == "nosniff"
    if kind is not None:
        assert problem["type"] == f"/problems/{kind}"
    if field is not None:
        assert problem["field"] == field
    if status == 503:
        assert int(response.headers["retry-after"]) >= 1
    return problem
