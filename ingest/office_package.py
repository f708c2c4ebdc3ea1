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
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kb_service.domain.errors import DocumentError
from kb_service.domain.members import Loss

if TYPE_CHECKING:
    from lxml.etree import _Element

UNREADABLE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, DocumentError,
    OverflowError, OSError, ValueError,
)  # fmt: skip
"""What reading a damaged part raises."""
MAX_REASON_CHARS = 200
_PROGRAM_TITLES = frozenset(("Word Document", "PowerPoint Presentation", "Presentation"))
_PROGRAM_AUTHORS = frozenset(("python-docx", "Microsoft Office User"))
_LIMIT = "ERR_RESOURCE_LIMIT"
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


def xml_root(data: bytes, name: str) -> "_Element | None":
    """Return the root of an XML text, read as far as it goes; None where there is no XML.

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
    return root


def lost(where: str, error: Exception) -> Loss:
    """Return what is told of a part that cannot be read."""
    code = error.code if isinstance(error, DocumentError) else "corrupt_document"
    return Loss(where, code, None, str(error)[:MAX_REASON_CHARS])


class OfficePackage:
    """Parts by name. Raises DocumentError `corrupt_document` for one that declares entities.

    `losses`: parts without which the file was read.
    """

    def __init__(self, package: zipfile.ZipFile) -> None:
        self._package = package
        self._stored = {name.replace("\\", "/").lstrip("/"): name for name in package.namelist()}
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

    def root(self, name: str) -> "_Element | None":
        """Return a part's root, None when it is not there. A broken part is read as far as it goes.

        Strict Word documents use other names for the same elements: they get the usual ones.
        """
        data = self.bytes_of(name)
        root = None if data is None else xml_root(data.replace(_STRICT_MAIN, _MAIN), name)
        if root is not None and root.getroottree().docinfo.doctype:
            # Office writes none; what an entity stands for would be left out.
            raise DocumentError(f"{name} declares entities", code="corrupt_document")
        return root

    @contextmanager
    def losing(self, name: str) -> Iterator[None]:
        """Note a part that cannot be read, and go on: one beside the text must not cost the text.

        Within it only the part is read; what is done with its words raises outside.
        """
        try:
            yield
        except UNREADABLE as error:
            self.losses.append(lost(name, error))

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
        return self.bytes_of(name.removeprefix("./")) if name else None

    def targets(self, name: str) -> dict[str, tuple[str, str]]:
        """Return the parts of this package that one points at: id -> (kind, name).

        The kind is the last word of the relationship's type ("slide", "chart", "image").
        """
        folder, _, file = name.rpartition("/")
        listed = self.root(f"{folder}/_rels/{file}.rels".lstrip("/"))
        found: dict[str, tuple[str, str]] = {}
        for entry in () if listed is None else listed:
            target = unquote(entry.get("Target", "")) if local(entry) == "Relationship" else ""
            if not target or entry.get("TargetMode") == "External":
                continue
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            if path in self._stored:
                found[entry.get("Id", "")] = (entry.get("Type", "").rpartition("/")[2], path)
        return found

    def _property(self, name: str) -> str:
        core = self.root("docProps/core.xml")
        found = [] if core is None else [node for node in core if local(node) == name]
        return (found[0].text or "").strip() if found else ""
