"""OfficeLoader: Office files, books, html and Markdown, each by a walk over every node of the file.

Knows which reader reads what. Knows nothing of encodings (`plain_text`), sheets (`tables`) or
limits on time and memory (`sandbox`).
"""

from collections.abc import Iterator
from pathlib import Path

from ingest.book import load_book
from ingest.draft import DraftDocument
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.markdown import add_markdown
from ingest.media_types import DOCX, EPUB, HTML, MARKDOWN, ODP, ODS, ODT, PPTX
from ingest.open_document import load_open_document
from ingest.slides import load_slides
from ingest.web_page import add_html
from ingest.word import add_word
from kb_service.domain.documents import BLANK_PAGE, ParsedDocument
from kb_service.domain.jobs import JobStage, Progress

_PAGED = {
    PPTX: load_slides,
    ODT: load_open_document,
    ODS: load_open_document,
    ODP: load_open_document,
    EPUB: load_book,
}


class OfficeLoader:
    """Loader for what has pages of its own (slides, sheets, chapters), for docx, html and md."""

    def __init__(self, limits: ParseLimits, pictures: EmbeddedPictures | None = None) -> None:
        self._limits = limits
        self._pictures = pictures

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars, self._pictures)
        paged = _PAGED.get(media_type)
        if paged is not None:
            yield from paged(path, name, draft, self._limits)
            return
        title = ""
        metadata: dict[str, str] = {}
        reason = BLANK_PAGE
        if media_type == HTML:
            decoded = decode(path.read_bytes(), name)
            title, metadata = add_html(draft, decoded.text), decoded.metadata
        elif media_type == MARKDOWN:
            decoded = decode(path.read_bytes(), name)
            add_markdown(draft, decoded.text)
            metadata = decoded.metadata
        elif media_type == DOCX:
            title, metadata, reason = add_word(draft, path, name)
        else:
            raise ValueError(f"OfficeLoader does not read {media_type}")
        draft.end_page(reason)
        yield Progress(JobStage.LOAD, draft.num_pages, draft.num_pages)
        yield draft.finish(title, metadata)
