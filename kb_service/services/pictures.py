"""Pages of a document as pictures: which may be asked for, and what they depend on.

Knows the accepted range of a request, here and nowhere else. Drawing is behind the port.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from kb_service.domain.documents import Revision
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.ports import PageDrawer
from kb_service.domain.spans import Box
from kb_service.services.page_words import no_such_page
from kb_service.services.ranges import check_range
from kb_service.storage.catalog import Catalog

MAX_BOXES = 1000
MIN_SCALE, MAX_SCALE = 0.25, 4.0
"""Pixels a point."""

DRAWN = ("application/pdf", "image/png", "image/jpeg", "image/tiff", "image/webp")
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
    """A picture that can be drawn; `tag` names its bytes: equal tags, equal bytes."""

    request: PictureRequest
    revision: Revision

    @property
    def tag(self) -> str:
        """32 hex digits; they depend on nothing but the content and what is asked of it."""
        asked = self.request
        key = repr((self.revision.sha256, asked.page_number, asked.boxes, asked.scale))
        return hashlib.sha256(key.encode()).hexdigest()[:32]


class PictureService:
    """Finds pages and draws them."""

    def __init__(self, catalog: Catalog, drawer: Callable[[], PageDrawer]) -> None:
        self._catalog = catalog
        self._drawer = drawer

    def find(self, request: PictureRequest) -> Picture:
        """Return the picture, not yet drawn. Raises InvalidRequest, NotFound, StorageError."""
        if len(request.boxes) > MAX_BOXES:
            raise InvalidRequest(
                f"{len(request.boxes)} boxes; at most {MAX_BOXES} are lit", code="invalid_boxes"
            )
        check_range("scale", request.scale, MIN_SCALE, MAX_SCALE)
        found = self._catalog.revisions.get(request.kb_id, request.document_id, request.sha256)
        _check_page(found, request.page_number)
        return Picture(request, found)

    def draw(self, picture: Picture) -> bytes:
        """Return the PNG. Raises NotFound (content_not_found) and what drawing raises."""
        asked, revision = picture.request, picture.revision
        path, _ = self._catalog.documents.content(
            asked.kb_id, revision.document_id, revision.sha256
        )
        try:
            return self._drawer().render(path, asked.page_number, asked.boxes, asked.scale)
        except FileNotFoundError as error:  # deleted in between
            raise NotFound("the content is gone", code="content_not_found") from error


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
