"""EmbeddedPictures: the pictures inside a document that is no picture itself.

Knows which are large enough to hold words, and which were read. A picture's number is the start of
the hash of its bytes: one that stands in many places is read once, and told where it stands first.
Knows no format of documents.
"""

import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass

from ingest.page_reading import ReadingFolder
from kb_service.domain.documents import OCR_FAILED

MAX_PICTURES = 500
"""Different ones of a document that are read."""
LEAST_LONGER, LEAST_SHORTER = 100, 12
"""Pixels of the sides of a picture that may hold words: a smaller one is an icon or a line."""
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_NUMBER_DIGITS = 15  # of the hash, hexadecimal: a number that JSON and file names hold
_DRAWN = (b"<svg", b"<?xml")


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """What is told of a picture. `number`: it is unread. `loss`: why it cannot be read at all.

    `scores` run parallel to `text`; `reason`: of the page, as of `Page.reason`.
    """

    text: str = ""
    scores: bytes = b""
    reason: str | None = None
    number: int | None = None
    loss: str = ""


NOTHING = SeenPicture()


class EmbeddedPictures:
    """`readings`: what OCR read of them. `wanted`: numbers of those whose bytes are kept."""

    def __init__(self, readings: ReadingFolder | None = None, wanted: Collection[int] = ()) -> None:
        self._readings = readings
        self._wanted = frozenset(wanted)
        self._known: set[int] = set()
        self.kept: dict[int, bytes] = {}
        self.num_small = 0
        self.num_read = 0

    @property
    def metadata(self) -> dict[str, str]:
        """How many were read and how many are too small to hold words."""
        counts = {"pictures_read": self.num_read, "pictures_skipped": self.num_small}
        return {name: str(count) for name, count in counts.items() if count}

    def see(self, data: bytes) -> SeenPicture:
        """Return what is told of a picture in this place."""
        number = int(hashlib.sha256(data).hexdigest()[:_NUMBER_DIGITS], 16)
        if number in self._known:
            return NOTHING
        self._known.add(number)
        size = _size_of(data)
        if size is None:
            return NOTHING if _is_drawing(data) else SeenPicture(loss="unreadable_picture")
        if max(size) < LEAST_LONGER or min(size) < LEAST_SHORTER:
            self.num_small += 1
            return NOTHING
        if len(self._known) > MAX_PICTURES:
            return SeenPicture(loss="too_many_pictures")
        if number in self._wanted:
            self.kept[number] = data
        return self._read(number)

    def _read(self, number: int) -> SeenPicture:
        reading = self._readings.get(number) if self._readings else None
        if reading is None:
            return SeenPicture(number=number)
        if reading.has_failed:
            return SeenPicture(reason=OCR_FAILED)
        from ingest.pdf_glyphs import Sheet
        from ingest.pdf_page import read_picture

        self.num_read += 1
        width, height = reading.width, reading.height
        if reading.turn in (90, 270):
            width, height = height, width
        scale = 842.0 / max(width, height)
        content = read_picture(Sheet(width * scale, height * scale, (0.0, 0.0), 0), reading)
        text = content.text.text
        scores = bytes(content.scores.get(box, 0) for box in content.text.boxes)
        return SeenPicture(text, scores)


def _size_of(data: bytes) -> tuple[int, int] | None:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            return picture.size
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _is_drawing(data: bytes) -> bool:
    """A drawing of a web page: an icon, or beside it the same as a picture."""
    return data.lstrip()[:5].lower().startswith(_DRAWN)
