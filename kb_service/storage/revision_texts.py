"""Stored text read by span, with its units.

The units are derived: what was marked by other rules than today's, or by none, is marked anew when
it is first read, and kept where it can be written. Knows no page and no chunk.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import update

from kb_service.domain.errors import StorageError
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.language.units import UNIT_RULES, marked
from kb_service.storage.database import Database
from kb_service.storage.stored_text import text_damaged
from kb_service.storage.tables import revisions, text_pieces
from kb_service.storage.text_pieces import Place, joined, piece_values, read_pieces, read_text

log = structlog.get_logger("texts")


class RevisionTexts:
    """The texts of all revisions. Every method raises StorageError when storage fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
