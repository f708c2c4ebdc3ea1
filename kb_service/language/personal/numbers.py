"""Phones, numbers of persons, bank cards, plates and e-mails in a text, however they are parted.

Pure functions. What is told by its form is found everywhere; what could be any number where a word
directly before it says so. A number that its label calls another thing is none of these.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from kb_service.domain.masking import PersonalKind, PersonalSpan
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.personal.checks import is_card, is_identity
from kb_service.language.regexes import regex
from kb_service.language.stated.plain import plain

_LEXICON = shipped_lexicon()
_SPOKEN = {**NUMERALS.digits, **_LEXICON.numbered("personal", "spoken_digits")}
_SPOKEN_RUN = regex(f"[{''.join(_SPOKEN)}]{{7,}}")
_MAY = regex(rf"\d|[@\uff20]|[(\[{{]\s*[aA][tT]\s*[)\]}}]|{_SPOKEN_RUN.pattern}")
_MARK = "\ue001"
"""Stands for what was found already; no pattern has it."""
_THIN = "\u00ad\u200b-\u200d\u2060\ufeff"
_DASHES = "\\-\u2010-\u2015\u2212"
_BREAK = r"[ \t]*\n[ \t]*"
_GAPS = (f"[{_THIN}]*(?:[ .\xb7{_DASHES}][{_THIN}]*)?", f"(?:[{_THIN} {_DASHES}]*|{_BREAK})")
"""Between two digits: what may part them on a line, and a line's end. No number begins with one:
a long run of spaces would be read again from each of them."""
_REACH = 40
"""Characters before a number in which the word for it stands."""
_BEFORE = {
    kind: regex("(?:" + "|".join(_LEXICON.patterns("personal", f"{name}_before")) + ")$")
    for kind, name in (
        (PersonalKind.PHONE, "phone"),
        (PersonalKind.ID_NUMBER, "id"),
        (PersonalKind.BANK_CARD, "card"),
        (PersonalKind.PLATE, "plate"),
        (None, "other"),
    )
}
_BEHIND = regex("|".join(_LEXICON.patterns("personal", "number_behind_words")) or "(?!)")
_COUNTRY = regex(rf"^\(?(?:\+|00)[1-9]\d{{0,2}}\)?[ .{_DASHES}]*")
_DATE = regex(r"(?:19|20)\d\d(?:[-/.](?:0?[1-9]|1[0-2])(?:[-/.]\d|\b)|(?:0[1-9]|1[0-2])[0-3]\d)")


@dataclass(frozen=True, slots=True)
class _Form:
    """A pattern whose group `who` is what is personal. `is_told`: a word before it must say so.

    `holds`: what the digits and letters alone must be, `parts`: how they may be parted.
    """

    kind: PersonalKind
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = bool
    is_told: bool = False
    is_free: bool = False
    """Parted in any way, and under any label."""


def personal_numbers(text: str, kinds: Collection[PersonalKind]) -> tuple[PersonalSpan, ...]:
    """Return where a text has what belongs to these kinds, in order; spans do not overlap.

    All kinds are looked for, so that one is not taken for another.
    """
    if not _MAY.search(text):
        return ()
    found: list[PersonalSpan] = []
    rest = folded(text)
    for form in _forms():
        places = list(_places(form, rest))
        found += [PersonalSpan(TextSpan(*place), form.kind) for place in places]
        rest = _without(rest, places)
    wanted = (item for item in found if item.kind in kinds)
    return tuple(sorted(wanted, key=lambda item: item.span))


def _without(text: str, places: Sequence[tuple[int, int]]) -> str:
    if not places:
        return text
    ends = [0, *(end for _, end in places)]
    starts = [*(start for start, _ in places), len(text)]
    kept = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    marks = [_MARK * (end - start) for start, end in places]
    return "".join(part for pair in zip(kept, [*marks, ""], strict=True) for part in pair)


def folded(text: str) -> str:
    """Return the plain text with the digits of every script as 0-9, each in its place."""
    low = plain(text)
    if not low.isascii():
        low = "".join(_digit(c) for c in low)
        low = _SPOKEN_RUN.sub(lambda m: "".join(str(_SPOKEN[c]) for c in m.group()), low)
    return low


def _digit(character: str) -> str:
    if character.isascii() or not character.isdigit():
        return character
    return str(unicodedata.digit(character, character))


def _places(form: _Form, text: str) -> Iterator[tuple[int, int]]:
    place = 0
    while match := form.pattern.search(text, place):
        start, end = match.span("who")
        if _is_one(form, text, start, end):
            yield start, end
            place = end
        else:
            place = match.start() + 1


def _is_one(form: _Form, text: str, start: int, end: int) -> bool:
    words = text[start:end]
    if not form.holds(tight(words)):
        return False
    before = text[max(0, start - _REACH) : start]
    is_told = _BEFORE[form.kind].search(before) is not None if form.kind in _BEFORE else False
    if is_told or form.is_free:
        return True
    if form.is_told or not _is_evenly_parted(words):
        return False
    is_other = _BEFORE[None].search(before) or _BEHIND.match(text, end)
    return not (is_other or _is_inside(text, start))


def _is_inside(text: str, start: int) -> bool:
    """True behind a letter, or a letter or digit with a joint: it is a part of a longer name."""
    before = text[max(0, start - 2) : start]
    if before[-1:].isascii() and (before[-1:].isalnum() or before[-1:] == "_"):
        return True
    return len(before) == 2 and before[1] in "-/_." and before[0].isascii() and before[0].isalnum()


def _is_evenly_parted(words: str) -> bool:
    """True where one sort of mark parts groups of several digits, or each digit from the next."""
    own = _COUNTRY.sub("", re.sub(rf"[{_THIN}]|{_BREAK}", "", words))
    joined = re.sub("[()]", "", own)
    marks = re.findall(rf"[ .\xb7{_DASHES}]+", joined)
    groups = [len(group) for group in re.split(rf"[ .\xb7{_DASHES}]+", joined) if group]
    if not marks:
        return True
    if max(groups) == 1:
        return len(set(marks)) == 1
    if "." in marks or "\xb7" in marks:
        return len(set(marks)) == 1 and groups in ([3, 4, 4], [3, 3, 4], [2, 4, 4], [3, 4])
    return len(groups) <= 6 and min(groups) >= 2 and sum(groups) > 2 * len(groups)


def tight(words: str) -> str:
    """Return the letters and digits of a number alone."""
    return "".join(filter(str.isalnum, words))


def _between(low: int, high: int | None = None) -> Callable[[str], bool]:
    return lambda number: low <= sum(map(str.isdigit, number)) <= (high or low)


def _digits(count: str, gap: str, first: str = r"\d") -> str:
    return rf"{first}(?:{gap}\d){{{count}}}"


@lru_cache(maxsize=1)
def _forms() -> tuple[_Form, ...]:
    """The surest first; on one line before over a line's end."""
    return (*_mail(), *_plates(), *_on(_GAPS[0]), *_on(_GAPS[1]), *_told())


def _mail() -> Iterator[_Form]:
    at = r"(?:[ ]?[(\[{][ ]?(?:at|@)[ ]?[)\]}][ ]?|[ ]?\n?@\n?[ ]?)"
    dot = r"(?:\.\n?|\n\.|[ ]?[(\[{][ ]?(?:dot|\.)[ ]?[)\]}][ ]?)"
    name = r"[a-z0-9](?:[a-z0-9_%+'-]|\.(?!\.)){0,63}"
    host = rf"[a-z0-9-]+(?:{dot}[a-z0-9-]+)*{dot}[a-z]{{2,24}}"
    pattern = rf"(?<![a-z0-9_%+'-])(?P<who>{name}{at}{host})(?![a-z0-9])"
    yield _Form(PersonalKind.EMAIL, regex(pattern), is_free=True)


def _plates() -> Iterator[_Form]:
    for written in _LEXICON.patterns("personal", "plates"):
        yield _Form(PersonalKind.PLATE, regex(written), _between(2, 7), is_free=True)
    words = r"(?=[a-z0-9 -]{0,15}\d)[a-z0-9]{1,4}[ -]?[a-z0-9]{2,5}(?:[ -]\d{1,4})?"
    foreign = rf"(?<![a-z0-9])(?P<who>[a-z]{{2}}[ -]?\d\d[ -][a-z]{{3}}|{words})"
    pattern = regex(foreign + r"(?![a-z0-9])")
    yield _Form(PersonalKind.PLATE, pattern, _between(1, 7), is_told=True)


def _on(gap: str) -> Iterator[_Form]:
    edge, close = r"(?<!\d)(?<!\d\.)", r"(?!\d|\.\d|,\d{3})"
    whole = f"{close}(?![a-z_])"

    def form(kind: PersonalKind, body: str, holds: Callable[[str], bool]) -> _Form:
        return _Form(kind, regex(f"{edge}(?P<who>{body}){whole}"), holds)

    identity = PersonalKind.ID_NUMBER
    yield form(identity, rf"{_digits('16', gap, '[1-9]')}{gap}[\dx]", is_identity)
    yield form(identity, _digits("14", gap, "[1-8]"), is_identity)
    yield form(identity, rf"\d{{3}}[ {_DASHES}]\d\d[ {_DASHES}]\d{{4}}", _between(9))
    yield form(PersonalKind.BANK_CARD, _digits("12,18", gap, "[2-6]"), is_card)
    for body, holds in _phones(gap):
        yield form(PersonalKind.PHONE, body, holds)


def _phones(gap: str) -> Iterator[tuple[str, Callable[[str], bool]]]:
    country = rf"(?:(?:\+|00|\(\+?)?86\)?{gap}|(?:\+{gap})?)"
    yield rf"{country}1{gap}[3-9]{_after(9, gap)}", _between(11, 15)
    yield rf"{country}\(?0?(?:10|2\d|[3-9]\d\d)\)?{gap}[2-9]{_after(6, gap)}", _between(13, 16)
    area = r"\(?0(?:10|2\d|[3-9]\d\d)\)?"
    yield rf"{area}{gap}[2-9](?:{gap}\d){{6,7}}", _between(10, 12)
    yield rf"[48]00[ {_DASHES}]\d{{3,4}}[ {_DASHES}]?\d{{3,4}}", _between(10)
    parts = rf"(?:[ .{_DASHES}]{{0,2}}\(?\d{{1,5}}\)?){{2,6}}"
    yield rf"(?:\+|(?<!\d)00(?=[1-9]))[1-9]\d{{0,2}}{parts}", _between(8, 15)
    dash = rf"[.{_DASHES}]"
    body = rf"(?:1[ .{_DASHES}])?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d{dash})\d{{3}}[ .{_DASHES}]\d{{4}}"
    yield body, _between(10, 11)
    yield r"\(?0\d{2,4}\)?[ ]\d{3,4}[ ]\d{3,4}", _between(10, 11)


def _after(count: int, gap: str) -> str:
    return rf"(?:{gap}\d){{{count}}}"


def _told() -> Iterator[_Form]:
    gap = rf"(?:[ .()/{_DASHES}{_THIN}]{{0,3}}|{_BREAK})"
    edge, close = r"(?<!\d)(?<!\d\.)", r"(?!\d|\.\d|:\d)"
    mixed = rf"(?=[a-z{_DASHES} ]{{0,6}}\d)[a-z0-9](?:{gap}[a-z0-9]){{5,21}}(?:\(\w\))?"

    def form(kind: PersonalKind, body: str, holds: Callable[[str], bool]) -> _Form:
        return _Form(kind, regex(f"{edge}(?P<who>{body}){close}"), holds, is_told=True)

    yield form(PersonalKind.ID_NUMBER, rf"(?<![a-z]){mixed}(?![a-z0-9])", _between(5, 18))
    yield form(PersonalKind.BANK_CARD, _digits("11,29", gap), _between(12, 30))
    yield form(
        PersonalKind.BANK_CARD, r"[a-z]{2}\d\d(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?", bool
    )
    yield form(
        PersonalKind.PHONE, rf"[+(]?(?!{_DATE.pattern}){_digits('4,14', gap)}", _between(5, 15)
    )
