"""What a file holds beside what was read of it: an independent, dumb count of words.

Looks into the file again in another way than its loader: by the text between tags, the parts of a
mail; of a PDF it is given the letters that its pages draw. Knows nothing of layout, order or
loaders; what it cannot count it leaves out. A word that is in the file more often than in the
stored text is missing.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

from ingest import media_types as types
from ingest.draft import clean
from ingest.encodings import decode
from ingest.markup import on_tags, without_remarks, without_tags, without_unseen
from ingest.package_count import (
    OPEN_DOCUMENT,
    SLIDES,
    WORD_FILE,
    Count,
    count_workbook,
    words_of,
)  # fmt: skip
from ingest.pdf_characters import NO_BOX
from kb_service.domain.documents import WORDS_MISSING, PageKind, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.spans import Box

if TYPE_CHECKING:
    from lxml import etree

    from ingest.pdf_count import DrawnLetters

MAX_SHARE = 0.001
"""Of a file's words: fewer missing ones are a trace."""
MAX_NAMED = 12
MAX_JOINED = 60
MAX_SHARED = 3
"""Letters that one sign of a PDF stands for."""

_MAY_HIDE = re.compile(r"hidden|display\s*:\s*none", re.IGNORECASE)
_HTML_ENDS = re.compile(
    r"</?(?:p|div|li|t[dhr]|h[1-6]|br|d[dt]|option|section|article|pre|rt|rp|summary)\b[^>]*>", re.I
)


def missing_words(path: Path, name: str, media_type: str, text: str) -> tuple[Counter[str], int]:
    """Return the words of a file that are not in the text, and how many were counted."""
    counter = _COUNTERS.get(media_type)
    if counter is None:
        return Counter(), 0
    found = counter(path, name)
    if found.text and found.text.split() == text.split():
        return Counter(), len(text.split())
    words, read = found.words + Counter(words_of(found.text)), Counter(words_of(text))
    missing = words - read
    if missing:
        missing = without_other_cuts(missing, read - words)
    missing.update({word: 1 for word in found.said_once if word not in read})
    return missing, words.total() + len(found.said_once)


def without_other_cuts(missing: Counter[str], surplus: Counter[str]) -> Counter[str]:
    """Return the missing words but those that stand in the text in one piece, or in several.

    Where a word ends between two elements is a matter of layout, which is not compared.
    """
    left, spare = Counter(missing), Counter(surplus)
    for whole in [word for word in spare if len(word) <= MAX_JOINED]:
        while spare[whole] and (pieces := _cut(whole, left)):
            left -= Counter(pieces)
            spare[whole] -= 1
    for whole in [word for word in left if len(word) <= MAX_JOINED]:
        while left[whole] > 0 and (pieces := _cut(whole, spare)):
            spare -= Counter(pieces)
            left[whole] -= 1
    return +left


def _cut(whole: str, pieces: Counter[str]) -> list[str]:
    """Return pieces that make up a word, the longest first; [] where none do."""
    found: list[str] = []
    place = 0
    left = Counter(pieces)
    while place < len(whole):
        ends = range(len(whole) - (place == 0), place, -1)
        end = next((end for end in ends if left[whole[place:end]] > 0), 0)
        if not end:
            return []
        found.append(whole[place:end])
        left[found[-1]] -= 1
        place = end
    return found


def told(missing: Counter[str], num_words: int) -> dict[str, str]:
    """Return what the metadata says of missing words, {} where they are a trace."""
    if missing.total() <= MAX_SHARE * num_words:
        return {}
    named = ", ".join(word for word, _ in missing.most_common(MAX_NAMED))
    return {WORDS_MISSING: f"{missing.total()} of {num_words}: {named}"}


def counted(
    document: ParsedDocument,
    path: Path,
    name: str,
    media_type: str,
    drawn: "DrawnLetters | None" = None,
) -> ParsedDocument:
    """Return the document; where words of its file are missing, its metadata and a page say so.

    `drawn`: the letters of a PDF, whose words are put together from lines and cannot be compared.
    A file does not tell its pages apart as its loader does: the first with text stands for all.
    """
    if any(page.kind is PageKind.FAILED for page in document.pages):
        return document  # it is told already that a page's words are missing
    text = _written(document)
    if drawn is None:
        missing = missing_words(path, name, media_type, text)
    else:
        replaced = {page.page_number for page in document.pages if page.kind is PageKind.OCR}
        missing = drawn.missing(_said_once(document), replaced)
    found = told(*missing)
    if not found:
        return document
    pages = list(document.pages)
    written = (PageKind.TEXT, PageKind.BOTH)
    first = next((place for place, page in enumerate(pages) if page.kind in written), None)
    if first is not None:
        pages[first] = replace(pages[first], reason=WORDS_MISSING)
    return replace(document, pages=tuple(pages), metadata=document.metadata | found)


def _written(document: ParsedDocument) -> str:
    """The text without what OCR read of pictures inside it: that must not stand for lost words."""
    pieces, end = [], 0
    for page in document.pages:
        if page.char_boxes:  # a page of a PDF, whose letters are counted otherwise
            continue
        for place, score in enumerate(page.char_scores, page.span.start):
            if score:
                pieces.append(document.text[end:place])
                end = place + 1
    return "".join([*pieces, document.text[end:]])


def _said_once(document: ParsedDocument) -> str:
    """The text of a PDF without what the rows of its tables say again of their header.

    A sign that stands for several letters gives them one box, side by side.
    """
    pieces: list[str] = []
    for page in document.pages:
        first: dict[tuple[str, Box], int] = {}
        words = page.span.of(document.text)
        boxes = page.char_boxes or (NO_BOX,) * len(words)
        for place, told in enumerate(zip(words, boxes, strict=True)):
            if told[1] == NO_BOX or place - first.setdefault(told, place) <= MAX_SHARED:
                pieces.append(told[0])
    return "".join(pieces)


def _plain(path: Path, name: str) -> Count:
    return Count(Counter(), text=clean(decode(path.read_bytes(), name).text))


def _rows(path: Path, name: str) -> Count:
    """The words of a table: one that is the name of its column as well is said once."""
    return Count(Counter(), frozenset(words_of(clean(decode(path.read_bytes(), name).text))))


def _page(path: Path, name: str) -> Count:
    return Count(Counter(words_of(_html_text(decode(path.read_bytes(), name).text))))


def _html_text(text: str) -> str:
    """The text between tags; the tree is looked at only where an element may be hidden."""
    text = without_unseen(without_remarks(text))
    if _MAY_HIDE.search(text):
        text = _without_hidden(text)
    return unescape(without_tags(on_tags(text, lambda tags: _HTML_ENDS.sub(" ", tags))))


def _without_hidden(text: str) -> str:
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = html.document_fromstring(text.replace("\0", "").encode("utf-8"), parser)
    for node in [node for node in tree.iter() if _is_hidden(node)]:
        node.text = None
        node[:] = []
    return str(etree.tostring(tree, encoding="unicode"))


def _is_hidden(node: "etree._Element") -> bool:
    style = "".join(node.get("style", "").split()).lower()
    is_styled = "display:none" in style or "visibility:hidden" in style
    return node.get("hidden") is not None or is_styled


def _web_archive(path: Path, name: str) -> Count:
    """The words of its pages."""
    return _mail(path, name, ("text/html", "application/xhtml+xml"))


def _folded(path: Path, name: str) -> Count:
    """The words of a calendar, each said once: an escaped line end is no letter."""
    text = clean(decode(path.read_bytes(), name).text).replace("\n ", "").replace("\n\t", "")
    return Count(Counter(words_of(re.sub(r"\\[nN]", " ", text))))


def _mail(path: Path, name: str, kinds: Collection[str] = ()) -> Count:
    """The words of text parts that have no alternative. `kinds`: those alone that are counted."""
    words: Counter[str] = Counter()
    data = path.read_bytes()
    if b"\0" in data[:200]:
        data = decode(data, name).text.encode()
    for part in _texts(message_from_bytes(data)):
        if kinds and part.get_content_type() not in kinds:
            continue
        payload = part.get_payload(decode=True)
        body = payload if isinstance(payload, bytes) else b""
        try:
            text = decode(body, name, declared=part.get_content_charset() or "").text
        except DocumentError:
            continue  # no text, and named by the loader
        is_html = part.get_content_subtype() == "html"
        words.update(words_of(_html_text(text) if is_html else text))
    return Count(words)


def _texts(message: Message) -> Iterator[Message]:
    if message.get_content_type() == "multipart/alternative":
        return
    if message.is_multipart():
        for part in message.get_payload():
            if isinstance(part, Message):
                yield from _texts(part)
    elif message.get_content_maintype() == "text" and "attachment" not in (
        message.get("Content-Disposition") or ""
    ):
        yield message


_COUNTERS: dict[str, Callable[[Path, str], Count]] = {
    types.DOCX: lambda path, name: WORD_FILE.count(path),
    types.PPTX: lambda path, name: SLIDES.count(path),
    types.XLSX: lambda path, name: count_workbook(path),
    types.ODT: lambda path, name: OPEN_DOCUMENT.count(path),
    types.ODS: lambda path, name: OPEN_DOCUMENT.count(path),
    types.ODP: lambda path, name: OPEN_DOCUMENT.count(path),
    types.HTML: _page,
    types.PLAIN_TEXT: _plain,
    types.CSV: _rows,
    types.TSV: _rows,
    types.MAIL: _mail,
    types.WEB_ARCHIVE: _web_archive,
    types.CALENDAR: _folded,
    types.CARD: _folded,
}


def counted_types() -> Iterable[str]:
    """The media types whose files are counted."""
    return (*_COUNTERS, types.PDF)
