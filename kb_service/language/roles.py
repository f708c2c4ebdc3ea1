"""Who does what in a question: a name with the role that its words give it, or a role asked for.

Pure functions on normalised words in which each name is a run of NAME. Knows no documents.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from kb_service.domain.facts import FIELD_OF_ROLE, Role
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

NAME = "\ue000"
"""A character of a name; no text has it."""

_LEXICON = shipped_lexicon()


_RUN = regex(f"{NAME}+")
_JOINS = [*_LEXICON.listed("question_parts", "joins"), *_LEXICON.listed("roles", "joins")]
_JOIN = regex(rf"\s*(?:{any_of(_JOINS)})\s*")
_EITHER = regex(rf"\s*(?:{any_of(_LEXICON.listed('roles', 'either'))})\s*")
_WHO, _ASKED = (
    {role: list(map(regex, _LEXICON.patterns("roles", f"{role}_{key}"))) for role in Role}
    for key in ("who", "asked")
)


@dataclass(slots=True)
class RoleWords:
    """`named`: the roles of names, by where each begins. `asked`: a role that is asked for, `per`:
    of which each is to be told. `words`: those that are left, as long as before."""

    words: str
    named: dict[int, Role] = field(default_factory=dict)
    asked: Role | None = None
    per: bool = False


def roles_in(
    words: str, fields: Mapping[int, str], have: Collection[str] | None = None
) -> RoleWords:
    """Return the roles that words give names. `fields`: of what field each is, by where it begins.

    A name without a field may be of any. `have`: fields in which somebody may be asked for.
    """
    found = RoleWords(words)
    for role in Role:
        for pattern in _WHO[role]:
            for match in pattern.finditer(words):
                start = match.start() + match.group().index(NAME)
                if fields.get(start) in (None, FIELD_OF_ROLE[role]) and start not in found.named:
                    found.named[start] = role
                    found.words = _read(found.words, match)
    _share(found, words, fields)
    for role in (one for one in Role if have is None or FIELD_OF_ROLE[one] in have):
        for match in (m for p in _ASKED[role] if (m := p.search(found.words))):
            if found.asked is None:
                found.asked, found.per = role, match.groupdict().get("per") is not None
                found.words = _read(found.words, match)
    return found


def are_either(words: str) -> bool:
    """True where words leave open which of two names is meant: A or B."""
    runs = list(_RUN.finditer(words))
    gaps = (words[one.end() : other.start()] for one, other in pairwise(runs))
    return any(_EITHER.fullmatch(gap) for gap in gaps)


def _share(found: RoleWords, words: str, fields: Mapping[int, str]) -> None:
    """Give names that are joined the role of one of them: A and B handled it."""
    runs = list(_RUN.finditer(words))
    for one, other in [*pairwise(runs), *pairwise(reversed(runs))]:
        first, last = sorted((one, other), key=lambda run: run.start())
        role, is_joined = (
            found.named.get(one.start()),
            _JOIN.fullmatch(words, first.end(), last.start()),
        )
        if role and is_joined and fields.get(other.start()) in (None, FIELD_OF_ROLE[role]):
            found.named.setdefault(other.start(), role)


def _read(words: str, match: re.Match[str]) -> str:
    """Return the words with commas for those of a match, its names as they are."""
    start, end = match.span()
    blank = "".join(c if c == NAME else "," for c in words[start:end])
    return f"{words[:start]}{blank}{words[end:]}"
