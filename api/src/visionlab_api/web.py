"""The web interface, served from a folder of built files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

# The hash is that of nothing: Emotion begins with an empty style element, and fills it by CSSOM alone, rule by rule. Styles that
# are written into the page are refused. So no nonce is needed, and the files stay files.
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; "
    "object-src 'none'; base-uri 'self'; frame-ancestors 'none'; form-action 'self'"
)
_PERMISSIONS = "camera=(self), microphone=(), geolocation=(), display-capture=(), payment=(), usb=()"
"""The detector's page takes pictures; the page has no use for the others."""

# What the build packed beside each file (ui/scripts/pack.mjs), the smallest first.
_PACKED = {"br": ".br", "gzip": ".gz"}
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$")


class WebInterface(StaticFiles):
    """Built files; a path that is no file is a page of the application, which finds its way by itself."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or the application's page."""
        if path == ".":
            path = "home"
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.partition("/")[0] in ("backend", "assets") or "." in path.rsplit("/", 1)[-1]:
                raise
            response = await self._page(path, scope)
        # Vite names the files in assets/ by their content.
        lasting = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["Permissions-Policy"] = _PERMISSIONS
        return response

    async def _page(self, path: str, scope: Scope) -> Response:
        """The application's document: the page's own where the build made one (ui/firstLook.ts), in the reader's language."""
        chinese = Headers(scope=scope).get("accept-language", "").lower().startswith("zh")
        for name in (*([f"{path}.zh.html"] if chinese else []), f"{path}.html"):
            try:
                response = await super().get_response(name, scope)
            except HTTPException:
                continue
            response.headers.add_vary_header("Accept-Language")
            return response
        return await super().get_response("index.html", scope)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, packed if the build packed it and the browser takes that."""
        wished = Headers(scope=scope).get("accept-encoding", "").split(",")
        taken = {wish.partition(";")[0].strip().lower() for wish in wished if not _REFUSED.search(wish)}
        for encoding in (each for each in _PACKED if each in taken):
            path = f"{os.fspath(full_path)}{_PACKED[encoding]}"
            if os.path.isfile(path):
                response = super().file_response(path, os.stat(path), scope, status_code)
                response.headers["Content-Encoding"] = encoding
                response.headers["Vary"] = "Accept-Encoding"
                return response
        return super().file_response(full_path, stat_result, scope, status_code)


def add_web_interface(app: FastAPI, folder: Path) -> None:
    """Serve the built files of a folder at the root."""
    app.mount("/", GZipMiddleware(WebInterface(directory=folder, html=True), minimum_size=1024), name="web")
