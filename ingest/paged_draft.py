"""PagedDraft: the text of a document with geometry as it grows page by page.

Knows pages, their joins and headings; knows no file format.
"""

from dataclasses import dataclass, field, replace

from ingest.package_count import words_of
from ingest.pdf_layout import PARAGRAPH, PageText, Paragraph, heading_levels
from ingest.pdf_page import PageContent
from kb_service.domain.documents import Heading, Page, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.members import Loss
from kb_service.domain.spans import TextSpan
from kb_service.language.layout import LAYOUT

PAGE_JOIN = "\f"
"""Between two pages whose text runs on; a blank line stands there otherwise."""
OUTSIDE_PAGE = "outside_page"
"""What is lost: words beyond the edges of a page, which nobody sees who looks at it."""
MAX_SAMPLE_CHARS = 200


@dataclass(slots=True)
class PagedDraft:
    """A document as it grows page by page; `name` and `max_text_chars` are for its limit."""

    name: str
    max_text_chars: int

    pieces: list[str] = field(default_factory=list)
    num_chars: int = 0
    pages: list[Page] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    paragraphs: list[tuple[str, Paragraph]] = field(default_factory=list)

    def _add_separator(self, text: str) -> None:
        """Put a page join before `text` when any text came before."""
        if not self.num_chars or not text:
            return
        join = PAGE_JOIN if LAYOUT.runs_on(self.pieces[-1], text) else PARAGRAPH
        self.pieces.append(join)
        self.num_chars += len(join)

    def add_page(self, content: PageContent) -> None:
        """Append the next page with its text. Raises document_too_large past `max_text_chars`."""
        number = len(self.pages) + 1
        sheet, text = content.sheet, content.text
        scores = bytes(content.scores.get(box, 0) for box in text.boxes) if content.scores else b""
        self.pages.append(
            Page(
                number, self._add_text(text), content.kind, content.reason,
                sheet.width, sheet.height, sheet.rotation, text.boxes, scores,
            )
        )  # fmt: skip
        if content.is_unread:
            self.unread.append(number)
        num_words = len(words_of(content.outside))
        if num_words:
            sample = content.outside[:MAX_SAMPLE_CHARS]
            self.losses.append(Loss(f"page {number}", OUTSIDE_PAGE, num_words, sample))
        if self.num_chars > self.max_text_chars:
            raise DocumentError(
                f"{self.name} holds more than {self.max_text_chars} characters of text",
                code="document_too_large",
                details={"max_text_chars": self.max_text_chars},
            )

    def _add_text(self, page: PageText) -> TextSpan:
        """Append the text of a page; return its span in the document."""
        self._add_separator(page.text)
        start = self.num_chars
        for paragraph in page.paragraphs:
            moved = replace(paragraph, span=paragraph.span.shifted(start))
            self.paragraphs.append((paragraph.span.of(page.text), moved))
        if page.text:
            self.pieces.append(page.text)
        self.num_chars += len(page.text)
        return TextSpan(start, self.num_chars)

    def finish(self, title: str = "", metadata: dict[str, str] | None = None) -> ParsedDocument:
        """Return the document; without a title of its own the highest first heading serves."""
        levels = heading_levels(self.paragraphs)
        headings = tuple(
            Heading(paragraph.span, level)
            for (_, paragraph), level in zip(self.paragraphs, levels, strict=True)
            if level
        )
        text = "".join(self.pieces)
        top = next((heading for heading in headings if heading.level == 1), None)
        return ParsedDocument(
            text,
            tuple(self.pages),
            headings,
            title or (" ".join(top.span.of(text).split()) if top else ""),
            metadata or {},
            tuple(self.unread),
            losses=tuple(self.losses),
        )
