"""Which field the label of a form or the name of a column stands for: by its words, by its values.

Pure functions. Knows names of fields; reads no value but to tell what sort it is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from kb_service.domain.facts import CASUALTIES, CLOCK, COUNTS_OF_PEOPLE, OWN_COLUMN, FactField
from kb_service.language.date_orders import WRITTEN_CLOCK, go_from_day_to_day
from kb_service.language.events import event_kinds
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.plain import plain
from kb_service.language.stated.sorts import EMAIL, IDENTIFIER, PHONES, PLACE, PLATES, is_name
from kb_service.language.stated.values import in_two_languages, names_time_unit, unit_in_label

_LEXICON = shipped_lexicon()
_FIELDS = (
    *(FactField.FOLLOWS, FactField.STATUS, FactField.REPORTED, CLOCK, FactField.DURATION),
    FactField.TIME,
    *(
        FactField.NUMBER,
        FactField.KIND,
        FactField.AREA,
        FactField.PLACE,
        FactField.PHONE,
        FactField.EMAIL,
    ),
    *(FactField.VEHICLE, CASUALTIES, FactField.DEAD, FactField.INJURED, FactField.MISSING),
    FactField.TRAPPED,
    *(FactField.FINE, FactField.LOSS, FactField.CAUSE, FactField.MEASURE, FactField.PERSON),
    FactField.ORGANISATION,
)
"""The first whose words a label is wins: what is more particular before what is less."""
_LABELLED_AS = frozenset(map(str, _FIELDS))
_NAMES = {
    field: regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("fact_labels", field)))
    for field in _FIELDS
}
_LOOSE_KIND = regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("fact_labels", "loose_kind")))
"""Labels that stand for a kind where no other does: a symptom, a fault."""
_DOWN = regex("|".join(_LEXICON.patterns("stated", "down_labels")))
"""A label of how long something stood still, where a unit of time stands in it."""
_BRACKETED = regex(r"[(\[\uff08](?P<inside>[^)\]\uff09]*)[)\]\uff09]")
_SPACES = regex(r"[\s\u3000*_]+")
_KEY = regex(r"[A-Za-z]+(?:[_.-]?[A-Za-z0-9]+)+")
_PATH = regex(r"[^\W\d][\w-]*(?:\.[\w-]+)+")
"""A key within keys: when.occurredAt. What stands last says most."""
_STROKE = regex(r"\s*[/\uff0f]\s*")
_MAX_EITHER = 24
_KEY_PARTS = regex(r"[_.\s-]+|(?<=[a-z0-9])(?=[A-Z])")
_NAME_HINTS = regex("|".join(_LEXICON.patterns("stated", "name_hints")))
_THINGS = regex("|".join(f"(?:{p})" for p in _LEXICON.patterns("stated", "numbered_things")))
_DATE = regex(
    r"(?:19|20)\d\d[-/.\u5e74]\d{1,2}[-/.\u6708]\d{1,2}"
    r"|\d{1,2}[ -][a-z]{3,9}\.?[ -](?:(?:19|20)\d\d|\d\d)(?!\d)"
    r"|\d{1,2}(?P<mark>[-/])\d{1,2}(?P=mark)(?:(?:19|20)\d\d|\d\d)(?![\d./-])"
    r"|\d{1,2}\.\d{1,2}\.(?:19|20)\d\d(?!\d)"
)
_SAMPLE = 40
_MOST = 0.8
_SIGNS, _ENDS = ":\uff1a=\t|", "\n;\uff1b|\t\u3002"
_CURRENCIES = " \u00a3$\u20ac\u00a5"
_MIN_APART = 0.5
"""So many of the numbers of records are different; several rows may tell of one."""


@dataclass(frozen=True, slots=True)
class Label:
    """`field`: the FactField, CASUALTIES, CLOCK or the name itself; `scale`, `unit`: of numbers.

    `is_meant`: the field is told by what the name means, not by its words. `is_own`: a person said
    that it is of no field. `is_of_thing`: a number of what may come again, a lift or a bed.
    `is_loose`: it stands for its field where no other label does.
    """

    name: str
    field: str
    scale: float = 1.0
    unit: str = ""
    is_meant: bool = False
    is_own: bool = False
    is_of_thing: bool = False
    is_loose: bool = False

    @property
    def is_standard(self) -> bool:
        """True where the name was understood."""
        return self.field != self.name or (self.field in _LABELLED_AS and not self.is_own)


@lru_cache(maxsize=4096)
def label_of(name: str) -> Label:
    """Return what a label stands for by its words; its own name where that tells nothing.

    Of several words with a stroke between what those say that say anything, where it is one thing.
    """
    label = _label_of(name)
    parts = [] if label.is_standard or len(name) > _MAX_EITHER else _STROKE.split(name)
    told = [one for part in parts[1:] and parts if (one := _label_of(part)).is_standard]
    is_one = len({one.field for one in told}) == 1
    return replace(told[0], name=name) if is_one else label


def _label_of(name: str) -> Label:
    for words in _ways(name):
        inside = " ".join(match["inside"] for match in _BRACKETED.finditer(words))
        bare = _SPACES.sub(" ", _BRACKETED.sub(" ", words)).strip()
        tight = bare.replace(" ", "") if not bare.isascii() else bare
        if _DOWN.fullmatch(tight) and names_time_unit(inside):
            return Label(name, str(FactField.DURATION))
        for field in _FIELDS:
            if _NAMES[field].fullmatch(tight):
                narrower = label_of(inside) if field == CASUALTIES and inside else None
                if narrower and narrower.field in COUNTS_OF_PEOPLE:
                    return replace(narrower, name=name)
                told = Label(name, str(field), *unit_in_label(inside or _behind(tight)))
                is_of_thing = field == FactField.NUMBER and names_thing(name)
                return replace(told, is_of_thing=is_of_thing)
        if _LOOSE_KIND.fullmatch(tight):
            return Label(name, str(FactField.KIND), is_loose=True)
    return Label(name, name)


def names_thing(name: str) -> bool:
    """True for a label of numbers of things to which more than one incident may happen."""
    for words in _ways(name):
        inside = (match["inside"] for match in _BRACKETED.finditer(words))
        if any(map(_THINGS.search, (_BRACKETED.sub(" ", words).strip(), *inside))):
            return True
    return False


def numbering(label: Label, values: Sequence[str]) -> Label:
    """Return a label as one of numbers, of which only its values or its meaning tell.

    They number the incidents where the label names no thing, and none of them comes again.
    """
    told = [value.strip() for value in values if value.strip()]
    is_of_thing = names_thing(label.name) or len({*told}) < len(told)
    return replace(label, field=str(FactField.NUMBER), is_of_thing=is_of_thing)


def _ways(name: str) -> Iterator[str]:
    """The words of a name; then each of its two languages, or what a key is put together of."""
    words = _SPACES.sub(" ", plain(name)).strip(" :.?\uff1a\uff1f")
    yield words
    if both := in_two_languages(words):
        yield from both
    elif _PATH.fullmatch(name):
        parts = [part for part in name.split(".") if not part.isdigit()]
        yield from (spoken_key(".".join(parts[n:])) for n in range(len(parts)))
    elif _KEY.fullmatch(name):
        yield spoken_key(name)


def spoken_label(name: str) -> str:
    """Return the words of a label: without brackets, of a key its parts, of two languages one.

    Of keys within keys the last two.
    """
    ways = list(_ways(name))
    words = ways[max(len(ways) - 2, 1)] if _PATH.fullmatch(name) else ways[-1]
    return _SPACES.sub(" ", _BRACKETED.sub(" ", words)).strip()


def spoken_key(name: str) -> str:
    """Return the words of a key: raised_by, occurredAt, caller.name."""
    parts = _KEY_PARTS.split(name)
    return " ".join(part.casefold() for part in parts if part)


def warm_up() -> None:
    """Compile and load what labels are told by: a process for every file would do it each time."""
    for field in _FIELDS:
        _NAMES[field].fullmatch("")
    plain("\u4e00")


def column_of(name: str, values: Sequence[str], heads: Collection[str] = ()) -> Label:
    """Return what a column stands for, by its name, else by what most of its values are.

    `heads`: what may stand in front of a name, because it is over several.
    """
    by_name = _under_head(label_of(name), heads)
    samples = [plain(value) for value in values[:_SAMPLE] if value.strip()]
    if by_name.is_standard or len(samples) < 2:
        return by_name
    sorts = [*_SORTS, *([(FactField.PERSON, is_name)] if _NAME_HINTS.search(plain(name)) else [])]
    for field, is_one in sorts:
        if sum(map(is_one, samples)) >= _MOST * len(samples):
            return Label(name, str(field))
    return by_name


def sorted_out(labels: Sequence[Label], values: Mapping[str, Sequence[str]]) -> tuple[Label, ...]:
    """Return the labels of a table with what else its values tell: the one column of a sort.

    Of number, time and place a row has one: where no column is called so, the one that looks so is.
    Days without a year are told by the times of day within them or in the column beside.
    """
    found = _numbered(labels, values)
    for field, is_one in _ONE_OF_A_ROW:
        if not any(label.field == field for label in found):
            alike = [n for n, label in enumerate(found) if _is_all(label, values, is_one)]
            _name_one(found, field, alike)
    clocks = [n for n, label in enumerate(found) if _is_all(label, values, _is_clock)]
    days = _places_of_days(found, values, [n for n, one in enumerate(found) if one.field == CLOCK])
    if not days:
        days = _places_of_days(found, values, clocks)
        _name_one(found, CLOCK, [n for n in clocks if {n - 1, n + 1} & {*days}])
    _name_one(found, FactField.TIME, [n for n in days if not found[n].is_standard])
    return tuple(found)


def _places_of_days(
    labels: Sequence[Label], values: Mapping[str, Sequence[str]], clocks: Sequence[int]
) -> list[int]:
    """Where days stand that go on from row to row, with a time of day within or beside them.

    Of a column that is called a time the days need not go on. `clocks`: where times of day stand.
    """

    def has_clock(place: int) -> bool:
        return bool({place - 1, place + 1} & {*clocks})

    told = [label.field in (FactField.TIME, FactField.REPORTED) for label in labels]
    found = []
    for place, label in enumerate(labels):
        cells = [plain(value.strip()) for value in values[label.name] if value.strip()]
        is_whole = any(map(WRITTEN_CLOCK.search, cells))
        is_days = not label.is_standard and go_from_day_to_day(label.name.lower(), cells)
        if is_days if not any(told) else told[place]:
            found += [place] if has_clock(place) != is_whole else []
    return found


def _name_one(found: list[Label], field: str, places: Sequence[int]) -> None:
    """Let the one column of some places stand for a field."""
    if len(places) == 1:
        found[places[0]] = replace(found[places[0]], field=str(field))


def _numbered(labels: Sequence[Label], values: Mapping[str, Sequence[str]]) -> list[Label]:
    """Return the labels with the one that numbers the rows; numbers of things give way to it."""
    found = list(labels)
    things = [n for n, label in enumerate(found) if label.field == FactField.NUMBER]
    if any(not found[n].is_of_thing for n in things):
        return found
    told = {
        n: numbering(label, values[label.name])
        for n, label in enumerate(found)
        if _is_all(label, values, _is_identifier) and tells_apart(values[label.name])
    }
    rows = [n for n, label in told.items() if not label.is_of_thing]
    if len(rows) == 1:
        for n in things:
            found[n] = Label(found[n].name, found[n].name)
    chosen = rows or ([] if things else list(told))
    if len(chosen) == 1:
        found[chosen[0]] = told[chosen[0]]
    return found


def _is_clock(value: str) -> bool:
    return WRITTEN_CLOCK.fullmatch(value) is not None


def _is_identifier(value: str) -> bool:
    return IDENTIFIER.fullmatch(value) is not None


def tells_apart(values: Sequence[str]) -> bool:
    """True for values of which few come again: P1 to P3 number no records."""
    told = [value.strip() for value in values[:_SAMPLE] if value.strip()]
    return len({*told}) >= _MIN_APART * len(told)


def _is_all(
    label: Label, values: Mapping[str, Sequence[str]], is_one: Callable[[str], bool]
) -> bool:
    samples = [plain(value.strip()) for value in values[label.name][:_SAMPLE] if value.strip()]
    is_enough = not label.is_standard and len(samples) >= 2
    return is_enough and sum(map(is_one, samples)) >= _MOST * len(samples)


def _under_head(label: Label, heads: Collection[str]) -> Label:
    """A name that is not understood with the words over it may be without them."""
    behind = (
        label_of(label.name.removeprefix(head).strip())
        for head in heads
        if not label.is_standard and label.name.startswith(f"{head} ")
    )
    known = next((one for one in behind if one.is_standard), None)
    if known is None:
        return label
    is_of_thing = known.field == FactField.NUMBER and names_thing(label.name)
    return replace(known, name=label.name, is_of_thing=is_of_thing)


def label_before(text: str) -> str:
    """Return the words before a value that end in the sign behind a label, "" where none stands."""
    bare = text.rstrip(_CURRENCIES)
    if not bare or bare[-1] not in _SIGNS:
        return ""
    bare = bare.rstrip(f"{_SIGNS} ")
    return bare[max(map(bare.rfind, _ENDS)) + 1 :].strip()


def column_as(name: str, field: str) -> Label:
    """Return what a column stands for by what a person says: a COLUMN_FIELDS."""
    words = _SPACES.sub(" ", plain(name)).strip(" :.\uff1a")
    inside = " ".join(match["inside"] for match in _BRACKETED.finditer(words))
    scale, unit = unit_in_label(inside or _behind(words))
    is_own = field == OWN_COLUMN
    return Label(name, name if is_own else field, scale, unit, is_own=is_own)


def _behind(words: str) -> str:
    """A unit may stand behind its label without brackets: damage usd."""
    return words.rpartition(" ")[2] if " " in words else ""


def _is_kind(value: str) -> bool:
    return len(value) <= 20 and bool(event_kinds(value))


_ONE_OF_A_ROW: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (FactField.TIME, lambda value: _DATE.match(value) is not None),
    (FactField.PLACE, lambda value: len(value) <= 60 and PLACE.search(value) is not None),
)
_SORTS = (
    (FactField.EMAIL, lambda value: EMAIL.fullmatch(value.strip()) is not None),
    (FactField.PHONE, lambda value: any(p.fullmatch(value.strip()) for p in PHONES)),
    (FactField.VEHICLE, lambda value: any(p.fullmatch(value.strip()) for p in PLATES)),
    (FactField.KIND, _is_kind),
)
