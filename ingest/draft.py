"""DraftDocument: the text of a document without geometry as it grows block by block.

Knows pages, headings and the cleaning of characters; knows no file format. A blank line stands
between two blocks, so that no sentence crosses them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.embedded import EmbeddedPictures
from kb_service.domain.documents import (
    BLANK_PAGE,
    NO_TEXT_LAYER,
    NO_WORDS,
    Heading,
    Page,
    PageKind,
    ParsedDocument,
)
from kb_service.domain.errors import DocumentError
from kb_service.domain.members import Loss
from kb_service.domain.spans import TextSpan
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import BULLETS

BLOCK_JOIN = "\n\n"
BULLET = "\u2022"
"""What stands before an item of a list that does not count, whatever sign its file draws."""

_MARKED = re.compile(
    rf"\s*(?:[-*\u2013\u2014]\s|[{BULLETS}]"
    r"|[(\uff08]?\d{1,3}[.)\u3001\uff09](?!\d))"
)
"""How words begin that have a mark of their own."""

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
    """A paragraph, a row of a table or a line of a chart, with its heading level (0: none).

    `picture`: the part of the package, or the address, of a picture in this place; "" for none.
    """

    text: str
    level: int = 0
    picture: str = ""


@dataclass(slots=True)
class _OpenPage:
    """What is known of the page that is being written: its blocks, and its pictures."""

    num_written: int = 0
    scores: list[tuple[int, bytes]] = field(default_factory=list)
    reason: str | None = None
    has_pictures: bool = False
    is_unread: bool = False

    @property
    def is_read(self) -> bool:
        """True when every picture was read or is too small to hold words."""
        return self.has_pictures and not self.is_unread and self.reason is None

    @property
    def kind(self) -> PageKind:
        """How the words of the page were obtained."""
        if not self.scores:
            return PageKind.TEXT
        return PageKind.BOTH if self.num_written else PageKind.OCR

    def scores_of(self, span: TextSpan) -> bytes:
        """Return a byte for each character of the page, 0 where it was written."""
        if not self.scores:
            return b""
        found = bytearray(len(span))
        for start, scores in self.scores:
            found[start - span.start : start - span.start + len(scores)] = scores
        return bytes(found)


def mark_of(mark: str, words: str, level: int) -> str:
    """Return what stands before an item: no bullet before words with a mark, nor in a heading."""
    return "" if mark.strip() == BULLET and (level or _MARKED.match(words)) else mark


class DraftDocument:
    """Collects blocks page by page. Raises document_too_large past `max_text_chars`.

    `pictures`: those inside the document; without, none is read.
    """

    def __init__(
        self, name: str, max_text_chars: int, pictures: EmbeddedPictures | None = None
    ) -> None:
        self._name = name
        self._pictures = pictures
        self._page = _OpenPage()
        self._unread: list[tuple[int, int]] = []
        self._losses: list[Loss] = []
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
        self._page.num_written += 1
        if self._num_chars > self._max_text_chars:
            raise DocumentError(
                f"{self._name} holds more than {self._max_text_chars} characters of text",
                code="document_too_large",
                details={"max_text_chars": self._max_text_chars},
            )

    def lose(self, losses: Iterable[Loss]) -> None:
        """Note what else of the file is not read."""
        self._losses.extend(losses)

    def add_picture(self, data: bytes | None) -> None:
        """Append the words of a picture that stands here, as OCR read them; nothing is no picture.

        A picture that nothing has read yet is noted, and so is one that cannot be read.
        """
        if not data or self._pictures is None:
            return
        seen = self._pictures.see(data)
        number = len(self._pages) + 1
        self._page.has_pictures = True
        self._page.reason = self._page.reason or seen.reason
        if seen.number is not None:
            self._unread.append((seen.number, number))
        if seen.loss:
            self._losses.append(Loss(f"page {number}", seen.loss, None, f"{len(data)} bytes"))
        self._page.is_unread |= seen.number is not None or bool(seen.loss)
        if seen.text.strip():
            self._add_read(seen.text, seen.scores)

    def _add_read(self, text: str, scores: bytes) -> None:
        self.add(text)
        self._page.num_written -= 1
        block = self._pieces[-1]
        lead = len(text) - len(text.lstrip())
        is_unchanged = text[lead : lead + len(block)] == block
        own = scores[lead : lead + len(block)] if is_unchanged else bytes([max(min(scores), 1)])
        start = self._num_chars - len(block)
        self._page.scores.append((start, own if is_unchanged else own * len(block)))

    def end_page(self, empty_reason: str = BLANK_PAGE) -> None:
        """Close the open page; a page without a block is `empty` for that reason."""
        span = TextSpan(self._page_start, self._num_chars)
        page, self._page = self._page, _OpenPage()
        if page.is_read and empty_reason == NO_TEXT_LAYER:
            empty_reason = NO_WORDS
        kind, reason = (page.kind, None) if len(span) else (PageKind.EMPTY, empty_reason)
        number = len(self._pages) + 1
        scores = page.scores_of(span)
        self._pages.append(Page(number, span, kind, page.reason or reason, char_scores=scores))
        self._page_start = self._num_chars

    @property
    def has_pictures(self) -> bool:
        """True when the open page shows pictures that are no icons."""
        return self._page.has_pictures

    @property
    def num_pages(self) -> int:
        """The number of closed pages."""
        return len(self._pages)

    def finish(
        self,
        title: str = "",
        metadata: dict[str, str] | None = None,
        *,
        is_headed: bool = True,
    ) -> ParsedDocument:
        """Return the document; without a title of its own the highest first heading serves.

        `is_headed`: its headings are its author's words, and no names of sheets.
        """
        text = "".join(self._pieces)
        seen = self._pictures.metadata if self._pictures else {}
        said = (seen | (metadata or {})).items()
        return ParsedDocument(
            text,
            tuple(self._pages),
            tuple(self._headings),
            " ".join(clean(title).split())[:500] or (self._top_heading(text) if is_headed else ""),
            {key: clean(value).strip() for key, value in said if value.strip()},
            tuple(number for number, _ in self._unread),
            losses=tuple(self._losses),
            unread_on=tuple(page for _, page in self._unread),
        )

    def _top_heading(self, text: str) -> str:
        """The title that headings give; none where the first is that of a numbered section."""
        top = min(self._headings, key=lambda heading: heading.level, default=None)
        words = " ".join(top.span.of(text).split()) if top else ""
        is_numbered = LAYOUT.is_section_mark(words) or LAYOUT.begins_item(words)
        return "" if is_numbered else words
