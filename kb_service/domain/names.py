"""Names as Unicode has them: one name in several forms is one name.

macOS writes é as two characters, other systems as one. Names are stored composed (NFC); those
stored earlier are found in whatever form they have.

A name tells where a file came from, not what it is: other content of a known name is a new version
of the document or a document beside it, as the sender says.
"""

import re
import unicodedata
from enum import StrEnum

MAX_NAME_BYTES = 255
CONTROLS = frozenset(map(chr, (*range(1, 32), 127)))
"""Characters that no name of a base, a document or a watch has; U+0000 is in no text at all."""

_SUFFIX = re.compile(r"(?<=[^/\\])\.(?=[0-9]*[A-Za-z])[0-9A-Za-z]{1,10}$")


class OnConflict(StrEnum):
    """What becomes of other content than the one that a document of its name has."""

    REVISE = "revise"
    KEEP = "keep"
    REJECT = "reject"


def composed(name: str) -> str:
    """Return the form in which a new name is stored."""
    return unicodedata.normalize("NFC", name)


def forms_of(name: str) -> tuple[str, ...]:
    """Return the forms under which a name may be stored: as given, composed, decomposed."""
    return tuple(dict.fromkeys((name, composed(name), unicodedata.normalize("NFD", name))))


def numbered(name: str, number: int) -> str:
    """Return the name of one more document that is called so: `report.pdf` → `report (2).pdf`.

    At most MAX_NAME_BYTES of UTF-8: the stem is cut for the number.
    """
    whole = composed(name)
    found = _SUFFIX.search(whole)
    suffix = found.group() if found else ""
    ending = f" ({number}){suffix}"
    room = MAX_NAME_BYTES - len(ending.encode())
    stem = whole.removesuffix(suffix).encode()[:room].decode(errors="ignore")
    return stem + ending
