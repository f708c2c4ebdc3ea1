"""One page of a PDF or of a file of pictures as a PNG with boxes lit. Runs in the parsing child.

Knows the way from points on the unrotated page to pixels of the page as a viewer shows it; knows
nothing of text or documents.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pypdfium2

from ingest.limits import ParseLimits
from ingest.media_types import PDF, drawn_type
from ingest.pdf import open_pdf
from kb_service.domain.errors import DocumentError, InvalidRequest, NotFound
from kb_service.domain.ports import HEAD_BYTES
from kb_service.domain.spans import Box

if TYPE_CHECKING:
    from PIL.Image import Image

LIGHT = (255, 226, 96)
"""Colour the paper takes where a box is lit; ink on it stays dark (multiplied)."""
HIDDEN = (0, 0, 0)
_MARGIN_POINTS = 1.0
_Shown: TypeAlias = "tuple[Image, tuple[float, float], int]"
"""The picture at its scale; width and height of the unrotated page in points; its rotation."""


def render_page(
    path: Path,
    page_number: int,
    boxes: Sequence[Box],
    scale: float,
    limits: ParseLimits,
    hidden: Sequence[Box] = (),
) -> bytes:
    """Return the page as PNG bytes; `scale` is pixels per point. `hidden` boxes are black.

    Raises NotFound `page_not_found`, InvalidRequest `picture_too_large`, DocumentError.
    """
    with path.open("rb") as file:
        shown = _pdf_page if drawn_type(file.read(HEAD_BYTES)) == PDF else _picture
    picture, size, rotation = shown(path, page_number, scale, limits.max_pixels)
    for box in boxes:
        _light(picture, pixel_box(box, size, rotation, scale))
    for box in hidden:
        _blacken(picture, pixel_box(box, size, rotation, scale))
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _pdf_page(path: Path, page_number: int, scale: float, max_pixels: int) -> _Shown:
    document = open_pdf(path, path.name)
    try:
        _check_number(page_number, len(document))
        try:
            page = document[page_number - 1]
        except pypdfium2.PdfiumError as error:
            raise DocumentError(f"page {page_number} cannot be read: {error}") from error
        _check_pixels(page.get_size(), scale, max_pixels)
        picture = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        left, bottom, right, top = page.get_bbox()
        return picture, (right - left, top - bottom), page.get_rotation()
    finally:
        document.close()


def _picture(path: Path, page_number: int, scale: float, max_pixels: int) -> _Shown:
    from ingest.picture_file import PictureFile, sheet_of

    file = PictureFile(path, path.name)
    try:
        _check_number(page_number, file.num_pages)
        picture = file.page(page_number)
        sheet = sheet_of(picture)
        _check_pixels((sheet.width, sheet.height), scale, max_pixels)
        size = (max(round(sheet.width * scale), 1), max(round(sheet.height * scale), 1))
        return picture.resize(size), (sheet.width, sheet.height), sheet.rotation
    finally:
        file.close()


def _check_number(page_number: int, num_pages: int) -> None:
    if not 1 <= page_number <= num_pages:
        raise NotFound(f"page {page_number} is not within 1..{num_pages}", code="page_not_found")


def _check_pixels(size: tuple[float, float], scale: float, max_pixels: int) -> None:
    width, height = size
    num_pixels = width * height * scale * scale
    if num_pixels > max_pixels:
        largest = (max_pixels / (width * height)) ** 0.5
        raise InvalidRequest(
            f"a page of {width:g} x {height:g} points at scale {scale:g} has {num_pixels:.0f} "
            f"pixels, at most {max_pixels} are drawn (scale up to {largest:.3g})",
            code="picture_too_large",
            details={"max_pixels": max_pixels, "max_scale": largest},
        )


def pixel_box(
    box: Box, size: tuple[float, float], rotation: int, scale: float
) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom in pixels of a box on the unrotated page.

    `size`: width and height of the unrotated page in points. `rotation`: clockwise degrees.
    """
    width, height = size
    x0, y0, x1, y1 = box
    if rotation == 90:
        turned = (y0, x0, y1, x1)
    elif rotation == 180:
        turned = (width - x1, y0, width - x0, y1)
    elif rotation == 270:
        turned = (height - y1, width - x1, height - y0, width - x0)
    else:
        turned = (x0, height - y1, x1, height - y0)
    left, top, right, bottom = (scale * value for value in turned)
    return left, top, right, bottom


def _blacken(picture: "Image", box: tuple[float, float, float, float]) -> None:
    """Leave nothing of what stands in a box, nor of its letters' edges."""
    if area := _inside(picture, box):
        picture.paste(HIDDEN, area)


def _light(picture: "Image", box: tuple[float, float, float, float]) -> None:
    from PIL import Image, ImageChops

    if area := _inside(picture, box):
        light = Image.new("RGB", (area[2] - area[0], area[3] - area[1]), LIGHT)
        picture.paste(ImageChops.multiply(picture.crop(area), light), area)


def _inside(
    picture: "Image", box: tuple[float, float, float, float]
) -> tuple[int, int, int, int] | None:
    """Return the pixels of a box with a margin around it, None where it is outside."""
    margin = _MARGIN_POINTS
    left, top = max(0, int(box[0] - margin)), max(0, int(box[1] - margin))
    right = min(picture.width, int(box[2] + margin) + 1)
    bottom = min(picture.height, int(box[3] + margin) + 1)
    return (left, top, right, bottom) if left < right and top < bottom else None
