"""Presentations as blocks of text: one walk over every shape of every slide.

The title comes first, the others as they lie on the slide from top to bottom; then what the layout
says on it, speaker notes and comments. Tables, charts and diagrams are read from what the file
keeps of them. Knows DrawingML and PresentationML; knows no limits and no pages of the draft.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.charts import chart_texts, diagram_texts, drawn_over
from ingest.draft import Block, DraftDocument
from ingest.limits import ParseLimits
from ingest.office_package import OfficePackage, description_of, local, picture_id, related_id
from ingest.slide_lists import ListCounter
from ingest.tables import row_texts
from kb_service.domain.documents import BLANK_PAGE, CORRUPT_PAGE, NO_TEXT_LAYER, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress
from kb_service.language.layout import LAYOUT

if TYPE_CHECKING:
    from lxml.etree import _Element

_PRESENTATION = "ppt/presentation.xml"
_TITLES = ("title", "ctrTitle")
_UNSAID = frozenset(("sldNum", "sldImg"))
"""Placeholders of what no author wrote."""
_UNSAID_IN_NOTES = _UNSAID | {"hdr", "ftr", "dt"}
_PICTURES = frozenset(("blip", "imagedata"))
_LEFT_OUT = frozenset(("rPr", "pPr", "endParaRPr", "txPr"))

Place = tuple[int, int]


def load_slides(
    path: Path, name: str, draft: DraftDocument, limits: ParseLimits
) -> Iterator[Progress | ParsedDocument]:
    """Yield Progress per slide, then the document, a page for each slide. Raises DocumentError."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        presentation = Presentation(package, name)
        num_slides = len(presentation.slides)
        limits.check_pages(name, num_slides, "slides")
        for number, part in enumerate(presentation.slides, start=1):
            slide = Slide(package, part, presentation)
            for block in slide.blocks():
                draft.add(block.text, block.level or LAYOUT.section_level(block.text))
                draft.add_picture(package.picture(block.picture))
            draft.end_page(slide.empty_reason)
            yield Progress(JobStage.LOAD, number, num_slides)
        title, author = package.title, package.author
        draft.lose(package.losses)
        yield draft.finish(title, {"author": author})


class Presentation:
    """Which slides there are, in order, and which layouts were read already."""

    def __init__(self, package: OfficePackage, name: str) -> None:
        main = package.main_part(_PRESENTATION)
        root = package.root(main)
        kept = {part for part in package.names if _is_slide(part)}
        if root is None and not kept:
            raise DocumentError(f"{name} has no {_PRESENTATION}", code="corrupt_document")
        nodes = () if root is None else root.iter()
        ids = [related_id(node) for node in nodes if local(node) == "sldId"]
        named = [package.target(main, related) for related in ids]
        listed = [part for kind, part in named if kind == "slide"]
        # Slides that the list has lost are still the author's; they come last.
        self.slides = [*listed, *sorted(kept - set(listed), key=_number_of)]
        self.read_layouts: set[str] = set()


class Slide:
    """One slide with its layout, its notes and its comments."""

    def __init__(self, package: OfficePackage, part: str, presentation: Presentation) -> None:
        self._package = package
        self._part = part
        self._root = package.root(part)
        self._targets = package.targets(part)
        self._presentation = presentation
        self._layout = self._part_of("slideLayout")
        self._master = self._part_of("slideMaster", self._layout)
        self._places = self._layout_places()

    @property
    def empty_reason(self) -> str:
        """Why the slide has no text, where it has none."""
        if self._root is None:
            return CORRUPT_PAGE
        has_pictures = any(local(node) in _PICTURES for node in self._root.iter())
        return NO_TEXT_LAYER if has_pictures else BLANK_PAGE

    def blocks(self) -> Iterator[Block]:
        """Yield everything that is read, in reading order."""
        if self._root is not None:
            yield from self._shapes(self._root, self._part, _UNSAID)
        for part in (self._layout, self._master):
            if part and part not in self._presentation.read_layouts:
                self._presentation.read_layouts.add(part)
                yield from self._fixed_words(part)
        notes = self._part_of("notesSlide")
        root = self._package.root(notes) if notes else None
        if root is not None:
            yield from self._shapes(root, notes, _UNSAID_IN_NOTES)
        for kind, part in self._targets.values():
            if kind == "comments":
                yield from self._comments(part)

    def _fixed_words(self, part: str) -> Iterator[Block]:
        """Yield what a layout says on its slides; its placeholders are prompts for the author."""
        root = self._package.root(part)
        for shape in () if root is None else _top_shapes(root):
            if not _placeholder_of(shape):
                yield from self._shape(shape, part)

    def _comments(self, part: str) -> Iterator[Block]:
        root = self._package.root(part)
        for node in () if root is None else root.iter():
            if local(node) == "text":
                yield Block(node.text or "")
            elif local(node) == "p":
                yield Block(_words(node))

    def _shapes(self, root: "_Element", source: str, unsaid: frozenset[str]) -> Iterator[Block]:
        shapes = [s for s in _top_shapes(root) if _placeholder_of(s).get("type") not in unsaid]
        for shape in sorted(shapes, key=self._place):
            yield from self._shape(shape, source)

    def _shape(self, shape: "_Element", source: str) -> Iterator[Block]:
        """Yield the words of a shape and of every shape inside it. `source`: the part it is in."""
        if local(shape) == "grpSp":
            for said in shape.findall("{*}nvGrpSpPr"):
                yield from self._content(said, source, 0)
            for inner in sorted(_inner_shapes(shape), key=self._place):
                yield from self._shape(inner, source)
            return
        is_title = _placeholder_of(shape).get("type") in _TITLES
        yield from self._content(shape, source, 1 if is_title else 0)

    def _content(self, node: "_Element", source: str, level: int) -> Iterator[Block]:
        """Walk to the texts, tables, charts and diagrams below a node, whatever wraps them.

        Words that stand for a picture or a shape are said first: they are its first part.
        """
        for part in node:
            tag = local(part)
            if tag == "cNvPr":
                yield Block(description_of(part))
            elif tag == "txBody":
                yield from _paragraphs(part, level)
            elif tag == "tbl":
                yield from map(Block, row_texts(_grid(part)))
            elif tag in _PICTURES:
                yield Block("", 0, self._package.target(source, picture_id(part))[1])
            elif tag in ("chart", "relIds"):
                yield from self._related_part(*self._package.target(source, related_id(part)))
            elif tag == "AlternateContent":
                yield from self._chosen(part, source, level)
            elif tag:
                yield from self._content(part, source, level)

    def _chosen(self, alternatives: "_Element", source: str, level: int) -> Iterator[Block]:
        """Yield the first alternative that has words: they say the same."""
        for alternative in alternatives:
            blocks = list(self._content(alternative, source, level))
            if any(block.text.strip() or block.picture for block in blocks):
                yield from blocks
                return

    def _related_part(self, kind: str, part: str) -> Iterator[Block]:
        root = self._package.root(part) if part else None
        if root is None:
            return
        is_chart = kind.startswith("chart")
        yield from map(Block, chart_texts(root) if is_chart else diagram_texts(root))
        yield from map(Block, drawn_over(self._package, part))

    def _place(self, shape: "_Element") -> tuple[int, Place]:
        """Titles first, then from top to bottom and from left to right."""
        holder = _placeholder_of(shape)
        if holder.get("type") in _TITLES:
            return (0, (0, 0))
        place = _position(shape)
        return (1, place or self._places.get(holder.get("idx", ""), (0, 0)))

    def _layout_places(self) -> dict[str, Place]:
        """Where the layout puts the placeholders that the slide leaves where they are."""
        root = self._package.root(self._layout) if self._layout else None
        found: dict[str, Place] = {}
        for shape in () if root is None else _top_shapes(root):
            holder, place = _placeholder_of(shape), _position(shape)
            if place and "idx" in holder:
                found[holder["idx"]] = place
        return found

    def _part_of(self, kind: str, source: str = "") -> str:
        targets = self._package.targets(source) if source else self._targets
        return next((part for found, part in targets.values() if found == kind), "")


def _is_slide(part: str) -> bool:
    return part.startswith("ppt/slides/") and part.endswith(".xml")


def _number_of(part: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdecimal, part))
    return (int(digits or 0), part)


def _top_shapes(root: "_Element") -> list["_Element"]:
    tree = next((node for node in root.iter() if local(node) == "spTree"), None)
    return [] if tree is None else _inner_shapes(tree)


def _inner_shapes(group: "_Element") -> list["_Element"]:
    """Return the shapes of a group; alternatives count as one shape."""
    return [node for node in group if local(node) not in ("", "nvGrpSpPr", "grpSpPr", "extLst")]


def _placeholder_of(shape: "_Element") -> dict[str, str]:
    """Return the attributes of a placeholder, {} for any other shape."""
    for part in shape:
        if local(part).startswith("nv"):
            for node in part.iter():
                if local(node) == "ph":
                    return {"type": "body", "idx": "0"} | {
                        str(key): str(value) for key, value in node.attrib.items()
                    }
    return {}


def _position(shape: "_Element") -> Place | None:
    for node in shape.iter():
        if local(node) == "off":
            try:
                return (int(node.get("y", "")), int(node.get("x", "")))
            except ValueError:
                return None
    return None


def _paragraphs(body: "_Element", level: int) -> Iterator[Block]:
    counter = ListCounter()
    for node in body.iter():
        if local(node) == "p":
            text, label = _words(node), counter.next_label(node)
            yield Block(f"{label} {text.lstrip()}" if label and text.strip() else text, level)


def _words(paragraph: "_Element") -> str:
    return "".join(_pieces(paragraph))


def _pieces(node: "_Element") -> Iterator[str]:
    """Yield the words of runs, fields and formulas below a node, line ends where they are."""
    for part in node:
        tag = local(part)
        if tag == "t":
            yield part.text or ""
        elif tag == "br":
            yield "\n"
        elif tag == "AlternateContent":
            said = ("".join(_pieces(alternative)) for alternative in part)
            yield next((words for words in said if words.strip()), "")
        elif tag and tag not in _LEFT_OUT and not _is_slide_number(part):
            yield from _pieces(part)


def _is_slide_number(node: "_Element") -> bool:
    return local(node) == "fld" and node.get("type") == "slidenum"


def _grid(table: "_Element") -> Iterator[list[str]]:
    """Yield the rows of a table, cells over several places repeated."""
    above: list[str] = []
    for row in (node for node in table if local(node) == "tr"):
        texts: list[str] = []
        for cell in (node for node in row if local(node) == "tc"):
            place = len(texts)
            if _is_on(cell, "hMerge") and texts:
                texts.append(texts[-1])
            elif _is_on(cell, "vMerge") and place < len(above):
                texts.append(above[place])
            else:
                texts.append(_cell_text(cell))
        above = texts
        yield texts


def _cell_text(cell: "_Element") -> str:
    paragraphs = [_words(node) for node in cell.iter() if local(node) == "p"]
    return " ".join(" ".join(words.split()) for words in paragraphs if words.strip())


def _is_on(node: "_Element", name: str) -> bool:
    return node.get(name, "0") in ("1", "true")
