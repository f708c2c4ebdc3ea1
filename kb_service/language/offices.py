"""Who is asked for by an office (who reviewed it, the general manager), and whom words name by one.

Pure functions on normalised text. An office is what somebody did for a paper or holds in a house;
its names are shared by the languages. Knows no names of people.
"""

import re

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_SORTS = ("deeds", "titles")
"""Only offices of one sort are held against each other: a section chief may have approved it."""

_DEPUTY = "deputy "

_OF = {sort: _LEXICON.paired("offices", sort) for sort in _SORTS}
_WORDS = {
    sort: regex(
        rf"(?<![a-z])(?:{any_of(word for word in of if word.isascii())})(?![a-z])"
        rf"|(?:{any_of(word for word in of if not word.isascii())})"
    )
    for sort, of in _OF.items()
}
_ASKED = {sort: _LEXICON.patterns("offices", f"asked_{sort}") for sort in _SORTS}
_ASKS = {
    sort: [
        regex(pattern.replace("OFFICE", f"(?P<office>{_WORDS[sort].pattern})"))
        for pattern in _ASKED[sort]
    ]
    for sort in _SORTS
}

_OWNER = regex(
    r"[\"\u201c\u300c\u300e](?P<owner>[^\"\u201d\u300d\u300f]{2,30})[\"\u201d\u300d\u300f]\W?$"
)
"""A name between its marks right before an office: whose it is."""

_CLAUSE_ENDS = regex(r"[:;\u3002\u201c]|\.\s")


def is_of_another_office(asked: str, told: str) -> bool:
    """True where a question asks for the holder of one office, and words tell only those of others.

    `asked`: the normalised question; `told`: the normalised sentence or field of a name.
    """
    for sort in _SORTS:
        wanted = {
            _OF[sort][match["office"]]
            for pattern in _ASKS[sort]
            for match in pattern.finditer(asked)
        }
        held = {_OF[sort][match.group()] for match in _WORDS[sort].finditer(told)}
        if wanted and held and not any(_is_one(one, other) for one in wanted for other in held):
            return True
    return False


def names_no_holder(asked: str, told: str, name: str) -> bool:
    """True where a question asks who holds an office, and words speak of that office, but not of
    `name` as its holder: in another clause than the name, or as that of a ship or house of another
    name. All normalised.
    """
    for pattern in _ASKS["titles"]:
        for match in pattern.finditer(asked):
            wanted = _OF["titles"][match["office"]]
            places = [m for m in _WORDS["titles"].finditer(told) if _of(m) == wanted]
            if places and name in told:
                return not any(_is_held(m, told, name, asked) for m in places)
    return False


def _of(match: re.Match[str]) -> str:
    return _OF["titles"][match.group()]


def _is_held(office: re.Match[str], told: str, name: str, asked: str) -> bool:
    """True where no clause ends between an office and the name, but for the colon of a label."""
    owner = _OWNER.search(told[: office.start()])
    if owner and owner["owner"] not in asked:
        return False
    start, end = told.find(name), told.find(name) + len(name)
    gap = told[office.end() : start] if start >= office.end() else told[end : office.start()]
    is_labelled = gap.rstrip().endswith(":") or (start >= office.end() and gap.startswith(":"))
    return is_labelled or not _CLAUSE_ENDS.search(gap)


def _is_one(asked: str, held: str) -> bool:
    """True for one office: a shift supervisor is a supervisor, a deputy manager no manager."""
    before = held.removesuffix(asked)
    return held.endswith(asked) and (not before or before.endswith(" ")) and before != _DEPUTY
