"""Sessions: a signed cookie for those who only read, and a row in the database from the moment somebody logs in.

A visitor without a log-in costs the database nothing. A session that is kept has a random token in the cookie and
nothing else; the database knows the token's hash alone, so reading it gives nobody a session.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin, session_json_serializer
from sqlalchemy import LargeBinary, Text, delete, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.clock import Clock
from app.core.database import Base, db
from app.core.settings import Environment, Settings

# What ID-porten asks of a service: source identity.md §1.5 (D24 oidc_guide_idporten).
IDLE = dt.timedelta(minutes=30)
ABSOLUTE = dt.timedelta(minutes=120)
# So often the time of the last request is written: not at every one.
SEEN_EVERY = dt.timedelta(minutes=1)
NAME = "fakturaportalen"

_TOKEN = re.compile(r"k\.[A-Za-z0-9_-]{43}")


class StoredSession(Base):
    """One kept session. ``provider_hash`` finds it by the log-in provider's own id of it, to end it from there."""

    __tablename__ = "stored_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    provider_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    data: Mapped[str] = mapped_column(Text)
    started_at: Mapped[dt.datetime] = mapped_column(index=True)
    seen_at: Mapped[dt.datetime] = mapped_column(index=True)


class Visit(SecureCookieSession):
    """The session of a request. ``keep`` and ``renew`` move it into the database, under a new token."""

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        super().__init__(initial)
        self.token = ""
        self.is_kept = False
        self.provider_hash: bytes | None = None
        self.started_at: dt.datetime | None = None
        self.seen_at: dt.datetime | None = None
        self.retired: list[str] = []

    def keep(self) -> None:
        """From here on the cookie holds a token alone."""
        if not self.is_kept:
            self.renew()

    def renew(self, provider_hash: bytes | None = None) -> None:
        """Begin anew under a new token: whoever knew the old one knows nothing. The clocks start again."""
        if self.token:
            self.retired.append(self.token)
        self.token, self.is_kept, self.modified = "", True, True
        self.provider_hash, self.started_at, self.seen_at = provider_hash, None, None

    def end(self) -> None:
        """Forget everything; the row goes, and the cookie with it."""
        self.clear()
        if self.token:
            self.retired.append(self.token)
        self.token, self.is_kept, self.modified = "", False, True


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, and the table for sessions that are kept.

    The table is used over a connection of its own: what a view leaves undone is not committed here.
    """

    digest_method = staticmethod(hashlib.sha256)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def open_session(self, app: Flask, request: Request) -> Visit:
        """The session of *request*; a token that is unknown or too old gives an empty one."""
        value = request.cookies.get(self.get_cookie_name(app), "")
        if request.path.startswith("/static/"):
            return Visit()
        if not _TOKEN.fullmatch(value):
            found = super().open_session(app, request)
            return Visit(dict(found or {}))
        return self._stored(value) or Visit()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed. A kept session whose row is gone was ended elsewhere, and stays ended."""
        if not isinstance(session, Visit):
            raise TypeError("a session of ours was expected")
        for token in session.retired:
            _delete(token)
        if not session.is_kept:
            super().save_session(app, session, response)
            return
        response.vary.add("Cookie")
        if not session.token:
            session.token = self._insert(session)
            self._set(app, response, session.token)
        elif not self._update(session):
            response.delete_cookie(self.get_cookie_name(app), **self._cookie(app))

    def _stored(self, token: str) -> Visit | None:
        now = self._clock.now()
        with db.engine.connect() as connection:
            row = connection.execute(
                select(StoredSession.__table__).where(
                    StoredSession.token_hash == _hashed(token),
                    StoredSession.started_at > now - ABSOLUTE,
                    StoredSession.seen_at > now - IDLE,
                )
            ).one_or_none()
        if row is None:
            return None
        visit = Visit(session_json_serializer.loads(row.data))
        visit.token, visit.is_kept, visit.provider_hash = token, True, row.provider_hash
        visit.started_at, visit.seen_at = row.started_at, row.seen_at
        return visit

    def _insert(self, visit: Visit) -> str:
        token, now = f"k.{secrets.token_urlsafe(32)}", self._clock.now()
        with db.engine.begin() as connection:
            connection.execute(
                insert(StoredSession).values(
                    token_hash=_hashed(token),
                    provider_hash=visit.provider_hash,
                    data=session_json_serializer.dumps(dict(visit)),
                    started_at=now,
                    seen_at=now,
                )
            )
            connection.execute(delete(StoredSession).where(_is_over(now)))
        return token

    def _update(self, visit: Visit) -> bool:
        """Write what changed; whether the session is still there."""
        now = self._clock.now()
        is_fresh = visit.seen_at is not None and now - visit.seen_at < SEEN_EVERY
        if is_fresh and not visit.modified:
            return True
        changed = update(StoredSession).where(StoredSession.token_hash == _hashed(visit.token)).values(seen_at=now)
        if visit.modified:
            changed = changed.values(data=session_json_serializer.dumps(dict(visit)))
        with db.engine.begin() as connection:
            return connection.execute(changed).rowcount == 1

    def _set(self, app: Flask, response: Response, token: str) -> None:
        response.set_cookie(self.get_cookie_name(app), token, **self._cookie(app))

    def _cookie(self, app: Flask) -> dict[str, Any]:
        return {
            "path": self.get_cookie_path(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
        }


def provider_hash(issuer: str, sid: str) -> bytes:
    """What the table knows instead of the log-in provider's id *sid* of a session (32 bytes)."""
    return hashlib.sha256(f"{issuer}\0{sid}".encode()).digest()


def end_sessions(session: Session, issuer: str, sid: str) -> int:
    """End every session that began with the provider's *sid*, in the caller's transaction; gives how many."""
    ended = delete(StoredSession).where(StoredSession.provider_hash == provider_hash(issuer, sid))
    return len(session.execute(ended.returning(StoredSession.seen_at)).all())


def init_app(app: Flask) -> None:
    """Use these sessions; where the site is reached by HTTPS alone the cookie can neither leak nor be planted."""
    settings: Settings = app.config["SETTINGS"]
    is_secure = settings.environment is Environment.PRODUCTION or settings.base_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME=f"__Host-{NAME}" if is_secure else NAME,
        SESSION_COOKIE_SECURE=is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.session_interface = Sessions(app.config["CLOCK"])


def _hashed(token: str) -> bytes:
    # The token is 256 random bits: nothing to guess, so nothing slower is needed.
    return hashlib.sha256(token.encode()).digest()


def _is_over(now: dt.datetime) -> Any:
    return or_(StoredSession.started_at <= now - ABSOLUTE, StoredSession.seen_at <= now - IDLE)


def _delete(token: str) -> None:
    with db.engine.begin() as connection:
        connection.execute(delete(StoredSession).where(StoredSession.token_hash == _hashed(token)))
