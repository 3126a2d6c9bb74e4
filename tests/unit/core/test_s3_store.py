"""What holds for S3 alone: an endpoint that is away, a bucket that is missing, a prefix that is shared."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from minio.error import S3Error
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from pydantic import ValidationError
from urllib3.response import HTTPResponse

from visionlab_core.object_store import KeyNotFound, S3Settings, StoreFull, StoreUnavailable, open_store


def settings(endpoint: str) -> S3Settings:
    return S3Settings.model_validate({"endpoint": endpoint, "access_key": "someone", "secret_key": "something"})


@contextmanager
def answering(status: str, body: str) -> Iterator[str]:
    """A server that gives every request the same answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(1 << 16)
                    head = (
                        f"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\nConnection: close"
                    )
                    connection.sendall(f"{head}\r\n\r\n{body}".encode())

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_an_endpoint_that_is_away_is_told_soon() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = open_store("s3://some-bucket", settings(f"http://127.0.0.1:{port}"))
    with pytest.raises(
        StoreUnavailable, match=rf"'some-bucket' at http://127.0.0.1:{port} cannot be reached: check the endpoint"
    ):
        store.check()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        ("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>", "check access key"),
        ("403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code></Error>", "check access key"),
        ("400 Bad Request", "<Error><Code>Odd</Code><Message>reason</Message></Error>", "Odd: reason"),
        ("200 OK", "<html>no S3</html>", "does not answer like an S3"),
        ("200 OK", "neither", "does not answer like an S3"),
        ("418 I'm a teapot", "tea", "does not answer like an S3"),
    ],
)
def test_answers_that_are_of_no_use(status: str, body: str, words: str) -> None:
    with answering(status, body) as endpoint:
        store = open_store("s3://some-bucket", settings(endpoint))
        with pytest.raises(StoreUnavailable, match=words):
            list(store.list())
        if "like an S3" not in words:
            with pytest.raises(StoreUnavailable, match=words):
                store.get("a")


def test_a_full_store() -> None:
    answer = answering("507 Insufficient Storage", "<Error><Code>XMinioStorageFull</Code></Error>")
    with answer as endpoint, pytest.raises(StoreFull, match="no room"):
        open_store("s3://some-bucket", settings(endpoint)).put("a", b"x")


def test_an_answer_that_breaks_off_is_not_taken_for_the_end() -> None:
    with answering("200 OK", "x" * 10) as endpoint:
        store = open_store("s3://some-bucket", settings(endpoint))
        assert store.get("a") == b"x" * 10
    with answering("200 OK\r\nContent-Length: 1000", "x" * 10) as endpoint:
        store = open_store("s3://some-bucket", settings(endpoint))
        with pytest.raises(StoreUnavailable):
            list(store.open("a"))


def test_no_credentials_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/none")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/credentials")
    with pytest.raises(StoreUnavailable, match="no credentials for S3: set access key"):
        open_store("s3://some-bucket", S3Settings(endpoint="http://127.0.0.1:1")).check()


def test_a_bucket_is_made_only_when_asked(s3_endpoint: str, s3_settings: S3Settings) -> None:
    url = f"s3://bucket-{uuid4().hex}"
    store = open_store(url, settings(s3_endpoint))
    for use in (store.check, lambda: store.put("a", b"x"), lambda: list(store.list())):
        with pytest.raises(StoreUnavailable, match="does not exist: make it, or allow VisionLab to"):
            use()
    for _ in range(2):
        open_store(url, s3_settings).check()
    store.put("a", b"x")
    assert store.local_path("a") is None


def test_prefixes_keep_stores_of_one_bucket_apart(s3_settings: S3Settings) -> None:
    bucket = f"s3://bucket-{uuid4().hex}"
    whole, one, other = (open_store(bucket + path, s3_settings) for path in ("", "/a", "/ab/c/"))
    one.put("x", b"1")
    other.put("y", b"2")
    assert [info.key for info in one.list()] == ["x"]
    assert [info.key for info in other.list()] == ["y"]
    assert [info.key for info in whole.list()] == ["a/x", "ab/c/y"]
    with pytest.raises(KeyNotFound):
        one.get("y")


def test_listings_of_several_pages_come_whole(s3_settings: S3Settings) -> None:
    bucket = f"bucket-{uuid4().hex}"
    store = open_store(f"s3://{bucket}", s3_settings)
    names = [f"n/{number:04}" for number in range(2010)]
    for name in names:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, name, b"")  # in the server, past its slow front door
    assert [info.key for info in store.list("n/")] == names


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "localhost:9000"},
        {"endpoint": "ftp://x"},
        {"endpoint": "http://x/path"},
        {"endpoint": "http://me:secret@x"},
        {"access_key": "only one"},
        {"secret_key": "only one"},
        {"buckets": "typo"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        S3Settings.model_validate(wrong)


def test_the_secret_is_not_shown() -> None:
    assert "something" not in repr(settings("http://x"))


def test_a_bucket_that_may_only_be_read_is_told(s3_settings: S3Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(f"s3://bucket-{uuid4().hex}", s3_settings)
    store.check()
    assert list(store.list()) == []

    def refuses(*_: object, **__: object) -> None:
        raise S3Error(HTTPResponse(), "AccessDenied", "no", "/", "1", "1")

    monkeypatch.setattr(store._client, "put_object", refuses)
    store.check(write=False)
    with pytest.raises(StoreUnavailable, match=r"can be read and not be written to: .*the rights of the key on the bucket"):
        store.check()
