"""OpenDocument files as blocks of text: one walk over every node of text, sheets and slides.

Tracked deletions are left out; notes, remarks and text boxes follow their paragraph; a page for
each sheet or slide. Knows OASIS OpenDocument 1.3; a cell's words are those that the file shows.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.draft import Block, DraftDocument
from ingest.limits import ParseLimits
from ingest.office_package import OfficePackage, local
from ingest.tables import row_texts
from kb_service.domain.documents import BLANK_PAGE, NO_TEXT_LAYER, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.language.layout import LAYOUT

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_DEPTH = 5
"""Objects within objects that are read."""
MAX_REPEATS = 1_000
"""Times that a cell, row or space may repeat; empty cells to the end of a sheet are said once."""
_CONTENT, _STYLES, _META, _MANIFEST = (
    "content.xml",
    "styles.xml",
    "meta.xml",
    "META-INF/manifest.xml",
)
_LEFT_OUT = frozenset(
    (
        "tracked-changes",
        "forms",
        "sequence-decls",
        "scripts",
        "ruby-text",
        "page-number",
        "page-count",
        "note-citation",
    )
)
_BEHIND = frozenset(("note", "annotation", "text-box", "image", "object"))
_SHOWN = frozenset(("image", "object"))
"""What stands in another part of the file."""
_UNSAID_CONTROLS = frozenset(("password", "hidden", "file", "image", "checkbox", "radio"))
_DESCRIPTIONS = frozenset(("title", "desc"))
_VALUES = ("string-value", "date-value", "time-value", "boolean-value", "value")
_CELLS = frozenset(("table-cell", "covered-table-cell"))
_AROUND = frozenset(
    ("header", "header-left", "header-first", "footer", "footer-left", "footer-first")
)


_ELSEWHERE = re.compile(r"[A-Za-z][\w+.-]*:|\.\./|/|#")
"""How an address begins that leads out of the file."""


@dataclass(slots=True)
class _Paragraph:
    """The words of a paragraph, and what hangs on it."""

    words: list[str] = field(default_factory=list)
    behind: list["_Element"] = field(default_factory=list)


def load_open_document(
    path: Path, name: str, draft: DraftDocument, limits: ParseLimits
) -> Iterator[Progress | ParsedDocument]:
    """Yield Progress per page, then the document. Raises DocumentError."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        manifest = package.read(_MANIFEST) or b""
        if b"encryption-data" in manifest:
            raise DocumentError(f"{name} is encrypted", code="encrypted_document")
        root = package.document(_CONTENT)
        if root is None:
            raise DocumentError(f"{name} has no {_CONTENT}", code="corrupt_document")
        pages = list(_pages(root))
        limits.check_pages(name, len(pages), "sheets or slides")
        around = _around(package.root(_STYLES))
        for number, (title, page) in enumerate(pages, start=1):
            found = _with_objects(package, blocks_of(page), set())
            blocks = [block for block in found if block.text.strip() or block.picture]
            if title and blocks:
                draft.add(title, level=1)
            for block in [*(around if number == 1 else []), *blocks]:
                draft.add(block.text, block.level or LAYOUT.section_level(block.text))
                draft.add_picture(_picture(package, block.picture))
            has_pictures = any(local(node) == "image" for node in page.iter())
            draft.end_page(NO_TEXT_LAYER if has_pictures else BLANK_PAGE)
            yield Progress(JobStage.LOAD, number, len(pages))
        meta = package.root(_META)
        draft.lose(package.losses)
        author = {"author": _property(meta, "creator")}
        is_headed = not any(title for title, _ in pages)
        yield draft.finish(_property(meta, "title"), author, is_headed=is_headed)


def _picture(package: OfficePackage, address: str) -> bytes | None:
    """Return the bytes of a picture of this file; an object is none, nor what lies outside."""
    part = address.removeprefix("./")
    if not part or _ELSEWHERE.match(part):
        return None
    if not any(name.startswith(f"{part}/") for name in package.names):
        package.expect(part, _CONTENT)
    return package.picture(part)


def _with_objects(
    package: OfficePackage, blocks: Iterator[Block], known: set[str], depth: int = 0
) -> Iterator[Block]:
    """Yield the blocks, behind each object what the file holds of it: a chart, a formula, a sheet.

    `known`: objects that were read.
    """
    for block in blocks:
        yield block
        part = f"{block.picture.removeprefix('./')}/{_CONTENT}"
        if block.picture and part not in known:
            known.add(part)
            pages: list[tuple[str, _Element]] = []
            with package.losing(part):
                root = package.root(part)
                if root is not None and depth >= MAX_DEPTH:
                    raise DocumentError(f"objects are read {MAX_DEPTH} deep", code="too_deep")
                pages += [] if root is None else _pages(root)
            for _, page in pages:
                yield from _with_objects(package, blocks_of(page), known, depth + 1)


def _shown(node: "_Element") -> Iterator[Block]:
    """Yield what stands in another part, and what the element says itself."""
    yield Block("", 0, _attribute(node, "href"))
    yield from blocks_of(node)


def _form_values(forms: "_Element") -> Iterator[Block]:
    """Yield labels of controls and what was typed or chosen in them."""
    for node in forms.iter():
        if local(node) not in _UNSAID_CONTROLS:
            value = _attribute(node, "current-value") or _attribute(node, "value")
            label = _attribute(node, "label")
            yield Block(": ".join(filter(None, (label, value))))


def blocks_of(container: "_Element") -> Iterator[Block]:
    """Yield paragraphs and rows below an element; unknown elements are walked through."""
    if local(container) == "table":
        yield from _table(container)
        return
    if container.text and container.text.strip():
        yield Block(container.text)
    for node in container:
        tag = local(node)
        if tag in ("p", "h"):
            yield from _paragraph(node)
        elif tag in _SHOWN:
            yield from _shown(node)
        elif tag == "forms":
            yield from _form_values(node)
        elif tag in _DESCRIPTIONS:
            yield Block(node.text or "")
        elif tag and tag not in _LEFT_OUT:
            yield from blocks_of(node)
        if node.tail and node.tail.strip():  # against the format, and words all the same
            yield Block(node.tail)


def _table(table: "_Element") -> Iterator[Block]:
    """Yield the rows, then the pictures that stand in them, then what floats over the table."""
    yield from map(Block, row_texts(_grid(table)))
    for node in (node for row in _rows(table) for node in row.iter()):
        if local(node) in _SHOWN:
            yield Block("", 0, _attribute(node, "href"))
    for node in table:
        if local(node) == "shapes":
            yield from blocks_of(node)
        elif local(node) in _DESCRIPTIONS:
            yield Block(node.text or "")


def _pages(root: "_Element") -> Iterator[tuple[str, "_Element"]]:
    body = next((node for node in root.iter() if local(node) == "body"), root)
    for part in body:
        tag = local(part)
        if tag == "spreadsheet":
            yield from ((_named(table), table) for table in part if local(table) == "table")
        elif tag in ("presentation", "drawing"):
            yield from (("", page) for page in part if local(page) == "page")
        elif tag:
            yield "", part


def _paragraph(node: "_Element") -> Iterator[Block]:
    paragraph = _Paragraph()
    _walk(node, paragraph)
    level = _attribute(node, "outline-level") if local(node) == "h" else ""
    yield Block("".join(paragraph.words), int(level) if level.isdecimal() else 0)
    for part in paragraph.behind:
        if local(part) in _DESCRIPTIONS:
            yield Block(part.text or "")
        elif local(part) in _SHOWN:
            yield from _shown(part)
        else:
            yield from blocks_of(part)


def _walk(node: "_Element", paragraph: _Paragraph) -> None:
    paragraph.words.append(node.text or "")
    for part in node:
        tag = local(part)
        if tag == "s":
            paragraph.words.append(" " * _count(part, "c", is_said=True))
        elif tag in ("tab", "line-break"):
            paragraph.words.append("\t" if tag == "tab" else "\n")
        elif tag in _BEHIND | _DESCRIPTIONS:
            paragraph.behind.append(part)
        elif tag == "ruby":
            _ruby(part, paragraph)
        elif tag and tag not in _LEFT_OUT:
            _walk(part, paragraph)
        paragraph.words.append(part.tail or "")


def _ruby(node: "_Element", paragraph: _Paragraph) -> None:
    """Say the words first and how they are read behind them."""
    for part in node:
        if local(part) == "ruby-base":
            _walk(part, paragraph)
        elif local(part) == "ruby-text" and part.text:
            paragraph.words.append(f"({part.text})")


def _grid(table: "_Element") -> Iterator[list[str]]:
    """Yield the rows of a table, cells over several places repeated."""
    above: dict[int, tuple[str, int]] = {}
    for row in _rows(table):
        cells: list[str] = []
        for cell in (node for node in row if local(node) in _CELLS):
            words = _cell_text(cell)
            place = len(cells)
            if local(cell) == "covered-table-cell":
                held, left = above.get(place, ("", 0))
                words = held if left else (cells[-1] if cells and not words else words)
            across = _count(cell, "number-columns-repeated", bool(words))
            down = _count(cell, "number-rows-spanned", is_said=True)
            cells += [words] * across
            above[place] = (words, down - 1) if down > 1 else _less(above.get(place))
        while cells and not cells[-1]:
            cells.pop()
        for _ in range(_count(row, "number-rows-repeated", bool(cells))):
            yield cells


def _less(held: tuple[str, int] | None) -> tuple[str, int]:
    return (held[0], held[1] - 1) if held and held[1] > 0 else ("", 0)


def _rows(table: "_Element") -> Iterator["_Element"]:
    for node in table:
        if local(node) == "table-row":
            yield node
        elif local(node) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(node)


def _cell_text(cell: "_Element") -> str:
    blocks = (" ".join(block.text.split()) for block in blocks_of(cell))
    return " ".join(filter(None, blocks)) or _value_of(cell)


def _value_of(cell: "_Element") -> str:
    """Return the value of a cell whose words some programs leave out."""
    return next(filter(None, (_attribute(cell, name) for name in _VALUES)), "")


def _around(styles: "_Element | None") -> list[Block]:
    """The different words of headers and footers."""
    nodes = [] if styles is None else [node for node in styles.iter() if local(node) in _AROUND]
    texts = dict.fromkeys(block.text for node in nodes for block in blocks_of(node))
    return [Block(text) for text in texts if text.strip()]


def _count(node: "_Element", name: str, is_said: bool) -> int:
    found = _attribute(node, name)
    return min(int(found), MAX_REPEATS if is_said else 1) if found.isdecimal() else 1


def _named(node: "_Element") -> str:
    return _attribute(node, "name")


def _attribute(node: "_Element", name: str) -> str:
    return next((str(v) for k, v in node.attrib.items() if str(k).endswith(f"}}{name}")), "")


def _property(meta: "_Element | None", name: str) -> str:
    found = [] if meta is None else [node for node in meta.iter() if local(node) == name]
    return (found[0].text or "").strip() if found else ""
