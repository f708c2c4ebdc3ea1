"""EPUB books as blocks of text: a page for each document of the spine.

Knows the container and the package document (EPUB 3.3); each chapter is read as a web page.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from ingest.draft import DraftDocument
from ingest.encodings import decode
from ingest.limits import ParseLimits
from ingest.office_package import OfficePackage, cut_short, local
from ingest.web_page import add_page, html_tree
from kb_service.domain.documents import BLANK_PAGE, CORRUPT_PAGE, NO_TEXT_LAYER, ParsedDocument
from kb_service.domain.errors import DocumentError
from kb_service.domain.jobs import JobStage, Progress

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_ELSEWHERE = re.compile(r"[A-Za-z][\w+.-]*:|/")
"""How an address begins that leads out of the book."""
_BEHIND_PATH = re.compile("[?#]")
_OPEN, _CLOSED = re.compile("<html\\b", re.IGNORECASE), re.compile("</html\\b", re.IGNORECASE)
"""A chapter is XML, whose last tag may not be left out as in a page of the web."""
_PAGES = (".xhtml", ".html", ".htm")
_CHAPTERS = (".xhtml", ".html", ".htm", ".xml")


def load_book(
    path: Path, name: str, draft: DraftDocument, limits: ParseLimits
) -> Iterator[Progress | ParsedDocument]:
    """Yield Progress per chapter, then the document. Raises DocumentError."""
    with zipfile.ZipFile(path) as file:
        package = OfficePackage(file)
        opf, properties = _package_document(package, name)
        chapters = _chapters(package, opf)
        limits.check_pages(name, len(chapters), "chapters")
        if _is_locked(package, chapters):
            raise DocumentError(f"{name} is encrypted", code="encrypted_document")
        for number, chapter in enumerate(chapters, start=1):
            page, reason = None, CORRUPT_PAGE
            with package.losing(chapter):
                text = decode(package.bytes_of(chapter) or b"", chapter).text
                page = html_tree(text) if text.strip() else None
                if _OPEN.search(text) and not _CLOSED.search(text):
                    package.lose(cut_short(chapter))
                reason = BLANK_PAGE
            if page is not None:
                add_page(draft, page, partial(_picture, package, chapter))
            draft.end_page(NO_TEXT_LAYER if draft.has_pictures else reason)
            yield Progress(JobStage.LOAD, number, len(chapters))
        draft.lose(package.losses)
        yield draft.finish(properties.get("title", ""), {"author": properties.get("creator", "")})


def _picture(package: OfficePackage, chapter: str, address: str) -> bytes | None:
    """Return a picture of the book by its address in a chapter, None for any other."""
    path = unquote(_BEHIND_PATH.split(address, maxsplit=1)[0])
    if _ELSEWHERE.match(path) or not path:
        return None
    part = posixpath.normpath(posixpath.join(posixpath.dirname(chapter), path))
    package.expect(part, chapter)
    return package.picture(part)


def _package_document(package: OfficePackage, name: str) -> tuple[str, dict[str, str]]:
    """Return the name of the package document, and its first title and creator."""
    container = package.root(_CONTAINER)
    listed = [] if container is None else [n for n in container.iter() if local(n) == "rootfile"]
    found = [node.get("full-path", "") for node in listed]
    found += [part for part in package.names if part.endswith(".opf")]
    opf = next((part for part in found if part in package.names), "")
    root = package.root(opf) if opf else None
    if root is None and not _unlisted(package):
        raise DocumentError(f"{name} has no package document", code="corrupt_document")
    properties: dict[str, str] = {}
    for node in () if root is None else root.iter():
        if local(node) in ("title", "creator"):
            properties.setdefault(local(node), (node.text or "").strip())
    return opf, properties


def _chapters(package: OfficePackage, opf: str) -> list[str]:
    """The documents of the spine in order, then those that it has lost.

    Where the package document cannot be read, all that look like chapters.
    """
    root = package.root(opf) if opf else None
    if root is None:
        return _unlisted(package)
    nodes = list(root.iter())
    folder = posixpath.dirname(opf)
    hrefs = {
        node.get("id", ""): posixpath.normpath(
            posixpath.join(folder, unquote(node.get("href", "")))
        )
        for node in nodes
        if local(node) == "item"
    }
    spine = [hrefs.get(node.get("idref", ""), "") for node in nodes if local(node) == "itemref"]
    for part in filter(None, spine):
        package.expect(part, opf)
    known = [part for part in dict.fromkeys(spine) if part in package.names]
    lost = [part for part in hrefs.values() if part in package.names and part.endswith(_CHAPTERS)]
    return list(dict.fromkeys([*known, *lost]))


def _unlisted(package: OfficePackage) -> list[str]:
    """Return the parts that are pages by their names."""
    return [part for part in package.names if part.endswith(_PAGES)]


def _is_locked(package: OfficePackage, chapters: list[str]) -> bool:
    """True where a chapter is enciphered; fonts that are made unreadable are nobody's words."""
    root = package.root(_ENCRYPTION)
    locked = {node.get("URI", "") for node in (() if root is None else root.iter())}
    return not locked.isdisjoint(chapters)
