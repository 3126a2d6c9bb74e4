"""Secrets that we make: tokens, keys, session ids.

Each has 256 random bits, so there is nothing to guess: a plain SHA-256 of it is kept, and no slow password hash, which exists for
secrets that people choose. The digest is also what they are found by: no comparison tells by its time how much of a guess
was right.
"""

from __future__ import annotations

import secrets
from hashlib import sha256

PREFIX = "vl_"
SHOWN = 11
"""Characters by which a person tells keys apart: 48 of the 256 bits."""


def new_secret() -> str:
    """A secret that scanners of repositories can tell by its prefix."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret, in hexadecimal."""
    return sha256(secret.encode(errors="replace")).hexdigest()
