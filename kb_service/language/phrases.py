"""The phrases of a question that its unread words stand in: 病人或家属摔倒, struck by lightning.

Pure functions on the words of a question in which what was read is blank. Knows no records.
"""

from collections.abc import Iterator, Sequence

from kb_service.language.exclusions import leaves_out
from kb_service.language.lexicon import HAN, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.values import stated_values

_APART = regex(r"[,，。;；:：?？!！()（）\n]|\s{2,}")
"""Marks that end a clause, and what was read and is blank: a phrase goes over neither."""

_CLOCK = regex("|".join(shipped_lexicon().patterns("phrases", "clock")))
_GAP = 16
_LETTERS = regex(rf"[a-z{HAN}]")
_NO_PHRASE = ("num:", "time:", "date:", "id:")


def phrases_in(words: str, unread: Sequence[str]) -> tuple[str, ...]:
    """Return the phrases, each from its first unread word to its last; () where none can be judged.

    `words`: of the question, normalised. Numbers, times and what is left out (不算坠床) are no sort
    of happening: where one is unread nothing is returned.
    """
    found = [words[start:end].strip() for start, end in _stretches(words, unread)]
    is_any = bool(found) and len(unread) == sum(1 for one in unread if one in words)
    return tuple(dict.fromkeys(found)) if is_any and all(map(_is_phrase, found)) else ()


def _stretches(words: str, unread: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield where the phrases stand: neighbours within a clause are one."""
    places = sorted({(at, at + len(one)) for one in unread if (at := words.find(one)) >= 0})
    if not places:
        return
    start, end = places[0]
    for first, last in places[1:]:
        gap = words[end:first]
        if len(gap) > _GAP or _APART.search(gap):
            yield start, end
            start = first
        end = max(end, last)
    yield start, end


def _is_phrase(words: str) -> bool:
    is_told = any(value.startswith(_NO_PHRASE) for value in stated_values(words))
    is_other = is_told or _CLOCK.search(words) or leaves_out(words)
    return len(words) > 1 and bool(_LETTERS.search(words)) and not is_other
