"""The web interface, served from a folder of built files."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)


class WebInterface(StaticFiles):
    """Built files; a path that is no file is a page of the application, which finds its way by itself."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the application's page."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.partition("/")[0] in ("backend", "assets") or "." in path.rsplit("/", 1)[-1]:
                raise
            response = await super().get_response("index.html", scope)
        # Vite names the files in assets/ by their content.
        lasting = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def add_web_interface(app: FastAPI, folder: Path) -> None:
    """Serve the built files of a folder at the root."""
    app.mount("/", GZipMiddleware(WebInterface(directory=folder, html=True), minimum_size=1024), name="web")
