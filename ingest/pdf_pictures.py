"""Pictures on a PDF page: whether there are any to read, and the page as a picture for a reader.

Knows pdfium's objects and rendering; knows nothing of what is read.
"""

import ctypes
import math
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.pdf_characters import unchecked
from ingest.pdf_glyphs import Sheet
from kb_service.domain.spans import Box

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_READ_PIXELS = 25_000_000
"""An A3 sheet at 300 dpi has 17 million."""

_DEPTH = 5  # of forms in forms
_MIN_DRAWN_PATHS = 20  # fewer are rules and frames around nothing
_MARGIN_SHARE = 0.1  # of the page's width or height, on each side
_LETTERHEAD_SHARE = 0.01  # of the page's area: all pictures of a header together
_FIGURE_SHARES = 0.08, 0.5  # of the page's area: smaller ones are icons, larger ones paper
_LEAST_SCALE, _USUAL_SCALE, _MOST_SCALE = 100 / 72, 200 / 72, 300 / 72
"""Pixels a point: what is drawn by paths has no resolution of its own."""


class _Object(ctypes.c_void_p):
    """An object of a page, kept as an address."""


_get_object = unchecked(pdfium.FPDFPage_GetObject, _Object)
_get_kind = unchecked(pdfium.FPDFPageObj_GetType, ctypes.c_int)


def has_pictures(page: pypdfium2.PdfPage, sheet: Sheet, *, drawings: bool = True) -> bool:
    """True when a page shows an image, or (`drawings`) paths enough to be a drawing.

    Small images in the margins are the logos of a letterhead: a page with nothing else is blank.
    """
    num_paths, logo_area = 0, 0.0
    for item, kind, level in _objects_and_those_of_forms(page):
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            # the bounds inside a form count from the form, not from the page
            logo_area += math.inf if level else _logo_area(item, sheet)
            if logo_area > _LETTERHEAD_SHARE * sheet.width * sheet.height:
                return True
        num_paths += kind in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING)
        if drawings and num_paths >= _MIN_DRAWN_PATHS:
            return True
    return False


def _kinds(page: pypdfium2.PdfPage) -> list[int]:
    """Return the kind of each object on a page, of which there may be one for each letter."""
    num = max(0, pdfium.FPDFPage_CountObjects(page))
    return list(map(_get_kind, map(_get_object, repeat(page.raw), range(num))))


def _objects_and_those_of_forms(
    page: pypdfium2.PdfPage,
) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, int, int]]:
    """Yield each object with its kind and the number of forms that it lies in."""
    for number, kind in enumerate(_kinds(page)):
        item = pdfium.FPDFPage_GetObject(page, number)
        yield item, kind, 0
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            yield from _of_form(item, 1)


def _of_form(
    form: pdfium.FPDF_PAGEOBJECT, level: int
) -> Iterator[tuple[pdfium.FPDF_PAGEOBJECT, int, int]]:
    for number in range(max(0, pdfium.FPDFFormObj_CountObjects(form))):
        item = pdfium.FPDFFormObj_GetObject(form, number)
        kind = pdfium.FPDFPageObj_GetType(item)
        yield item, kind, level
        if kind == pdfium.FPDF_PAGEOBJ_FORM and level < _DEPTH - 1:
            yield from _of_form(item, level + 1)


def _bounds(item: pdfium.FPDF_PAGEOBJECT) -> Box | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if not pdfium.FPDFPageObj_GetBounds(item, *map(ctypes.byref, edges)):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    return left, bottom, right, top


def _logo_area(image: pdfium.FPDF_PAGEOBJECT, sheet: Sheet) -> float:
    """Return the area of an image inside one margin in square points, infinity for any other."""
    bounds = _bounds(image)
    if bounds is None:
        return math.inf
    left, bottom, right, top = bounds
    dx, dy = sheet.origin
    reach_x, reach_y = _MARGIN_SHARE * sheet.width, _MARGIN_SHARE * sheet.height
    is_in_margin = (
        right - dx < reach_x
        or left - dx > sheet.width - reach_x
        or top - dy < reach_y
        or bottom - dy > sheet.height - reach_y
    )
    return (right - left) * (top - bottom) if is_in_margin else math.inf


def figures(page: pypdfium2.PdfPage, sheet: Sheet) -> list[Box]:
    """Return where pictures of some size stand, in points of the visible, unrotated page."""
    least, most = (share * sheet.width * sheet.height for share in _FIGURE_SHARES)
    return [box for box, _ in _pictures(page, sheet) if least <= _area(box) < most]


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def picture_of(page: pypdfium2.PdfPage, sheet: Sheet) -> "Image":
    """Return the page, turned as a viewer shows it, at the resolution of its sharpest picture.

    Raises PdfiumError.
    """
    width, height = page.get_size()
    scale = max((scale for _, scale in _pictures(page, sheet)), default=_USUAL_SCALE)
    scale = min(max(scale, _LEAST_SCALE), _MOST_SCALE)
    scale = min(scale, math.sqrt(MAX_READ_PIXELS / (width * height)))
    picture: Image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
    return picture


def _pictures(page: pypdfium2.PdfPage, sheet: Sheet) -> list[tuple[Box, float]]:
    """Return box and pixels a point of each picture that lies on the page itself."""
    found: list[tuple[Box, float]] = []
    dx, dy = sheet.origin
    for number, kind in enumerate(_kinds(page)):
        if kind != pdfium.FPDF_PAGEOBJ_IMAGE:
            continue
        item = pdfium.FPDFPage_GetObject(page, number)
        bounds = _bounds(item)
        if bounds is None:
            continue
        width, height = ctypes.c_uint(), ctypes.c_uint()
        places = ctypes.byref(width), ctypes.byref(height)
        if not pdfium.FPDFImageObj_GetImagePixelSize(item, *places):
            continue
        left, bottom, right, top = bounds
        longer = max(right - left, top - bottom)
        if longer > 0:
            pixels = max(width.value, height.value)
            found.append(((left - dx, bottom - dy, right - dx, top - dy), pixels / longer))
    return found
