"""Plain text: from lines to blocks and headings.

Knows blank lines; plain text keeps its own line ends.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.calendar_text import unfolded
from ingest.draft import DraftDocument, clean
from ingest.embedded import EmbeddedPictures
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.media_types import CALENDAR, CARD, JSON, RTF, XML
from ingest.office_package import cut_short
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.jobs import JobStage, Progress
from kb_service.language.layout import LAYOUT

BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")


class TextLoader:
    """Loader for text, calendars, RTF, JSON, XML: a page, blocks between blank lines, sections."""

    def __init__(self, limits: ParseLimits, pictures: EmbeddedPictures | None = None) -> None:
        self._limits = limits
        self._pictures = pictures

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars, self._pictures)
        data = path.read_bytes()
        metadata: dict[str, str] = {}
        if media_type == RTF:
            from ingest.rich_text import RichText, rich_parts

            read = RichText(data)
            if read.is_cut_short:
                draft.lose([cut_short(name)])
            for part in rich_parts(read):
                if isinstance(part, str):
                    add_text(draft, part)
                else:
                    draft.add_picture(part)
        elif media_type == XML:
            from ingest.records import add_xml

            add_xml(draft, data, name)
        else:
            decoded = decode(data, name)
            metadata = decoded.metadata
            _add(media_type)(draft, decoded.text)
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        yield draft.finish(metadata=metadata)


def _add(media_type: str) -> Callable[[DraftDocument, str], None]:
    from ingest.records import add_json

    if media_type in (CALENDAR, CARD):
        return lambda draft, text: add_text(draft, unfolded(text))
    return add_json if media_type == JSON else add_text


def add_text(draft: DraftDocument, text: str) -> None:
    """Add running text block by block; a section mark on a line of its own makes a heading."""
    for block in BLANK_LINES.split(clean(text)):
        first, _, rest = block.strip().partition("\n")
        level = LAYOUT.section_level(first)
        if level:
            draft.add(first, level)
            draft.add(rest)
        else:
            draft.add(block)
