"""Plain text: from bytes to characters, and from lines to blocks and headings.

Knows encodings and blank lines; plain text keeps its own line ends.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from ingest.draft import DraftDocument, clean
from ingest.limits import ParseLimits
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"charset=[\"']?([A-Za-z0-9_-]{2,30})|coding[:=]\s*([A-Za-z0-9_-]{2,30})")
_DECLARED_WITHIN = 2048
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_SECTION = re.compile(
    r"(第[一二三四五六七八九十百零\d]+[编章节])\s|([一二三四五六七八九十]{1,3}、)"
)
_FINAL = re.compile(r"[。！？；!?.;,，:：]$")
_MAX_HEADING_CHARS = 40
_MAX_ODD_SHARE = 0.05


def decode(data: bytes, name: str) -> str:
    """Return the characters of a text file.

    Order: byte order mark, a declared charset, UTF-8, UTF-16 without a mark, GB18030, CP1252.
    Raises DocumentError `corrupt_document` when none gives text.
    """
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
        if _is_text(text):
            return text.removeprefix("\ufeff")
    raise DocumentError(
        f"{name} is not text in UTF-8, UTF-16, GB18030 or CP1252", code="corrupt_document"
    )


def _candidates(data: bytes) -> Iterator[str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            yield encoding
    declared = _DECLARED.search(data[:_DECLARED_WITHIN])
    if declared:
        yield (declared.group(1) or declared.group(2)).decode("ascii")
    yield "utf-8"
    head = data[:4096]
    if head.count(0) > len(head) // 8:
        yield "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
    yield "gb18030"
    yield "cp1252"


def _is_text(text: str) -> bool:
    sample = text[:20_000]
    num_odd = sum(
        (character < " " and character not in "\t\n\r\f\x1b\b") or "\x7f" <= character <= "\x9f"
        for character in sample
    )
    return num_odd <= _MAX_ODD_SHARE * len(sample) and "\0" not in sample


class TextLoader:
    """Loader for plain text: one page, blocks between blank lines, Chinese section marks."""

    def __init__(self, limits: ParseLimits) -> None:
        self._limits = limits

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        """Yield one Progress, then the ParsedDocument. Raises DocumentError."""
        draft = DraftDocument(name, self._limits.max_text_chars)
        add_text(draft, decode(path.read_bytes(), name))
        draft.end_page()
        yield Progress(JobStage.LOAD, 1, 1)
        yield draft.finish()


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
