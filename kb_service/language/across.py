"""What a question over many documents asks to be made of them: count, list, group, measure, order.

Pure functions on the words of a question in which what it names is blank. What no rule reads is
told, so that nobody answers a question that was read by half. Knows no documents.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import inf, nextafter

from kb_service.domain.facts import (
    CASUALTIES,
    COUNTS_OF_PEOPLE,
    NUMBER_FIELDS,
    STANDARD_FIELDS,
    FactField,
)
from kb_service.domain.record_queries import Counted, Operation
from kb_service.language.kinds import bare_question
from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.values import number_in, unit_in_label
from kb_service.language.text import normalise

_LEXICON = shipped_lexicon()
_FIELDS = {
    **_LEXICON.paired("across", "fields"),
    **_LEXICON.paired("across", "short_fields"),
}
_FIELD_WORDS = regex(any_of(_FIELDS))
_PERIODS = {
    **_LEXICON.paired("across", "periods"),
    **_LEXICON.paired("across", "period_words"),
}
_WORDS = regex(rf"[{HAN}]+|[^\W{HAN}][\w.'&/-]*(?: +[^\W{HAN}][\w.'&/-]*)*")
_HAN = regex(f"[{HAN}]")
_APART = _LEXICON.characters("across", "apart")
_TITLES = frozenset(_LEXICON.listed("across", "titles"))
_TITLE_BEFORE = regex(rf"(?:\b|(?<=[{HAN}]))(?:{any_of(_TITLES)})\.?\s*$")
_TITLE_BEHIND = regex(f"(?:{any_of(_LEXICON.listed('across', 'titles_behind'))})")
_CONDITIONS = ("bounded", "none_of", "some_of")
_OPERATIONS = ("changes", "average", "median", "trend", "timeline", "exists", "sum")
_TIMED = ("latest", "earliest")
_ORDERS = (
    "top",
    *_TIMED,
    "costliest",
    "deadliest",
    "longest",
    "shortest",
    "worst",
    "most",
    "least",
)
_OF_TOP = ("costliest", "deadliest", "longest", "shortest", "worst", "least")
_ASKED = ("asks_place", "asks_time", "asks_person", "asks_cause", "handled", "asks_field")
_ORDER = (
    *_CONDITIONS,
    *("people", "money", "by_period", "compare", *_ORDERS, *_OPERATIONS, "by_field"),
    *("happened", "count_documents", "list_documents", "count", "list", "each"),
    *_ASKED,
    *("amount", "caused", "units", "fillers"),
)
"""What is more particular is read before what is less: of words read once nothing else is read."""

_PATTERNS = {name: [regex(p) for p in _LEXICON.patterns("across", name)] for name in _ORDER}
_BRACKETS = regex(r"\s*[(\[][^)\]]*[)\]]\s*$")
_DIVIDED = [regex(pattern) for pattern in _LEXICON.patterns("across", "divided")]
_REQUESTS = [regex(pattern) for pattern in _LEXICON.patterns("across", "requests")]
_LONG = _LEXICON.listed("across", "long")
_HOURS = _LEXICON.listed("across", "hours")
_IN_HOURS = regex(rf"(?:{any_of(_HOURS)})(?![a-z])")
_ANY_AMOUNT = 1e-6
"""No smaller one is stated of anything."""

_FIELD_OF = {
    "asks_place": FactField.PLACE,
    "asks_time": FactField.TIME,
    "asks_person": FactField.PERSON,
    "asks_cause": FactField.CAUSE,
}


@dataclass(frozen=True, slots=True)
class Range:
    """A number that a field has to have; above `low`, or from it on."""

    field: str
    low: float | None = None
    high: float | None = None


@dataclass(slots=True)
class Sketch:
    """What the words of a question ask for, as far as they were read.

    `columns`: fields to show, in order. `measured`: fields whose number is asked for; `how_many`:
    those of which it is asked how many there are. `is_by_one`: one of what it would be grouped by
    may be all that is asked for (which site). `top`: how many of an order. `order`: the name of
    what orders (`most`, `least`, `latest` …). `divides`: a number is asked of each of something,
    whatever that is. `amount`: words that ask how much of what is measured. `told`: the words by
    which an operation or a comparison is asked for. `caused`: what is named is a cause. `rest`:
    words that no rule read.
    """

    counts: Counted | None = None
    lists: Counted | None = None
    operation: Operation | None = None
    by: str | None = None
    is_by_one: bool = False
    says_units: bool = False
    divides: bool = False
    order: str | None = None
    top: int | None = None
    compares: bool = False
    happened: bool = False
    handled: bool = False
    caused: bool = False
    amount: str = ""
    columns: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    how_many: list[str] = field(default_factory=list)
    ranges: list[Range] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    @property
    def is_over_many(self) -> bool:
        """True when the words ask over many documents, whatever else they ask."""
        asks = self.counts or self.lists or self.order or self.by or self.operation
        return bool(asks or self.compares or (self.divides and self.says_units))

    @property
    def may_be_of_one(self) -> bool:
        """True when the words ask whether something was so, or which one was, and count nothing."""
        makes = self.operation not in (None, Operation.EXISTS)
        groups = self.divides or (self.by and not self.is_by_one)
        return not (self.counts or self.order or self.compares or makes or groups)


def sketch_of(words: str) -> Sketch:
    """Return what the normalised words of a question ask for; blanks stand for what it names."""
    sketch, text = Sketch(), bare_question(words)
    sketch.says_units = any(pattern.search(text) for pattern in _PATTERNS["units"])
    sketch.divides = any(pattern.search(text) for pattern in _DIVIDED)
    if any(pattern.search(words.strip()) for pattern in _REQUESTS):
        sketch.lists = Counted.INCIDENTS
    whole = text
    for name in _ORDER:
        whole = text  # before the last: what it blanks are only fillers
        for pattern in _PATTERNS[name]:
            text = pattern.sub(_reader(sketch, name), text)
    sketch.rest += [words.strip(" .-'/") for words in _unread(text, whole)]
    return sketch


def _unread(text: str, whole: str) -> Iterator[str]:
    """Yield the words left in a text; a filler within a word is a part of it."""
    start, end = 0, 0
    for match in _WORDS.finditer(text):
        gap = whole[end : match.start()]
        is_within = end and len(gap) == 1 and _HAN.fullmatch(gap) and gap not in _APART
        if end and not is_within:
            yield whole[start:end]
        start, end = (start if is_within else match.start()), match.end()
    if end:
        yield whole[start:end]


def without_title(name: str) -> str:
    """Return a name without the words before it that say what somebody is: Sgt. Boone."""
    words = name.split()
    while len(words) > 1 and words[0].strip(".") in _TITLES:
        words = words[1:]
    return " ".join(words)


def titled(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a name begins and ends with the words beside it that say what somebody is."""
    before, behind = _TITLE_BEFORE.search(text[:start]), _TITLE_BEHIND.match(text, end)
    return before.start() if before else start, behind.end() if behind else end


def fields_meant(word: str) -> tuple[str, ...]:
    """Return the fields that a word of `fields` stands for."""
    name = _FIELDS.get(word, word)
    return (FactField.DEAD, FactField.INJURED) if name == CASUALTIES else (name,)


def field_words_in(text: str) -> Iterator[tuple[int, int]]:
    """Yield where words for fields stand in a text, the longest where several begin."""
    for match in _FIELD_WORDS.finditer(text):
        yield match.span()


def without_brackets(name: str) -> str:
    """Return the name of a column without what it says in brackets: its unit."""
    return _BRACKETS.sub("", name).strip()


def is_amount(name: str) -> bool:
    """True for a field of amounts of money; a column of them says its currency."""
    is_told = name in (FactField.LOSS, FactField.FINE)
    return is_told or (name not in STANDARD_FIELDS and bool(unit_in_label(normalise(name))[1]))


def is_record_noun(name: str) -> bool:
    """True for a normalised name that is only what records of anything are called: calls."""
    return any(pattern.fullmatch(name) for pattern in _PATTERNS["units"])


def says_how_long(name: str) -> bool:
    """True for the name of a column that says how long something took."""
    return any(word in name for word in _LONG)


def _reader(sketch: Sketch, name: str) -> Callable[[re.Match[str]], str]:
    def read(match: re.Match[str]) -> str:
        groups = {key: value for key, value in match.groupdict().items() if value}
        groups |= {name: match.group().strip(" ,")} if name == "amount" else {}
        if name in ("people", "money") and any(p.search(match.group()) for p in _PATTERNS["sum"]):
            sketch.operation = sketch.operation or Operation.SUM
        if _IN_HOURS.search(match.group()):
            groups["hours"] = match.group()
        _READERS.get(name, _nothing)(sketch, name, groups)
        sketch.told.setdefault(name, match.group().strip(" ,"))
        # A blank that is no space: words apart do not come together over it.
        return "," * len(match.group()) if match.group().strip() else match.group()

    return read


def _nothing(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    """Words that ask for nothing of their own."""


def _condition(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    number = _number(groups)
    fields = fields_meant(groups["field"])
    if name == "bounded" and len(fields) > 1:
        sketch.rest.append(groups["field"])  # a bound on a sum of fields, which none states
        return
    for one in fields:
        if name == "none_of":
            sketch.ranges.append(Range(one, 0, 0))
        elif name == "some_of":
            sketch.ranges.append(some_of(one))
        elif number is not None:
            bound = _bounded(one, number, groups)
            sketch.ranges.append(_in_minutes(sketch, bound) if "hours" in groups else bound)


def some_of(name: str) -> Range:
    """Return the range of a field that is stated above zero: one person, any part of an amount."""
    return Range(name, 1) if name in COUNTS_OF_PEOPLE else Range(name, _ANY_AMOUNT)


def _in_minutes(sketch: Sketch, asked: Range) -> Range:
    """Durations are minutes; what else is asked for in hours is left to say so."""
    if asked.field != FactField.DURATION:
        sketch.rest.append(_HOURS[0])
        return asked
    ends = (None if end is None else 60 * end for end in (asked.low, asked.high))
    return Range(asked.field, *ends)


def _bounded(name: str, number: float, groups: dict[str, str]) -> Range:
    """Return the range that the words of comparison around a number mean; without any, itself."""
    upper = number_in(groups.get("num_to", ""))
    if upper:
        return Range(name, min(number, upper.value), max(number, upper.value))
    if "over" in groups:
        return Range(name, nextafter(number, inf))
    if "no_less" in groups or "up" in groups:
        return Range(name, number)
    if "under" in groups or ("down" in groups and not groups["down"].isascii()):
        return Range(name, None, nextafter(number, -inf))
    if "no_more" in groups or "down" in groups:
        return Range(name, None, number)
    return Range(name, number, number)


def _people(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    for one in fields_meant(groups["field"]):
        if one in NUMBER_FIELDS or one.startswith("#"):
            sketch.measured.append(one)
            sketch.how_many += [one] if "many" in groups else []
        else:
            sketch.rest.append(groups["field"])  # how many people or firms: nobody counts these


def _money(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    sketch.measured.append(FactField.LOSS)


def _by(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    if "period" in groups:
        sketch.by = sketch.by or _PERIODS[groups["period"]]
    elif "kinds" in groups:
        sketch.by = sketch.by or FactField.KIND
    else:
        sketch.is_by_one = (
            sketch.by is None and "which" in groups and not _is_plural(groups["field"])
        )
        sketch.by = sketch.by or _FIELDS[groups["field"]]


def _is_plural(word: str) -> bool:
    """True for the English word for several where the lexicon has the one for one too: sites."""
    return word.endswith("ies") or (word.endswith("s") and word[:-1] in _FIELDS)


def _operation(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    sketch.operation = sketch.operation or Operation(name)


def _ordered(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    meant = next((o for o in _OF_TOP if _is_order(o, groups.get("most", ""))), "most")
    sketch.order = sketch.order or (meant if name == "top" else name)
    if name in ("top", *_TIMED) and (number := _number(groups)):
        sketch.top = int(number)
    if "field" in groups:
        sketch.measured += fields_meant(groups["field"])


def _is_order(name: str, words: str) -> bool:
    """True for words that ask for an order by themselves: the three most expensive."""
    return any(pattern.fullmatch(words) for pattern in _PATTERNS[name])


def _counted(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    of = Counted.DOCUMENTS if name.endswith("documents") else Counted.INCIDENTS
    if name.startswith("count"):
        sketch.counts = sketch.counts or of
    else:
        sketch.lists = sketch.lists or of


def _amount(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    sketch.amount = sketch.amount or groups[name]


def _flag(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    setattr(sketch, {"compare": "compares"}.get(name, name), True)


def _column(sketch: Sketch, name: str, groups: dict[str, str]) -> None:
    named = fields_meant(groups["field"]) if "field" in groups else (_FIELD_OF[name],)
    sketch.columns += [one for one in named if one not in sketch.columns]


_READERS: dict[str, Callable[[Sketch, str, dict[str, str]], None]] = {
    **dict.fromkeys(_CONDITIONS, _condition),
    **dict.fromkeys(("by_period", "by_field"), _by),
    **dict.fromkeys(_ORDERS, _ordered),
    **dict.fromkeys(_OPERATIONS, _operation),
    **dict.fromkeys(("count_documents", "list_documents", "count", "list"), _counted),
    **dict.fromkeys(("compare", "happened", "handled", "caused"), _flag),
    **dict.fromkeys((*_FIELD_OF, "asks_field"), _column),
    "people": _people,
    "money": _money,
    "amount": _amount,
}


def _number(groups: dict[str, str]) -> float | None:
    number = number_in(groups.get("num", ""))
    return number.value if number else None


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with commas in place of some stretches, of the same length."""
    for start, end in spans:
        text = f"{text[:start]}{',' * (end - start)}{text[end:]}"
    return text
