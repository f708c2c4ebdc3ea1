"""Word documents as blocks of text: one walk over every node of the document's XML.

Tracked changes read as if accepted: insertions are text, deletions are left out. Headers stand
first; notes, comments and text boxes behind the paragraph that they belong to; footers last. Knows
parts by their names and follows relationships to charts and diagrams only: a dead one costs none.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.charts import chart_texts, diagram_texts, drawn_over
from ingest.draft import DraftDocument, mark_of
from ingest.office_package import (
    OfficePackage,
    described,
    description_of,
    local,
    picture_id,
    related_id,
)
from ingest.tables import row_texts
from ingest.word_chunks import PACKAGE, chunk_blocks
from ingest.word_numbering import Numbering, list_of
from ingest.word_signs import drawn_words, form_value, symbol, table_captions
from ingest.word_xml import W, child, is_on, value
from kb_service.domain.documents import BLANK_PAGE, NO_TEXT_LAYER
from kb_service.domain.errors import DocumentError
from kb_service.language.layout import LAYOUT

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_HEADING_LEVEL = 9
MAX_DEPTH = 5
"""Documents taken in by documents."""
MAX_SPAN = 100
"""Columns that one cell may cover."""

_DOCUMENT = "word/document.xml"
_LEFT_OUT = frozenset(
    ["del", "moveFrom", "delText", "instrText", "delInstrText", "rPr", "pPr", "sectPr", "tblPr"]
)
_PICTURES = ("blip", "imagedata")
_DRAWN = frozenset(("textpath", "shape", "rect", "roundrect", "oval"))
"""Shapes of VML, which say themselves what they show."""
_MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_SHOWING = frozenset(("t", "sym", "chart", "relIds", "docPr", *_MARKS, *_PICTURES, *_DRAWN))
_NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote"}


@dataclass
class Piece:
    """A paragraph or table row as it stands: its text, heading level, and new pages before it.

    `picture`: the part that is a picture in this place, "" for none.
    """

    text: str = ""
    level: int = 0
    num_breaks: int = 0
    picture: str = ""


@dataclass
class _Paragraph:
    """What the walk through one paragraph has found so far."""

    words: list[str] = field(default_factory=list)
    boxes: list["_Element"] = field(default_factory=list)
    drawings: list[str] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    breaks_before: int = 0
    breaks_after: int = 0

    def turn_page(self) -> None:
        """A page ends here; words of one paragraph stay together on the page of the first."""
        if "".join(self.words).strip():
            self.breaks_after += 1
        else:
            self.breaks_before += 1


def add_word(draft: DraftDocument, path: Path, name: str) -> tuple[str, dict[str, str], str]:
    """Add a docx; pages follow the breaks it records. Return title, metadata, empty reason."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        document = WordDocument(package, name)
        for piece in document.pieces():
            for _ in range(piece.num_breaks):
                draft.end_page()
            draft.add(piece.text, piece.level or LAYOUT.section_level(piece.text))
            draft.add_picture(package.picture(piece.picture))
        reason = NO_TEXT_LAYER if document.has_pictures else BLANK_PAGE
        title, author = package.title, package.author
        draft.lose(package.losses)
        return title, {"author": author}, reason


class WordDocument:
    """The parts of one package and what its paragraphs need to be read. Raises DocumentError."""

    def __init__(self, package: OfficePackage, name: str, depth: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise DocumentError(f"{name} lies in more than {MAX_DEPTH} documents", code="too_deep")
        self._package, self._depth = package, depth
        self._main = package.main_part(_DOCUMENT)
        body = package.document(self._main)
        if body is None:
            raise DocumentError(f"{name} has no {_DOCUMENT}", code="corrupt_document")
        self._body = body
        self._source = self._main
        styles = self._beside("styles")
        found = () if styles is None else styles.iter(f"{W}style")
        self._styles = {style.get(f"{W}styleId", ""): style for style in found}
        self._numbering = Numbering(self._beside("numbering"))
        self._notes = {
            (kind, note.get(f"{W}id", "")): note
            for kind in ("footnote", "endnote", "comment")
            if (part := self._beside(f"{kind}s")) is not None
            for note in part.iter(f"{W}{kind}")
        }
        self._called: set[tuple[str, str]] = set()
        self._has_recorded_pages = next(body.iter(f"{W}lastRenderedPageBreak"), None) is not None

    @property
    def has_pictures(self) -> bool:
        """True when the document shows pictures."""
        return any(local(node) in _PICTURES for node in self._body.iter())

    def pieces(self) -> Iterator[Piece]:
        """Yield everything that is read, in reading order."""
        yield from self._around("header")
        self._source = self._main
        yield from self._blocks(self._body)
        for key in [key for key in self._notes if key not in self._called]:
            yield from self._note_pieces(key)  # nothing in the text calls for it any more
        yield from self._around("footer")

    def _beside(self, kind: str) -> "_Element | None":
        """Return the root of a part by its usual name, else the one that the document names."""
        usual = f"word/{kind}.xml"
        targets = self._package.targets(self._main).values()
        named = (part for found, part in targets if found == kind)
        return self._package.root(next(named, usual) if usual not in self._package.names else usual)

    def _around(self, kind: str) -> Iterator[Piece]:
        """Yield the different texts of all headers or footers; pages do not turn there."""
        said: set[str] = set()
        names = (p for p in self._package.names if p.startswith(f"word/{kind}"))
        for part in (name for name in names if name.endswith("xml")):
            root = self._package.root(part)
            self._source = part
            for piece in () if root is None else self._blocks(root):
                if piece.picture or piece.text not in said:
                    said.add(piece.text)
                    yield Piece(piece.text, picture=piece.picture)

    def _blocks(self, container: "_Element") -> Iterator[Piece]:
        """Yield paragraphs and rows below an element; unknown elements are walked through."""
        pending: _Paragraph | None = None
        for node in container:
            tag = local(node)
            if tag == "p":
                pending = self._read(node, pending or _Paragraph())
                if not _is_mark_deleted(node):
                    yield from self._finished(node, pending)
                    pending = None
            elif tag == "tbl":
                yield from self._table(node)
            elif tag == "AlternateContent":
                yield from self._blocks(_chosen(node))
            elif tag == "altChunk":
                yield from self._chunk(related_id(node))
            elif tag and tag not in _LEFT_OUT:
                yield from self._blocks(node)
        if pending is not None:
            yield from self._finished(None, pending)

    def _finished(self, node: "_Element | None", paragraph: _Paragraph) -> Iterator[Piece]:
        text = "".join(paragraph.words)
        level = 0 if node is None else self._level(node)
        if node is not None and text.strip():
            mark = mark_of(self._label(node), text, level)
            text = f"{mark} {text.lstrip()}" if mark else text
        yield Piece(text, level, paragraph.breaks_before)
        for picture in paragraph.pictures:
            yield Piece(picture=picture)
        for box in paragraph.boxes:
            yield from self._blocks(box)
        for drawing in paragraph.drawings:
            yield from map(Piece, self._drawing(drawing))
        for key in paragraph.notes:
            yield from self._note_pieces(key)
        if paragraph.breaks_after:
            yield Piece(num_breaks=paragraph.breaks_after)

    def _note_pieces(self, key: tuple[str, str]) -> Iterator[Piece]:
        note = self._notes.get(key)
        self._called.add(key)
        for piece in () if note is None else self._blocks(note):
            yield Piece(piece.text, picture=piece.picture)

    def _read(self, node: "_Element", paragraph: _Paragraph) -> _Paragraph:
        properties = child(node, "pPr")
        if not self._has_recorded_pages and is_on(child(properties, "pageBreakBefore")):
            paragraph.turn_page()
        self._walk(node, paragraph)
        section = child(properties, "sectPr")
        if section is not None and not self._has_recorded_pages:
            paragraph.breaks_after += value(child(section, "type")) != "continuous"
        return paragraph

    def _walk(self, node: "_Element", paragraph: _Paragraph) -> None:
        """Take in every run below a node, whatever it is wrapped in."""
        for part in node:
            tag = local(part)
            if tag in _LEFT_OUT or not tag or (tag == "r" and _is_hidden(part)):
                continue
            if tag == "t":
                paragraph.words.append(part.text or "")
            elif tag in _MARKS:
                self._mark(part, tag, paragraph)
            elif tag == "lastRenderedPageBreak":
                paragraph.turn_page()
            elif tag == "sym":
                paragraph.words.append(symbol(part))
            elif tag == "txbxContent":
                paragraph.boxes.append(part)
            elif tag == "AlternateContent":
                self._walk(_chosen(part), paragraph)
            elif tag == "ruby":
                self._ruby(part, paragraph)
            else:
                self._note(part, tag, paragraph)
                self._walk(part, paragraph)

    def _chunk(self, related: str) -> Iterator[Piece]:
        """Yield what a file says that is taken in here. It may be a document of the same kind."""
        part = self._package.target(self._source, related)[1]
        with self._package.losing(part):
            data = self._package.bytes_of(part) or b""
            if data.startswith(PACKAGE):
                with zipfile.ZipFile(io.BytesIO(data)) as file:
                    inner = OfficePackage(file)
                    pieces = WordDocument(inner, part, self._depth + 1).pieces()
                    yield from (Piece(piece.text, piece.level) for piece in pieces)
                    for loss in inner.losses:
                        self._package.lose(loss)
            elif data.strip():
                yield from (Piece(block.text, block.level) for block in chunk_blocks(data, part))

    def _drawing(self, related: str) -> Iterator[str]:
        """Yield the lines of a chart or diagram that the text shows."""
        kind, part = self._package.target(self._source, related)
        root = self._package.root(part)
        if root is not None:
            yield from chart_texts(root) if kind.startswith("chart") else diagram_texts(root)
            yield from drawn_over(self._package, part)

    def _ruby(self, node: "_Element", paragraph: _Paragraph) -> None:
        """Say the words first and how they are read behind them."""
        for name, opening, closing in (("rubyBase", "", ""), ("rt", "(", ")")):
            part = child(node, name)
            if part is not None:
                paragraph.words.append(opening)
                self._walk(part, paragraph)
                paragraph.words.append(closing)

    def _mark(self, node: "_Element", tag: str, paragraph: _Paragraph) -> None:
        if tag == "br" and node.get(f"{W}type") == "page":
            if not self._has_recorded_pages:
                paragraph.turn_page()
        else:
            paragraph.words.append(_MARKS[tag])

    def _note(self, node: "_Element", tag: str, paragraph: _Paragraph) -> None:
        """Remember what is called for here; words that stand for a picture are said."""
        if tag in _NOTES:
            paragraph.notes.append((_NOTES[tag], node.get(f"{W}id", "")))
        elif tag == "commentReference":
            paragraph.notes.append(("comment", node.get(f"{W}id", "")))
        elif tag == "ffData":
            paragraph.words.append(form_value(node))
        elif tag in ("chart", "relIds"):
            paragraph.drawings.append(related_id(node))
        elif tag in _PICTURES:
            picture = self._package.target(self._source, picture_id(node))
            paragraph.pictures.append(picture[1])
        elif tag == "docPr" and description_of(node):
            paragraph.words.append(f" {description_of(node)} ")
        elif tag in _DRAWN and described(drawn_words(node)):
            paragraph.words.append(f" {described(drawn_words(node))} ")

    def _table(self, table: "_Element") -> Iterator[Piece]:
        rows = [row for row in _rows(table) if not _is_row_deleted(row)]
        yield from map(Piece, table_captions(table) if rows else ())
        if max((len(_cells(row)) for row in rows), default=0) < 2:
            for row in rows:  # one column lays a page out
                for cell in _cells(row):
                    yield from self._blocks(cell)
            return
        grid, breaks, pictures = self._grid(rows)
        texts = list(row_texts(grid))
        kept = breaks if len(texts) == len(breaks) else [*[0] * (len(texts) - 1), sum(breaks)]
        yield from map(Piece, texts, [0] * len(texts), kept)
        yield from pictures

    def _grid(self, rows: list["_Element"]) -> tuple[list[list[str]], list[int], list[Piece]]:
        """Return the rows that have words, cells over several places repeated, and their breaks.

        Pictures in cells come last: they stand behind the table.
        """
        pictures: list[Piece] = []
        grid: list[list[str]] = []
        breaks: list[int] = []
        above: dict[int, str] = {}
        num_breaks = 0
        for row in rows:
            texts: list[str] = []
            for cell in _cells(row):
                pieces = list(self._blocks(cell))
                num_breaks += sum(piece.num_breaks for piece in pieces)
                pictures += [piece for piece in pieces if piece.picture]
                said = " ".join(" ".join(piece.text.split()) for piece in pieces if piece.text)
                properties = child(cell, "tcPr")
                merged = child(properties, "vMerge")
                goes_on = merged is not None and value(merged) != "restart"
                text = said or (above.get(len(texts), "") if goes_on else "")
                above[len(texts)] = text if merged is not None else ""
                width = value(child(properties, "gridSpan"))
                texts += [text] * (min(int(width), MAX_SPAN) if width.isdecimal() else 1)
            if any(text.strip() for text in texts):
                grid.append(texts[:1] if len(_cells(row)) == 1 else texts)
                breaks.append(num_breaks)
                num_breaks = 0
        return grid, breaks, pictures

    def _label(self, paragraph: "_Element") -> str:
        place = list_of(paragraph, self._styles)
        return self._numbering.next_label(*place) if place else ""

    def _level(self, paragraph: "_Element") -> int:
        """Return the heading level that the paragraph or its style has, 0 for none."""
        properties = child(paragraph, "pPr")
        style = self._styles.get(value(child(properties, "pStyle")))
        depth = value(child(properties, "outlineLvl"))
        for _ in range(MAX_HEADING_LEVEL):
            if depth or style is None:
                break
            if value(child(style, "name")).lower() == "title":
                return 1
            depth = value(child(child(style, "pPr"), "outlineLvl"))
            style = self._styles.get(value(child(style, "basedOn")))
        return int(depth) + 1 if depth.isdecimal() and int(depth) < MAX_HEADING_LEVEL else 0


def _rows(table: "_Element") -> Iterator["_Element"]:
    """Yield the rows of a table and of what wraps some of them, not those of tables inside."""
    for node in table:
        if local(node) == "tr":
            yield node
        elif local(node) not in ("tblPr", "tblGrid", "", *_LEFT_OUT):
            yield from _rows(node)


def _cells(row: "_Element") -> list["_Element"]:
    cells: list[_Element] = []
    for node in row:
        if local(node) == "tc":
            cells.append(node)
        elif local(node) not in ("trPr", "tblPrEx", "", *_LEFT_OUT):
            cells += _cells(node)
    return cells


def _chosen(alternatives: "_Element") -> "_Element":
    """Return the first alternative that shows something: the others say the same once more."""
    for node in alternatives:
        if any(local(part) in _SHOWING for part in node.iter()):
            return node
    return alternatives


def _is_hidden(run: "_Element") -> bool:
    return is_on(child(child(run, "rPr"), "vanish"))


def _is_mark_deleted(paragraph: "_Element") -> bool:
    """True when the paragraph's end was deleted: its words go on in the next one."""
    return child(child(child(paragraph, "pPr"), "rPr"), "del") is not None


def _is_row_deleted(row: "_Element") -> bool:
    return child(child(row, "trPr"), "del") is not None
