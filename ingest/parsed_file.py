"""A ParsedDocument as bytes: how the parsing child hands its result to the parent.

Layout: 8 bytes little-endian length of the header, the header as UTF-8 JSON, then the scores of all
characters that have one, a byte each, then float32 boxes of all that have boxes. Files inside the
file lie in a folder beside, by number. No pickle: a parser that was taken over can at worst hand
back a wrong document. Knows nothing of processes.
"""

import json
import sys
from array import array
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from kb_service.domain.documents import Heading, Page, PageKind, ParsedDocument
from kb_service.domain.members import Loss, Member, inner_path
from kb_service.domain.spans import Box, TextSpan

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 1 << 30


def members_beside(path: Path) -> Path:
    """Return the folder for the files inside a file whose document is written to `path`."""
    return path.parent / "members"


def write_parsed(document: ParsedDocument, path: Path) -> None:
    """Write the document to a new file."""
    header = json.dumps(_header(document), ensure_ascii=False, separators=(",", ":")).encode()
    with path.open("wb") as stream:
        stream.write(len(header).to_bytes(_LENGTH_BYTES, "little"))
        stream.write(header)
        for page in document.pages:
            stream.write(page.char_scores)
        for page in document.pages:
            numbers = array("f", chain.from_iterable(page.char_boxes))
            if sys.byteorder == "big":
                numbers.byteswap()
            stream.write(numbers.tobytes())


def read_parsed(path: Path) -> ParsedDocument:
    """Read it back. ValueError, KeyError or TypeError when the file is not such a document."""
    data = path.read_bytes()
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    if length > min(_MAX_HEADER_BYTES, len(data)):
        raise ValueError(f"header of {length} bytes in a file of {len(data)}")
    start = _LENGTH_BYTES + length
    header = json.loads(data[_LENGTH_BYTES:start])
    boxes_start = start + sum(row["num_scores"] for row in header["pages"])
    numbers = array("f")
    numbers.frombytes(data[boxes_start:])
    if sys.byteorder == "big":
        numbers.byteswap()
    return ParsedDocument(
        header["text"],
        tuple(_pages(header["pages"], data[start:boxes_start], iter(numbers.tolist()))),
        tuple(Heading(TextSpan(start, end), level) for start, end, level in header["headings"]),
        header["title"],
        {str(key): str(value) for key, value in header["metadata"].items()},
        tuple(int(number) for number in header["unread"]),
        tuple(
            Member(inner_path(str(at)), _member_file(path, int(n))) for at, n in header["members"]
        ),
        tuple(_loss(*loss) for loss in header["losses"]),
        tuple(int(number) for number in header["unread_on"]),
    )


def _member_file(path: Path, number: int) -> Path:
    """Return where a member lies: a plain file of the folder, no link to anywhere else."""
    file = members_beside(path).resolve() / str(number)
    if file.parent.parent != path.parent.resolve() or file.is_symlink() or not file.is_file():
        raise ValueError(f"member {number} is no file")
    return file


def _loss(where: str, what: str, num_words: int | None, sample: str) -> Loss:
    return Loss(str(where), str(what), None if num_words is None else int(num_words), str(sample))


def _header(document: ParsedDocument) -> dict[str, object]:
    return {
        "text": document.text,
        "title": document.title,
        "metadata": document.metadata,
        "unread": document.unread,
        "unread_on": document.unread_on,
        "members": [[member.path, int(member.file.name)] for member in document.members],
        "losses": [[o.where, o.what, o.num_words, o.sample] for o in document.losses],
        "headings": [[h.span.start, h.span.end, h.level] for h in document.headings],
        "pages": [
            {
                "page_number": page.page_number,
                "span": [page.span.start, page.span.end],
                "kind": page.kind.value,
                "reason": page.reason,
                "width": page.width,
                "height": page.height,
                "rotation": page.rotation,
                "num_boxes": len(page.char_boxes),
                "num_scores": len(page.char_scores),
            }
            for page in document.pages
        ],
    }


def _pages(rows: list[dict[str, Any]], scores: bytes, numbers: Iterator[float]) -> Iterator[Page]:
    quadruples = zip(numbers, numbers, numbers, numbers, strict=False)
    end = 0
    for row in rows:
        boxes: list[Box] = [next(quadruples) for _ in range(row["num_boxes"])]
        start, end = end, end + row["num_scores"]
        yield Page(
            row["page_number"],
            TextSpan(*row["span"]),
            PageKind(row["kind"]),
            row["reason"],
            row["width"],
            row["height"],
            row["rotation"],
            tuple(boxes),
            scores[start:end],
        )
