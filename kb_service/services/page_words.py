"""The words of a page with the places where they stand on it, line by line.

What lies over the picture of a page, so that its words can be selected. Knows no picture.
"""

from dataclasses import dataclass

from kb_service.domain.documents import Page, Revision
from kb_service.domain.errors import NotFound
from kb_service.domain.spans import Box, TextSpan, line_pieces
from kb_service.services.ranges import shown
from kb_service.storage.catalog import Catalog
from kb_service.storage.stored_text import text_damaged


@dataclass(frozen=True, slots=True)
class PageLine:
    """A line, or a piece of one: its span in the stored text, its words, their box."""

    span: TextSpan
    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class PageWords:
    """A page with its lines in reading order; none where the format knows no places."""

    revision: Revision
    page: Page
    lines: tuple[PageLine, ...]


def words_of_page(
    catalog: Catalog, kb_id: str, document_id: str, sha256: str | None, page_number: int
) -> PageWords:
    """Return the words of a page of a revision (None: the searchable one).

    Raises NotFound (also page_not_found), StorageError.
    """
    revision = catalog.revisions.get(kb_id, document_id, sha256)
    is_there = 1 <= page_number <= revision.num_pages  # the database holds no greater number
    page = catalog.revisions.page(revision.id, page_number) if is_there else None
    if page is None:
        raise no_such_page(revision, page_number)
    if not page.char_boxes:
        return PageWords(revision, page, ())
    (stretch,) = catalog.revisions.stretches([(revision.id, page.span)], 0)
    if stretch is None or len(stretch.text) != len(page.span):
        raise text_damaged(document_id)
    lines = (
        PageLine(span.shifted(page.span.start), span.of(stretch.text), box)
        for span, box in line_pieces(page.char_boxes)
    )
    return PageWords(revision, page, tuple(lines))


def no_such_page(revision: Revision, page_number: int) -> NotFound:
    """Return the error of a page that a revision does not have."""
    return NotFound(
        f"page {shown(page_number)} does not exist; pages 1 to {revision.num_pages} do",
        code="page_not_found",
        details={"min": 1, "max": revision.num_pages},
    )
