"""In which county or district a place lies, as a paper says it: 我县南关镇, 清水县境内, its title.

Pure functions on facts and plain text. The words stay; the value of a place that is compared has
the name of its area too.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kb_service.domain.facts import DOCUMENT_RECORD, Fact, FactField, FactMethod
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import Place, compared, fact

_LEXICON = shipped_lexicon()
_OWN = tuple(map(regex, _LEXICON.patterns("stated", "own_areas")))
_NAMES = tuple(map(regex, _LEXICON.patterns("stated", "area_names")))
_AREAS = tuple(map(regex, _LEXICON.patterns("stated", "areas")))
_LYING_WITHIN = regex("|".join(_LEXICON.patterns("stated", "within_area")) or "(?!)")
_LOOKED_AT = 20_000
"""Characters of a text in which the name stands."""
_MAX_TITLE = 120
_SURE, _LIKELY = 0.7, 0.6
_TELLING = frozenset({FactField.KIND, FactField.PLACE})


def with_area(found: Iterable[Fact], text: str, plain: str) -> Iterator[Fact]:
    """Yield facts and the areas that they lie in; a place of our county has the county's name."""
    by_record: dict[int, list[Fact]] = {}
    for item in found:
        by_record.setdefault(item.record, []).append(item)
    for facts in by_record.values():
        area = next((one for one in facts if one.field == FactField.AREA), None)
        known = area or _area_of(facts, text, plain)
        yield from (_within(item, known, plain) for item in facts)
        if known is not None and area is None:
            yield known


def _within(item: Fact, area: Fact | None, plain: str) -> Fact:
    """Return a fact; a place with the name of its area, which it may call ours."""
    if item.field != FactField.PLACE:
        return item
    own = _first(_OWN, item.text)
    item = replace(item, text=_LYING_WITHIN.sub("", item.text))
    bare = item.text[own.end() :] if own else item.text
    if own:
        return replace(item, text=f"{_called(own, plain)}{bare}")
    if area is None or area.text in item.text:
        return item
    joint = "" if not f"{area.text}{bare}".isascii() else " "
    return replace(item, text=f"{area.text}{joint}{bare}")


def _area_of(facts: Sequence[Fact], text: str, plain: str) -> Fact | None:
    """Return the area that a record lies in: by its place, else by what the whole paper says."""
    if not any(item.field in _TELLING for item in facts):
        return None
    place = next((item for item in facts if item.field == FactField.PLACE), None)
    if place and (named := _of_place(place, text, plain)):
        return named
    if facts[0].record != DOCUMENT_RECORD:
        return None
    return next(_of_paper(facts, text, plain), None)


def _of_place(place: Fact, text: str, plain: str) -> Fact | None:
    start, end = place.span.start, place.span.end
    own = _first(_OWN, place.text)
    if own:
        name, span = _called(own, plain), TextSpan(start, start + own.end())
        at = Place(place.record, place.method, _SURE)
        wider = next((m for p in _AREAS if (m := p.search(name))), None)
        name = wider["name"] if wider else name
        return fact(FactField.AREA, span.of(text), span, at, name) if name != own.group() else None
    match = next((m for p in _AREAS if (m := p.search(plain, start, end))), None)
    return _fact(match, text, place, _SURE) if match else None


def _of_paper(facts: Sequence[Fact], text: str, plain: str) -> Iterator[Fact]:
    """Yield the areas that a paper names, the surest first: in the line of what happened, within
    which something is, in its title, the only one of all.
    """
    low = plain[:_LOOKED_AT]
    lines = [_line_around(low, one.span.start) for one in facts if one.field in _TELLING]
    title = (0, min(max(low.find("\n"), 0) or len(low), _MAX_TITLE))
    for begin, end in (*lines, title):
        match = next((m for p in _AREAS if (m := p.search(low, begin, end))), None)
        if match:
            yield _fact(match, text, facts[0], _LIKELY)
    named = {m["name"]: m for p in _AREAS for m in p.finditer(low)}
    if len(named) == 1:
        yield _fact(next(iter(named.values())), text, facts[0], _LIKELY)


def _line_around(plain: str, place: int) -> tuple[int, int]:
    end = plain.find("\n", place)
    return plain.rfind("\n", 0, place) + 1, end if end >= 0 else len(plain)


def _fact(match: re.Match[str], text: str, beside: Fact, confidence: float) -> Fact:
    span = TextSpan(*match.span("name"))
    at = Place(beside.record, FactMethod.SENTENCE, confidence)
    return fact(FactField.AREA, span.of(text), span, at, compared(match["name"]))


def _called(own: re.Match[str], plain: str) -> str:
    """Return what our county is called where the text has one name alone for it."""
    names = {
        match["name"]
        for pattern in _NAMES
        for match in pattern.finditer(plain, 0, _LOOKED_AT)
        if match["sort"] == own["sort"]
    }
    names |= {
        match["name"]
        for pattern in _AREAS
        for match in pattern.finditer(plain, 0, _LOOKED_AT)
        if match["name"].endswith(own["sort"]) and not names
    }
    return names.pop() if len(names) == 1 else own.group()


def _first(patterns: Iterable[re.Pattern[str]], plain: str) -> re.Match[str] | None:
    return next((match for pattern in patterns if (match := pattern.match(plain))), None)
