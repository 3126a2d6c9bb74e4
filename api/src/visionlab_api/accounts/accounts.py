"""From what a request carries to who asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from visionlab_api.accounts.known_secrets import SECONDS, KnownSecrets
from visionlab_api.accounts.principal import ANONYMOUS, LOCAL, Principal, Scope, scopes_of
from visionlab_api.accounts.refusals import unknown_key
from visionlab_api.accounts.secret import digest, new_secret
from visionlab_api.configuration import ApiConfiguration
from visionlab_api.database.account_tables import ApiKeyRow, SessionRow

SESSION_COOKIE: Final = "visionlab_session"
LONGEST_SESSION: Final = timedelta(days=7)
_LOOPBACK_NAMES: Final = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
_BETWEEN_USES: Final = timedelta(minutes=10)
"""How exactly the last use of a key is known: each noting is a write."""


class Accounts:
    """Knows keys, tokens and sessions. Without credentials nothing is looked up."""

    def __init__(self, sessions: async_sessionmaker[AsyncSession], configuration: ApiConfiguration) -> None:
        self._sessions = sessions
        self.off = configuration.auth == "off"
        self.idle = timedelta(hours=configuration.session_hours)
        token = configuration.admin_token
        self._environment_digest = None if token is None else digest(token.get_secret_value())
        self._keys: KnownSecrets[Principal] = KnownSecrets()
        self._browsers: KnownSecrets[Principal] = KnownSecrets()

    async def identify(self, headers: list[tuple[bytes, bytes]]) -> tuple[Principal, bool]:
        """Who asks, by the headers of a request; and whether a browser says so by itself, with any request of any page.

        A session that has ended is a visitor's; a key that does not count is an error, as a program would take what it may not
        do for what is not there.

        Raises:
            ProblemError: 401, the key is unknown, expired or revoked.
        """
        host = cookie = None
        for name, value in headers:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                return await self.by_key(value[7:].strip().decode("latin-1")), False
            if name == b"cookie" and SESSION_COOKIE.encode() in value:
                cookie = value
            elif name == b"host":
                host = value
        if self.off:
            # A page whose own name was made to lead to this machine is not this machine.
            local = host is None or host.rpartition(b":")[0] in _LOOPBACK_NAMES or host in _LOOPBACK_NAMES
            return (LOCAL if local else ANONYMOUS), True
        if cookie is not None and (secret := session_of(cookie)):
            return await self._by_session(digest(secret)) or ANONYMOUS, True
        return ANONYMOUS, False

    async def by_key(self, secret: str) -> Principal:
        """Who a key, or the admin token, stands for.

        Raises:
            ProblemError: 401, nobody.
        """
        principal = await self._by_digest(digest(secret))
        if principal is None:
            raise unknown_key()
        return principal

    async def open_session(self, *, key: str | None = None, person: Principal | None = None) -> str:
        """A session for the holder of a key, or for a person that a provider vouched for. Gives the cookie's value."""
        secret, now = new_secret(), datetime.now(UTC)
        row = SessionRow(digest=digest(secret), name="", created_at=now, expires_at=now + self.idle)
        if key is not None:
            row.key_digest = digest(key)
        elif person is not None:
            row.subject, row.name, row.scopes = person.id, person.name, sorted(person.scopes)
        async with self._sessions() as session:
            session.add(row)
            await session.commit()
        return secret

    async def close_session(self, secret: str) -> None:
        """The cookie stands for nobody any more."""
        async with self._sessions() as session:
            await session.execute(delete(SessionRow).where(SessionRow.digest == digest(secret)))
            await session.commit()
        self._browsers.clear()

    async def sweep(self) -> None:
        """Remove sessions that have ended."""
        async with self._sessions() as session:
            await session.execute(delete(SessionRow).where(SessionRow.expires_at < datetime.now(UTC)))
            await session.commit()

    def forget(self) -> None:
        """Keys have changed: what is known of them counts no more."""
        self._keys.clear()
        self._browsers.clear()

    async def _by_digest(self, key: str) -> Principal | None:
        if self._environment_digest is not None and compare_digest(key, self._environment_digest):
            return Principal("admin", "admin-token", "admin token", frozenset({Scope.ADMIN}))
        known = self._keys.find(key)
        if known is not None:
            return known[0]
        now = datetime.now(UTC)
        async with self._sessions() as session:
            row = await session.scalar(select(ApiKeyRow).where(ApiKeyRow.digest == key, ApiKeyRow.revoked_at.is_(None)))
            if row is None or self._is_over(row, now):
                self._keys.keep(key, None)
                return None
            if row.last_used_at is None or now - row.last_used_at > _BETWEEN_USES:
                await session.execute(update(ApiKeyRow).where(ApiKeyRow.id == row.id).values(last_used_at=now))
                await session.commit()
        kind: Any = "key" if row.kind == "key" else "admin"
        principal = Principal(kind, str(row.uuid), row.name, scopes_of(row.scopes))
        self._keys.keep(key, principal, SECONDS if row.expires_at is None else (row.expires_at - now).total_seconds())
        return principal

    def _is_over(self, row: ApiKeyRow, now: datetime) -> bool:
        # A token from the environment takes the place of the one that was made here.
        replaced = row.kind == "admin_token" and self._environment_digest is not None
        return replaced or (row.expires_at is not None and row.expires_at <= now)

    async def _by_session(self, cookie: str) -> Principal | None:
        known = self._browsers.find(cookie)
        if known is not None:
            return known[0]
        now = datetime.now(UTC)
        async with self._sessions() as session:
            row = await session.scalar(select(SessionRow).where(SessionRow.digest == cookie, SessionRow.expires_at > now))
            if row is None:
                self._browsers.keep(cookie, None)
                return None
            until = min(now + self.idle, row.created_at + LONGEST_SESSION)
            if until - row.expires_at > self.idle / 20:
                await session.execute(update(SessionRow).where(SessionRow.id == row.id).values(expires_at=until))
                await session.commit()
        if row.key_digest is not None:
            principal = await self._by_digest(row.key_digest)
        else:
            scopes = scopes_of(row.scopes)
            principal = Principal("admin" if Scope.ADMIN in scopes else "user", row.subject or "", row.name, scopes)
        self._browsers.keep(cookie, principal, (row.expires_at - now).total_seconds())
        return principal


def session_of(cookie: bytes) -> str | None:
    """The session of a Cookie header; None where there is none."""
    try:
        morsel = SimpleCookie(cookie.decode("latin-1")).get(SESSION_COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None
