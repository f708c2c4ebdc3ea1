"""Revisions read back: by their public name, their text by span, and where words stand on pages.

Earlier revisions are kept, so that old citations hold. The units of a text are derived: what was
marked by other rules than today's, or by none, is marked anew when it is first read, and kept
where it can be written.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection, select, update

from kb_service.domain.documents import NearText, Page, Revision
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.hashing import sha256_of_text
from kb_service.domain.sketches import sketch_of
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.language.units import UNIT_RULES, marked
from kb_service.storage.database import Database
from kb_service.storage.documents.rows import require_document_row
from kb_service.storage.near_texts import near_of, sketches, write_sketch
from kb_service.storage.pages import read_page, read_regions, read_unsure
from kb_service.storage.revisions.pieces import Place, joined, piece_values, read_pieces, read_text
from kb_service.storage.revisions.rows import revision_of
from kb_service.storage.stored_text import text_damaged
from kb_service.storage.tables import documents, revisions, text_pieces

log = structlog.get_logger("texts")


class Revisions:
    """The revisions of all documents. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, kb_id: str, document_id: str, sha256: str | None = None) -> Revision:
        """Return a kept revision by its public name; None means the searchable one.

        Raises NotFound (kb_not_found, document_not_found, revision_not_found).
        """
        with self._database.read() as connection:
            return find_revision(connection, kb_id, document_id, sha256)

    def near(self, revision_ids: Sequence[int]) -> dict[int, list[NearText]]:
        """Return the documents whose texts are nearly those of searchable revisions."""
        with self._database.read() as connection:
            return near_of(connection, revision_ids)

    def sketch_missing(self, limit: int) -> int:
        """Make the sketches of texts that came in without one; return of how many."""
        statement = (
            select(revisions.c.id, documents.c.kb_id)
            .join(documents, documents.c.id == revisions.c.document_id)
            .outerjoin(sketches, sketches.c.revision_id == revisions.c.id)
            .where(revisions.c.is_current, sketches.c.revision_id.is_(None))
            .order_by(revisions.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            found = {row.id: row.kb_id for row in connection.execute(statement)}
            texts = {one: read_text(connection, one) for one in found}
        if not found:
            return 0
        made = {one: sketch_of(text.text) if text else b"" for one, text in texts.items()}
        with self._database.write() as connection:
            still = {row.id for row in connection.execute(statement)}
            for revision_id in sorted(still & made.keys()):
                write_sketch(connection, found[revision_id], revision_id, made[revision_id])
        return len(found)

    def text(self, kb_id: str, document_id: str, sha256: str | None = None) -> tuple[Revision, str]:
        """Return a kept revision with its stored text, compared with the hash kept beside it.

        Raises NotFound like `get`, StorageError (text_damaged).
        """
        try:
            with self._database.read() as connection:
                revision = find_revision(connection, kb_id, document_id, sha256)
                statement = select(revisions.c.text_sha256).where(revisions.c.id == revision.id)
                expected = connection.execute(statement).scalar_one()
                stored = read_text(connection, revision.id)
        except StorageError as error:
            if error.code == "text_damaged":  # not even UTF-8
                raise text_damaged(document_id) from error
            raise
        if stored is None or sha256_of_text(stored.text) != expected:
            raise text_damaged(document_id)
        return revision, stored.text

    def stretches(self, places: Sequence[Place], margin: int) -> list[MarkedText | None]:
        """Return the words of each (revision id, span) and up to `margin` characters around them.

        None where the revision is gone. Raises StorageError (text_damaged).
        """
        wide = [
            (revision_id, TextSpan(max(0, span.start - margin), span.end + margin))
            for revision_id, span in places
        ]
        with self._database.read() as connection:
            pieces = read_pieces(connection, wide)
        stale = {row.revision_id for row in pieces.values() if row.unit_rules != UNIT_RULES}
        anew = {revision_id: self._marked(revision_id) for revision_id in stale}
        found: list[MarkedText | None] = []
        for (revision_id, span), place in zip(places, wide, strict=True):
            is_anew = revision_id in anew
            text = anew[revision_id] if is_anew else joined(pieces, place)
            if text is not None and not text.span.covers(span):
                owners = {row.document_id for key, row in pieces.items() if key[0] == revision_id}
                raise text_damaged(*owners)
            found.append(text and text.around(span, margin))
        return found

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return where the words of a span of revision text stand; reads only the pages it meets.

        () when the revision does not exist any more.
        """
        with self._database.read() as connection:
            return read_regions(connection, [(revision_id, span)])[0]

    def page(self, revision_id: int, page_number: int) -> Page | None:
        """Return a page of a revision, None where it has none of that number."""
        with self._database.read() as connection:
            return read_page(connection, revision_id, page_number)

    def unsure(self, revision_id: int) -> tuple[TextSpan, ...]:
        """Return where OCR is unsure of the text of a revision."""
        with self._database.read() as connection:
            return read_unsure(connection, revision_id)

    def _marked(self, revision_id: int) -> MarkedText | None:
        """Mark a revision by today's rules; keep that where it can be written. None: it is gone."""
        with self._database.read() as connection:
            stored = read_text(connection, revision_id)
        if stored is None:
            return None
        whole = marked(stored.text)
        mine = text_pieces.c.revision_id == revision_id
        try:
            with self._database.write() as connection:
                for values in piece_values(whole.text, whole.units):
                    which = text_pieces.c.start == values["start"]
                    connection.execute(
                        update(text_pieces)
                        .where(mine, which)
                        .values(units=values["units"], sha256=values["sha256"])
                    )
                connection.execute(
                    update(revisions)
                    .where(revisions.c.id == revision_id)
                    .values(unit_rules=UNIT_RULES)
                )
        except StorageError as error:
            # The next question marks it again: an answer does not wait for room on the disk.
            log.warning("units not kept", revision_id=revision_id, code=error.code)
        return whole


def find_revision(
    connection: Connection, kb_id: str, document_id: str, sha256: str | None
) -> Revision:
    """Return a kept revision; None means the searchable one. Raises NotFound."""
    require_document_row(connection, kb_id, document_id)
    statement = select(revisions).where(revisions.c.document_id == document_id)
    which = revisions.c.is_current if sha256 is None else revisions.c.sha256 == sha256
    row = connection.execute(statement.where(which)).first()
    if row is None:
        wanted = "searchable revision" if sha256 is None else f"revision {sha256!r}"
        raise NotFound(f"document {document_id} has no {wanted}", code="revision_not_found")
    return revision_of(row)
