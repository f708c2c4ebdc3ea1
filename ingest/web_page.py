"""HTML as blocks of text: one walk over every node of the tree, so that no element is forgotten.

Knows which elements break a line and which are not shown; every other one, known or not, is inline
and its words are kept. Knows no file, no encoding and no Markdown.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ingest.draft import BULLET, Block, DraftDocument, mark_of
from ingest.office_package import lost
from ingest.tables import row_texts
from ingest.web_table import TABLE_PARTS, cells_of, grid, is_hidden, name_of, num_marked
from kb_service.domain.errors import DocumentError
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import CJK

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_DEPTH = 255
"""libxml2 stops at this depth and drops the rest of the page."""

MAX_FRAMES = 5
"""Pages within pages (`srcdoc`) that are read."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    [
        *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd"),
        *("details", "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure"),
        *("footer", "form", "frameset", "header", "hgroup", "hr", "html", "legend", "li"),
        *("listing", "main", "menu", "multicol", "nav", "ol", "optgroup", "option", "p"),
        *("plaintext", "pre", "search", "section", "summary", "table", "tbody", "td", "template"),
        *("text", "textarea", "tfoot", "th", "thead", "title", "tr", "ul", "xmp", *_HEADINGS),
    ]
)
_PICTURES = {"img": ("src",), "image": ("xlink:href", "href"), "object": ("data",)}
"""Elements that show a picture, and the attributes that say where it lies."""
_VERBATIM = frozenset(["listing", "plaintext", "pre", "textarea", "xmp"])
_LAYOUT = frozenset([*_HEADINGS, "table", "ul", "ol", "dl", "form"])
"""Elements inside a cell that show that the table lays a page out and holds no data."""

_ROOT_END = re.compile(r"</(?:html|body)\s*>", re.IGNORECASE)
_CDATA, _CDATA_END = "<![CDATA[", "]]>"
"""Text in pages that are XML as well; the parser of web pages takes it for a comment."""
_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_WRAPPED = re.compile(f"(?<=[{CJK}])[ \t]*[\n\r]\\s*(?=[{CJK}])")
"""A line end of the source between two such characters stands for nothing."""


def add_html(
    draft: DraftDocument, text: str, shown: Callable[[str], bytes | None] | None = None
) -> str:
    """Add the visible text of a web page; return its title, "" when it has none.

    Pictures that the page holds itself (data: addresses) are added where they stand; `shown` finds
    others by their address.

    Raises DocumentError (corrupt_document) where the parser would leave out what lies deeper.
    """
    return add_page(draft, html_tree(text), shown) if text.strip() else ""


def add_page(
    draft: DraftDocument, tree: "_Element", shown: Callable[[str], bytes | None] | None = None
) -> str:
    """Add a page that is parsed, as `add_html` does."""
    title = " ".join((tree.findtext(".//title") or "").split())
    draft.lose(lost("iframe", error) for error in put_frames_in(tree))
    for block in blocks_of(tree):
        draft.add(block.text, block.level or LAYOUT.section_level(block.text))
        own = _inline_picture(block.picture)
        draft.add_picture(own or (shown(block.picture) if shown and block.picture else None))
    return title


def html_tree(text: str) -> "_Element":
    """Return the root of a page, an empty one where nothing but remarks stands in it.

    Raises DocumentError (corrupt_document) where the parser would leave out what lies deeper.
    """
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8")
    page = _with_open_end(_with_quoted_text(text.replace("\0", ""))).encode("utf-8")
    try:
        tree: _Element = html.document_fromstring(page, parser)
    except etree.ParserError:  # it has no element
        tree = html.Element("html")
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise DocumentError(
            f"elements are nested deeper than {MAX_DEPTH} levels, the limit of the HTML parser",
            details={"max_depth": MAX_DEPTH},
        )
    return tree


def put_frames_in(root: "_Element", depth: int = 0) -> list[DocumentError]:
    """Put the pages that frames hold themselves in their places; return why some are not read."""
    errors: list[DocumentError] = []
    for frame in [node for node in root.iter("iframe") if node.get("srcdoc", "").strip()]:
        if any(map(is_hidden, frame.iterancestors())):
            continue
        try:
            if depth >= MAX_FRAMES:
                raise DocumentError(f"frames are read {MAX_FRAMES} deep", code="too_deep")
            inner = html_tree(frame.get("srcdoc", ""))
        except DocumentError as error:
            errors.append(error)
            continue
        errors += put_frames_in(inner, depth + 1)
        frame.addprevious(inner)
    return errors


def _with_quoted_text(text: str) -> str:
    """Return the page with the text of CDATA sections as text of the page."""
    pieces: list[str] = []
    place = 0
    while (start := text.find(_CDATA, place)) >= 0:
        end = text.find(_CDATA_END, start + len(_CDATA))
        if end < 0:
            break
        pieces += (text[place:start], escape(text[start + len(_CDATA) : end]))
        place = end + len(_CDATA_END)
    return "".join((*pieces, text[place:]))


def _with_open_end(text: str) -> str:
    """Return the page without the ends of its root, if anything follows them.

    A browser shows what stands behind `</html>`; libxml2 drops it.
    """
    pieces = _ROOT_END.split(text)
    return "".join(pieces) if any(piece.strip() for piece in pieces[1:]) else text


def blocks_of(root: "_Element") -> Iterator[Block]:
    """Yield the blocks below an element in reading order, pictures behind what they stand in."""
    from lxml import etree

    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    page = _Page()
    for event, node in walk:
        if event in ("comment", "pi"):
            page.say(node.tail)
        elif event == "start":
            if not isinstance(node.tag, str) or is_hidden(node):
                walk.skip_subtree()
            elif name_of(node) == "table" and not _is_layout(node):
                walk.skip_subtree()
                yield from page.flush()
                yield from map(Block, _table_texts(node))
                yield from (Block("", picture=_address(n)) for n in node.iter(*_PICTURES))
            else:
                yield from page.flush_at(node)
                page.begin(node)
        else:
            yield from page.flush_behind(node)
            page.close(node, is_root=node is root)
    yield from page.flush()


class _Page:
    """The block that is being read: its words so far, and in which elements the walk is."""

    def __init__(self) -> None:
        self._words: list[str] = []
        self._pictures: list[str] = []
        self._level = 0
        self._num_verbatim = 0
        self._counters: list[int | None] = []
        self._mark = ""  # of an item whose words have not begun

    def begin(self, node: "_Element") -> None:
        """Take in what an element says by itself and the words before its first child."""
        tag = name_of(node)
        self._level = _HEADINGS.get(tag, self._level)
        self._num_verbatim += tag in _VERBATIM
        if tag in ("ol", "ul", "menu", "dir"):
            self._counters.append(_first_number(node) if tag == "ol" else None)
        if tag == "li":
            self._number(node)
        if tag == "br":
            self._words.append("\n")
        if tag == "rt" and not _has_marks(node):
            self._words.append("(")
        if tag in _PICTURES:
            self._pictures.append(_address(node))
        self.say(_said_by_attributes(node, tag))
        self.say(node.text)

    def close(self, node: "_Element", *, is_root: bool) -> None:
        """Leave an element and take in the words behind it."""
        tag = name_of(node)
        if tag == "rt" and not _has_marks(node):
            self._words.append(")")
        self._level = 0 if tag in _HEADINGS else self._level
        self._mark = "" if tag == "li" else self._mark
        self._num_verbatim -= tag in _VERBATIM and not is_hidden(node)
        if tag in ("ol", "ul", "menu", "dir") and self._counters and not is_hidden(node):
            self._counters.pop()
        if not is_root:
            self.say(node.tail)

    def say(self, text: str | None) -> None:
        """Add words as they are shown: white space is one space outside of `pre`."""
        if not text:
            return
        if self._mark and text.strip():
            self._words.append(mark_of(self._mark, text, self._level))
            self._mark = ""
        if self._num_verbatim:
            self._words.append(text)
        else:
            self._words.append(_SPACE.sub(" ", _WRAPPED.sub("", text)))

    def flush_at(self, node: "_Element") -> Iterator[Block]:
        """End the block where an element begins that breaks the line."""
        # What is said of a term goes on in its block.
        if name_of(node) in _BLOCKS and name_of(node) != "dd":
            yield from self.flush()

    def flush_behind(self, node: "_Element") -> Iterator[Block]:
        """End the block where such an element ends; a hidden one breaks nothing."""
        tag = name_of(node)
        if tag == "dt":
            self._words.append("\n")
        elif tag in _BLOCKS and not is_hidden(node):
            yield from self.flush()

    def flush(self) -> Iterator[Block]:
        """Yield the block so far, if it has words, and begin another one."""
        words, self._words = "".join(self._words), []
        lines = words.split("\n") if self._num_verbatim else map(str.strip, words.split("\n"))
        text = "\n".join(lines).strip("\n")
        if text.strip():
            yield Block(text if self._num_verbatim else re.sub(" {2,}", " ", text), self._level)
        pictures, self._pictures = self._pictures, []
        yield from (Block("", picture=address) for address in pictures)

    def _number(self, node: "_Element") -> None:
        if not self._counters:
            return
        number = self._counters[-1]
        if number is None:
            self._mark = f"{BULLET} "
            return
        given = node.get("value", "")
        number = int(given) if given.isdecimal() and len(given) < 9 else number
        self._counters[-1] = number + 1
        self._mark = f"{number}. "


def _said_by_attributes(node: "_Element", tag: str) -> str:
    """Return the words that a reader sees or hears of an element without content."""
    if tag in ("img", "area") or (tag == "input" and node.get("type", "").lower() == "image"):
        said = node.get("alt", "")
    elif tag == "input":
        kind = node.get("type", "text").lower()
        is_shown = kind not in ("checkbox", "radio", "password", "file", "color", "range")
        said = node.get("value", "") or node.get("placeholder", "") if is_shown else ""
    else:
        said = node.get("label", "") if tag in ("optgroup", "option") and not node.text else ""
    if not said.strip() and node.get("aria-label") and not "".join(node.itertext()).strip():
        said = node.get("aria-label", "")
    return f" {said} " if said.strip() else ""


def _has_marks(reading: "_Element") -> bool:
    """True when the page itself sets the reading of a word apart from it."""
    before = reading.getprevious()
    return before is not None and name_of(before) == "rp"


def _first_number(node: "_Element") -> int:
    given = node.get("start", "")
    return int(given) if given.isdecimal() and len(given) < 9 else 1


def _is_layout(table: "_Element") -> bool:
    """True for a table that holds a page, not data: one column, or blocks inside its cells."""
    if any(name_of(node) in _LAYOUT for node in table.iterdescendants()):
        return True
    return max((len(cells_of(row)) for row in table.iter("tr")), default=0) < 2


def _table_texts(table: "_Element") -> Iterator[str]:
    """Yield captions, rows that name their columns, and what stands between the rows."""
    for node in table.iterdescendants("caption"):
        yield _inline(node)
    yield from row_texts(grid(table, _inline), num_marked=num_marked(table))
    yield from filter(None, (" ".join(stray.split()) for stray in _strays(table)))


def _strays(node: "_Element") -> Iterator[str]:
    """Yield what stands in a table and in none of its cells."""
    yield node.text or ""
    for part in node:
        if name_of(part) in TABLE_PARTS:
            yield from () if is_hidden(part) else _strays(part)
        elif name_of(part) not in ("td", "th", "caption") and isinstance(part.tag, str):
            yield "" if is_hidden(part) else _inline(part)
        yield part.tail or ""


def _inline(node: "_Element") -> str:
    return " ".join(" ".join(block.text.split()) for block in blocks_of(node) if block.text)


def _address(node: "_Element") -> str:
    """Return where a picture lies, as it is written."""
    found = (node.get(name, "") for name in _PICTURES[name_of(node)])
    return " ".join(next(filter(None, found), "").split())


def _inline_picture(address: str) -> bytes | None:
    """Return the bytes of a data: address (RFC 2397), None for any other."""
    if address[:11].lower() != "data:image/":
        return None
    head, _, body = address.partition(",")
    data = unquote_to_bytes(body)
    if not head.lower().endswith(";base64"):
        return data
    try:
        return b64decode(data + b"=" * (-len(data) % 4))
    except ValueError:
        return None
