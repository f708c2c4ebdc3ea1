"""Workbooks as blocks of text: a page for each sheet, its rows, comments, text boxes and charts,
then its pictures.

Knows SpreadsheetML. A cell is said as it is shown: by its number format, with the words of merged
cells in every place, a formula without a stored result as the formula. Broken styles lose formats
and no words. Knows nothing of headers (`tables`) or of how numbers are written (`number_formats`).
"""

import codecs
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.charts import chart_texts, diagram_texts, drawn_over
from ingest.draft import DraftDocument
from ingest.limits import ParseLimits
from ingest.number_formats import BUILT_IN, GENERAL, shown
from ingest.office_package import OfficePackage, damage_in, description_of, local, related_id
from ingest.tables import Titles, row_texts
from ingest.workbook_pictures import SheetPictures
from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_COLUMNS = 16_384
NUM_FIRST_ROWS = 50
"""Rows that are looked at for the first column in use."""
_WORKBOOK = "xl/workbook.xml"
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})", re.IGNORECASE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_HEAD_CODE = re.compile(r'&(?:"[^"]*"|K[0-9A-F]{6}|\d{1,3}|[A-Z&])', re.IGNORECASE)
_THREAD = "tc="
"""How the author of a comment is named that only stands for a thread of them."""
_CARRIERS = frozenset(("row", "si"))
"""Elements that hold what a part is there for: damage is found while looking for them."""
_HEADS = ("oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter")
Targets = dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells: rows and columns from 1, both ends included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Merges:
    """The merged areas of a sheet, by the row where they begin."""

    by_top: dict[int, list[Area]] = field(default_factory=dict)
    open: list[tuple[Area, str]] = field(default_factory=list)

    def spread(self, number: int, cells: dict[int, str]) -> None:
        """Say the words of merged cells in every place of a row; rows come from top to bottom."""
        self.open = [(area, words) for area, words in self.open if area.bottom >= number]
        self.open += [(area, cells.get(area.left, "")) for area in self.by_top.get(number, ())]
        for area, words in self.open:
            for column in range(area.left, area.right + 1) if words else ():
                cells[column] = words

    def is_title(self, number: int, cells: dict[int, str]) -> bool:
        """True for a row that is one merged cell."""
        return any(cells.values()) and any(
            area.top == area.bottom == number
            and area.right > area.left
            and all(area.left <= column <= area.right for column, words in cells.items() if words)
            for area, _ in self.open
        )


def load_workbook(
    path: Path, name: str, draft: DraftDocument, limits: ParseLimits
) -> Iterator[Progress | ParsedDocument]:
    """Yield Progress per sheet, then the document, a page for each sheet. Raises DocumentError."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        workbook = Workbook(package, name)
        pictures = SheetPictures(package)
        num_sheets = len(workbook.sheets)
        titles = Titles()
        limits.check_pages(name, num_sheets, "sheets")
        for number, (title, part) in enumerate(workbook.sheets, start=1):
            words = workbook.texts(part, titles)
            first = next(words, None)
            shown = [*pictures.of(part), *(pictures.left() if number == num_sheets else ())]
            if first is not None or shown:
                draft.add(title, level=1)
                for text in chain([first or ""], words):
                    draft.add(text)
            for picture in shown:
                draft.add_picture(package.picture(picture))
            draft.end_page()
            yield Progress(JobStage.LOAD, number, num_sheets)
        draft.lose(package.losses)
        author = {"author": package.author}
        yield draft.finish(package.title or titles.of_all, author, is_headed=False)


class Workbook:
    """The sheets of one package, and what their cells refer to."""

    def __init__(self, package: OfficePackage, name: str) -> None:
        self._package = package
        main = package.main_part(_WORKBOOK)
        root = package.root(main)
        nodes = [] if root is None else list(root.iter())
        named = [
            (node.get("name", ""), package.target(main, related_id(node))[1])
            for node in nodes
            if local(node) == "sheet"
        ]
        listed = [(title, part) for title, part in named if part]
        known = {part for _, part in listed}
        lost = [p for p in package.names if p.startswith("xl/worksheets/sheet") and p not in known]
        if root is None and not lost:
            raise DocumentError(f"{name} has no {_WORKBOOK}", code="corrupt_document")
        targets = package.targets(main)
        # Sheets that the list has lost are still the author's; they come last.
        self.sheets = [*listed, *((Path(part).stem, part) for part in lost)]
        self._from_1904 = any(
            local(node) == "workbookPr" and node.get("date1904") in ("1", "true") for node in nodes
        )
        parts = {"sharedStrings": "xl/sharedStrings.xml", "styles": "xl/styles.xml"}
        parts |= {kind: part for kind, part in targets.values() if kind in parts}
        self._strings = [_rich_text(node) for node in self._elements(parts["sharedStrings"], "si")]
        self._formats = _formats(package.root(parts["styles"]))

    def texts(self, part: str, titles: Titles) -> Iterator[str]:
        """Yield the rows of a sheet, then what else it shows."""
        merges = Merges()
        for node in self._elements(part, "mergeCell"):
            area = _area(node.get("ref", ""))
            if area is not None:
                merges.by_top.setdefault(area.top, []).append(area)
        yield from row_texts(self._rows(part, merges), titles=titles)
        for head in _HEADS:
            for node in self._elements(part, head):
                yield " ".join(_HEAD_CODE.sub(" ", node.text or "").split())
        targets = self._package.targets(part)
        for kind, target in targets.values():
            if kind in ("comments", "threadedComment"):
                yield from self._comments(target)
            elif kind == "drawing":
                yield from self._drawing(target)
            elif kind == "vmlDrawing":
                yield from self._controls(target)

    def _rows(self, part: str, merges: Merges) -> Iterator[list[str]]:
        """Yield the rows from the first column in use, an empty one where some are left out."""
        rows = self._numbered_rows(part, merges)
        first = list(islice(rows, NUM_FIRST_ROWS))
        left = min((column for cells, _ in first for column in cells), default=1)
        for cells, is_title in chain(first, rows):
            if is_title:
                yield [next(filter(None, cells.values()))]
            else:
                start = min(left, min(cells, default=left))
                yield [cells.get(column, "") for column in range(start, max(cells, default=0) + 1)]

    def _numbered_rows(self, part: str, merges: Merges) -> Iterator[tuple[dict[int, str], bool]]:
        """Yield the words of each row by column, and whether it is one merged cell."""
        last = 0
        for node in self._elements(part, "row"):
            number = int(node.get("r", "")) if node.get("r", "").isdecimal() else last + 1
            if number > last + 1:
                yield {}, False
            last = number
            cells = self._cells(node)
            merges.spread(number, cells)
            yield cells, merges.is_title(number, cells)

    def _cells(self, row: "_Element") -> dict[int, str]:
        cells: dict[int, str] = {}
        column = 0
        for node in row:
            if local(node) != "c":
                continue
            place = _PLACE.fullmatch(node.get("r", ""))
            column = _column(place.group(1)) if place else column + 1
            words = self._cell(node)
            if words and column <= MAX_COLUMNS:
                cells[column] = words
        return cells

    def _cell(self, node: "_Element") -> str:
        inner = {local(part): part for part in node}
        kind = node.get("t", "n")
        if kind == "inlineStr":
            return _rich_text(inner["is"]) if "is" in inner else ""
        words = (inner["v"].text or "").strip() if "v" in inner else ""
        if not words:
            formula = (inner["f"].text or "").strip() if "f" in inner else ""
            return f"={formula}" if formula else ""
        if kind == "s":
            place = int(words) if words.isdecimal() else -1
            return self._strings[place] if 0 <= place < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if words == "1" else "FALSE"
        return self._number(words, node.get("s", "")) if kind == "n" else _unescaped(words)

    def _number(self, words: str, style: str) -> str:
        place = int(style) if style.isdecimal() else 0
        code = self._formats[place] if place < len(self._formats) else GENERAL
        try:
            return shown(float(words), code, from_1904=self._from_1904)
        except (ValueError, OverflowError, ArithmeticError):
            return words

    def _comments(self, part: str) -> Iterator[str]:
        root = self._package.root(part)
        nodes = [] if root is None else list(root.iter())
        authors = [node.text or "" for node in nodes if local(node) == "author"]
        threads = {str(n) for n, author in enumerate(authors) if author.startswith(_THREAD)}
        for node in nodes:
            if local(node) in ("comment", "threadedComment"):
                words = "" if node.get("authorId") in threads else _rich_text(node)
                yield f"{node.get('ref', '')}: {words}" if words else ""

    def _controls(self, part: str) -> Iterator[str]:
        """Yield the words on buttons and boxes of an old kind; comments stand there once more."""
        root = self._package.root(part)
        for shape in () if root is None else root.iter():
            data = [node for node in shape if local(node) == "ClientData"]
            if data and data[0].get("ObjectType") != "Note":
                texts = (
                    text for node in shape if local(node) == "textbox" for text in node.itertext()
                )
                yield " ".join(" ".join(texts).split())

    def _drawing(self, part: str) -> Iterator[str]:
        root = self._package.root(part)
        if root is None:
            return
        yield from diagram_texts(root)
        for node in root.iter():
            if local(node) == "cNvPr":
                yield description_of(node)
            elif local(node) in ("chart", "relIds"):
                yield from self._chart(self._package.target(part, related_id(node))[1])

    def _chart(self, part: str) -> Iterator[str]:
        root = self._package.root(part)
        if root is not None:
            yield from chart_texts(root)
            yield from drawn_over(self._package, part)

    def _elements(self, part: str, name: str) -> Iterator["_Element"]:
        """Yield a part's elements of a name, each cleared behind it: a sheet may be large."""
        from lxml import etree

        data = self._package.read(part)
        is_wide = data is not None and data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        is_there = name in _CARRIERS or is_wide or (data is not None and name.encode() in data)
        if data is None or not is_there:
            return
        found = etree.iterparse(
            io.BytesIO(data), tag=f"{{*}}{name}", recover=True, resolve_entities=False,
            no_network=True, huge_tree=True,
        )  # fmt: skip
        try:
            for _, node in found:
                yield node
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]
        except etree.XMLSyntaxError as error:
            self._package.lose_rest(part, str(error))
        else:
            no_root = "" if found.root is not None else "no XML"
            self._package.lose_rest(part, damage_in(found.error_log) or no_root)


def _formats(styles: "_Element | None") -> list[str]:
    """Return the number format of each cell style."""
    if styles is None:
        return []
    own: dict[str, str] = {}
    formats: list[str] = []
    for node in styles.iter():
        if local(node) == "numFmt":
            own[node.get("numFmtId", "")] = node.get("formatCode", GENERAL)
        elif local(node) == "cellXfs":
            ids = [xf.get("numFmtId", "0") for xf in node if local(xf) == "xf"]
            known = ({str(number): code for number, code in BUILT_IN.items()}) | own
            formats = [known.get(number, GENERAL) for number in ids]
    return formats


def _rich_text(node: "_Element") -> str:
    """Return the words of a string's runs, without how they are read (phonetic runs)."""
    return _unescaped("".join(_runs(node))).strip()


def _runs(node: "_Element") -> Iterator[str]:
    """Yield the texts below a string; spaces at their ends part the words of two runs."""
    for part in node:
        tag = local(part)
        if tag == "t" or (tag == "text" and not len(part)):
            yield part.text or ""
        elif tag and tag not in ("rPh", "phoneticPr", "rPr"):
            yield from _runs(part)


def _unescaped(words: str) -> str:
    """Put in the characters that the file writes as their numbers (ECMA-376 part 1, 22.9.2.19)."""
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), words)


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _area(reference: str) -> Area | None:
    ends = [_PLACE.fullmatch(end) for end in reference.replace("$", "").split(":")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return None
    (left, top), (right, bottom) = ((_column(e.group(1)), int(e.group(2))) for e in ends if e)
    return Area(top, left, bottom, min(right, MAX_COLUMNS))
