"""What a text claims, and what it is evidence of.

Pure functions on normalised text. A claim is a content word, a quantity, or a character with its
neighbours in a script without spaces; each has ways in which it can be met. A negation is none.
Knows no clauses and decides nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb_service.language.inflection import base_form
from kb_service.language.lexicon import BULLETS, CJK, any_of, shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.polarity import negations_in
from kb_service.language.quantities import HELD, Quantity, held, units_named
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_FUNCTION = frozenset(_LEXICON.listed("wording", "function"))
_FUNCTION_CHARACTERS = frozenset(_LEXICON.characters("wording", "characters"))
_COUNTERS = _LEXICON.characters("wording", "counters")
_NUMERAL_CHARACTERS = frozenset({**NUMERALS.digits, **NUMERALS.powers})
_CLASSES = _LEXICON.paired("wording", "same")
_SAME = regex(
    rf"(?<![a-z0-9])(?:{any_of(word for word in _CLASSES if word.isascii())})(?![a-z0-9])"
    rf"|{any_of(word for word in _CLASSES if not word.isascii())}"
)
_SILENT = regex(any_of(word for word in _FUNCTION if not word.isascii()))
_ATTRIBUTION = regex("|".join(_LEXICON.patterns("wording", "attributions")))
_NUMERALS, _MARKS = (
    re.escape(_LEXICON.characters("sentences", key)) for key in ("list_numerals", "list_marks")
)
_ITEM_MARK = regex(
    rf"\s*(?:[-*{BULLETS}]+\s|\(?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})(?:[.){_MARKS}](?!\d)))"
)
_ELEMENT = regex(
    rf"(?P<held>{HELD}+)|(?P<character>[{CJK}])|(?P<space>\s+)"
    rf"|(?P<word>[^\W_{CJK}]+(?:[-./:@_'’+#&]+[^\W_{CJK}]+)*)|(?P<mark>.)",
    re.DOTALL,
)
_JOINT = regex(r"[-./:@_+#&]+")
_CONTRACTED = regex(r"n['’]t$")


@dataclass(frozen=True, slots=True)
class Claim:
    """Something said at `start` to `end`; met where one of `ways` is evident as a whole.

    `weight`: how much of the wording it is, 1 for a word; 0 < weight.
    """

    start: int
    end: int
    ways: tuple[frozenset[str], ...]
    weight: float
    is_word: bool = True

    def is_met(self, evidence: frozenset[str]) -> bool:
        """True when the evidence holds one of the ways."""
        return any(way <= evidence for way in self.ways)


@dataclass(frozen=True, slots=True)
class _Character:
    """A character of a run, or HELD for a quantity in it. `is_open`: it binds no neighbour."""

    text: str
    start: int
    end: int
    is_open: bool


Fact = tuple[int, str]
"""(where, key of what is evident there)"""


@dataclass(frozen=True, slots=True)
class Said:
    """What is said in a text: `held` is the text with its quantities hidden, so that no mark in
    them parts anything. All in the order of the text, but for the facts."""

    held: str
    claims: tuple[Claim, ...]
    negations: tuple[tuple[int, int], ...]
    facts: tuple[Fact, ...]


def said_in(normalised: str) -> Said:
    """Read a normalised text."""
    text, quantities = held(normalised)
    negations = negations_in(text)
    classes = [(m.span(), _CLASSES[m.group()]) for m in _SAME.finditer(text)]
    silent = _silent(text, [*negations, *(span for span, _ in classes)])
    runs = list(_runs(text, silent))
    claims = [
        *map(_quantity_claim, quantities),
        *(Claim(*span, (frozenset([f"s:{name}"]),), 1.0) for span, name in classes),
        *_word_claims(text, silent),
        *(claim for run in runs for claim in _character_claims(run, silent)),
    ]
    attributed = _attributed(normalised)
    # A number alone is no number of a list item.
    made = [claim for claim in claims if claim.start not in attributed] or claims
    facts = [
        *(fact for item in quantities for fact in _quantity_facts(item)),
        *((start, f"u:{unit}") for start, unit in units_named(normalised)),
        *((span[0], f"s:{name}") for span, name in classes),
        *_word_facts(text),
        *(fact for run in runs for fact in _character_facts(run)),
    ]
    ordered = sorted(made, key=lambda claim: claim.start)
    return Said(text, tuple(ordered), tuple(negations), tuple(facts))


def _silent(text: str, spans: list[tuple[int, int]]) -> frozenset[int]:
    """Return the places at which no word is read for itself."""
    function = [match.span() for match in _SILENT.finditer(text)]
    return frozenset(place for a, b in [*spans, *function] for place in range(a, b))


def _attributed(normalised: str) -> frozenset[int]:
    """Return the places at which a sentence says where it is from or stands in a list."""
    spans = [match.span() for match in _ATTRIBUTION.finditer(normalised)]
    item = _ITEM_MARK.match(normalised)
    spans += [item.span()] if item else []
    return frozenset(place for a, b in spans for place in range(a, b))


def _quantity_claim(item: Quantity) -> Claim:
    ways = [frozenset([f"v:{item.value}"])]
    if item.unit:
        ways = [
            frozenset([f"m:{item.value}|{item.unit}"]),
            # A form names the unit in its label.
            frozenset([f"n:{item.value}", f"u:{item.unit}"]),
        ]
    elif item.parts:
        ways.append(frozenset(f"w:{base_form(part)}" for part in item.parts))
    return Claim(item.start, item.end, tuple(ways), 1.0, is_word=False)


def _quantity_facts(item: Quantity) -> Iterator[Fact]:
    yield item.start, f"m:{item.value}|{item.unit}" if item.unit else f"n:{item.value}"
    for value in (item.value, *item.implied):
        yield item.start, f"v:{value}"
    for part in item.parts:
        yield item.start, f"w:{base_form(part)}"


def _word_claims(text: str, silent: frozenset[int]) -> Iterator[Claim]:
    for match in _ELEMENT.finditer(text):
        word = _CONTRACTED.sub("", match["word"] or "")
        if not word or match.start() in silent or word in _FUNCTION:
            continue
        parts = [part for part in _JOINT.split(word) if part and part not in _FUNCTION]
        ways = [frozenset([f"w:{base_form(word)}"])]
        if len(parts) > 1:
            ways.append(frozenset(f"w:{base_form(part)}" for part in parts))
        if parts:
            yield Claim(match.start(), match.end(), tuple(ways), 1.0)


def _word_facts(text: str) -> Iterator[Fact]:
    for match in _ELEMENT.finditer(text):
        word = _CONTRACTED.sub("", match["word"] or "")
        if word:
            for part in {word, *_JOINT.split(word)}:
                yield match.start(), f"w:{base_form(part)}"


def _runs(text: str, silent: frozenset[int]) -> Iterator[list[_Character]]:
    """Yield the runs of characters without spaces, quantities among them; spaces part nothing."""
    run: list[_Character] = []
    for match in _ELEMENT.finditer(text):
        if match["space"]:
            continue
        if match["held"] or match["character"]:
            sign = HELD if match["held"] else match.group()
            is_open = sign == HELD or sign in _FUNCTION_CHARACTERS or match.start() in silent
            run.append(_Character(sign, match.start(), match.end(), is_open))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _character_claims(run: list[_Character], silent: frozenset[int]) -> Iterator[Claim]:
    numerals = _numerals(run)
    for place, item in enumerate(run):
        if item.text == HELD or item.text in _FUNCTION_CHARACTERS or item.start in silent:
            continue
        before = run[place - 1] if place else None
        after = run[place + 1] if place + 1 < len(run) else None
        pairs = [f"p:{before.text}{item.text}"] if before else []
        pairs += [f"p:{item.text}{after.text}"] if after else []
        if before and before.text == HELD and item.text in _COUNTERS:
            pairs += [f"p:{HELD}{counter}" for counter in _COUNTERS]
        if all(other is None or other.is_open for other in (before, after)):
            pairs.append(f"c:{item.text}")
        if place in numerals:
            pairs.append(numerals[place])
        ways = tuple(frozenset([pair]) for pair in pairs)
        yield Claim(item.start, item.end, ways, 0.5)


def _character_facts(run: list[_Character]) -> Iterator[Fact]:
    for place, item in enumerate(run):
        yield item.start, f"c:{item.text}"
        if place + 1 < len(run):
            yield item.start, f"p:{item.text}{run[place + 1].text}"
    for place, key in _numerals(run).items():
        yield run[place].start, key


def _numerals(run: list[_Character]) -> dict[int, str]:
    """Return the value of each numeral in characters, under every place of it."""
    found: dict[int, str] = {}
    places: list[int] = []
    for place in range(len(run) + 1):
        if place < len(run) and run[place].text in _NUMERAL_CHARACTERS:
            places.append(place)
            continue
        number = NUMERALS.in_characters("".join(run[p].text for p in places))
        if number is not None:
            found |= dict.fromkeys(places, f"v:num:{number}")
        places = []
    return found
