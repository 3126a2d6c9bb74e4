"""Lists whose bodies are plain arrays: what leads to their next part is in a header."""

from __future__ import annotations

from fastapi import Request, Response


def lead_on(request: Request, response: Response, cursor: str | None) -> None:
    """Give the address of the next part (RFC 8288), where there is one: the same list, with the cursor."""
    if cursor is not None:
        query = request.url.include_query_params(cursor=cursor).query
        # Relative, so that it holds behind any proxy.
        response.headers["Link"] = f'<?{query}>; rel="next"'
