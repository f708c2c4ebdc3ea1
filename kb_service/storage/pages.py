"""Pages as rows: character boxes packed as compressed float32 columns, scores of OCR as bytes.

Packed form: zlib over x0 of all characters, then y0, x1, y1 (little-endian float32): values of one
kind stand together because a line repeats its y. Knows nothing of documents or chunks.
"""

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, and_, or_, select

from kb_service.domain.documents import Page, PageKind, confidence_of, unsure_spans
from kb_service.domain.errors import StorageError
from kb_service.domain.spans import Box, PageRegion, TextSpan, merge_boxes
from kb_service.storage.tables import pages

Columns: TypeAlias = "array[float]"
"""x0, y0, x1 and y1 of the n characters of a page, one after the other: (4 * n,)."""

# Level 1 packs real pages within a few per cent of level 6 and three times as fast.
COMPRESSION_LEVEL = 1


def pack_boxes(boxes: tuple[Box, ...]) -> bytes | None:
    """Return the packed boxes of a page, None for a page without geometry."""
    if not boxes:
        return None
    columns = array("f")
    for column in zip(*boxes, strict=True):
        columns.extend(column)
    if sys.byteorder == "big":
        columns.byteswap()
    return zlib.compress(columns.tobytes(), COMPRESSION_LEVEL)


def unpack_columns(packed: bytes) -> Columns:
    """Return the float32 columns of a page. Raises StorageError when the bytes are damaged."""
    columns = array("f")
    try:
        columns.frombytes(zlib.decompress(packed))
    except (zlib.error, ValueError) as error:
        raise StorageError(
            f"stored character boxes are damaged: {error}", code="page_boxes_damaged"
        ) from error
    if sys.byteorder == "big":
        columns.byteswap()
    return columns


def pack_scores(scores: bytes) -> bytes | None:
    """Return the packed scores of a page, None for one that OCR did not read."""
    return zlib.compress(scores, COMPRESSION_LEVEL) if scores else None


def _scores_of(row: Row[Any]) -> bytes:
    """Return the scores of a page's row, empty without. Raises StorageError when damaged."""
    if row.char_scores is None:
        return b""
    try:
        scores = zlib.decompress(row.char_scores)
    except zlib.error as error:
        raise StorageError(
            f"stored scores of characters are damaged: {error}", code="page_boxes_damaged"
        ) from error
    if len(scores) != row.end - row.start:
        raise _unequal(row, len(scores), "scores")
    return scores


def boxes_between(columns: Columns, start: int, end: int) -> tuple[Box, ...]:
    """Return the boxes of characters start..end of a page."""
    count = len(columns) // 4
    x0, y0, x1, y1 = (columns[count * i + start : count * i + end] for i in range(4))
    return tuple(zip(x0, y0, x1, y1, strict=True))


def page_values(revision_pages: Iterable[Page]) -> list[dict[str, object]]:
    """Return the rows of a revision's pages, without the revision id."""
    return [
        {
            "page_number": page.page_number,
            "start": page.span.start,
            "end": page.span.end,
            "kind": page.kind.value,
            "reason": page.reason,
            "width": page.width,
            "height": page.height,
            "rotation": page.rotation,
            "char_boxes": pack_boxes(page.char_boxes),
            "char_scores": pack_scores(page.char_scores),
        }
        for page in revision_pages
    ]


def read_regions(
    connection: Connection, places: Sequence[tuple[int, TextSpan]]
) -> list[tuple[PageRegion, ...]]:
    """Return where the words of each (revision id, span) stand, page by page, in one query.

    Reads the pages that the spans meet, and unpacks each once. Raises StorageError when boxes and
    span of a page disagree.
    """
    if not places:
        return []
    meets = or_(
        *(
            and_(
                pages.c.revision_id == revision_id,
                pages.c.start < span.end,
                pages.c.end > span.start,
            )
            for revision_id, span in dict.fromkeys(places)
        )
    )
    rows = connection.execute(select(pages).where(meets).order_by(pages.c.page_number)).all()
    columns = [(_columns_of(row), _scores_of(row)) for row in rows]
    return [
        tuple(
            _region(row, shared, boxes, scores)
            for row, (boxes, scores) in zip(rows, columns, strict=True)
            if row.revision_id == revision_id
            and (shared := TextSpan(row.start, row.end).overlap(span)) is not None
        )
        for revision_id, span in places
    ]


def read_page(connection: Connection, revision_id: int, page_number: int) -> Page | None:
    """Return a page of a revision, None where it has none of that number. Raises StorageError."""
    mine = (pages.c.revision_id == revision_id) & (pages.c.page_number == page_number)
    row = connection.execute(select(pages).where(mine)).first()
    return page_of(row) if row else None


def read_unsure(connection: Connection, revision_id: int) -> tuple[TextSpan, ...]:
    """Return where OCR is unsure of the text of a revision. Raises StorageError."""
    read = (pages.c.revision_id == revision_id) & pages.c.char_scores.is_not(None)
    rows = connection.execute(select(pages).where(read).order_by(pages.c.page_number))
    return tuple(span for row in rows for span in unsure_spans(_scores_of(row), row.start))


def _region(row: Row[Any], shared: TextSpan, columns: Columns, scores: bytes) -> PageRegion:
    inside = shared.shifted(-row.start)
    boxes = boxes_between(columns, inside.start, inside.end)
    confidence = confidence_of(scores[inside.start : inside.end])
    return PageRegion(row.page_number, merge_boxes(list(boxes)), confidence)


def _columns_of(row: Row[Any]) -> Columns:
    """Return the box columns of a page's row, empty without geometry."""
    columns = unpack_columns(row.char_boxes) if row.char_boxes else array("f")
    if columns and len(columns) != 4 * (row.end - row.start):
        raise _unequal(row, len(columns) / 4, "boxes")
    return columns


def _unequal(row: Row[Any], number: float, what: str) -> StorageError:
    return StorageError(
        f"page {row.page_number} of revision {row.revision_id} has {number:g} {what} "
        f"for {row.end - row.start} characters",
        code="page_boxes_damaged",
    )


def page_of(row: Row[Any]) -> Page:
    """Return the page of a row. Raises StorageError when boxes and span disagree."""
    span = TextSpan(row.start, row.end)
    columns = _columns_of(row)
    return Page(
        page_number=row.page_number,
        span=span,
        kind=PageKind(row.kind),
        reason=row.reason,
        width=row.width,
        height=row.height,
        rotation=row.rotation,
        char_boxes=boxes_between(columns, 0, len(span)) if columns else (),
        char_scores=_scores_of(row),
    )
