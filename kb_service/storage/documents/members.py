"""The files of a container as documents: made, revised and removed with the container's content.

Runs inside the transaction that makes the container searchable, so that none of it is half done.
The same path in a container is the same document.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from kb_service.domain.members import member_name
from kb_service.domain.names import numbered
from kb_service.storage.blobs import StagedBlob
from kb_service.storage.documents.registration import Upload, create, revise
from kb_service.storage.documents.removal import remove_document
from kb_service.storage.documents.rows import find_document_row
from kb_service.storage.documents.tags import set_tags
from kb_service.storage.documents.versions import Content
from kb_service.storage.labels.tables import give_labels, marks_of
from kb_service.storage.tables import document_tags, documents


@dataclass(frozen=True, slots=True)
class StagedMember:
    """A file of a container: its path there, its bytes, the kind of file that it is."""

    path: str
    staged: StagedBlob
    media_type: str

    @property
    def content(self) -> Content:
        """What it is registered with."""
        return Content(self.staged.sha256, self.staged.size_bytes, self.media_type)


def keep_members(
    connection: Connection,
    container_id: str,
    members: Sequence[StagedMember],
    now: datetime,
) -> set[str]:
    """Let these be the files of a container; return the blobs of those that are no more."""
    statement = select(documents).where(documents.c.container_id == container_id)
    known = {row.container_path: row for row in connection.execute(statement)}
    if not known and not members:
        return set()
    container = connection.execute(select(documents).where(documents.c.id == container_id)).one()
    tags = select(document_tags.c.tag).where(document_tags.c.document_id == container_id)
    words = connection.execute(tags.order_by(document_tags.c.tag)).scalars().all()
    marks = marks_of(connection, [container_id]).get(container_id, ())
    new: list[str] = []
    for member in members:
        row = known.pop(member.path, None)
        if row is None:
            new.append(_create(connection, container, member, now))
        else:
            revise(connection, row, member.content, now)
    set_tags(connection, new, words)
    give_labels(connection, container.kb_id, new, [mark.id for mark in marks])
    gone: set[str] = set()
    for row in known.values():
        gone |= remove_document(connection, container.kb_id, row.id, now)
    return gone


def _create(
    connection: Connection, container: Row[Any], member: StagedMember, now: datetime
) -> str:
    name = member_name(container.name, member.path)
    free, number = name, 2
    while find_document_row(connection, container.kb_id, free, by="name") is not None:
        free, number = numbered(name, number), number + 1
    upload = Upload(
        container.kb_id,
        free,
        member.content,
        container_id=container.id,
        container_path=member.path,
    )
    return create(connection, upload, now)[0]
