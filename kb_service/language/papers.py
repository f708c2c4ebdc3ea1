"""What a document says of itself in its title and first lines: its date, its standing.

Pure functions.
"""

from collections.abc import Iterator
from datetime import date

from kb_service.domain.facts import STANDING, UNMARKED, ReportStatus
from kb_service.language.dates import CALENDAR, dates_in_title
from kb_service.language.identifiers import MIN_PIN_LENGTH, identifiers_in, names_whole
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import status_of
from kb_service.language.text import normalise

NUM_LINES = 12
"""So many lines of a document are its head; dates further on are those of what it reports."""

MIN_TITLE = 6
"""A shorter title stands in other papers without naming this one."""

_DAY = regex(r"date:(\d+)-(\d+)-(\d+)")


def paper_date(title: str, text: str) -> date | None:
    """Return the latest full date that a title states, else the latest in the first lines."""
    head = normalise("\n".join(first_lines(text)))
    stated = dates_in_title(title), {value for _, (value, _) in CALENDAR.dates(head)}
    found = (max(_days(values), default=None) for values in stated)
    return next(filter(None, found), None)


def standing_of(title: str) -> int:
    """Return as what report of its incident a document calls itself in its title (STANDING)."""
    status = status_of(normalise(title))
    return STANDING[ReportStatus(status)] if status else UNMARKED


def names_paper(text: str, other: str) -> bool:
    """True where a paper names another by a number at that one's head, or by its whole title.

    Of both texts the first line is the title.
    """
    title = "".join(normalise(other.partition("\n")[0]).split())
    plain = normalise(text)
    if len(title) >= MIN_TITLE and title in "".join(plain.split()):
        return True
    own = identifiers_in(normalise("\n".join(first_lines(other))))
    return any(len(n) >= MIN_PIN_LENGTH and names_whole(plain, n) for n in own)


def first_lines(text: str) -> list[str]:
    """Return the first lines of a text that are not empty."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line][:NUM_LINES]


def _days(values: frozenset[str] | set[str]) -> Iterator[date]:
    for match in filter(None, map(_DAY.fullmatch, values)):
        try:
            yield date(*map(int, match.groups()))
        except ValueError:
            continue
