"""JSON, JSON lines and XML as text: every value beside the names that lead to it.

Knows nothing of what the names mean. Numbers stay as they were written.
"""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING, Any

from ingest.draft import DraftDocument, clean
from ingest.office_package import local, lost, xml_root
from ingest.plain_text import add_text
from ingest.tables import CELL_JOIN
from kb_service.domain.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_NAMES, MAX_NAMED_CHARS = 4, 10_000
"""Names within what a name stands for, and characters that one may stand for."""
_REFERENCE = re.compile(rb"&([A-Za-z_][A-Za-z0-9._:-]*);")
_DECLARED = re.compile(rb"<!ENTITY\s+([A-Za-z_][A-Za-z0-9._:-]*)")
_PREDEFINED = (b"amp", b"lt", b"gt", b"quot", b"apos")
_NAMED = re.compile(r"&([\w.:-]+);")
_TAG = re.compile(r"<[^<>]*>")
LONG_CHARS = 400
"""A record longer than this is said line by line."""


def add_json(draft: DraftDocument, text: str) -> None:
    """Add a JSON value, or one a line; what is neither is added as it is written."""
    try:
        records = [list(_flat(record, "")) for record in _records(text)]
    except (ValueError, RecursionError):
        add_text(draft, text)
        return
    for record in records:
        pairs = [f"{name}: {word}" if name else word for name, word in record]
        line = CELL_JOIN.join(pairs)
        draft.add(line if len(line) <= LONG_CHARS else "\n".join(pairs))


def add_xml(draft: DraftDocument, data: bytes, name: str) -> None:
    """Add every text and attribute of an XML file. Raises DocumentError where it is none."""
    found = xml_root(_with_known_names(data), name)
    root = found.root
    if root is None:
        raise DocumentError(f"{name} is no XML", code="corrupt_document")
    if found.damage:
        draft.lose([lost("", DocumentError(found.damage, code="corrupt_document"))])
    _put_entities(root)
    for block in _xml_blocks(root):
        draft.add(block)


def _with_known_names(data: bytes) -> bytes:
    """Return a file whose names that it does not explain are those of web pages, or plain text.

    The parser drops what follows in its place; UTF-16 is left as it is.
    """
    known = {*_PREDEFINED, *_DECLARED.findall(data)}

    def shown(found: re.Match[bytes]) -> bytes:
        own = found.group(1)
        if own in known:
            return found.group()
        words = unescape(found.group().decode("ascii"))
        is_word = words.startswith("&") and words.endswith(";")
        return b"&amp;" + own + b";" if is_word else words.encode("ascii", "xmlcharrefreplace")

    return _REFERENCE.sub(shown, data)


def _put_entities(root: "_Element") -> None:
    """Put the words in that a file gives names to. The parser does not: some never end.

    What stands in another file is left as it is written.
    """
    from lxml.etree import Entity

    dtd = root.getroottree().docinfo.internalDTD
    entities = () if dtd is None else dtd.iterentities()
    named = {str(e.name): str(e.content) for e in entities if e.content and not e.system_url}
    known: dict[tuple[str, int], str] = {}
    for node in [node for node in root.iter(Entity) if str(node.text)[1:-1] in named]:
        parent, before = node.getparent(), node.getprevious()
        if parent is not None:
            said = clean(_said_by(str(node.text), named, known, MAX_NAMES)) + (node.tail or "")
            if before is None:
                parent.text = f"{parent.text or ''}{said}"
            else:
                before.tail = f"{before.tail or ''}{said}"
            node.tail = None
            parent.remove(node)


def _said_by(
    text: str, named: dict[str, str], known: dict[tuple[str, int], str], depth: int
) -> str:
    """Return a text with names replaced by what they stand for, without mark-up.

    `known`: what a name stands for at a depth; each is put together once, however often it stands.
    """

    def words(found: re.Match[str]) -> str:
        name = found.group(1)
        inner = named.get(name)
        if inner is None or not depth:
            return found.group()
        if (name, depth) not in known:
            said = _said_by(_TAG.sub(" ", inner), named, known, depth - 1)
            known[name, depth] = said[:MAX_NAMED_CHARS]
        return known[name, depth]

    return unescape(_NAMED.sub(words, text))


class _Pairs(list[tuple[str, Any]]):
    """An object as it is written: a name may stand in it twice."""


def _records(text: str) -> Iterator[Any]:
    """Yield the values of the one list, the one value, or the value of each line."""
    try:
        value = _value(text)
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        yield from map(_value, lines)
        return
    yield from [value] if isinstance(value, _Pairs) or not isinstance(value, list) else value


def _value(text: str) -> Any:  # noqa: ANN401 - JSON of any shape
    return json.loads(
        text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_Pairs
    )


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON of any shape
    if name and isinstance(value, list) and not value:
        yield name, "{}" if isinstance(value, _Pairs) else "[]"
    elif isinstance(value, _Pairs):
        for key, inner in value:
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        if not any(isinstance(inner, list) for inner in value):
            yield name, ", ".join(map(_word, value))
        else:
            for number, inner in enumerate(value, start=1):
                yield from _flat(inner, f"{name}.{number}" if name else str(number))
    else:
        yield name, _word(value)


def _word(value: str | bool | None) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _xml_blocks(root: "_Element") -> Iterator[str]:
    """Yield a block for each element with words of its own: names of leaves stand before them."""
    for node in root.iter():
        if tag := local(node):
            yield from _element_blocks(node, tag)
        if node.tail and node.tail.strip() and not _is_inline(node):
            yield node.tail.strip()


def _element_blocks(node: "_Element", tag: str) -> Iterator[str]:
    for key, value in node.attrib.items():
        yield f"{tag} {str(key).rpartition('}')[2]}: {value}"
    inline = all(not len(part) for part in node) and _has_mixed_text(node)
    if inline:
        yield "".join(node.itertext())
    elif node.text and node.text.strip() and not _is_inline(node):
        yield f"{tag}: {node.text.strip()}"


def _has_mixed_text(node: "_Element") -> bool:
    """True for an element whose own words stand between its children."""
    return len(node) > 0 and any((part.tail or "").strip() for part in node)


def _is_inline(node: "_Element") -> bool:
    parent = node.getparent()
    is_flat = parent is not None and all(not len(part) for part in parent)
    return parent is not None and is_flat and _has_mixed_text(parent)
