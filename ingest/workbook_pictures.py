"""Which pictures a workbook shows, sheet by sheet.

Knows drawings, pictures of headers and backgrounds, and those that WPS puts into cells; follows
relationships only, so that sheets may be of either format. Reads no picture.
"""

import re
from collections.abc import Iterator

from ingest.office_package import OfficePackage, local, picture_id

_MEDIA = "xl/media/"
_CELL_PICTURES = "xl/cellimages.xml"
_SHOWN_IN_CELL = re.compile(rb"DISPIMG\((?:&quot;|\")([^&\"]{1,80})")
_DRAWN = ("blip", "imagedata")


class SheetPictures:
    """The pictures of one package by where they stand; each sheet is asked for once."""

    def __init__(self, package: OfficePackage) -> None:
        self._package = package
        self._given: set[str] = set()
        self._in_cells = dict(self._named())

    def of(self, sheet: str) -> Iterator[str]:
        """Yield the parts that are pictures of a sheet, in the order of its drawings."""
        for part in self._of(sheet):
            self._given.add(part)
            yield part

    def left(self) -> Iterator[str]:
        """Yield those that no sheet was found to show."""
        for part in self._package.names:
            if part.startswith(_MEDIA) and part not in self._given:
                yield part

    def _of(self, sheet: str) -> Iterator[str]:
        for name in _SHOWN_IN_CELL.findall(self._package.read(sheet) or b""):
            if name.decode("utf-8", "replace") in self._in_cells:
                yield self._in_cells[name.decode("utf-8", "replace")]
        for kind, target in self._package.targets(sheet).values():
            if kind in ("drawing", "vmlDrawing"):
                yield from self._drawn(target)
            elif kind == "image":
                yield target

    def _drawn(self, drawing: str) -> Iterator[str]:
        root = self._package.root(drawing)
        for node in () if root is None else root.iter():
            if local(node) in _DRAWN:
                yield from filter(None, self._package.target(drawing, picture_id(node))[1:])

    def _named(self) -> Iterator[tuple[str, str]]:
        """Yield the name by which a cell shows a picture, and the part that it is."""
        root = self._package.root(_CELL_PICTURES)
        name = ""
        for node in () if root is None else root.iter():
            if local(node) == "cNvPr":
                name = node.get("name", "")
            elif local(node) == "blip":
                part = self._package.target(_CELL_PICTURES, picture_id(node))[1]
                yield from [(name, part)] if part else []
