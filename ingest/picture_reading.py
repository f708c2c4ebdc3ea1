"""Pages of a file as pictures, read one after the other. Runs inside the parsing child.

Knows which files have such pages and how large a picture may be; knows no engine.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import media_types as types
from ingest.embedded import EmbeddedPictures
from ingest.limits import ParseLimits
from ingest.ocr import PictureReader
from ingest.page_reading import PictureReading
from ingest.pdf_pictures import MAX_READ_PIXELS, picture_of
from ingest.seen_lines import LEAST_SCORE
from kb_service.domain.errors import DocumentError

_MIN_CHARS = 8
"""Fewer do not tell how a picture lies."""
_GOOD = 0.85

if TYPE_CHECKING:
    from PIL.Image import Image


def read_pages(
    path: Path,
    name: str,
    media_type: str,
    page_numbers: Sequence[int],
    reader: PictureReader,
    limits: ParseLimits | None = None,
) -> Iterator[tuple[int, PictureReading]]:
    """Yield the number and the reading of each page, or of each picture inside a document.

    Raises DocumentError, PdfiumError.
    """
    if media_type == types.PDF:
        pictures = _of_pdf(path, name, page_numbers)
    elif media_type in types.PICTURES:
        pictures = _of_pictures(path, name, page_numbers)
    else:
        loader = partial(_kept, path, name, media_type, limits or ParseLimits())
        pictures = _of_document(name, page_numbers, loader)
    for number, picture in pictures:
        yield number, read_upright(picture, reader)


def read_upright(picture: "Image", reader: PictureReader) -> PictureReading:
    """Read a picture; one that lies on its side or upside down is turned and read again."""
    first = _read(picture, reader, 0)
    num_tall = sum(len(line.text) for line in first.lines if line.height > line.width)
    num_chars = sum(len(line.text) for line in first.lines)
    if num_chars < _MIN_CHARS:
        return first
    if 2 * num_tall > num_chars:
        return max((_read(picture, reader, turn) for turn in (90, 270)), key=_worth)
    if _worth(first) >= _GOOD * num_chars:
        return first
    return max((first, _read(picture, reader, 180)), key=_worth)


def _read(picture: "Image", reader: PictureReader, turn: int) -> PictureReading:
    turned = picture.rotate(-turn, expand=True) if turn else picture
    return PictureReading(turned.width, turned.height, tuple(reader.read(turned)), turn)


def _worth(reading: PictureReading) -> float:
    return sum(line.score * len(line.text) for line in reading.lines if line.score >= LEAST_SCORE)


def _of_pdf(path: Path, name: str, page_numbers: Sequence[int]) -> "Iterator[tuple[int, Image]]":
    from ingest.pdf import open_pdf
    from ingest.pdf_page import sheet_of_page

    document = open_pdf(path, name)
    try:
        document.init_forms()
        for number in page_numbers:
            page = document[number - 1]
            try:
                picture = picture_of(page, sheet_of_page(page))
            finally:
                page.close()
            yield number, picture
    finally:
        document.close()


def _kept(
    path: Path, name: str, media_type: str, limits: ParseLimits, numbers: Sequence[int]
) -> dict[int, bytes]:
    """Walk through a document again for the bytes of some of its pictures."""
    from ingest.loaders import DocumentLoader

    pictures = EmbeddedPictures(wanted=numbers)
    for _ in DocumentLoader(limits, pictures=pictures).load(path, name, media_type):
        pass
    return pictures.kept


def _of_document(
    name: str, numbers: Sequence[int], kept: Callable[[Sequence[int]], dict[int, bytes]]
) -> "Iterator[tuple[int, Image]]":
    found = kept(numbers)
    for number in numbers:
        if number not in found:
            raise DocumentError(f"{name} has no picture {number}", code="corrupt_document")
        ((_, picture),) = _of_pictures(BytesIO(found[number]), name, [1])
        yield number, picture


def _of_pictures(
    path: Path | BytesIO, name: str, page_numbers: Sequence[int]
) -> "Iterator[tuple[int, Image]]":
    from ingest.picture_file import PictureFile

    file = PictureFile(path, name)
    try:
        for number in page_numbers:
            picture = file.page(number)
            share = (MAX_READ_PIXELS / (picture.width * picture.height)) ** 0.5
            if share < 1:
                picture.thumbnail((int(picture.width * share), int(picture.height * share)))
            yield number, picture
    finally:
        file.close()
