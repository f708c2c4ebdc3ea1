"""OfficeLoader: docx, pptx, html and Markdown, each by a walk over every node of the file.

Knows which reader reads what. Knows nothing of encodings (`plain_text`), sheets (`tables`) or
limits on time and memory (`sandbox`).
"""

from collections.abc import Iterator
from pathlib import Path

from ingest.draft import DraftDocument
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.markdown import add_markdown
from ingest.media_types import DOCX, HTML, MARKDOWN, PPTX
from ingest.slides import load_slides
from ingest.web_page import add_html
from ingest.word import add_word
from kb_service.domain.documents import BLANK_PAGE, ParsedDocument
from kb_service.domain.jobs import JobStage, Progress


class OfficeLoader:
    """Loader for docx and html and md (one page, or Word's own pages) and pptx (page = slide)."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield Progress per page, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        if media_type == PPTX:
            yield from load_slides(path, name, draft, self._limits)
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
