"""Names in a script without spaces or capitals: told by their endings, their roles, their surname.

Pure functions on folded text. A name begins where a stretch begins: after a mark, or a word that
stands in no name. What is cut off its front does no harm: it is still a part of the name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb_service.domain.questions import SubjectKind
from kb_service.language.lexicon import CJK, any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_AREAS, _SITES, _ORGANISATIONS = (
    _LEXICON.listed("subjects", key) for key in ("areas", "sites", "organisations")
)
_KIND = {
    **dict.fromkeys((*_AREAS, *_SITES), SubjectKind.PLACE),
    **dict.fromkeys(_ORGANISATIONS, SubjectKind.ORGANISATION),
}
_ENDING = any_of(_KIND)
_GOES_ON = _LEXICON.paired("subjects", "goes_on")
_SORTS = frozenset(_LEXICON.listed("subjects", "sorts"))
_IN_NAMES = regex(any_of(_LEXICON.listed("subjects", "in_names")))
_NOT_IN_NAMES = regex(any_of(_LEXICON.listed("subjects", "not_in_names")))
_INDEFINITE = [
    regex(f"(?:{pattern})(?:{_ENDING})") for pattern in _LEXICON.patterns("subjects", "indefinite")
]
_DEIXIS = [regex(pattern) for pattern in _LEXICON.patterns("subjects", "deixis")]
_NAMED = regex(
    rf"(?P<core>[{CJK}]{{2,8}}?|(?<![a-z0-9])[a-z][a-z0-9]{{0,11}})(?P<ending>{_ENDING})"
)
_MORE_ENDING = regex(_ENDING)
_FULL_ENDING = regex(any_of(ending for ending in _ORGANISATIONS if len(ending) > 1))
_PERSONS = [regex(pattern) for pattern in _LEXICON.patterns("subjects", "persons")]
_LAST_ENDING = regex(rf"(?:(?<=[{CJK}]{{2}})|(?<=[a-z0-9]))(?:{_ENDING})$")
_OTHER = regex(f"[^{CJK}a-z0-9]")
_COMMON = regex(f"(?:{any_of(_LEXICON.listed('subjects', 'common'))})$")
_AREA_LETTERS = "".join(area for area in _AREAS if len(area) == 1)
_BREAK = "\n"
_MAX_NAME = 12
"""A longer stretch before an ending is no name."""


@dataclass(frozen=True, slots=True)
class HanName:
    """A name at `start`..`end` of the text. `core`: without its ending."""

    start: int
    end: int
    kind: SubjectKind
    core: str


def han_names(folded: str) -> Iterator[HanName]:
    """Yield the places, organisations and people that a folded text names, in order by sort."""
    stretches = _stretches(folded)
    for match in re.finditer(f"[^{_BREAK}]+", stretches):
        yield from _ending_names(stretches, match.start(), match.end())
    for pattern in _PERSONS:
        for match in pattern.finditer(folded):
            start, end = match.span("name")
            yield HanName(start, end, SubjectKind.PERSON, match["name"])


def names_other_end(rest: str) -> bool:
    """True when what follows a core in a text is an ending: another thing has this core."""
    return bool(_MORE_ENDING.match(rest))


def _stretches(folded: str) -> str:
    """Return the text, of the same length, with breaks for all that stands in no name."""
    text = folded
    for pattern in (*_INDEFINITE, *_DEIXIS):
        text = pattern.sub(lambda match: _BREAK * len(match.group()), text)
    kept = [match.span() for match in _IN_NAMES.finditer(text)]

    def broken(match: re.Match[str]) -> str:
        inside = any(start < match.end() and match.start() < end for start, end in kept)
        return match.group() if inside else _BREAK * len(match.group())

    return _OTHER.sub(_BREAK, _NOT_IN_NAMES.sub(broken, text))


def _ending_names(text: str, start: int, end: int) -> Iterator[HanName]:
    place = start
    while match := _NAMED.match(text, place, end):
        place = _whole_end(text, match.end(), end)
        if _goes_on(text, place, end):
            place = _later_end(text, match.start(), place, end)
        name = text[match.start() : place]
        if _is_name(match["core"], text, place, end) and not _COMMON.search(name):
            core = _LAST_ENDING.sub("", name)
            yield HanName(match.start(), place, _KIND[name[len(core) :]], core)


def _whole_end(text: str, place: int, end: int) -> int:
    """Return where a name ends: an ending may follow on another one."""
    while more := _MORE_ENDING.match(text, place, end):
        place = more.end()
    return place


def _later_end(text: str, start: int, place: int, end: int) -> int:
    """Return where an organisation ends within whose name another ending stands.

    江南港 goes on, 江南港务集团 does not. As before where none ends later.
    """
    match = _FULL_ENDING.search(text, place, min(end, start + _MAX_NAME))
    later = _whole_end(text, match.end(), end) if match else place
    return place if _goes_on(text, later, end) else later


def _goes_on(text: str, place: int, end: int) -> bool:
    return place < end and text[place] in _GOES_ON.get(text[place - 1], "")


def _is_name(core: str, text: str, place: int, end: int) -> bool:
    """True for a core that is no sort of thing, with an ending that is no part of another word."""
    is_sort = core in _SORTS or core.lstrip(_AREA_LETTERS) in _SORTS
    return not is_sort and not _goes_on(text, place, end)
