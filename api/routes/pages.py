"""Pages of a document as pictures, with boxes lit, and their words with their places.

Knows how boxes are written in a query. Which pictures there are is the service's.
"""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.connections import MAX_HEAD_BYTES
from api.dependencies import Base, RevisionName, ServicesParam, ShownParam
from api.json_route import JsonRoute
from api.picture_turns import PictureTurns
from api.schema import BOXES, Id, number, text
from api.sse import unless_gone
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.spans import Box
from kb_service.schemas.documents import PageWordsBody, page_words_body
from kb_service.services.pictures import MAX_BOXES, MAX_SCALE, MIN_SCALE, PictureRequest
from kb_service.services.ranges import shown

router = APIRouter(route_class=JsonRoute, tags=["pages"])

MAX_COORDINATE = 1e6
DEFAULT_SCALE = 1.5


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
    services: ServicesParam,
    shown: ShownParam,
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
    asked = PictureRequest(base.id, document, revision, page_number, parse_boxes(boxes), scale)
    picture = await run_in_threadpool(
        services.pictures.find,
        asked,
        lambda found: shown.marks(base.id, (found.document_id, found.sha256)),
    )
    headers = {"ETag": f'"{picture.tag}"', "Cache-Control": "no-cache"}
    if if_none_match == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    turns: PictureTurns = request.app.state.picture_turns
    draw = partial(services.pictures.draw, picture)
    png = await unless_gone(request, turns.drawn(picture.revision.sha256, draw))
    return Response(png, headers=headers, media_type="image/png")


@router.get("/kb/{kb}/documents/{document}/pages/{page_number}/words")
def show_words(
    base: Base,
    document: Id,
    page_number: int,
    services: ServicesParam,
    revision: RevisionName = None,
) -> PageWordsBody:
    """Show the words of a page with the places where they stand on it."""
    return page_words_body(services.documents.page(base.id, document, revision, page_number))


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
