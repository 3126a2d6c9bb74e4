"""From a store's address to the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from visionlab_core.object_store.contract import ObjectStore
from visionlab_core.object_store.folder import FolderObjectStore


class S3Settings(BaseModel):
    """How to reach an S3, whoever made it. Bucket and prefix are part of the store's address.

    Without keys of its own a store takes those of the environment: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, the AWS
    configuration file, or the role of the machine or the ServiceAccount.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: str = Field(default="https://s3.amazonaws.com", description="http(s)://host[:port]")
    region: str = "us-east-1"
    access_key: str | None = None
    secret_key: SecretStr | None = None
    create_bucket: bool = Field(default=False, description="create the bucket at the start where it is missing")
    addressing: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="where the bucket's name stands in addresses; auto: in the host name at AWS, else in the path",
    )

    @field_validator("endpoint")
    @classmethod
    def _is_origin(cls, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query or parts.username:
            raise ValueError("an S3 endpoint looks like https://host or http://host:port, without a path or a password")
        return f"{parts.scheme}://{parts.netloc}"

    @model_validator(mode="after")
    def _both_keys(self) -> Self:
        if bool(self.access_key) != bool(self.secret_key and self.secret_key.get_secret_value()):
            raise ValueError("give both access_key and secret_key, or neither")
        return self

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that `to_environment` gave to a process.

        Raises:
            ValueError: they are none.
        """
        names = {f"{ENVIRONMENT_PREFIX}{name.upper()}": name for name in cls.model_fields}
        return cls.model_validate({names[name]: value for name, value in environment.items() if name in names and value})

    def to_environment(self) -> dict[str, str]:
        """Environment variables for a process that is to use the same S3. They hold the secret key: arguments would show it."""
        values = self.model_dump(exclude_none=True) | {"create_bucket": str(self.create_bucket).lower()}
        if self.secret_key is not None:
            values["secret_key"] = self.secret_key.get_secret_value()
        return {f"{ENVIRONMENT_PREFIX}{name.upper()}": value for name, value in values.items()}


ENVIRONMENT_PREFIX = "VISIONLAB_S3_"
"""What the names of the environment variables begin with that hold S3Settings, such as VISIONLAB_S3_ENDPOINT."""


def open_store(url: str, s3: S3Settings | None = None) -> ObjectStore:
    """The store at `url`: `file:///folder` or a plain path (a folder, made where it is missing), or `s3://bucket[/prefix]`.

    Args:
        url: the address.
        s3: how to reach S3; used for `s3://` alone.

    Raises:
        ValueError: no store can have this address.
        StoreUnavailable: the folder or the bucket cannot be made.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        if not url:
            raise ValueError("the address of the object store is empty")
        return FolderObjectStore(url)
    parts = urlsplit(url)
    if scheme == "file" and parts.netloc in ("", "localhost") and parts.path and not (parts.query or parts.fragment):
        return FolderObjectStore(unquote(parts.path))
    if scheme == "s3" and parts.netloc and not (parts.query or parts.fragment):
        # Loading the S3 client takes a third of a second and 16 MB, which a store in a folder need not pay.
        from visionlab_core.object_store.s3 import S3ObjectStore

        return S3ObjectStore(parts.netloc, prefix=unquote(parts.path).strip("/"), settings=s3 or S3Settings())
    raise ValueError(f"{url!r} is no address of an object store: use a path, file:///path or s3://bucket/prefix")
