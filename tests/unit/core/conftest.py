"""The stores that the contract is tested on: a folder, and an S3 server in this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto.server import ThreadedMotoServer

from visionlab_core.object_store import ObjectStore, S3Settings, open_store


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_settings(s3_endpoint: str) -> S3Settings:
    return S3Settings.model_validate(
        {"endpoint": s3_endpoint, "access_key": "someone", "secret_key": "something", "create_bucket": True}
    )


@pytest.fixture(params=["folder", "s3"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"file://{tmp_path}/store" if request.param == "folder" else f"s3://bucket-{uuid4().hex}/some/prefix"


@pytest.fixture
def store(store_url: str, request: pytest.FixtureRequest) -> ObjectStore:
    return open_store(store_url, request.getfixturevalue("s3_settings") if store_url.startswith("s3:") else None)
