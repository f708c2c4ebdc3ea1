"""What a base calls its fields, found in the words of a question: by name, by part of it, by unit.

Pure functions on normalised words and on the labels that the base's papers have. A part of a name
counts where no other field has it and questions do not say it for something else.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.language.across import field_words_in, sketch_of, without_brackets
from kb_service.language.inflection import base_form
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.services.meaning import JOINING, TOKEN, stems_in

MAX_NAMED = 4
"""So many fields are put in the place of their names; the rules know a word for each."""

_LEXICON = shipped_lexicon()
_HAN_RUN = regex(f"[{HAN}]{{2,}}")
_BRACKETED = re.compile(r"[(\[]([^)\]]*)[)\]]")
_GENERIC = frozenset(_LEXICON.listed("calling", "generic"))
_RECORDS = frozenset(_LEXICON.listed("calling", "records"))
_HAPPENING = _LEXICON.paired("calling", "happening")
_WHICH_DONE = _LEXICON.paired("calling", "which_done")
_WHAT_DONE = regex("|".join(_LEXICON.patterns("calling", "what_done")))
_DOER_ENDINGS = tuple(_LEXICON.listed("calling", "doer_endings"))
_DONE_BY = frozenset(_LEXICON.listed("calling", "done_by"))
_COUNTS = _LEXICON.listed("calling", "counts")
_DOERS, _DIGITS = (_LEXICON.characters("calling", key) for key in ("doers", "digits"))
_ASKING, _ASKED, _DENIED, _NOUN_BEFORE, _NOUN_BEHIND, _HAPPENINGS, _HOW_LONG, _LASTING, _FILLERS = (
    regex("|".join(_LEXICON.patterns("calling", key)))
    for key in (
        "asking_before",
        "asked_behind",
        "denied",
        "noun_before",
        "noun_behind",
        "happenings",
        "how_long",
        "lasting",
        "fillers",
    )
)
_NOUN_ASKED = regex("|".join(_LEXICON.patterns("calling", "noun_asked")))
_NUMBER_UNIT = regex(rf"(?<=[\d{_DIGITS}])(?![{_DIGITS}])[{HAN}]{{1,2}}")
_WORD_FOR = re.compile(r"\bfield(\d)")
_MAX_RUN, _MIN_STEM = 4, 3
_OF_RECORDS = (FactField.NUMBER, FactField.KIND, FactField.TIME)
"""Fields whose labels say what a record is called: claim no., type of fault, opened at."""


@dataclass(slots=True)
class Called:
    """Words in which the names of fields are words of the rules: `fields` by what the rules say.

    `how_long`: the words that asked for the length of something, which are gone.
    """

    words: str
    fields: dict[str, str] = field(default_factory=dict)
    how_long: str = ""

    def with_figures(self, numeric: Collection[str]) -> None:
        """Let the fields that are numbers be called so: how many of them there are can be asked."""

        def told(match: re.Match[str]) -> str:
            is_number = self.fields.get(f"#{match[1]}") in numeric
            return f"figure{match[1]}" if is_number else match.group()

        self.words = _WORD_FOR.sub(told, self.words)

    def asks_which(self, name: str) -> bool:
        """True where the words ask which of a field, or of each of it, there is."""
        places = "|".join(self._places(name))
        asked = rf"(?:{_ASKING.pattern})\s*(?:{places})|(?:{places})\s*(?:{_ASKED.pattern})"
        return bool(places and regex(asked).search(self.words))

    def is_denied(self, name: str) -> bool:
        """True where the word right before a field denies it: without a witness."""
        places = "|".join(self._places(name))
        return bool(places and regex(rf"(?:{_DENIED.pattern})\s*(?:{places})").search(self.words))

    def leave_out(self, name: str) -> None:
        """Put a comma in the place of a field, with the word before that denies it."""
        if places := "|".join(self._places(name)):
            self.words = regex(rf"(?:{_DENIED.pattern})?\s*(?:{places})").sub(",", self.words)

    def list_what_was_done(self) -> None:
        """Let words that ask what somebody did ask for those happenings."""
        for language, which in _WHICH_DONE.items():
            if language == ("en" if self.words.isascii() else "zh"):
                self.words = _WHAT_DONE.sub(which, self.words)

    def _places(self, name: str) -> list[str]:
        return [f"(?:field|figure){key[1:]}" for key, one in self.fields.items() if one == name]


@dataclass(frozen=True, slots=True)
class Labels:
    """How papers of a base call what they state: `fields`, labels with the field of each.

    `people`: labels of people, which are fields of their own. `have`: all other fields of the base.
    """

    fields: Mapping[str, str]
    people: Collection[str]
    have: Collection[str]

    @property
    def of_records(self) -> tuple[str, ...]:
        """The labels that say what a record is called."""
        return tuple(
            label
            for label, name in self.fields.items()
            if name in _OF_RECORDS or normalise(label) in _RECORDS
        )


def exactly_called(words: str, fields: Collection[str]) -> Called:
    """Return the words with the fields that are named whole."""
    found = Called(words)
    for name in sorted(set(fields) - STANDARD_FIELDS, key=lambda one: (-len(one), one)):
        any(_put(found, _whole(way), name) for way in _ways(normalise(name)))
    return found


def called_in(words: str, labels: Labels) -> Called:
    """Return the words of a question with what the base calls its fields in place of the names."""
    found = Called(words)
    if long := _HOW_LONG.search(words):
        found.how_long = long.group()
        found.words = _LASTING.sub(_blank, _HOW_LONG.sub(_blank, found.words))
    _put_names(found, labels)
    _put_doers(found, labels)
    found.words = _records_called(found.words, labels)
    _put_parts(found, labels)
    _put_units(found, labels)
    found.words = _FILLERS.sub(_blank, found.words)
    return found


def _blank(match: re.Match[str]) -> str:
    return "," * len(match.group())


def _put_names(found: Called, labels: Labels) -> None:
    for label in sorted(labels.fields, key=lambda one: (-len(one), one)):
        if label in labels.of_records and not _is_long(normalise(label)):
            continue  # fault, opened: what records are called, and no field that is asked for
        for name in _ways(normalise(label)):
            is_known = _read_as(name) == frozenset({labels.fields[label]})
            if is_known or _put(found, _whole(name), labels.fields[label]):
                break


def _is_long(label: str) -> bool:
    bare = without_brackets(label)
    return len(TOKEN.findall(bare)) > 1 or (len(bare) > 2 and not bare.isascii())


def _ways(name: str) -> Iterator[str]:
    """Yield what a column is called in questions: with its unit, without, without its head."""
    bare = without_brackets(name)
    yield from dict.fromkeys((name, bare))
    head, _, behind = bare.rpartition(" ")
    if head and not behind.isascii():
        yield behind


def _whole(name: str) -> re.Pattern[str]:
    if name.isascii():
        return re.compile(rf"(?<![a-z0-9]){re.escape(name)}(?:e?s)?(?![a-z0-9])")
    return re.compile(re.escape(name))


def _put(found: Called, name: re.Pattern[str], meant: str) -> bool:
    """Put the word of the rules for a field in the place of its name; False where it is not."""
    match = name.search(found.words)
    if not match or len(match.group()) < 2:
        return False
    word = _word_for(found, meant)
    if word is None:
        return False
    found.words = name.sub(word, found.words)
    return True


def _word_for(found: Called, meant: str) -> str | None:
    place = next((key for key, name in found.fields.items() if name == meant), None)
    if place is None:
        if len(found.fields) >= MAX_NAMED:
            return None
        place = f"#{len(found.fields)}"
        found.fields[place] = meant
    return f"field{place[1:]}"


def _put_parts(found: Called, labels: Labels) -> None:
    """Read parts of labels, the longest first; what only one has before what several have."""
    stems = {one: _stems(one) for one in labels.fields if one not in labels.of_records}
    parts = [*_latin_parts(found.words, stems), *_han_parts(found.words, labels)]
    for part, owners in sorted(parts, key=lambda one: (len(one[1]) > 1, -len(one[0]), one[0])):
        if not _is_telling(part, labels):
            continue
        fields = {labels.fields[one] for one in owners}
        # Of several that have a part the one that the words name otherwise as well.
        named = fields if len(fields) == 1 else fields.intersection(found.fields.values())
        if len(named) == 1:
            _put(found, _whole(part), *named)


def _stems(label: str) -> frozenset[str]:
    return stems_in(_BRACKETED.sub(" ", normalise(label)))


def _latin_parts(words: str, stems: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, set[str]]]:
    """Yield runs of words that labels have, with those labels."""
    tokens = list(TOKEN.finditer(words))
    for size in range(_MAX_RUN, 0, -1):
        for first in range(len(tokens) - size + 1):
            run = tokens[first : first + size]
            part = words[run[0].start() : run[-1].end()]
            wanted = {base_form(one.group()) for one in run if one.group() not in JOINING}
            is_run = "," not in part and len(wanted) == size
            owners = {label for label, own in stems.items() if wanted <= own} if is_run else set()
            if owners:
                yield part, owners


def _han_parts(words: str, labels: Labels) -> Iterator[tuple[str, set[str]]]:
    """Yield beginnings and ends of labels, of two characters or more, that the words have."""
    owners: dict[str, set[str]] = {}
    for label, name in labels.fields.items():
        bare = without_brackets(normalise(label))
        if name in _OF_RECORDS or not _HAN_RUN.fullmatch(bare):
            continue
        for size in range(2, len(bare)):
            for part in {bare[:size], bare[-size:]}:
                owners.setdefault(part, set()).add(label)
    known = list(field_words_in(words))
    yield from ((part, own) for part, own in owners.items() if _stands_in(words, part, known))


def _stands_in(words: str, part: str, known: Collection[tuple[int, int]]) -> bool:
    """True where a part stands in the words and never within a longer word that the rules know."""
    places = [match.span() for match in re.finditer(re.escape(part), words)]
    within = [
        place
        for place in places
        for start, end in known
        if start < place[1] and place[0] < end and (start < place[0] or place[1] < end)
    ]
    return bool(places) and not within


@lru_cache(maxsize=4096)
def _read_as(part: str) -> frozenset[str] | None:
    """The fields that the rules take words for; None where they take them for nothing."""
    sketch = sketch_of(part)
    if sketch.rest:
        return None
    return frozenset((*sketch.columns, *sketch.measured))


def _is_telling(part: str, labels: Labels) -> bool:
    """True for words that the rules do not know, or know for a field that the base has not."""
    if part in _GENERIC:
        return False
    known = _read_as(part)
    return known is None or (bool(known) and not known & {*labels.have})


def _put_doers(found: Called, labels: Labels) -> None:
    """Read what somebody did, beside a name, as the label of who does it."""
    for label in labels.people:
        bare = without_brackets(normalise(label))
        if len(bare) > 2 and bare[-1] in _DOERS:
            _put(found, re.compile(f"(?<=,){re.escape(bare[:-1])}"), label)
        elif done := _done(bare):
            _put_done(found, done, label)


def _done(label: str) -> tuple[str, ...]:
    """Return what somebody does who is called so, its verb in base form; () where that is open.

    An assessor: assess; signed off by: sign off.
    """
    words = TOKEN.findall(label)
    if len(words) > 1 and words[-1] in _DONE_BY:
        return (base_form(words[0]), *words[1:-1])
    last = words[-1] if words else ""
    ending = next((one for one in _DOER_ENDINGS if last.endswith(one)), "")
    stem = last.removesuffix(ending)
    return (base_form(stem),) if ending and len(stem) >= _MIN_STEM else ()


def _put_done(found: Called, done: Sequence[str], label: str) -> None:
    """Put the label for its verb right behind a name, or before one: assessed by."""
    tokens = list(TOKEN.finditer(found.words))
    for at, token in enumerate(tokens):
        told = [base_form(token.group()), *(one.group() for one in tokens[at + 1 : at + len(done)])]
        if told != list(done):
            continue
        last = at + len(done)
        is_passive = last < len(tokens) and tokens[last].group() in _DONE_BY
        end = tokens[last if is_passive else last - 1].end()
        is_behind = found.words[: token.start()].rstrip().endswith(",")
        is_before = is_passive and found.words[end:].lstrip().startswith(",")
        if is_behind or is_before:
            _put(found, re.compile(re.escape(found.words[token.start() : end])), label)
            return


def _put_units(found: Called, labels: Labels) -> None:
    """Read the unit behind a number as the field that is counted in it: 500 households."""
    own = {label: name for label, name in labels.fields.items() if name not in STANDARD_FIELDS}

    def put(match: re.Match[str]) -> str:
        for size in range(len(match.group()), 0, -1):
            unit, behind = match.group()[:size], match.group()[size:]
            names = {name for label, name in own.items() if _is_in(unit, normalise(label))}
            if len(names) != 1:
                continue
            name = next(iter(names))
            if name in found.fields.values():
                return behind
            return (_word_for(found, name) or unit) + behind
        return match.group()

    found.words = _NUMBER_UNIT.sub(put, found.words)


def _is_in(unit: str, label: str) -> bool:
    """True for what a column is counted in, by its brackets or as the end of its name says."""
    counts = tuple(f"{unit}{one}" for one in _COUNTS)
    return unit in _BRACKETED.findall(label) or without_brackets(label).endswith(counts)


def _records_called(words: str, labels: Labels) -> str:
    """Put a common word for happenings in the place of what the base calls its records."""
    called = (one for one in labels.of_records if labels.fields[one] != FactField.TIME)
    for noun in dict.fromkeys(noun for label in called for noun in _nouns(normalise(label))):
        words = _noun_put(words, noun)
    # 几起异常, where 异常情况 says what: those are counted. Elsewhere the column is meant.
    for noun in (noun for label in labels.fields for noun in _nouns(normalise(label))):
        if noun in _RECORDS and not noun.isascii():
            words = _asked_noun_put(words, noun)
    return _HAPPENINGS.sub(lambda match: _happening(match.group()), words)


def _nouns(label: str) -> list[str]:
    """The one word of a label beside those that any label may have: claim ref, type of fault."""
    bare = without_brackets(label)
    if _HAN_RUN.fullmatch(bare):
        called = [bare[:2]] if bare[2:] in _GENERIC else []
    else:
        called = [one for one in TOKEN.findall(bare) if one not in {*JOINING, *_GENERIC}]
    return called if len(called) == 1 and _is_noun(called[0]) else []


def _is_noun(word: str) -> bool:
    return len(word) > 1 and word not in _GENERIC and _read_as(word) is None


def _noun_put(words: str, noun: str) -> str:
    if noun.isascii():
        return re.sub(rf"\b{re.escape(noun)}(?:e?s)?\b", _happening(noun), words)

    def put(match: re.Match[str]) -> str:
        is_noun = _NOUN_BEFORE.search(words[: match.start()]) or _NOUN_BEHIND.match(
            words, match.end()
        )
        return _happening(noun) if is_noun else "," * len(noun)

    return re.sub(re.escape(noun), put, words)


def _asked_noun_put(words: str, noun: str) -> str:
    """Put a common word for happenings where it is asked how many or which of them there are."""

    def put(match: re.Match[str]) -> str:
        is_asked = _NOUN_ASKED.search(words[: match.start()])
        return _happening(noun) if is_asked else noun

    return re.sub(re.escape(noun), put, words)


def _happening(noun: str) -> str:
    return _HAPPENING["en" if noun.isascii() else "zh"]


def called_happening(text: str, noun: str) -> str:
    """Return a question with the common word for happenings in the place of a normalised noun."""
    return re.sub(_whole(noun).pattern, _happening(noun), text, flags=re.IGNORECASE)
