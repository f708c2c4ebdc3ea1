"""The deterministic context line of a chunk: title, heading path, and facts an incident file gives.

Pure functions on a parsed document; the prefix is indexed and embedded, never quoted.
"""

import re
from bisect import bisect_right

from kb_service.domain.documents import Heading, ParsedDocument
from kb_service.domain.spans import TextSpan
from kb_service.language.facts import labelled_facts

MAX_TITLE_CHARS = 120
MAX_HEADING_CHARS = 80
MAX_DEPTH = 4
MAX_FACT_CHARS = 60
_HEAD_CHARS = 3000  # facts of a report stand on its first page

_DATED_NAME = re.compile(r"(?<!\d)((?:19|20)\d{2})-?(0[1-9]|1[0-2])-?([0-2]\d|3[01])(?!\d)")


class Outline:
    """Heading paths of one document by position."""

    def __init__(self, document: ParsedDocument, title: str) -> None:
        self._title = _shortened(title, MAX_TITLE_CHARS)
        self._starts = [heading.span.start for heading in document.headings]
        self._paths = _paths(document.text, document.headings, self._title)

    def path_at(self, span: TextSpan) -> tuple[str, ...]:
        """Return the headings above the first word of `span`, the highest first."""
        index = bisect_right(self._starts, span.start)
        return self._paths[index - 1] if index else ()

    def prefix(self, path: tuple[str, ...], facts: str) -> str:
        """Return title and path on one line, facts on the next; "" when nothing is known."""
        line = " > ".join(part for part in (self._title, *path) if part)
        return "\n".join(part for part in (line, facts) if part)


def _paths(text: str, headings: tuple[Heading, ...], title: str) -> list[tuple[str, ...]]:
    stack: list[tuple[int, str]] = []
    paths: list[tuple[str, ...]] = []
    for heading in headings:
        while stack and stack[-1][0] >= heading.level:
            stack.pop()
        stack.append((heading.level, _shortened(heading.span.of(text), MAX_HEADING_CHARS)))
        paths.append(tuple(words for _, words in stack if words != title)[-MAX_DEPTH:])
    return paths


def facts_line(document: ParsedDocument) -> str:
    """Return number, kind, time and place of the incident as one line, "" when none is stated."""
    found: dict[str, str] = {}
    for label, words in labelled_facts(document.text[:_HEAD_CHARS]):
        value = _shortened(words, MAX_FACT_CHARS)
        if not value.endswith(":"):
            found.setdefault(label, value)
    dated = _DATED_NAME.search(document.title)
    if dated:
        found.setdefault("Date", "-".join(dated.groups()))
    return "; ".join(f"{label}: {value}" for label, value in found.items())


def _shortened(text: str, max_chars: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= max_chars else words[: max_chars - 1] + "…"
