"""Words that no rule reads, placed among what records of a base state: as filters.

What cannot be placed is told as it is; no word is dropped. Knows no rules of questions.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.events import event_kinds
from kb_service.language.inflection import singular_forms
from kb_service.language.kind_words import said_otherwise
from kb_service.services.joined_names import is_listed, joined
from kb_service.services.meaning import TOKEN, Meant, value_meant, values_with
from kb_service.services.mentioning import is_whole
from kb_service.services.naming import Names, filter_of
from kb_service.services.values_named import FINDABLE, under_numbers
from kb_service.services.vocabulary import KnownBase

_STANDS_FOR = frozenset({FactField.PLACE, FactField.ORGANISATION})
"""Of these two a name may be either: a service is where it happened as well as who has it."""
_FINDABLE = frozenset({*FINDABLE, FactField.CAUSE})

Placed = tuple[list[str], Filters]
"""The words that are left, and the filters with what was placed."""


def of_kinds(
    rest: Iterable[str], names: Names, asked: str, base: KnownBase
) -> tuple[list[str], Filters]:
    """Read words beside one for a kind with it, where records write the kind so: gas leak.

    Where all write it so, the words restrict nothing.
    """
    left, filters = list[str](), names.filters
    for words in filter(None, rest):
        for called, kind in names.kinds:
            pairs = (f"{words}{called}", f"{words} {called}", f"{called}{words}")
            phrase = next((pair for pair in pairs if pair in asked), None)
            written = base.vocabulary.written_kinds(base.kb_id, kind)
            forms = _forms(phrase or "", words, written)
            if forms:
                filters = filters.merged(_written_so(forms, written))
                break
            if len(words) > 1 and (said := [one for one in written if _says(one, words)]):
                filters = filters.merged(_written_so((words,), written)) if said else filters
                break
            if kind in event_kinds(words):  # said twice: 丢东西（盗窃）
                break
        else:
            left.append(words)
    return left, filters


def _says(written: str, words: str) -> bool:
    """True where how records write a kind has words in it, whole ones."""
    return words in written if not words.isascii() else words in TOKEN.findall(written)


def _forms(phrase: str, words: str, written: Iterable[str]) -> list[str]:
    """Return how records write a kind that is asked for, also in other words for the same."""
    found: list[str] = []
    for other in said_otherwise(words):
        forms = singular_forms(phrase.replace(words, other))
        form = next((one for one in forms if any(one in kind for kind in written)), None)
        if form and not any(one in form for one in found):
            found.append(form)
    return found


def _written_so(forms: Sequence[str], written: Iterable[str]) -> Filters:
    """Return what narrows a kind to those forms; nothing where all records write it so."""
    if all(any(form in one for form in forms) for one in written):
        return Filters()
    if len(forms) == 1:
        return Filters(fields=(FieldFilter(FactField.KIND, text=forms[0]),))
    return Filters(fields=(FieldFilter(FactField.KIND, any_of=tuple(forms)),))


def found_in(
    rest: Iterable[str],
    filters: Filters,
    base: KnownBase,
    within: Collection[str],
    asked: str = "",
    *,
    grows: bool = True,
) -> Placed:
    """Look words up among the values of some fields.

    `asked`: the question, which tells what it joins. `grows`: words that the rules read in it may
    be parts of values as well.
    """
    left, unread = list(filter(None, rest)), list[str]()
    if not left:
        return left, filters
    few = base.categories([name for name in base.own if name in within])
    others = [n for n in within if n in _FINDABLE or (n not in STANDARD_FIELDS and n not in few)]
    for words in left:
        placed = _placed(words, few, others, base) if len(words) > 1 else None
        placed = placed or (_grown(words, asked, few) if grows else None)
        if placed is None:
            unread.append(words)
        elif _is_of_text(placed, few) and not is_listed(words, asked):
            filters = filters.merged(placed)
        else:
            filters = joined(filters, placed)
    return unread, filters


def _is_of_text(placed: Filters, few: Collection[str]) -> bool:
    """True for words that a text has in it, which may have others as well."""
    own = {one.field for one in placed.fields} - set(STANDARD_FIELDS)
    return bool(own) and not own & set(few)


def _placed(
    words: str, few: Mapping[str, Sequence[str]], others: Collection[str], base: KnownBase
) -> Filters | None:
    """Return the filter of the one field that states the words; None where none or several do."""
    meant = values_with(words, few)
    names = base.vocabulary.holding(base.kb_id, words, others)
    if numbered := under_numbers(words, base):
        is_all = len(numbered) == 1 and not (meant or names)
        return filter_of(*numbered[0]) if is_all else Filters(text=(words,))
    if len(meant) == 1 and not names:
        return among(meant[0])
    if meant or not names:
        return None
    if len(names) == 1:
        (name,) = names
        return filter_of(name, words) if is_whole(words, name, base) else None
    return Filters(text=(words,)) if _STANDS_FOR.issuperset(names) else None


def _grown(words: str, asked: str, few: Mapping[str, Sequence[str]]) -> Filters | None:
    """Return the filter by words and a character beside them: of 立案 the rules read 案.

    Of a value they have to be an end, and no less than half.
    """
    start = asked.find(words)
    if start < 0 or words.isascii():
        return None
    end = start + len(words)
    for first, last in ((start, end + 1), (start - 1, end), (start - 1, end + 1)):
        grown = asked[max(first, 0) : last]
        meant = values_with(grown, few)
        if len(meant) == 1 and all(_is_end(grown, value) for value in meant[0].values):
            return among(meant[0])
    return None


def _is_end(words: str, value: str) -> bool:
    is_beside = value[0] == words[0] or value[-1] == words[-1]
    return is_beside and 2 * len(words) >= len(value)


def meant_in(
    rest: Iterable[str], filters: Filters, base: KnownBase, within: Collection[str]
) -> Placed:
    """Read words as values of the base in another form of them."""
    left, unread = list(filter(None, rest)), list[str]()
    if not left:
        return left, filters
    sorts = [n for n in within if n not in STANDARD_FIELDS or n == FactField.KIND]
    values = base.categories(sorts)
    for words in left:
        meant = value_meant(words, values)
        if meant is None:
            unread.append(words)
        else:
            filters = joined(filters, among(meant))
    return unread, filters


def among(meant: Meant) -> Filters:
    """Return the filter by values that words mean."""
    if meant.is_left_out:
        return Filters(fields=(FieldFilter(meant.field, none_of=meant.values),))
    if len(meant.values) == 1:
        return filter_of(meant.field, meant.values[0])
    return Filters(fields=(FieldFilter(meant.field, any_of=meant.values),))
