"""The OpenAPI document, and the page that shows it."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from visionlab_api.accounts.accounts import SESSION_COOKIE
from visionlab_api.accounts.rules import RULES
from visionlab_api.schemas import ClassifyRequest

_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "the admin token, or an API key that has the scope"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "what POST /backend/session or the provider's sign-in gave a browser",
    },
}


class DocumentedApp(FastAPI):
    """FastAPI, and in its document the bodies that routes parse by themselves, and who may call what."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        document = super().openapi()
        document["components"]["schemas"].setdefault(ClassifyRequest.__name__, ClassifyRequest.model_json_schema())
        document["components"]["securitySchemes"] = _SCHEMES
        for (method, path), rule in RULES.items():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None and rule.scope is not None:
                operation["security"] = [{name: []} for name in _SCHEMES]
        return document


def add_docs(app: FastAPI, path: str) -> None:
    """Show the document at `path`, with Swagger UI's files from the web interface's build: nothing comes from another host."""

    @app.get(path, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=str(app.openapi_url),
            title=f"{app.title} API",
            swagger_js_url="/swagger/swagger-ui-bundle.js",
            swagger_css_url="/swagger/swagger-ui.css",
            swagger_favicon_url="/favicon.svg",
        )
