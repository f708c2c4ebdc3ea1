"""Names of one script as they are written in the other: 青石岭 is Qingshiling, 哈洛 is Harlow.

Pure functions. A Chinese name is its pinyin; a foreign one is told by what its characters sound
like, within a measured distance. Knows readings without tones; knows no words, and nothing of
names that are translated by their meaning.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from kb_service.language.homophones import readings
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex

MAX_DISTANCE = 0.38
"""Of two names, per consonant. Chosen on half of 171 usual renderings; of the other half, which
was seen too, 87 % are met, and 1.5 % of the pairs of a rendering and another's name."""

MIN_LETTERS = 5
"""A shorter pinyin stands in too many words."""

_FOREIGN = frozenset(shipped_lexicon().characters("transliteration", "characters"))
_HAN = regex(f"[{HAN}]")
_CAPITALISED = regex(r"(?<![\w-])[A-Z][a-z]+(?:['’.-]?[A-Za-z]+)*(?:[ -][A-Z][a-z]+)?")
_SYLLABLE = regex(r"(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?([aeiouv]+)(ng?|r)?")
_CLASSES = {
    **dict.fromkeys("bp", "p"),
    **dict.fromkeys("dt", "t"),
    **dict.fromkeys("gk", "k"),
    **dict.fromkeys("fv", "f"),
    **dict.fromkeys("lr", "l"),
    **dict.fromkeys(("z", "c", "s", "zh", "ch", "sh", "j", "q", "x"), "s"),
    "y": "",
}
_SPELT = {
    **dict.fromkeys(("tch", "sch", "sh", "ch", "th", "j", "z"), "s"),
    **dict.fromkeys(("ck", "gh", "q", "c", "g"), "k"),
    "ph": "f",
    "wh": "w",
    "wr": "l",
    "kn": "n",
    "qu": "kw",
    "x": "ks",
    "y": "i",
}
_SOFT = regex(r"[cg](?=[eiy])")
_SPELLINGS = regex("|".join(sorted(_SPELT, key=len, reverse=True)) + "|.")
_VOWELS = frozenset("aeiou")
_LIGHT = {"w": 0.25, "l": 0.45, "h": 0.35, "f": 0.5, "n": 0.6, "m": 0.7}
"""What a consonant costs that one side lacks; others 0.75. An r before another is never written."""

_NEAR = {
    frozenset(pair): cost
    for pair, cost in {
        "mn": 0.3,
        "st": 0.4,
        "hf": 0.4,
        "wf": 0.2,
        "hw": 0.4,
        "kh": 0.4,
        "sk": 0.5,
        "nl": 0.6,
    }.items()
}
_MAX_FIRST = 0.5
"""Names begin alike."""


def is_rendered(name: str, typed: str) -> bool:
    """True when a text in Latin letters has a Chinese name in its pinyin, or a foreign one in its
    own spelling. `typed`: with its capitals.
    """
    letters = typed.lower()
    return any(p.search(letters) for p in _pinyin_patterns(name)) or any(
        distance(sounds_of_han(name[:end]), sounds_of_latin(word)) <= MAX_DISTANCE
        for end in _foreign_ends(name)
        for word in _capitalised(typed)
    )


def spellings(names: Iterable[str]) -> tuple[str, ...]:
    """Return the usual pinyin of those of some names that are all in characters, as one word."""
    whole = (name for name in names if all(map(_HAN.match, name)))
    spelt = ("".join(readings(character)[0] for character in name) for name in whole)
    return tuple(word for word in spelt if word.isascii() and len(word) >= MIN_LETTERS)


def is_pinyin_in(word: str, text: str) -> bool:
    """True when a text has characters that a folded word is the pinyin of."""
    return len(word) >= MIN_LETTERS and any(
        _spells(word, text, match.start()) for match in _HAN.finditer(text)
    )


def distance(one: str, other: str) -> float:
    """Return how far two names are from each other in sound, per consonant; 1 and more is far."""
    if not one or not other or not _begin_alike(one[0], other[0]):
        return 1.0
    row = [0.0]
    for sound in other:
        row.append(row[-1] + _lacking(sound))
    for sound in one:
        new = [row[0] + _lacking(sound)]
        for place, beside in enumerate(other):
            gone = min(new[-1] + _lacking(beside), row[place + 1] + _lacking(sound))
            new.append(min(gone, row[place] + _instead(sound, beside)))
        row = new
    num_consonants = sum(sound not in _VOWELS for sound in one + other)
    return row[-1] / max(num_consonants / 2, 1.5)


def _begin_alike(one: str, other: str) -> bool:
    return one == other or _instead(one, other) <= _MAX_FIRST


def _lacking(sound: str) -> float:
    return 0.12 if sound in _VOWELS else _LIGHT.get(sound, 0.75)


def _instead(one: str, other: str) -> float:
    if one == other:
        return 0.0
    num_vowels = (one in _VOWELS) + (other in _VOWELS)
    if num_vowels:
        return 0.15 if num_vowels == 2 else 1.2
    return _NEAR.get(frozenset(one + other), 1.0)


@lru_cache(maxsize=256)
def _pinyin_patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """The name and what it begins with, the shorter the less may follow."""
    spelt = [sorted(readings(character)) for character in name]
    if not all(spelt) or len(name) < 2:
        return ()
    parts = ["(?:" + "|".join(map(re.escape, each)) + ")" for each in spelt]
    whole = [rf"(?<![a-z]){_joined(parts[:end])}" for end in range(3, len(parts) + 1)]
    return tuple(re.compile(p) for p in (*whole, rf"(?<![a-z]){_joined(parts[:2])}(?![a-z])"))


def _joined(parts: Iterable[str]) -> str:
    return r"['’ -]?".join(parts)


def _foreign_ends(name: str) -> Iterator[int]:
    """Yield the length of what a name begins with that may render a foreign one, if any."""
    end = next((n for n, c in enumerate(name) if c not in _FOREIGN), len(name))
    if end >= 2:
        yield end


@lru_cache(maxsize=64)
def _capitalised(typed: str) -> frozenset[str]:
    """The words with a capital, and two of them as one name."""
    found = {match.group() for match in _CAPITALISED.finditer(typed)}
    return frozenset(found | {word for name in found for word in re.split("[ -]", name)})


@lru_cache(maxsize=1024)
def sounds_of_han(name: str) -> str:
    """Return the sounds of characters: one letter a consonant class, one a vowel."""
    return "".join(_sounds_of_syllable(readings(character)[0]) for character in name)


def _sounds_of_syllable(reading: str) -> str:
    match = _SYLLABLE.fullmatch(reading)
    if match is None:
        return ""
    initial, vowels, end = (group or "" for group in match.groups())
    if initial == "h" and vowels.startswith("ua"):
        initial, vowels = "w", "a"
    first = "" if (initial, vowels) == ("w", "u") else _CLASSES.get(initial, initial)
    vowel = re.sub("[uv](?=[aei])", "", vowels)[:1].replace("v", "u")
    return first + vowel + ({"": "", "r": "l"}.get(end, "n"))


@lru_cache(maxsize=4096)
def sounds_of_latin(name: str) -> str:
    """Return the sounds of a name in Latin letters, in the same way."""
    letters = re.sub(r"(.)\1", r"\1", re.sub("[^a-z]", "", name.lower()))
    letters = _SOFT.sub("s", re.sub("w(?![aeiouy])", "", letters))
    said = "".join(
        _SPELT.get(m.group(), _CLASSES.get(m.group(), m.group()))
        for m in _SPELLINGS.finditer(letters)
    )
    return re.sub("([aeiou])[aeiou]+", r"\1", said)


def _spells(word: str, text: str, place: int) -> bool:
    """True when the characters from a place on spell the word to its end."""
    if not word:
        return True
    if place >= len(text):
        return False
    return any(
        word.startswith(reading) and _spells(word[len(reading) :], text, place + 1)
        for reading in readings(text[place])
        if _HAN.match(text[place])
    )
