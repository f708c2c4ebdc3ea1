"""Versions of documents: what was sent in, in order, and whether its words are kept.

Nothing that was acknowledged goes while its document is there: not what newer content replaced
before it was read, nor what could not be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, insert, select

from kb_service.domain.documents import Version, VersionState
from kb_service.domain.errors import NotFound
from kb_service.storage.rows import value_of
from kb_service.storage.tables import revisions, versions

_LATEST_ZONE = timedelta(hours=14)
"""Where a day begins first, it does so many hours before UTC."""


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes by their hash, with the kind of file that they are."""

    sha256: str
    size_bytes: int
    media_type: str


def add_version(connection: Connection, document_id: str, content: Content, now: datetime) -> None:
    """Note the newest content of a document."""
    last = select(func.coalesce(func.max(versions.c.number), 0)).where(
        versions.c.document_id == document_id
    )
    connection.execute(
        insert(versions).values(
            document_id=document_id,
            number=connection.execute(last).scalar_one() + 1,
            sha256=content.sha256,
            size_bytes=content.size_bytes,
            media_type=content.media_type,
            created_at=now,
        )
    )


def came_on(connection: Connection, document_id: str, sha256: str) -> date | None:
    """Return the day on which a content was first sent in for a document, None if it never was.

    It is the latest day that anybody had then, so that what is sent in on the day that it tells of
    tells of no day to come; a content that is sent in or read again keeps it.
    """
    first = select(func.min(versions.c.created_at)).where(
        versions.c.document_id == document_id, versions.c.sha256 == sha256
    )
    at = connection.execute(first).scalar_one()
    return (at + _LATEST_ZONE).date() if at else None


def require_content(connection: Connection, document_id: str, sha256: str) -> Content:
    """Return what was sent in with that hash. Raises NotFound (revision_not_found)."""
    statement = select(versions).where(
        versions.c.document_id == document_id, versions.c.sha256 == sha256
    )
    row = connection.execute(statement.order_by(versions.c.number.desc())).first()
    if row is None:
        raise NotFound(
            f"document {document_id} has no revision {sha256!r}", code="revision_not_found"
        )
    return value_of(Content, row)


def read_versions(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Version, ...]]:
    """Return the versions of documents, newest first."""
    kept = revisions.c.is_current
    statement = (
        select(versions, kept)
        .outerjoin(
            revisions,
            (revisions.c.document_id == versions.c.document_id)
            & (revisions.c.sha256 == versions.c.sha256),
        )
        .where(versions.c.document_id.in_(ids))
        .order_by(versions.c.number.desc())
    )
    found: dict[str, tuple[Version, ...]] = {}
    for row in connection.execute(statement):
        before = found.get(row.document_id, ())
        state = _state_of(before, is_current=row.is_current)
        found[row.document_id] = (*before, value_of(Version, row, state=state))
    return found


def _state_of(newer: tuple[Version, ...], *, is_current: bool | None) -> VersionState:
    if is_current is None:
        return VersionState.UNREAD
    is_shown_above = any(version.state is VersionState.SEARCHABLE for version in newer)
    return VersionState.SEARCHABLE if is_current and not is_shown_above else VersionState.KEPT
