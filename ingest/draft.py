"""DraftDocument: the text of a document without geometry as it grows block by block.

Knows pages, headings and the cleaning of characters; knows no file format. A blank line stands
between two blocks, so that no sentence crosses them.
"""

import re
from dataclasses import dataclass

from kb_service.domain.documents import BLANK_PAGE, Heading, Page, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.spans import TextSpan

BLOCK_JOIN = "\n\n"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B])")
"""Colours and movements that a program wrote for a terminal (ECMA-48)."""
_LINE_END = re.compile(r"\r\n?|\x85|\u2028|\u2029|\x0b|\x0c")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
MAX_HEADING_CHARS = 200


def clean(text: str) -> str:
    """Return the text without control characters, terminal codes and foreign line ends.

    A lone surrogate becomes U+FFFD. Nothing else is normalised: quotes stay as they were written.
    """
    lines = _LINE_END.sub("\n", _TERMINAL.sub("", text))
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", lines))


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a row of a table or a line of a chart, with its heading level (0: none)."""

    text: str
    level: int = 0


class DraftDocument:
    """Collects blocks page by page. Raises document_too_large past `max_text_chars`."""

    def __init__(self, name: str, max_text_chars: int) -> None:
        self._name = name
        self._max_text_chars = max_text_chars
        self._pieces: list[str] = []
        self._num_chars = 0
        self._page_start = 0
        self._pages: list[Page] = []
        self._headings: list[Heading] = []

    def add(self, text: str, level: int = 0) -> None:
        """Append a block to the open page; a `level` above 0 makes it a heading."""
        block = clean(text).strip()
        if not block:
            return
        if self._pieces:
            self._pieces.append(BLOCK_JOIN)
            if self._page_start == self._num_chars:
                self._page_start += len(BLOCK_JOIN)
            self._num_chars += len(BLOCK_JOIN)
        span = TextSpan(self._num_chars, self._num_chars + len(block))
        if level and len(block) <= MAX_HEADING_CHARS:
            self._headings.append(Heading(span, level))
        self._pieces.append(block)
        self._num_chars = span.end
        if self._num_chars > self._max_text_chars:
            raise DocumentError(
                f"{self._name} holds more than {self._max_text_chars} characters of text",
                code="document_too_large",
                details={"max_text_chars": self._max_text_chars},
            )

    def end_page(self, empty_reason: str = BLANK_PAGE) -> None:
        """Close the open page; a page without a block is `empty` for that reason."""
        span = TextSpan(self._page_start, self._num_chars)
        kind, reason = (PageKind.TEXT, None) if len(span) else (PageKind.EMPTY, empty_reason)
        self._pages.append(Page(len(self._pages) + 1, span, kind, reason))
        self._page_start = self._num_chars

    @property
    def num_pages(self) -> int:
        """The number of closed pages."""
        return len(self._pages)

    def finish(self, title: str = "", metadata: dict[str, str] | None = None) -> ParsedDocument:
        """Return the document; without a title of its own the highest first heading serves."""
        text = "".join(self._pieces)
        return ParsedDocument(
            text,
            tuple(self._pages),
            tuple(self._headings),
            " ".join(clean(title).split())[:500] or self._top_heading(text),
            {key: clean(value).strip() for key, value in (metadata or {}).items() if value.strip()},
        )

    def _top_heading(self, text: str) -> str:
        top = min(self._headings, key=lambda heading: heading.level, default=None)
        return " ".join(top.span.of(text).split()) if top else ""
