"""OfficePackage: the parts of an Office Open XML file and how they point at each other.

Knows the zip, the relationships and the properties that Word and PowerPoint files share. Reads
damaged packages as far as they go: a relationship that leads nowhere is no part. Knows no text.
"""

import lzma
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kb_service.domain.errors import DocumentError
from kb_service.domain.members import Loss

if TYPE_CHECKING:
    from lxml.etree import _Element, _ListErrorLog

MISSING_PART = "missing_part"
"""What is lost where a file shows a part that it does not hold."""
CUT_SHORT = "cut_short"
"""What is lost where a part breaks off before its own end."""
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, DocumentError,
    OverflowError, OSError, ValueError,
)  # fmt: skip
"""What reading a damaged part raises."""
MAX_REASON_CHARS = 200
_PROGRAM_TITLES = frozenset(("Word Document", "PowerPoint Presentation", "Presentation"))
_PROGRAM_AUTHORS = frozenset(("python-docx", "Microsoft Office User"))
_LIMIT, _FATAL = "ERR_RESOURCE_LIMIT", "FATAL"
_HARMLESS = frozenset((
    "ERR_INVALID_CHAR", "ERR_UNDECLARED_ENTITY", "ERR_NAME_REQUIRED", "ERR_ATTRIBUTE_REDEFINED",
    "ERR_RESERVED_XML_NAME", "ERR_MISPLACED_CDATA_END", "ERR_INVALID_ENCODING",
))  # fmt: skip
"""Errors of the parser behind which every word is read: it puts a sign for a character, or none."""
_LEFT_OPEN, _ENDS_EARLY = "ERR_TAG_NAME_MISMATCH", "ERR_TAG_NOT_FINISHED"
_LOOSE = ".vml"
"""Office itself writes such parts with elements that it does not close."""
_EXTERNAL = "External"
_PICTURE_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".emf", ".wmf", ".svg", ".webp",
)  # fmt: skip
_SHOWN = "relationships}embed", "relationships}id", "relationships}pict", "office:office}relid"
_RELATED = "relationships}id", "relationships}dm"
_MAIN = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT_MAIN = b"http://purl.oclc.org/ooxml/wordprocessingml/main"


def local(node: "_Element") -> str:
    """Return an element's name without its namespace, "" for a comment."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def related_id(node: "_Element") -> str:
    """Return the id of the relationship that an element names, "" for none."""
    return next((v for k, v in node.attrib.items() if str(k).endswith(_RELATED)), "")


def picture_id(node: "_Element") -> str:
    """Return the id of the relationship to a picture: of DrawingML (`blip`), VML (`imagedata`)."""
    return next((v for k, v in node.attrib.items() if str(k).endswith(_SHOWN)), "")


def description_of(node: "_Element") -> str:
    """Return the words that stand for a picture."""
    return described(node.get("descr", ""))


def described(words: str) -> str:
    """Return what is said of a picture, "" for the name of its file."""
    words = " ".join(words.split())
    return "" if words.lower().endswith(_PICTURE_ENDINGS) and " " not in words else words


@dataclass(frozen=True, slots=True)
class XmlText:
    """The root of an XML text, read as far as it goes; None where there is no XML.

    `damage`: why not all of it was read, "" where nothing is missing.
    """

    root: "_Element | None"
    damage: str = ""


def xml_root(data: bytes, name: str) -> XmlText:
    """Return what is read of an XML text.

    Raises DocumentError `corrupt_document` where the parser would leave out what lies deeper.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root: _Element | None = etree.fromstring(data, parser)
    except etree.XMLSyntaxError:
        root = None
    if any(entry.type_name == _LIMIT for entry in parser.error_log):
        raise DocumentError(
            f"{name} is nested deeper or has longer texts than the XML parser reads",
            code="corrupt_document",
        )
    damage = damage_in(parser.error_log, is_loose=name.endswith(_LOOSE))
    return XmlText(root, damage or ("no XML" if root is None else ""))


def damage_in(errors: "_ListErrorLog", *, is_loose: bool = False) -> str:
    """Return the first error of the parser behind which something may be missing, "" for none.

    `is_loose`: elements may be left open; their words are read, and the end comes too early then.
    """
    harmless = _HARMLESS
    for error in errors:
        if is_loose and error.type_name == _LEFT_OPEN:
            harmless |= {_LEFT_OPEN, _ENDS_EARLY}
        if error.level_name == _FATAL and error.type_name not in harmless:
            return f"{error.message.strip()}, line {error.line}"
    return ""


def lost(where: str, error: Exception) -> Loss:
    """Return what is told of a part that cannot be read."""
    code = error.code if isinstance(error, DocumentError) else "corrupt_document"
    return Loss(where, code, None, str(error)[:MAX_REASON_CHARS])


def cut_short(where: str) -> Loss:
    """Return what is told of a part that is read to where it breaks off, before its own end."""
    return Loss(where, CUT_SHORT, None, "")


class OfficePackage:
    """Parts by name. One that cannot be read costs itself alone: it is named in `losses`, once.

    Only what its reader cannot do without is asked for by `document`, which raises.
    """

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._stored = {name.replace("\\", "/").lstrip("/"): name for name in package.namelist()}
        self._relations: dict[str, dict[str, _Relation]] = {}
        self.losses: list[Loss] = []

    @property
    def names(self) -> list[str]:
        """The names of all parts, sorted."""
        return sorted(self._stored)

    @cached_property
    def title(self) -> str:
        """The title among the properties, "" when a program wrote one of its own."""
        title = self._property("title")
        return "" if title in _PROGRAM_TITLES else title

    @cached_property
    def author(self) -> str:
        """The author among the properties, "" when a program wrote its own name."""
        author = self._property("creator")
        return "" if author in _PROGRAM_AUTHORS else author

    def document(self, name: str) -> "_Element | None":
        """Return the root of the part that holds the text, None when it is not there.

        Raises DocumentError `corrupt_document` or `encrypted_document` where it cannot be read.
        """
        try:
            return self._root(name, name)
        except DocumentError:
            raise
        except UNREADABLE as error:
            raise DocumentError(f"{name} is damaged: {error}", code="corrupt_document") from error

    def root(self, name: str) -> "_Element | None":
        """Return the root of a part beside the text, None when it is not there or not readable."""
        with self.losing(name):
            return self._root(name, name)
        return None

    def read(self, name: str) -> bytes | None:
        """Return a part as it is stored, None when it is not there or not readable."""
        with self.losing(name):
            return self.bytes_of(name)
        return None

    def lose(self, loss: Loss) -> None:
        """Note what of the file is not read, once."""
        if loss not in self.losses:
            self.losses.append(loss)

    @contextmanager
    def losing(self, name: str) -> Iterator[None]:
        """Note a part that cannot be read, and go on: one beside the text must not cost the text.

        Within it only the part is read; what is done with its words raises outside.
        """
        try:
            yield
        except UNREADABLE as error:
            self.lose(lost(name, error))

    def main_part(self, usual: str) -> str:
        """Return the part that the package names as its document; some programs number it."""
        named = (part for kind, part in self.targets("").values() if kind == "officeDocument")
        return next(named, usual)

    def bytes_of(self, name: str) -> bytes | None:
        """Return a part as it is stored, None when it is not there.

        Raises DocumentError `encrypted_document`, and what reading a damaged part raises.
        """
        try:
            return self._package.read(self._stored[name]) if name in self._stored else None
        except NotImplementedError:
            raise
        except RuntimeError as error:
            raise DocumentError(f"{name} is encrypted", code="encrypted_document") from error

    def picture(self, name: str) -> bytes | None:
        """Return the bytes of a picture of this package, None where it has none of that name."""
        return self.read(name.removeprefix("./")) if name else None

    def targets(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the parts of this package that one points at: id -> (kind, name).

        The kind is the last word of the relationship's type ("slide", "chart", "image").
        """
        related = self._related(name).items()
        return {key: (to.kind, to.part) for key, to in related if to.part in self._stored}

    def target(self, name: str, related: str) -> tuple[str, str]:
        """Return kind and name of the part that one shows by a relationship, ("", "") for none.

        One that is not there is named as lost, unless it is meant to lie outside of the file.
        """
        found = self._related(name).get(related)
        if found is not None and found.part in self._stored:
            return found.kind, found.part
        if found is not None and not found.is_outside:
            self.expect(found.part, name)
        elif found is None and related and not self._has_damaged_relations(name):
            self._miss(name, f"relationship {related}")
        return "", ""

    def expect(self, part: str, shown_by: str) -> None:
        """Name a part as lost that another one shows, where it is not there."""
        if part not in self._stored:
            self._miss(part, shown_by)

    def _miss(self, where: str, said: str) -> None:
        self.lose(Loss(where, MISSING_PART, None, said[:MAX_REASON_CHARS]))

    def _related(self, name: str) -> "dict[str, _Relation]":
        if name not in self._relations:
            folder = name.rpartition("/")[0]
            listed = None
            with self.losing(name):
                listed = self._root(_relations_of(name), name)
            entries = () if listed is None else listed
            found = (_relation(node, folder) for node in entries if local(node) == "Relationship")
            self._relations[name] = {key: to for key, to in found if to.part or to.is_outside}
        return self._relations[name]

    def _has_damaged_relations(self, name: str) -> bool:
        """True where a relationship may be one of those that could not be read."""
        return any(loss.where == name and loss.what != MISSING_PART for loss in self.losses)

    def _root(self, name: str, where: str) -> "_Element | None":
        """Return a part's root; what of it cannot be read is lost `where`.

        Strict Word documents use other names for the same elements: they get the usual ones.
        """
        data = self.bytes_of(name)
        if data is None:
            return None
        found = xml_root(data.replace(_STRICT_MAIN, _MAIN), name)
        if found.root is None:
            raise DocumentError(f"{name} is damaged: {found.damage}", code="corrupt_document")
        if found.root.getroottree().docinfo.doctype:
            # Office writes none; what an entity stands for would be left out.
            raise DocumentError(f"{name} declares entities", code="corrupt_document")
        self.lose_rest(where, found.damage)
        return found.root

    def lose_rest(self, name: str, damage: str) -> None:
        """Note a part that was read as far as it goes, if there is damage."""
        if damage:
            self.lose(lost(name, DocumentError(damage, code="corrupt_document")))

    def _property(self, name: str) -> str:
        core = self.root("docProps/core.xml")
        found = [] if core is None else [node for node in core if local(node) == name]
        return (found[0].text or "").strip() if found else ""


@dataclass(frozen=True, slots=True)
class _Relation:
    """Where a relationship leads: the last word of its type, and a part or a place outside."""

    kind: str
    part: str
    is_outside: bool


def _relations_of(name: str) -> str:
    folder, _, file = name.rpartition("/")
    return f"{folder}/_rels/{file}.rels".lstrip("/")


def _relation(node: "_Element", folder: str) -> tuple[str, _Relation]:
    target = unquote(node.get("Target", ""))
    path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/") if target else ""
    kind = node.get("Type", "").rpartition("/")[2]
    is_outside = node.get("TargetMode") == _EXTERNAL
    return node.get("Id", ""), _Relation(kind, "" if is_outside else path, is_outside)
