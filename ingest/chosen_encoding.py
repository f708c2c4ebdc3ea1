"""A text read in the encoding that somebody chose for it, whatever its bytes say of themselves.

Knows which formats are text and have no encoding of their own; what the encodings are called is
`encodings`'.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest import media_types as types
from ingest.encodings import encodings_of

_MARK = "\ufeff"
_CHARSET = "; charset="
READ_AS_CHOSEN = frozenset(
    {
        types.PLAIN_TEXT,
        types.CALENDAR,
        types.CARD,
        types.CSV,
        types.TSV,
        types.HTML,
        types.MARKDOWN,
        types.JSON,
    }
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A file in UTF-8 that says so in its first bytes, and what to tell of how it was read."""

    path: Path
    metadata: dict[str, str]


def without_charset(media_type: str) -> tuple[str, str]:
    """Return a media type and the encoding that was chosen with it, "" for none."""
    kind, _, charset = media_type.partition(_CHARSET)
    return kind, charset


def with_charset(media_type: str, charset: str) -> str:
    """Return what `without_charset` takes apart."""
    return f"{media_type}{_CHARSET}{charset}" if charset else media_type


@contextmanager
def rewritten(path: Path, encoding: str) -> Iterator[Rewritten]:
    """Yield the file as UTF-8. What is no character in the chosen encoding stands as U+FFFD."""
    text = _decoded(path.read_bytes(), encoding)
    metadata = {"encoding": encoding, "encoding_confidence": "1.00"}
    if num_replaced := text.count("\ufffd"):
        metadata["bytes_replaced"] = str(num_replaced)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "text"
        copy.write_text(_MARK + text.removeprefix(_MARK), encoding="utf-8", newline="")
        yield Rewritten(copy, metadata)


def _decoded(data: bytes, label: str) -> str:
    encodings = encodings_of(label)
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode(encodings[0], "replace")
