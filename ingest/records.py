"""JSON, JSON lines and XML as text: every value beside the names that lead to it.

Knows nothing of what the names mean. Numbers stay as they were written.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ingest.draft import DraftDocument
from ingest.office_package import local
from ingest.plain_text import add_text
from ingest.tables import CELL_JOIN
from kb_service.domain.errors import DocumentError

if TYPE_CHECKING:
    from lxml.etree import _Element

LONG_CHARS = 400
"""A record longer than this is said line by line."""


def add_json(draft: DraftDocument, text: str) -> None:
    """Add a JSON value, or one a line; what is neither is added as it is written."""
    try:
        values = _values(text)
    except (ValueError, RecursionError):
        add_text(draft, text)
        return
    for value in values:
        for record in value if isinstance(value, list) else [value]:
            pairs = [f"{name}: {word}" if name else word for name, word in _flat(record, "")]
            line = CELL_JOIN.join(pairs)
            draft.add(line if len(line) <= LONG_CHARS else "\n".join(pairs))


def add_xml(draft: DraftDocument, data: bytes, name: str) -> None:
    """Add every text and attribute of an XML file. Raises DocumentError where it is none."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DocumentError(f"{name} is no XML: {error}", code="corrupt_document") from error
    if root is None:
        raise DocumentError(f"{name} is no XML", code="corrupt_document")
    for block in _xml_blocks(root):
        draft.add(block)


def _values(text: str) -> list[Any]:
    """Return the one value of a JSON text, or the value of each line."""
    try:
        return [json.loads(text, parse_float=str, parse_int=str, parse_constant=str)]
    except ValueError:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise
        return [json.loads(x, parse_float=str, parse_int=str, parse_constant=str) for x in lines]


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        if all(not isinstance(inner, dict | list) for inner in value):
            yield name, ", ".join(_word(inner) for inner in value)
        else:
            for number, inner in enumerate(value, start=1):
                yield from _flat(inner, f"{name}.{number}" if name else str(number))
    else:
        yield name, _word(value)


def _word(value: object) -> str:
    return {None: "null", True: "true", False: "false"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def _xml_blocks(root: "_Element") -> Iterator[str]:
    """Yield a block for each element with words of its own: names of leaves stand before them."""
    for node in root.iter():
        tag = local(node)
        if not tag:
            continue
        for key, value in node.attrib.items():
            yield f"{tag} {str(key).rpartition('}')[2]}: {value}"
        inline = all(not len(part) for part in node) and _has_mixed_text(node)
        if inline:
            yield "".join(node.itertext())
        elif node.text and node.text.strip() and not _is_inline(node):
            yield f"{tag}: {node.text.strip()}"
        if node.tail and node.tail.strip() and not _is_inline(node):
            yield node.tail.strip()


def _has_mixed_text(node: "_Element") -> bool:
    """True for an element whose own words stand between its children."""
    return len(node) > 0 and any((part.tail or "").strip() for part in node)


def _is_inline(node: "_Element") -> bool:
    parent = node.getparent()
    is_flat = parent is not None and all(not len(part) for part in parent)
    return parent is not None and is_flat and _has_mixed_text(parent)
