"""What is wrong with an installation is named where an operator looks: in what `kubectl describe` says of its pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from minio import Minio, MinioAdmin
from minio.credentials import StaticProvider
from support.installation import CHART, REGISTRY, TAG, Installation, comes

pytestmark = pytest.mark.timeout(600)

NAMESPACE = "vl-bad"
SQLITE = "sqlite:////tmp/lab.db"
RIGHT = ("minioadmin", "minioadmin")
MINIO = "http://minio.minio:9000"
READER = ("reader-of-the-tests", "may-read-and-nothing-else")
BUCKET = "read-by-the-tests"


@pytest.fixture
def lab() -> Iterator[Installation]:
    lab = Installation(NAMESPACE, "lab")
    lab.begin()
    yield lab
    lab.end(wait=True)


@pytest.fixture
def reader() -> None:
    """A bucket, and someone who may read it and not write to it."""
    provider = StaticProvider(*RIGHT)
    host = MINIO.removeprefix("http://")
    client = Minio(endpoint=host, credentials=provider, secure=False)
    if not client.bucket_exists(bucket_name=BUCKET):
        client.make_bucket(bucket_name=BUCKET)
    resource = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    allowed = {"Effect": "Allow", "Action": ["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"], "Resource": resource}
    admin = MinioAdmin(endpoint=host, credentials=provider, secure=False)
    admin.user_add(*READER)
    admin.policy_add("read-by-the-tests", policy={"Version": "2012-10-17", "Statement": [allowed]})
    admin.policy_set("read-by-the-tests", user=READER[0])


def install(lab: Installation, *, database: str, keys: tuple[str, str], endpoint: str, bucket: str) -> None:
    """The facade and its controller alone, on a database and a store of one's own."""
    token = {"adminToken": "vl_admin-of-the-tests-0123456789abcdefghijk"}
    s3 = {"AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1]}
    for name, data in (("database", {"url": database}), ("s3", s3), ("accounts", token)):
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
        lab.kubectl("apply", "-f", "-", given=secret)
    settings = {
        "images.registry": REGISTRY,
        "images.tag": TAG,
        "serving.mode": "embedded",
        "training.enabled": "false",
        "starterModels.enabled": "false",
        "database.existingSecret": "database",
        "objectStore.existingSecret": "s3",
        "objectStore.endpoint": endpoint,
        "objectStore.url": f"s3://{bucket}",
        "accounts.existingSecret": "accounts",
        "api.autoscaling.enabled": "false",
        "api.replicas": "1",
        "api.resources.requests.cpu": "20m",
        "controller.replicas": "0",
        "ui.autoscaling.enabled": "false",
        "ui.replicas": "0",
    }
    words = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
    lab.helm("install", str(CHART), *words)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"keys": ("minioadmin", "wrong")}, ["the store cannot be used", "check access key, secret key"]),
        ({"endpoint": "http://minio.minio:9"}, ["the store cannot be used", "cannot be reached: check the endpoint"]),
        ({"keys": READER, "bucket": BUCKET}, ["the store cannot be used", "it can be read and not be written to"]),
        ({}, ["the store cannot be used", "does not exist: make it, or allow VisionLab to"]),
    ],
    ids=["keys", "endpoint", "read-only", "bucket"],
)
def test_a_pod_that_cannot_start_says_why(lab, reader, wrong, words):
    install(lab, **{"database": SQLITE, "keys": RIGHT, "endpoint": MINIO, "bucket": "bad-installations", **wrong})

    def message() -> str | None:
        for pod in lab.pods("api"):
            for container in pod["status"].get("containerStatuses", []):
                for state in (container["state"], container["lastState"]):
                    if "terminated" in state:
                        return state["terminated"].get("message")
        return None

    said = comes(message, "the end of the container")
    assert all(word in said for word in words), said


def test_a_database_that_does_not_answer_is_named_while_it_is_waited_for(lab):
    wrong = "postgresql://a:b@nowhere.invalid/c"
    install(lab, database=wrong, keys=RIGHT, endpoint=MINIO, bucket="bad-installations")

    def complaint() -> str | None:
        lines = [
            line for pod in lab.pods("api") for line in lab.kubectl("logs", pod["metadata"]["name"], check=False).splitlines()
        ]
        return next((line for line in lines if "the database does not answer yet" in line), None)

    assert "nowhere.invalid" in comes(complaint, "what the log says")
    assert lab.ready("api") == 0
