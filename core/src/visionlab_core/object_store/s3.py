"""Objects in a bucket of any S3, through the `minio` client.

A process that is killed in the middle of a long put leaves parts of it in the bucket, which no reader sees but which are paid
for: give the bucket a lifecycle rule that aborts incomplete multipart uploads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import BinaryIO, cast
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree.ElementTree import ParseError

import certifi
import urllib3
from minio import Minio
from minio.commonconfig import ComposeSource, CopySource
from minio.credentials.credentials import Credentials
from minio.credentials.providers import (
    AWSConfigProvider,
    ChainedProvider,
    EnvAWSProvider,
    IamAwsProvider,
    Provider,
    StaticProvider,
)
from minio.datatypes import Object
from minio.error import MinioException, S3Error
from urllib3.response import BaseHTTPResponse

from visionlab_core.object_store.address import S3Settings
from visionlab_core.object_store.contract import (
    BLOCK_BYTES,
    CHUNK_BYTES,
    DEFAULT_CONTENT_TYPE,
    GROWING,
    INCOMING,
    BytesMissing,
    InvalidKey,
    KeyNotFound,
    ObjectInfo,
    Readable,
    StoreError,
    StoreFull,
    StoreUnavailable,
    validate_content_type,
    validate_key,
    validate_prefix,
    validate_range,
)

LEAST_PART_BYTES = 5 << 20
"""S3 makes one object only of parts of this size and more; the last may be smaller."""


class S3ObjectStore:
    """An `ObjectStore` in a bucket, below a prefix.

    Nothing is asked of the network before the first use, unless the bucket may have to be made.

    Raises:
        InvalidKey: the prefix cannot begin a key.
        ValueError: the bucket's name is none.
        StoreUnavailable: the bucket cannot be made.
    """

    def __init__(self, bucket: str, *, prefix: str = "", settings: S3Settings) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", bucket):
            raise ValueError(f"{bucket!r} is not the name of a bucket")
        self.bucket = bucket
        self._settings = settings
        self._before = f"{validate_key(prefix)}/" if prefix else ""
        endpoint = urlsplit(settings.endpoint)
        self._client = Minio(
            endpoint.netloc,
            secure=endpoint.scheme == "https",
            region=settings.region,
            credentials=_Credentials(_credentials(settings)),
            http_client=_http(connections=32),
        )
        if settings.addressing == "path":
            self._client.disable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        elif settings.addressing == "virtual":
            self._client.enable_virtual_style_endpoint()  # type: ignore[no-untyped-call]
        if settings.create_bucket:
            self._create_bucket()

    def put(self, key: str, data: bytes | Readable, *, content_type: str = DEFAULT_CONTENT_TYPE) -> ObjectInfo:
        """See `ObjectStore.put`. `modified` is the time of the answer, which may be a second off."""
        name = self._name(key)
        validate_content_type(content_type)
        stream = _Counted(BytesIO(data) if isinstance(data, bytes) else data)
        with self._explained(key, stream):
            result = self._client.put_object(
                self.bucket,
                name,
                cast(BinaryIO, stream),
                length=len(data) if isinstance(data, bytes) else -1,
                content_type=content_type,
                part_size=0 if isinstance(data, bytes) else BLOCK_BYTES,
                num_parallel_uploads=1,
            )
        return ObjectInfo(
            key=key,
            size=stream.size,
            etag=(result.etag or "").strip('"'),
            modified=parsedate_to_datetime(result.http_headers["Date"]) if "Date" in result.http_headers else datetime.now(UTC),
            content_type=content_type,
        )

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        origin, name = self._name(source), self._name(target)
        with self._explained(source):
            self._client.copy_object(self.bucket, name, CopySource(self.bucket, origin))

    def get(self, key: str) -> bytes:
        """See `ObjectStore.get`."""
        name = self._name(key)
        with self._explained(key), _released(self._client.get_object(self.bucket, name)) as response:
            return response.read()

    def open(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore.open`."""
        validate_range(start, length)
        name = self._name(key)
        if length == 0:  # which the client would take for "to the end"
            self.stat(key)
            return iter(())
        try:
            with self._explained(key):
                response = self._client.get_object(self.bucket, name, offset=start, length=length or 0)
        except _BeyondTheEnd:
            return iter(())
        return self._stream(key, response)

    def stat(self, key: str) -> ObjectInfo:
        """See `ObjectStore.stat`."""
        name = self._name(key)
        with self._explained(key):
            found = self._client.stat_object(self.bucket, name)
        return ObjectInfo(
            key=key,
            size=found.size or 0,
            etag=(found.etag or "").strip('"'),
            modified=_utc(found.last_modified),
            content_type=found.content_type,
        )

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        try:
            self.stat(key)
        except KeyNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        name = self._name(key)
        with suppress(KeyNotFound), self._explained(key):
            self._client.remove_object(self.bucket, name)

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`. Names that are not valid keys, such as the folder marks of some tools, are left out."""
        return self._list(self._before + validate_prefix(prefix))

    def local_path(self, key: str) -> None:
        """See `ObjectStore.local_path`: there is no file."""
        validate_key(key)

    def append(self, name: UUID, data: bytes, *, at: int) -> None:
        """See `ObjectStore.append`: objects `.growing/<name>/<offset>`, each but the last large enough to be part of another.

        A multipart upload of S3's own would hold large parts alone, and forget how far it came where its id is lost.
        """
        pieces = self._pieces(name)
        held = sum(piece.size for piece in pieces)
        if held < at:
            raise BytesMissing(held)
        while pieces and pieces[-1].offset >= at:
            self._remove(pieces[-1].name)
            pieces = pieces[:-1]
        if pieces:
            last = pieces[-1]
            kept = at - last.offset
            if kept < last.size or last.size < LEAST_PART_BYTES:
                data, at = self._piece(last.name)[:kept] + data, last.offset
        if data:
            with self._explained():
                self._client.put_object(self.bucket, self._piece_name(name, at), BytesIO(data), length=len(data))

    def finish(self, name: UUID, key: str, *, size: int) -> None:
        """See `ObjectStore.finish`: the bucket puts the pieces together, none of their bytes comes here."""
        target = self._name(key)
        pieces = self._pieces(name)
        if not self._holds(key, size):
            held = sum(piece.size for piece in pieces)
            if held < size:
                raise BytesMissing(held)
            if held > size:
                self.append(name, b"", at=size)
                pieces = self._pieces(name)
            if not size:
                self.put(key, b"")
            else:
                with self._explained():
                    self._client.compose_object(self.bucket, target, [ComposeSource(self.bucket, piece.name) for piece in pieces])
        self.abandon(name)

    def abandon(self, name: UUID) -> None:
        """See `ObjectStore.abandon`. The pieces go from the end, so that those left are the beginning."""
        for piece in reversed(self._pieces(name)):
            self._remove(piece.name)

    def growing(self) -> Iterator[UUID]:
        """See `ObjectStore.growing`."""
        before = f"{self._before}{GROWING}/"
        for found in self._entries(before, recursive=False):
            with suppress(ValueError):
                yield UUID((found.object_name or "").removeprefix(before).rstrip("/"))

    def check(self, *, write: bool = True) -> None:
        """See `ObjectStore.check`: asks for the bucket, and puts an empty object there and takes it away."""
        with self._explained():
            if not self._client.bucket_exists(self.bucket):
                raise StoreUnavailable(self._no_bucket())
        if not write:
            return
        name = f"{self._before}{INCOMING}/check"
        try:
            with self._explained():
                self._client.put_object(self.bucket, name, BytesIO(), length=0)
                self._client.remove_object(self.bucket, name)
        except StoreUnavailable as error:
            raise StoreUnavailable(f"it can be read and not be written to: {error}") from error

    def _name(self, key: str) -> str:
        return self._before + validate_key(key)

    def _stream(self, key: str, response: BaseHTTPResponse) -> Iterator[bytes]:
        with _released(response):
            chunks = response.stream(CHUNK_BYTES)
            while True:
                with self._explained(key):
                    chunk = next(chunks, None)
                if chunk is None:
                    return
                yield chunk

    def _pieces(self, name: UUID) -> tuple[_Piece, ...]:
        """The pieces of a growing object that follow one another from the start."""
        before = self._piece_name(name)
        pieces: tuple[_Piece, ...] = ()
        for entry in self._entries(before):
            piece = _Piece(entry.object_name or "", int((entry.object_name or "").removeprefix(before)), entry.size or 0)
            if piece.offset == (pieces[-1].offset + pieces[-1].size if pieces else 0):
                pieces += (piece,)
            else:  # left by a crash, behind what was dropped
                self._remove(piece.name)
        return pieces

    def _piece_name(self, name: UUID, offset: int | None = None) -> str:
        # As many digits as the largest object needs: names sort as the numbers do.
        return f"{self._before}{GROWING}/{name}/" + ("" if offset is None else f"{offset:016d}")

    def _piece(self, name: str) -> bytes:
        with self._explained(), _released(self._client.get_object(self.bucket, name)) as response:
            return response.read()

    def _remove(self, name: str) -> None:
        with self._explained():
            self._client.remove_object(self.bucket, name)

    def _holds(self, key: str, size: int) -> bool:
        try:
            return self.stat(key).size == size
        except KeyNotFound:
            return False

    def _entries(self, prefix: str, *, recursive: bool = True) -> Iterator[Object]:
        found = self._client.list_objects(self.bucket, prefix=prefix, recursive=recursive)
        while True:
            with self._explained():
                entry = next(found, None)
            if entry is None:
                return
            yield entry

    def _list(self, prefix: str) -> Iterator[ObjectInfo]:
        for entry in self._entries(prefix):
            key = (entry.object_name or "").removeprefix(self._before)
            with suppress(InvalidKey):
                yield ObjectInfo(
                    key=validate_key(key),
                    size=entry.size or 0,
                    etag=(entry.etag or "").strip('"'),
                    modified=_utc(entry.last_modified),
                    content_type=None,
                )

    def _create_bucket(self) -> None:
        with self._explained():
            if not self._client.bucket_exists(self.bucket):
                try:
                    self._client.make_bucket(self.bucket, self._settings.region)
                except S3Error as error:
                    if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):  # by another replica, just now
                        raise

    @contextmanager
    def _explained(self, key: str = "", stream: _Counted | None = None) -> Iterator[None]:
        """Errors of the client as errors of the store; those of the stream that it reads stay what they are."""
        try:
            yield
        except Exception as error:
            if stream is not None and error is stream.error:
                raise
            explanation = self._explanation(error, key)
            if explanation is None:
                raise
            raise explanation from error

    def _explanation(self, error: Exception, key: str) -> Exception | None:
        if isinstance(error, StoreError):
            return None
        if isinstance(error, S3Error):
            return self._explanation_of_code(error, key)
        # The client lets the errors of its XML parser through, and has ValueErrors for elements that it misses.
        if isinstance(error, (MinioException, ParseError, ValueError)):
            return StoreUnavailable(f"{self._where()} does not answer like an S3: check the endpoint ({error})")
        if isinstance(error, urllib3.exceptions.HTTPError):
            return StoreUnavailable(f"{self._where()} cannot be reached: check the endpoint and the network ({error})")
        return None

    def _explanation_of_code(self, error: S3Error, key: str) -> Exception:
        code = error.code or ""
        if code in _NOT_FOUND and key:
            return KeyNotFound(key)
        if code == "InvalidRange":
            return _BeyondTheEnd()
        if code in _NO_ROOM:
            return StoreFull(f"{self._where()} has no room ({code}): raise its quota, or remove objects")
        if code == "NoSuchBucket":
            return StoreUnavailable(self._no_bucket())
        if code in _REFUSED:
            advice = "check access key, secret key, region, the clock, and the rights of the key on the bucket"
            return StoreUnavailable(f"{self._where()} refused the request ({code}): {advice}")
        return StoreUnavailable(f"{self._where()} failed: {code}: {error.message}")

    def _where(self) -> str:
        return f"the bucket {self.bucket!r} at {self._settings.endpoint}"

    def _no_bucket(self) -> str:
        return f"{self._where()} does not exist: make it, or allow VisionLab to with create_bucket"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a growing object: the object's name in the bucket, where it begins, and how long it is, in bytes."""

    name: str
    offset: int
    size: int


class _BeyondTheEnd(Exception):
    """The range begins after the last byte."""


_NOT_FOUND = frozenset({"NoSuchKey", "NoSuchObject", "ResourceNotFound"})
_NO_ROOM = frozenset({"StorageFull", "XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded"})
_REFUSED = frozenset(
    {
        "AccessDenied",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "PermanentRedirect",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)


class _Counted:
    """A stream that counts its bytes and remembers its error."""

    def __init__(self, stream: Readable) -> None:
        self.size = 0
        self.error: Exception | None = None
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        try:
            data = self._stream.read(size)
            if not isinstance(data, bytes):
                raise TypeError(f"a stream of bytes was expected, not of {type(data).__name__}")
        except Exception as error:
            self.error = error
            raise
        self.size += len(data)
        return data


class _Credentials(Provider):
    """Credentials whose absence says what to do."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def retrieve(self) -> Credentials:
        try:
            return self._provider.retrieve()
        except (ValueError, MinioException, urllib3.exceptions.HTTPError) as error:
            raise StoreUnavailable("no credentials for S3: set access key and secret key, or give the machine a role") from error


def _credentials(settings: S3Settings) -> Provider:
    if settings.access_key and settings.secret_key:
        return StaticProvider(settings.access_key, settings.secret_key.get_secret_value())
    return ChainedProvider([EnvAWSProvider(), AWSConfigProvider(), IamAwsProvider(http_client=_http(connections=1, retries=0))])


def _http(connections: int, retries: int = 3) -> urllib3.PoolManager:
    # The client's own pool would wait five minutes for a host that does not answer, and come back for it five times.
    return urllib3.PoolManager(
        maxsize=connections,
        timeout=urllib3.Timeout(connect=3, read=60),
        retries=urllib3.Retry(total=retries, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]),
        cert_reqs="CERT_REQUIRED",
        ca_certs=os.environ.get("SSL_CERT_FILE") or certifi.where(),
    )


@contextmanager
def _released(response: BaseHTTPResponse) -> Iterator[BaseHTTPResponse]:
    """A connection that was read to its end goes back to the pool, one that was not is closed."""
    try:
        yield response
    finally:
        response.close()
        response.release_conn()


def _utc(time: datetime | None) -> datetime:
    return (time or datetime.now(UTC)).astimezone(UTC)
