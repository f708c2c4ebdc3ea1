"""Words that nothing reads, looked for in what records tell at length: as a condition, or none.

Each word has to stand in the same text, in any form and order, where nothing is denied. What the
names of all papers of the records say narrows nothing. Drops no other word; knows no rules of
questions.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from kb_service.domain.facts import STANDARD_FIELDS
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.inflection import base_form
from kb_service.language.lexicon import HAN
from kb_service.language.regexes import regex
from kb_service.services.meaning import JOINING, TOKEN, is_called, says_all, stems_in
from kb_service.services.vocabulary import KnownBase

MAX_PARTED = 8
"""Characters of words that are looked for in two parts; longer ones are a clause."""

MAX_VALUES = 12
"""So many texts may stand for words of which they have no form in common."""

_HAN_ONLY = regex(f"[{HAN}]+")
_BETWEEN = 2
"""So many characters may part a verb of one from what it is done to: 摘除马蜂窝."""

_BETWEEN_WORDS = 4


def mentioned_in(
    rest: Iterable[str], filters: Filters, base: KnownBase, within: Collection[str]
) -> tuple[list[str], Filters]:
    """Return the words that no text mentions, and the filters with those that texts of one do."""
    left = list[str]()
    words = list(filter(None, rest))
    if not words:
        return left, filters
    own = [name for name in base.own if name in within]
    few = base.categories(own)
    texts = [name for name in own if name not in few]
    for one in words:
        told = (_anywhere(one, texts, base) or _mention(one, texts, base)) if texts else None
        if told is not None:
            filters = filters.merged(told)
        elif not _is_called(one, base):
            left.append(one)
    return left, filters


def is_whole(words: str, field: str, base: KnownBase) -> bool:
    """True where words stand in a field's values only as whole words: work, not working."""
    if not words.isascii() or field in STANDARD_FIELDS:
        return True
    word = re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
    found = base.vocabulary.texts(base.kb_id, words, [field])
    return bool(found) and all(word.search(text) for _, text in found)


def _is_called(words: str, base: KnownBase) -> bool:
    """True for words of which the name of every paper with records has each."""
    return base.vocabulary.are_called(base.kb_id, lambda called: is_called(called, words))


def _anywhere(words: str, fields: Sequence[str], base: KnownBase) -> Filters | None:
    """Return the filter by words that texts of several fields have as they stand.

    Registers of one base may call by several names what each of their rows tells.
    """
    holding = base.vocabulary.holding(base.kb_id, words, fields) if len(words) > 1 else frozenset()
    if len(holding) < 2 or not all(is_whole(words, name, base) for name in holding):
        return None
    return Filters(text=(words,))


def _mention(words: str, fields: Sequence[str], base: KnownBase) -> Filters | None:
    """Return the filter by the texts of one field that mention the words; None else."""
    if _HAN_ONLY.fullmatch(words):
        return _mention_in_parts(words, fields, base) if 2 < len(words) <= MAX_PARTED else None
    tokens = [one for one in TOKEN.findall(words) if one not in JOINING]
    if not tokens or not words.isascii():
        return None
    wanted = stems_in(words)
    longest = max(wanted, key=len)

    def is_told(text: str) -> bool:
        return says_all(stems_in(text), wanted)

    return _by(tokens, fields, base, looked_for=longest, is_told=is_told)


def _mention_in_parts(words: str, fields: Sequence[str], base: KnownBase) -> Filters | None:
    for first, last in _parted(words):
        between = _BETWEEN if min(len(first), len(last)) == 1 else _BETWEEN_WORDS
        told = re.compile(rf"{re.escape(first)}.{{0,{between}}}{re.escape(last)}")
        longest = max(first, last, key=len)
        found = _by(
            (longest, min(first, last, key=len)),
            fields,
            base,
            looked_for=longest,
            is_told=lambda text, told=told: bool(told.search(text)),  # type: ignore[misc]
        )
        if found is not None:
            return found
    return None


def _parted(words: str) -> Iterator[tuple[str, str]]:
    """Yield words in two parts, those with the longest part first."""
    places = sorted(range(1, len(words)), key=lambda at: -max(at, len(words) - at))
    yield from ((words[:at], words[at:]) for at in places)


def _by(
    terms: Sequence[str],
    fields: Sequence[str],
    base: KnownBase,
    *,
    looked_for: str,
    is_told: Callable[[str], bool],
) -> Filters | None:
    """Return the filter by all the terms where just the texts that tell have them."""
    found = base.vocabulary.texts(base.kb_id, looked_for, fields)
    told = [(field, text) for field, text in found if is_told(text)]
    if len({field for field, _ in told}) != 1:
        return None
    (field,) = {field for field, _ in told}
    texts = [text for _, text in told]
    common = [_common(term, texts) for term in dict.fromkeys(terms)]
    others = [text for name, text in found if name == field and text not in texts]
    is_exact = all(common) and not any(all(one in text for one in common) for text in others)
    if is_exact:
        by_each: tuple[FieldFilter, ...] = (FieldFilter(field, text=common[0]),)
        for one in common[1:]:
            by_each = (*by_each[:-1], *by_each[-1].also(FieldFilter(field, text=one)))
        return Filters(fields=by_each)
    if len(texts) > MAX_VALUES:
        return None
    return Filters(fields=(FieldFilter(field, any_of=tuple(texts)),))


def _common(term: str, texts: Sequence[str]) -> str:
    """Return a term, or what its forms share, where all the texts have that; "" else."""
    forms = (term, base_form(term))
    return next((one for one in forms if all(one in text for text in texts)), "")
