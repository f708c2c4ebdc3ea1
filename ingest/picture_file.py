"""Files that are pictures: PNG, JPEG, TIFF of many pages, WebP, GIF, BMP. Each picture is a page.

Knows Pillow and the size of a page; what words a picture holds is told by its reading. A page has
842 points on its longer side, as A4 has, whatever the camera says of its resolution.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.limits import ParseLimits
from ingest.page_reading import ReadingFolder
from ingest.paged_draft import PagedDraft
from ingest.pdf_glyphs import Sheet
from ingest.pdf_page import read_picture
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

PAGE_POINTS = 842.0
MAX_PIXELS = 80_000_000
"""Of one picture; a telephone's camera makes 12 to 50 million."""


class PictureFile:
    """An open file of pictures. Raises DocumentError: corrupt_document, document_too_large."""

    def __init__(self, path: Path | BytesIO, name: str) -> None:
        self._name = name
        try:
            self._image = Image.open(path)
        except Image.DecompressionBombError as error:
            raise DocumentError(f"{name}: {error}", code="document_too_large") from error
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
            raise self._damaged(error) from error

    @property
    def num_pages(self) -> int:
        """Pictures of pages: all of a TIFF, the first of an animation."""
        return int(getattr(self._image, "n_frames", 1)) if self._image.format == "TIFF" else 1

    def page(self, number: int) -> Image.Image:
        """Return the picture of a page as a viewer shows it, without transparency."""
        try:
            self._image.seek(number - 1)
            width, height = self._image.size
            if width * height > MAX_PIXELS:
                raise DocumentError(
                    f"page {number} of {self._name} has {width * height} pixels, at most "
                    f"{MAX_PIXELS} are read",
                    code="document_too_large",
                    details={"num_pixels": width * height, "max_pixels": MAX_PIXELS},
                )
            picture = ImageOps.exif_transpose(self._image)
            return _on_white(picture)
        except (OSError, EOFError, SyntaxError, ValueError) as error:
            raise self._damaged(error) from error

    def close(self) -> None:
        """Close the file."""
        self._image.close()

    def _damaged(self, error: Exception) -> DocumentError:
        return DocumentError(f"{self._name} is a damaged picture: {error}", code="corrupt_document")


def sheet_of(picture: Image.Image) -> Sheet:
    """Return the page that a picture makes."""
    scale = PAGE_POINTS / max(picture.size)
    return Sheet(picture.width * scale, picture.height * scale, (0.0, 0.0), 0)


class PictureLoader:
    """Loader for pictures. `readings`: what OCR read of them."""

    def __init__(self, limits: ParseLimits, readings: ReadingFolder | None = None) -> None:
        self._limits = limits
        self._readings = readings

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument."""
        file = PictureFile(path, name)
        try:
            self._limits.check_pages(name, file.num_pages, "pages")
            draft = PagedDraft(name, self._limits.max_text_chars)
            for number in range(1, file.num_pages + 1):
                reading = self._readings.get(number) if self._readings else None
                draft.add_page(read_picture(sheet_of(file.page(number)), reading))
                yield Progress(JobStage.LOAD, number, file.num_pages)
            yield draft.finish()
        finally:
            file.close()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    opaque = picture.convert("RGBA")
    paper = Image.new("RGBA", opaque.size, "white")
    return Image.alpha_composite(paper, opaque).convert("RGB")
