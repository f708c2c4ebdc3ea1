"""Where known names stand in a text again, whole or by one of their words, however they are spaced.

Pure functions. Cost is that of the text, whatever number of names is known.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK, HAN
from kb_service.language.personal.numbers import folded
from kb_service.language.regexes import regex

_THIN = "\u00ad\u200b-\u200d\u2060\ufeff"
_GAP = f"[ \u3000{_THIN}]*"
_HAN_RUN = regex(f"[{HAN}](?:{_GAP}(?:\n{_GAP})?[{HAN}·•])+")
_LETTER = rf"[^\W\d_{CJK}]"
_WORD = regex(rf"{_LETTER}+(?:(?:['’](?!s(?!{_LETTER}))|[.-]+){_LETTER}+)*")
"""A possessive ends a name."""
_BETWEEN_WORDS = regex(r"[\s,.]{0,3}")
_HAN = regex(f"[{HAN}]")
_NEXT_WORD = regex(r"[ ]([A-Z][a-z]+)")
_TOKEN = regex("[a-z0-9]+")
_BETWEEN_TOKENS = regex(rf"[^\w]{{1,3}}|[{_THIN}\s]{{1,5}}")
_MAX_TOKENS = 20
_MIN_PART = 3
"""A shorter word of a name stands in too many others to be taken for it."""
_MAX_HAN = 12


@dataclass(frozen=True, slots=True)
class KnownNames:
    """Names as they are looked for: `han` in a script without spaces; `words` of others, folded:
    each is hidden where it begins with a capital, as all do in `whole`."""

    han: frozenset[str]
    lengths: tuple[int, ...]
    words: frozenset[str]
    whole: frozenset[tuple[str, ...]]
    longest: int = 0
    """Words of the longest name of `whole`."""

    @classmethod
    def of(cls, names: Iterable[str]) -> "KnownNames":
        """Return names ready to be looked for."""
        han: set[str] = set()
        words: set[str] = set()
        whole: set[tuple[str, ...]] = set()
        for name in names:
            if _HAN.search(name):
                han.add(re.sub(rf"[\s{_THIN}]", "", name))
            else:
                parts = tuple(part.casefold() for part in _WORD.findall(name))
                whole.add(parts)
                words.update(part for part in parts if len(part) >= _MIN_PART)
        lengths = tuple(sorted({len(name) for name in han if len(name) <= _MAX_HAN}, reverse=True))
        longest = max(map(len, whole), default=0)
        return cls(frozenset(han), lengths, frozenset(words), frozenset(whole), longest)

    def __or__(self, other: "KnownNames") -> "KnownNames":
        lengths = tuple(sorted({*self.lengths, *other.lengths}, reverse=True))
        return KnownNames(
            self.han | other.han,
            lengths,
            self.words | other.words,
            self.whole | other.whole,
            max(self.longest, other.longest),
        )


NO_NAMES = KnownNames.of(())


def names_again(text: str, known: KnownNames) -> list[TextSpan]:
    """Return where known names stand in a text."""
    return [*_han_again(text, known), *_words_again(text, known)]


def _han_again(text: str, known: KnownNames) -> Iterator[TextSpan]:
    if not known.han:
        return
    for run in _HAN_RUN.finditer(text):
        at = [run.start() + n for n, c in enumerate(run.group()) if _HAN.match(c) or c in "·•"]
        characters = "".join(text[place] for place in at)
        start = 0
        while start < len(characters):
            left = len(characters) - start
            fitting = (n for n in known.lengths if n <= left)
            length = next((n for n in fitting if characters[start : start + n] in known.han), 0)
            if length:
                yield TextSpan(at[start], at[start + length - 1] + 1)
            start += length or 1


def _words_again(text: str, known: KnownNames) -> Iterator[TextSpan]:
    if not known.whole:
        return
    words = [(m.start(), m.end(), m.group().casefold()) for m in _WORD.finditer(text)]
    place = 0
    while place < len(words):
        count = _count_at(text, words, place, known.longest, known.whole)
        if count:
            yield TextSpan(words[place][0], words[place + count - 1][1])
        elif _is_part(text, words, place, known.words):
            yield TextSpan(*words[place][:2])
        place += count or 1


_Words = list[tuple[int, int, str]]


def _count_at(
    text: str, words: _Words, place: int, longest: int, whole: Collection[tuple[str, ...]]
) -> int:
    """Return of how many words the longest name is that begins at a word, 0 for none."""
    parts: list[str] = []
    found = 0
    for number in range(place, min(place + longest, len(words))):
        if parts and not _BETWEEN_WORDS.fullmatch(text, words[number - 1][1], words[number][0]):
            break
        parts.append(words[number][2])
        if tuple(parts) in whole and (len(parts) > 1 or text[words[place][0]].isupper()):
            found = len(parts)
    return found


def _is_part(text: str, words: _Words, place: int, parts: Collection[str]) -> bool:
    """True for a word of a name that stands in no other name: Brown, not Brown Street."""
    start, end, word = words[place]
    if word not in parts or not text[start].isupper():
        return False
    follows = _NEXT_WORD.match(text, end)
    return follows is None or follows[1].casefold() in parts


def numbers_again(text: str, known: Collection[str]) -> Iterator[tuple[TextSpan, str]]:
    """Yield where numbers stand again, however parted. `known`: their letters and digits alone."""
    if not known:
        return
    tokens = [(m.start(), m.end(), m.group()) for m in _TOKEN.finditer(folded(text))]
    place = 0
    while place < len(tokens):
        count = _tokens_at(text, tokens, place, known)
        if count:
            number = "".join(token for _, _, token in tokens[place : place + count])
            yield TextSpan(tokens[place][0], tokens[place + count - 1][1]), number
        place += count or 1


def _tokens_at(text: str, tokens: _Words, place: int, known: Collection[str]) -> int:
    joined, found = "", 0
    for number in range(place, min(place + _MAX_TOKENS, len(tokens))):
        if joined and not _BETWEEN_TOKENS.fullmatch(text, tokens[number - 1][1], tokens[number][0]):
            break
        joined += tokens[number][2]
        if joined in known:
            found = number - place + 1
    return found
