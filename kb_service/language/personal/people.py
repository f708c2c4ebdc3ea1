"""Names of people with the role in which a text names them: 受害人王丽, "the caller, Ann Cole".

Pure functions. A name is told by the word for the role beside it, by a form's label, or by what
describes a person behind it. The people of facts of the same text come in with their role.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from kb_service.domain.facts import Fact, FactField, Role
from kb_service.domain.masking import PersonRole
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import HAN, Lexicon, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import label_of
from kb_service.language.stated.plain import plain
from kb_service.language.stated.roles import role_of

_HAN = regex(f"[{HAN}]")
_MAX_NAME = 60
_BEFORE, _BEHIND, _LABEL = 70, 24, 24
"""Characters around a word for a role in which a name stands, and in which a label begins."""
_SPLIT = regex("|".join(shipped_lexicon().patterns("personal", "splits")))
_BARRED = regex(r"(?m)^[^|\t\n]*[|\t][^|\t\n]*[|\t][^\n]*")
_CELL = regex(r"[^|\t\n]+")
_RULE = regex(r"[\s:-]*")
_OF_FACTS = {Role.REPORTER: PersonRole.REPORTER, Role.HANDLER: PersonRole.HANDLER}


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A name as it is written, where, and in what role."""

    name: str
    span: TextSpan
    role: PersonRole


class _Ways:
    """How one language names people beside the words of their roles."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._words = {
            role: regex("|".join(f"(?:{p})" for p in lexicon.patterns("personal", role)) or "(?!)")
            for role in PersonRole
        }
        every = "|".join(pattern.pattern for pattern in self._words.values())

        def listed(key: str) -> tuple[re.Pattern[str], ...]:
            written = lexicon.patterns("personal", key)
            return tuple(regex(p.replace("(?:{role})", f"(?P<role>{every})")) for p in written)

        def one(key: str) -> re.Pattern[str]:
            written = lexicon.characters("personal", key)
            return regex(written.replace("{role}", every) or "(?!)")

        self._finder, self._anchor, self._head = one("role"), one("anchors"), one("form_before")
        self._after, self._form, self._behind = map(listed, ("after_role", "form_after", "behind"))
        self._alone = (*listed("described"), *listed("called"))
        self._joined = listed("joined")
        self._is_han = any(_HAN.search(p.pattern) for p in (*self._after, *self._form))

    def people(self, text: str, low: str) -> Iterator[NamedPerson]:
        """Yield the people of a text. `low`: the same in plain characters."""
        # Names of a script with capitals are read as they are written.
        read = low if self._is_han else text
        near: list[TextSpan] = []
        for match in self._finder.finditer(low):
            role = self.role_of(match.group())
            yield from self._beside(text, read, match.span(), role)
            near.append(TextSpan(max(0, match.start() - _BEFORE), match.end() + _BEHIND))
        yield from self._in(near, self._behind, text, read)
        near = [
            TextSpan(max(0, m.start() - _BEFORE), m.end() + _BEFORE)
            for m in self._anchor.finditer(low)
        ]
        yield from self._in(near, self._alone, text, read)

    def role_of(self, words: str) -> PersonRole | None:
        """Return the role that plain words mean as a whole."""
        found = (role for role, pattern in self._words.items() if pattern.fullmatch(words))
        return next(found, None)

    def _beside(
        self, text: str, read: str, place: tuple[int, int], role: PersonRole | None
    ) -> Iterator[NamedPerson]:
        start, end = place
        is_label = self._head.search(read[max(0, start - _LABEL) : start]) or start == 0
        for match in (m for p in self._form if is_label and (m := p.match(read, end))):
            yield from _each(text, match.span("names"), role or PersonRole.OTHER)
        # A label that means no role ("name") tells one as a label only.
        patterns = () if role is PersonRole.OTHER else self._after
        for match in (m for p in patterns if (m := p.match(read, end))):
            yield from self._one(text, read, TextSpan(*match.span("name")), role)

    def _one(
        self, text: str, read: str, span: TextSpan, role: PersonRole | None
    ) -> Iterator[NamedPerson]:
        """Yield a name and those that follow on it: A, B and C."""
        meant = role or PersonRole.OTHER
        yield _named(text, span, meant)
        place = span.end
        while match := next((m for p in self._joined if (m := p.match(read, place))), None):
            found = TextSpan(*match.span("name"))
            yield _named(text, found, meant)
            place = found.end

    def _in(
        self, near: list[TextSpan], patterns: Iterable[re.Pattern[str]], text: str, read: str
    ) -> Iterator[NamedPerson]:
        for window in _merged(near):
            for pattern in patterns:
                for match in pattern.finditer(read, window.start, window.end):
                    words = match.groupdict().get("role")
                    role = self.role_of(plain(words)) if words else None
                    yield _named(text, TextSpan(*match.span("name")), role or PersonRole.OTHER)


@lru_cache(maxsize=1)
def _ways() -> tuple[_Ways, ...]:
    """A language after the other: its patterns know its own words for roles only."""
    return tuple(_Ways(Lexicon([tables])) for tables in shipped_languages().values())


def people_in(text: str) -> list[NamedPerson]:
    """Return the people that a text names with a role, in no order; one may be in several roles."""
    low = plain(text)
    found = [one for way in _ways() for one in way.people(text, low)]
    found += _in_columns(text, low)
    times = cache(text.count)
    return [_shortest(one, times) for one in found if _may_be(one.name)]


def _in_columns(text: str, low: str) -> Iterator[NamedPerson]:
    """Yield the people under the heads of columns that are parted by bars or tabs."""
    heads: dict[int, PersonRole] = {}
    num_cells = 0
    for line in _BARRED.finditer(text):
        cells = [m for m in _CELL.finditer(text, *line.span()) if m.group().strip()]
        if len(cells) != num_cells:
            labels = (low[m.start() : m.end()].strip() for m in cells)
            roles = ((at, _role_named(label)) for at, label in enumerate(labels))
            heads, num_cells = {at: role for at, role in roles if role}, len(cells)
            continue
        for at, role in heads.items():
            if not _RULE.fullmatch(cells[at].group()):
                yield from _each(text, cells[at].span(), role)


def _role_named(label: str) -> PersonRole | None:
    return next((role for way in _ways() if label and (role := way.role_of(label))), None)


def people_of(facts: Iterable[Fact]) -> list[NamedPerson]:
    """Return the people that facts name, in the roles that their labels and titles mean."""
    return [
        NamedPerson(item.value, item.span, _role_of(item))
        for item in facts
        if item.field == FactField.PERSON and not item.is_unknown and _may_be(item.value)
    ]


@lru_cache(maxsize=4096)
def role_meant(label: str) -> PersonRole:
    """Return the role that a label or title of a person means."""
    words = " ".join(plain(label).split()).strip(" .:")
    meant = role_of(FactField.PERSON, label)
    of_fact = _OF_FACTS.get(meant, PersonRole.OTHER) if meant else PersonRole.OTHER
    return _role_named(words) or of_fact


def _role_of(item: Fact) -> PersonRole:
    return role_meant(item.role) if item.role else PersonRole.OTHER


def _named(text: str, span: TextSpan, role: PersonRole) -> NamedPerson:
    return NamedPerson(span.of(text), span, role)


def _merged(near: Iterable[TextSpan]) -> Iterator[TextSpan]:
    """Yield spans in order, those that overlap as one. `near`: by their beginning."""
    whole: TextSpan | None = None
    for span in near:
        if whole and span.start <= whole.end:
            whole = TextSpan(whole.start, max(whole.end, span.end))
            continue
        if whole:
            yield whole
        whole = span
    if whole:
        yield whole


def _each(text: str, place: tuple[int, int], role: PersonRole) -> Iterator[NamedPerson]:
    """Yield the names of a list."""
    start, end = place
    cuts = [match.span() for match in _SPLIT.finditer(text, start, end)]
    begins = [start, *(cut_end for _, cut_end in cuts)]
    ends = [*(cut_start for cut_start, _ in cuts), end]
    for begin, until in zip(begins, ends, strict=True):
        name = text[begin:until].strip()
        if name and not label_of(name).is_standard:  # the next label, of a head of columns
            at = text.index(name, begin)
            yield _named(text, TextSpan(at, at + len(name)), role)


def _may_be(name: str) -> bool:
    letters = sum(map(str.isalpha, name))
    return letters >= 2 and len(name) <= _MAX_NAME and not any(map(str.isdigit, name))


def _shortest(one: NamedPerson, times: Callable[[str], int]) -> NamedPerson:
    """Of three characters whose last is another word's: the two that stand elsewhere without it.

    `times`: how often words stand in the text.
    """
    if len(one.name) != 3 or not all(map(_HAN.match, one.name)):
        return one
    pair = one.name[:2]
    if times(pair) <= times(one.name):
        return one
    return NamedPerson(pair, TextSpan(one.span.start, one.span.start + 2), one.role)
