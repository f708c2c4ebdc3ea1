"""Plain text: from lines to blocks and headings.

Knows blank lines and section marks; plain text keeps its own line ends.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ingest.draft import DraftDocument, clean
from ingest.encodings import decode
from ingest.limits import ParseLimits
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.jobs import JobStage, Progress

_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_SECTION = re.compile(
    r"(第[一二三四五六七八九十百零\d]+[编章节])\s|([一二三四五六七八九十]{1,3}、)"
)
_FINAL = re.compile(r"[。！？；!?.;,，:：]$")
_MAX_HEADING_CHARS = 40


class TextLoader:
    """Loader for plain text: one page, blocks between blank lines, Chinese section marks."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        decoded = decode(path.read_bytes(), name)
        add_text(draft, decoded.text)
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        yield draft.finish(metadata=decoded.metadata)


def add_text(draft: DraftDocument, text: str) -> None:
    """Add running text block by block; a section mark on a line of its own makes a heading."""
    for block in _BLANK_LINES.split(clean(text)):
        first, _, rest = block.strip().partition("\n")
        level = section_level(first)
        if level:
            draft.add(first, level)
            draft.add(rest)
        else:
            draft.add(block)


def section_level(line: str) -> int:
    """Return the level of a Chinese section line (章 1, 节 2, 一、 3), 0 for any other line."""
    match = _SECTION.match(line)
    if not match or len(line) > _MAX_HEADING_CHARS or _FINAL.search(line.strip()):
        return 0
    if match.group(2):
        return 3
    return 2 if match.group(1).endswith("节") else 1
