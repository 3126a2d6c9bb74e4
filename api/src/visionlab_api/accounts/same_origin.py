"""Whether a request that would change something comes from our own page.

Browsers send a session's cookie with whatever page makes them send a request. They also say, in headers that no page can set,
where the request comes from (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/; Origin, RFC 6454). What has neither header is
no browser. The cookie is `SameSite=Strict` besides.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from visionlab_api.accounts.refusals import other_site

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def require_same_origin(method: str, headers: dict[bytes, bytes]) -> None:
    """Let a request pass where it changes nothing, or does not come from another site.

    Raises:
        ProblemError: 403, it does.
    """
    if method in SAFE_METHODS:
        return
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        if site in (b"same-origin", b"none"):
            return
        raise other_site()
    # Browsers before 2023 lack it. A proxy may have ended TLS, so the scheme says nothing.
    origin = headers.get(b"origin")
    if origin is not None and urlsplit(origin.decode("latin-1")).netloc.encode("latin-1") != headers.get(b"host"):
        raise other_site()
