"""Pages of a document as pictures, with boxes lit.

Knows how boxes are written in a query. Drawing is the pictures port's.
"""

import hashlib
import math
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.connections import MAX_HEAD_BYTES
from api.dependencies import Base, RevisionName, ServiceParam
from api.errors import shown
from api.json_route import JsonRoute
from api.picture_turns import PictureTurns
from api.ports import Service
from api.schema import BOXES, Id, number, text
from api.sse import unless_gone
from kb_service.domain.documents import Revision
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.spans import Box

router = APIRouter(route_class=JsonRoute, tags=["pages"])

MAX_BOXES = 1000
MAX_COORDINATE = 1e6
MIN_SCALE, MAX_SCALE, DEFAULT_SCALE = 0.25, 4.0, 1.5
PDF = "application/pdf"


@router.get(
    "/kb/{kb}/documents/{document}/pages/{page_number}.png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 304: {"description": "Not modified"}},
)
async def show_page(
    base: Base,
    document: Id,
    page_number: int,
    request: Request,
    service: ServiceParam,
    boxes: Annotated[
        str,
        text(0, MAX_HEAD_BYTES, BOXES),
        Query(description="x0,y0,x1,y1;… in PDF points to light up."),
    ] = "",
    scale: Annotated[
        float, number(MIN_SCALE, MAX_SCALE), Query(description="Pixels a point, 0.25 to 4.")
    ] = DEFAULT_SCALE,
    revision: RevisionName = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return one page as PNG."""
    lit, scale = parse_boxes(boxes), checked_scale(scale)
    found = await run_in_threadpool(service.catalog.revision, base.id, document, revision)
    check_page(found, page_number)
    headers = {"ETag": entity_tag(found, page_number, lit, scale), "Cache-Control": "no-cache"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    draw = partial(draw_page, service, base.id, found, page_number, lit, scale)
    turns: PictureTurns = request.app.state.picture_turns
    picture = await unless_gone(request, turns.drawn(found.sha256, draw))
    return Response(picture, headers=headers, media_type="image/png")


def draw_page(
    service: Service,
    kb_id: str,
    revision: Revision,
    page_number: int,
    boxes: tuple[Box, ...],
    scale: float,
) -> bytes:
    """Return the picture as PNG. Raises NotFound (content_not_found) and what drawing raises."""
    path, _ = service.catalog.content_path(kb_id, revision.document_id, revision.sha256)
    try:
        return service.pictures.render(path, page_number, boxes, scale)
    except FileNotFoundError as error:  # deleted in between
        raise NotFound("the content is gone", code="content_not_found") from error


def check_page(revision: Revision, page_number: int) -> None:
    """Raise NotFound unless the revision has that page and pages that can be drawn."""
    if revision.media_type != PDF:
        raise NotFound(
            f"a {revision.media_type} file has no page pictures; only {PDF} has",
            code="page_has_no_picture",
            details={"media_type": revision.media_type},
        )
    if not 1 <= page_number <= revision.num_pages:
        raise NotFound(
            f"page {shown(page_number)} does not exist; pages 1 to {revision.num_pages} do",
            code="page_not_found",
            details={"min": 1, "max": revision.num_pages},
        )


def entity_tag(revision: Revision, page_number: int, boxes: tuple[Box, ...], scale: float) -> str:
    """Return the ETag of a picture: it depends on nothing but the content and the parameters."""
    key = repr((revision.sha256, page_number, boxes, scale))
    return f'"{hashlib.sha256(key.encode()).hexdigest()[:32]}"'


def parse_boxes(text: str) -> tuple[Box, ...]:
    """Return the boxes of `x0,y0,x1,y1;…`; InvalidRequest (invalid_boxes) for anything else."""
    pieces = [piece for piece in text.split(";") if piece.strip()]
    if len(pieces) > MAX_BOXES:
        raise _invalid_boxes(f"{len(pieces)} boxes")
    return tuple(_parse_box(piece) for piece in pieces)


def _parse_box(piece: str) -> Box:
    try:
        x0, y0, x1, y1 = (float(number) for number in piece.split(","))
    except ValueError as error:
        raise _invalid_boxes(shown(piece)) from error
    # NaN fails every comparison.
    is_inside = all(abs(number) <= MAX_COORDINATE for number in (x0, y0, x1, y1))
    if not is_inside or not (x0 <= x1 and y0 <= y1):
        raise _invalid_boxes(shown(piece))
    return (x0, y0, x1, y1)


def _invalid_boxes(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"boxes holds {what}; expected at most {MAX_BOXES} of x0,y0,x1,y1 joined by ';' with "
        f"x0 <= x1, y0 <= y1, each within ±{MAX_COORDINATE:g}",
        code="invalid_boxes",
        details={"value": what, "max_boxes": MAX_BOXES},
    )


def checked_scale(scale: float) -> float:
    """Return the scale; InvalidRequest outside MIN_SCALE to MAX_SCALE."""
    if math.isfinite(scale) and MIN_SCALE <= scale <= MAX_SCALE:
        return scale
    raise InvalidRequest(
        f"scale is {scale}; expected {MIN_SCALE} to {MAX_SCALE}",
        code="scale_out_of_range",
        details={"value": str(scale), "min": MIN_SCALE, "max": MAX_SCALE},
    )
