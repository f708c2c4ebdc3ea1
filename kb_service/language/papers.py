"""What a document says of itself in its title and first lines: its date, its standing.

Pure functions.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kb_service.domain.facts import STANDING, UNMARKED, ReportStatus
from kb_service.language.dates import CALENDAR, dates_in_title
from kb_service.language.identifiers import MIN_PIN_LENGTH, identifiers_in
from kb_service.language.lexicon import CJK, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import status_of
from kb_service.language.text import normalise

NUM_LINES = 12
"""So many lines of a document are its head; dates further on are those of what it reports."""

MIN_TITLE = 6
"""A shorter title stands in other papers without naming this one."""

_REACH = 40
"""Characters around a name in which the words stand by which a paper refers to another."""

_STOPS = regex(r"[\n;\u3002!?]|(?<=[a-z]{4})\.\s")
_BEFORE, _BEHIND = ("|".join(shipped_lexicon().patterns("papers", k)) for k in ("before", "behind"))
_REFERS, _REFERRED = regex(_BEFORE, re.MULTILINE), regex(_BEHIND)
_DIRECTLY = regex(rf"(?:{_BEFORE})[\s\"'\u300a\u3008\u201c\u2018\u300c\u300e]*$", re.MULTILINE)
_WHOLE = regex(rf"\s*(?:$|[\"'\u300b\u3009\u201d\u2019\u300d\u300f{CJK}])")

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


def papers_named(texts: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return for each paper the others that it names by a number at their head or whole title.

    Of every text the first line is the title. To name one is to say beside it that this goes on
    from it or corrects it. What a further paper holds without saying so (the title or the code of a
    form, a standard, a telephone number) is no paper's own.
    """
    papers = {key: _paper(text) for key, text in texts.items()}
    found: dict[str, set[str]] = {key: set() for key in texts}
    for other, named in papers.items():
        for name in named.names:
            refers = {
                key: any(_refers(paper, match, is_title=name == named.title) for match in places)
                for key, paper in papers.items()
                if key != other and (places := _places(paper, name))
            }
            if all(refers.values()):
                for key in refers:
                    found[key].add(other)
    return {key: frozenset(others) for key, others in found.items()}


@dataclass(frozen=True, slots=True)
class _Paper:
    """`plain`: the text, normalised; `tight`: that without white space. `names`: title first."""

    plain: str
    tight: str
    title: str
    names: tuple[str, ...]


def _paper(text: str) -> _Paper:
    plain = normalise(text)
    title = _tight(plain.partition("\n")[0])
    numbers = identifiers_in(normalise("\n".join(first_lines(text))))
    names = (
        *((title,) if len(title) >= MIN_TITLE else ()),
        *(number for number in numbers if len(number) >= MIN_PIN_LENGTH),
    )
    return _Paper(plain, _tight(plain), title, names)


def _places(paper: _Paper, name: str) -> list[re.Match[str]]:
    """Return where a paper holds a name whole, however it is set in lines."""
    if name not in paper.tight:  # a pattern is made for few names only
        return []
    spaced = r"\s*".join(map(re.escape, name))
    return list(re.finditer(rf"(?<![a-z0-9]){spaced}(?![a-z0-9])", paper.plain))


def _refers(paper: _Paper, match: re.Match[str], *, is_title: bool) -> bool:
    """True where a paper says beside a name, in the same clause, that it goes on from it.

    A title in its own title, which may be no more than a longer one, has to be whole and directly
    behind the words that say so.
    """
    plain, start, end = paper.plain, match.start(), match.end()
    stops = [stop.end() for stop in _STOPS.finditer(plain, max(0, start - _REACH), start)]
    begin = stops[-1] if stops else max(0, start - _REACH)
    behind = _STOPS.search(plain, end, end + _REACH)
    last = behind.start() if behind else min(len(plain), end + _REACH)
    line = plain[plain.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    if is_title and _tight(line) == paper.title:
        return bool(_DIRECTLY.search(plain, begin, start) and _WHOLE.match(plain, end, last))
    return bool(_REFERS.search(plain, begin, start) or _REFERRED.search(plain, end, last))


def _tight(text: str) -> str:
    return "".join(text.split())


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
