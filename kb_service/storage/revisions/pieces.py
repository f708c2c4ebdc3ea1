"""The text of a revision as rows: pieces of one length, each with the units that meet it.

A span is read without the rest of its text. Each row has the hash of what it holds. Units are
packed as pairs of little-endian uint32: start, and end * 4 + kind. Knows rows only; how a text is
cut into units is the language's business.
"""

import hashlib
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, Unit, UnitKind
from kb_service.storage.rows import batches, one_of
from kb_service.storage.stored_text import text_damaged
from kb_service.storage.tables import revisions, text_pieces

PIECE_CHARS = 4096
"""Code points of each piece but the last, so that the pieces of a span are known without a search.

A passage with what it may grow over meets one or two.
"""

_KINDS = tuple(UnitKind)
Place = tuple[int, TextSpan]
"""(revision id, span in its text)."""


def piece_values(text: str, units: Sequence[Unit]) -> list[dict[str, object]]:
    """Return the rows of a text, without the revision id; an empty text has one as well."""
    values: list[dict[str, object]] = []
    first = 0
    for start in range(0, max(len(text), 1), PIECE_CHARS):
        end = start + PIECE_CHARS
        while first < len(units) and units[first].span.end <= start:
            first += 1
        last = first
        while last < len(units) and units[last].span.start < end:
            last += 1
        piece, packed = text[start:end], _packed(units[first:last])
        sha256 = piece_sha256(piece, packed)
        values.append({"start": start, "text": piece, "units": packed, "sha256": sha256})
    return values


def piece_sha256(text: str, packed: bytes) -> str:
    """Return the SHA-256 (hex) of a piece: of its words in UTF-8, and its packed units."""
    return hashlib.sha256(text.encode("utf-8") + b"\0" + packed).hexdigest()


def read_pieces(connection: Connection, places: Iterable[Place]) -> dict[tuple[int, int], Row[Any]]:
    """Return the rows that the spans meet, as far as there are any, by revision id and start.

    Each has the `document_id` and the `unit_rules` of its revision. Raises StorageError
    (text_damaged) for one that is not what was stored.
    """
    wanted = {(revision_id, start) for revision_id, span in places for start in _starts(span)}
    key = (text_pieces.c.revision_id, text_pieces.c.start)
    found: dict[tuple[int, int], Row[Any]] = {}
    for batch in batches(sorted(wanted)):
        for row in connection.execute(_rows().where(one_of(key, batch))):
            found[row.revision_id, row.start] = _whole(row)
    return found


def joined(pieces: dict[tuple[int, int], Row[Any]], place: Place) -> MarkedText | None:
    """Return the words of a span that are there, with their units; None when none of them is."""
    revision_id, span = place
    starts = _starts(span)
    rows = [row for start in starts if (row := pieces.get((revision_id, start)))]
    if not rows:
        return None
    if rows[-1].start != starts[len(rows) - 1]:
        raise text_damaged(rows[0].document_id)  # one before it is missing
    text = "".join(row.text for row in rows)
    end = min(span.end, rows[0].start + len(text))
    stretch = TextSpan(span.start, max(span.start, end))
    units = dict.fromkeys(pair for row in rows for pair in _pairs(row.units, stretch))
    words = text[stretch.start - rows[0].start : stretch.end - rows[0].start]
    return MarkedText(stretch.start, words, tuple(_unit(*pair) for pair in units))


def read_text(connection: Connection, revision_id: int) -> MarkedText | None:
    """Return the whole text of a revision with its units, None when nothing of it is there.

    Raises StorageError (text_damaged) when a piece is not what was stored or is missing.
    """
    statement = _rows().where(text_pieces.c.revision_id == revision_id)
    rows = [_whole(row) for row in connection.execute(statement.order_by(text_pieces.c.start))]
    last = rows[-1].start + PIECE_CHARS if rows else 0
    pieces = {(revision_id, row.start): row for row in rows}
    return joined(pieces, (revision_id, TextSpan(0, last)))


def _rows() -> Any:  # noqa: ANN401  a select of all these columns
    columns = (revisions.c.document_id, revisions.c.unit_rules)
    return select(text_pieces, *columns).join(
        revisions, revisions.c.id == text_pieces.c.revision_id
    )


def _whole(row: Row[Any]) -> Row[Any]:
    if piece_sha256(row.text, row.units) != row.sha256:
        raise text_damaged(row.document_id)
    return row


def _starts(span: TextSpan) -> range:
    return range(span.start - span.start % PIECE_CHARS, max(span.end, span.start + 1), PIECE_CHARS)


def _packed(units: Sequence[Unit]) -> bytes:
    numbers = array("I")
    for unit in units:
        numbers.extend((unit.span.start, unit.span.end * 4 + _KINDS.index(unit.kind)))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def _pairs(packed: bytes, within: TextSpan) -> Iterator[tuple[int, int]]:
    """Yield the packed pairs of the units that meet a span."""
    numbers = array("I", packed)
    if sys.byteorder == "big":
        numbers.byteswap()
    for start, end_and_kind in zip(numbers[::2], numbers[1::2], strict=True):
        if start < within.end and end_and_kind // 4 > within.start:
            yield start, end_and_kind


def _unit(start: int, end_and_kind: int) -> Unit:
    end, kind = divmod(end_and_kind, 4)
    return Unit(TextSpan(start, end), _KINDS[kind])
