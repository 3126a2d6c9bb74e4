"""Who asks, keys, and the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from visionlab_api.accounts.principal import Scope
from visionlab_api.inputs import PlainText, Timestamp
from visionlab_api.schemas.parts import Body


class Session(BaseModel):
    """Who asks, and how one can sign in."""

    kind: Literal["anonymous", "user", "admin", "key"]
    name: str = Field(examples=["admin token"])
    scopes: list[Scope] = Field(description="what one may do beyond what everyone may; `admin` is all of it")
    accounts: bool = Field(description="false: this server has no accounts, whoever reaches it is an admin")
    provider: str | None = Field(
        description="name of the OpenID Connect provider that signs people in at /backend/session/oidc; null: there is none"
    )


class SignIn(Body):
    """Sign a browser in."""

    token: PlainText = Field(min_length=1, max_length=200, description="the admin token, or an API key")


class NewKey(Body):
    """A key for a program."""

    name: PlainText = Field(min_length=1, max_length=80, description="what it is for", examples=["nightly import"])
    scopes: list[Scope] = Field(
        min_length=1,
        max_length=len(Scope),
        description="inference: the public calls without limits of rate; admin: everything, keys and the audit log too",
        examples=[["inference"]],
    )
    expires_at: Timestamp | None = Field(None, description="default: it counts until it is revoked")


class Key(BaseModel):
    """An API key, without its secret."""

    uuid: UUID
    name: str
    prefix: str = Field(description="how the secret begins", examples=["vl_3kT9-wQx"])
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="to within ten minutes")


class MadeKey(Key):
    """A new key, with its secret."""

    key: str = Field(description="the secret, shown this once; send it as `Authorization: Bearer KEY`")


class AuditEntry(BaseModel):
    """An act of an admin, or a try at one."""

    at: datetime
    actor_kind: str = Field(examples=["admin"])
    actor_id: str = Field(description="which account or key; it stays the same when its name changes")
    actor_name: str = Field(examples=["admin token"])
    action: str = Field(description="method and path, with the parameters' names", examples=["POST /backend/settings"])
    target: str = Field(description="the path that was called", examples=["/backend/settings"])
    status: int | None = Field(description="of the answer; null: it is being done, or the server was stopped before it was")
    detail: dict[str, Any] = Field(description="what it was about", examples=[{"images_per_batch": 12}])
    request_id: str | None = Field(description="the X-Request-ID, also in the server's log")


class AuditPage(BaseModel):
    """A part of the audit log, newest first."""

    entries: list[AuditEntry]
    next_cursor: str | None = Field(None, description="give it as `cursor` for the next part; null at the end")
