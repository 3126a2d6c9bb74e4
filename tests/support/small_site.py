"""A small site of the web, with pictures on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@contextmanager
def site_of(files: Mapping[str, tuple[bytes, str]], redirects: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of a site on this machine: paths to bodies and their media types, and to where they lead on."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b""
            if place := (redirects or {}).get(self.path):
                self.send_response(302)
                self.send_header("Location", place)
            elif found := files.get(self.path):
                body, media_type = found
                self.send_response(200)
                self.send_header("Content-Type", media_type)
            else:
                self.send_response(404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
