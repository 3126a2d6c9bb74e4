"""Headers of tus 1.0, the protocol of resumable uploads (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http import HTTPStatus
from types import MappingProxyType

from visionlab_api.problems import ProblemError
from visionlab_api.schemas import TUS_MEDIA_TYPE as MEDIA_TYPE
from visionlab_api.schemas import TUS_VERSION as VERSION

EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = ("sha1", "sha256", "md5")
MAX_METADATA = 4096
CHECKSUM_MISMATCH = 460

__all__ = ["MEDIA_TYPE", "VERSION"]

_KEY = re.compile(r"[!-+\--~]+")


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece must have for a digest; `algorithm` is one of ALGORITHMS."""

    algorithm: str
    digest: bytes

    def start(self) -> hashlib._Hash:
        """A hash to be fed with the piece."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def require_version(headers: Mapping[str, str]) -> None:
    """Check that the client speaks this version.

    Raises:
        ProblemError: 412.
    """
    if headers.get("tus-resumable") != VERSION:
        detail = f"Resumable uploads here speak tus {VERSION}: send the header Tus-Resumable: {VERSION}."
        raise ProblemError(
            HTTPStatus.PRECONDITION_FAILED,
            "tus-version",
            "Another version of tus",
            detail,
            field="Tus-Resumable",
            headers={"Tus-Version": VERSION},
        )


def number(headers: Mapping[str, str], name: str) -> int:
    """A header that counts bytes.

    Raises:
        ProblemError: 422, where it is missing or no number.
    """
    value = headers.get(name.lower(), "")
    if not re.fullmatch("[0-9]{1,15}", value):
        raise invalid(name, f"The header {name} is missing or is no number of bytes.")
    return int(value)


def parse_metadata(header: str) -> Mapping[str, str]:
    """The pairs of Upload-Metadata: `filename ZmFjZXMuemlw,filetype ...`; values that are no text are passed over.

    Raises:
        ProblemError: 422, where it is not that.
    """
    if len(header) > MAX_METADATA:
        raise invalid("Upload-Metadata", f"Upload-Metadata has more than {MAX_METADATA} characters.")
    pairs: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        if not _KEY.fullmatch(key) or key in pairs:
            raise invalid("Upload-Metadata", "Upload-Metadata has a key twice, or one that is no word.")
        pairs[key] = _base64("Upload-Metadata", value).decode(errors="replace")
    return MappingProxyType(pairs)


def parse_checksum(header: str | None) -> Checksum | None:
    """What Upload-Checksum says: `sha1 <digest in base64>`.

    Raises:
        ProblemError: 422, where it is not that, or the algorithm is unknown.
    """
    if header is None:
        return None
    algorithm, _, value = header.partition(" ")
    digest = _base64("Upload-Checksum", value)
    if algorithm not in ALGORITHMS or len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise invalid("Upload-Checksum", f"Upload-Checksum is one of {', '.join(ALGORITHMS)}, a space, and the digest in base64.")
    return Checksum(algorithm, digest)


def http_date(moment: datetime) -> str:
    """A moment in UTC as Upload-Expires has it (RFC 9110, section 5.6.7)."""
    return format_datetime(moment, usegmt=True)


def invalid(field: str, detail: str) -> ProblemError:
    """422: a header at fault."""
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", "Invalid request", detail, field=field)


def _base64(header: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(header, f"{header} has a value that is not base64.") from error
