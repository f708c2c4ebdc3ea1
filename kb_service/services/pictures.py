"""Pages of a document as pictures: which may be asked for, and what they depend on.

Knows the accepted range of a request, here and nowhere else. Drawing is behind the port.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from kb_service.domain.documents import Page, Revision
from kb_service.domain.errors import InvalidRequest, NotFound, RightMissing
from kb_service.domain.masking import MASK
from kb_service.domain.ports import PageDrawer
from kb_service.domain.spans import Box, merge_boxes
from kb_service.services.page_words import no_such_page
from kb_service.services.ranges import check_range
from kb_service.services.veils import Marks
from kb_service.storage.catalog import Catalog

MAX_BOXES = 1000
MIN_SCALE, MAX_SCALE = 0.25, 4.0
"""Pixels a point."""

DRAWN = (
    "application/pdf",
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/webp",
    "image/gif",
    "image/bmp",
)
"""Media types whose pages have a picture."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """A page of a revision (None: the current one) with boxes lit, `scale` pixels a point."""

    kb_id: str
    document_id: str
    sha256: str | None
    page_number: int
    boxes: tuple[Box, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that can be drawn; `tag` names its bytes: equal tags, equal bytes.

    `hidden`: boxes that are blacked out.
    """

    request: PictureRequest
    revision: Revision
    hidden: tuple[Box, ...] = ()

    @property
    def tag(self) -> str:
        """32 hex digits; they depend on nothing but the content and what is asked of it."""
        asked = self.request
        own = (self.revision.sha256, asked.page_number, asked.boxes, asked.scale)
        key = repr((*own, self.hidden) if self.hidden else own)
        return hashlib.sha256(key.encode()).hexdigest()[:32]


class PictureService:
    """Finds pages and draws them."""

    def __init__(self, catalog: Catalog, drawer: Callable[[], PageDrawer]) -> None:
        self._catalog = catalog
        self._drawer = drawer

    def find(
        self, request: PictureRequest, marks_of: Callable[[Revision], Marks | None]
    ) -> Picture:
        """Return the picture, not yet drawn. `marks_of`: what is to be hidden of a revision's text,
        asked for the very revision that is drawn; None: nothing.

        Raises InvalidRequest, NotFound, StorageError, RightMissing (personal_data_masked) for a
        page of which nothing tells where its words stand.
        """
        if len(request.boxes) > MAX_BOXES:
            raise InvalidRequest(
                f"{len(request.boxes)} boxes; at most {MAX_BOXES} are lit", code="invalid_boxes"
            )
        check_range("scale", request.scale, MIN_SCALE, MAX_SCALE)
        found = self._catalog.revisions.get(request.kb_id, request.document_id, request.sha256)
        _check_page(found, request.page_number)
        marks = marks_of(found)
        if marks is None:
            return Picture(request, found)
        page = self._catalog.revisions.page(found.id, request.page_number)
        return Picture(request, found, hidden_boxes(page, marks))

    def draw(self, picture: Picture) -> bytes:
        """Return the PNG. Raises NotFound (content_not_found) and what drawing raises."""
        asked, revision = picture.request, picture.revision
        path, _ = self._catalog.documents.content(
            asked.kb_id, revision.document_id, revision.sha256
        )
        try:
            drawer, hidden = self._drawer(), picture.hidden
            return drawer.render(path, asked.page_number, asked.boxes, asked.scale, hidden)
        except FileNotFoundError as error:  # deleted in between
            raise NotFound("the content is gone", code="content_not_found") from error


def hidden_boxes(page: Page | None, marks: Marks) -> tuple[Box, ...]:
    """Return the boxes of what a page hides. Raises RightMissing (personal_data_masked).

    A page without boxes may show anything, and so may a character of what is hidden without one.
    """
    if page is None or not page.char_boxes:
        raise _without_boxes()
    boxes: list[Box] = []
    for span, words in zip(marks.spans, marks.shown, strict=True):
        inside = span.overlap(page.span)
        if inside is None:
            continue
        own = inside.shifted(-page.span.start)
        found = page.char_boxes[own.start : own.end]
        shown = inside.shifted(-span.start).of(words)
        if any(c == MASK and not _is_drawn(box) for c, box in zip(shown, found, strict=True)):
            raise _without_boxes()
        boxes += merge_boxes(list(found))
    return tuple(boxes)


def _is_drawn(box: Box) -> bool:
    return box[2] > box[0] and box[3] > box[1]


def _without_boxes() -> RightMissing:
    return RightMissing(
        "nothing tells where the words of this page stand in its picture, and personal data is "
        "masked for this key; its text can be read",
        code="personal_data_masked",
    )


def _check_page(revision: Revision, page_number: int) -> None:
    """Raise NotFound unless the revision has that page and pages that can be drawn."""
    if revision.media_type not in DRAWN:
        raise NotFound(
            f"a {revision.media_type} file has no page pictures; {', '.join(DRAWN)} have",
            code="page_has_no_picture",
            details={"media_type": revision.media_type},
        )
    if not 1 <= page_number <= revision.num_pages:
        raise no_such_page(revision, page_number)
