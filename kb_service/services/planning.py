"""From a parsed question to a typed query over what documents state: Planned. Runs nothing.

By rules: what the words ask for (language.across), what they name (Named), which fields and values
the base has (Vocabulary). A question of which a word is left unread gets no query.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kb_service.domain.facts import FIELD_OF_ROLE, NUMBER_FIELDS, STANDARD_FIELDS, FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.questions import Question
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.language.across import Sketch, sketch_of, without_brackets
from kb_service.language.background import asking_part
from kb_service.language.inflection import singular_forms
from kb_service.language.kind_words import said_otherwise
from kb_service.language.text import normalise
from kb_service.services.choosing import Asked, choose
from kb_service.services.named import Named
from kb_service.services.naming import FINDABLE, Names, Vocabulary, filter_of, joined, names_in

MAX_OWN_FIELDS = 4
_STANDS_FOR = frozenset({FactField.PLACE, FactField.ORGANISATION})
"""Of these two a name may be either: a service is where it happened as well as who has it."""
_FINDABLE = frozenset({*FINDABLE, FactField.CAUSE})
_IN_ONE = frozenset({FactField.MEASURE, FactField.CAUSE})
"""What a list may be asked of that one document tells: its measures, its causes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a question asks of many documents.

    `query`: None where it cannot be asked. `also`: sums that it asks for beside. `lacking`: fields
    that it needs and the base does not have. `unread`: its words that nothing was made of;
    `unknown`: names that no record states. `is_over_many`: its words ask over many documents;
    `is_explicit`: and cannot as well ask what one of them says. `is_of_units`: they say
    incidents or documents, a kind of them or a total, and not only how many there are of something.
    `sums_up`: it asks for a total in so many words; `counts`: for how many incidents or
    documents there are, or for which. `order`: what it asks for the most or least of.
    `asks_people`: it counts people, where incidents may be meant. `asks_what_happened`:
    in so many words, of whatever there was.
    """

    query: RecordQuery | None
    also: tuple[RecordQuery, ...] = ()
    lacking: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_over_many: bool = True
    is_explicit: bool = False
    is_of_units: bool = False
    sums_up: bool = False
    counts: bool = False
    order: str | None = None
    asks_people: bool = False
    asks_what_happened: bool = False


def planned_for(
    question: Question,
    named: Named,
    given: Filters,
    kb_id: str,
    vocabulary: Vocabulary,
    today: date,
) -> Planned | None:
    """Return what a question asks of many documents, None where its words do not.

    `given`: filters that came with it; they hold beside its own.
    """
    if not _asks_over_many(question):
        return None
    have = vocabulary.fields(kb_id)
    names = names_in(question, named, kb_id, vocabulary, have, today)
    words, own = _own_fields(names.words, have)
    sketch = _with_asked(sketch_of(words), names)
    if not _asks_of_many(sketch):
        return None
    rest, filters = _of_kinds(sketch.rest, names, question.normalised, kb_id, vocabulary)
    within = {FactField.CAUSE} if sketch.caused else {*have} - {FactField.CAUSE}
    rest, filters = _found(rest, filters, kb_id, vocabulary, within)
    filters = filters.merged(_ranges(sketch, own))
    rest += [*_unsaid(sketch), *names.unread]
    filters, stated = given.merged(filters), {*have, *map(str, names.roles)}
    planned = choose(Asked(sketch, own, filters, names.alternatives, stated))
    if planned is None:
        return None
    query, also, lacking = planned
    if query and query.op is not Operation.COMPARE:
        rest += names.apart
    rest += _undone(sketch, query) if query else []
    if query and query.by == FactField.PERSON and _tells_people_apart(kb_id, vocabulary):
        rest.append(sketch.told.get("asks_person", query.by))
    return Planned(
        None if rest or lacking or names.unknown else query,
        also,
        lacking,
        tuple(rest),
        names.unknown,
        sketch.is_over_many,
        sketch.is_over_many and not (sketch.lists and _IN_ONE & set(sketch.columns)),
        sketch.says_units or bool(names.kinds or sketch.by or sketch.operation),
        sketch.operation is Operation.SUM,
        bool(sketch.counts or sketch.lists),
        sketch.order,
        bool(sketch.measured) and not sketch.counts,
        sketch.happened,
    )


def _asks_over_many(question: Question) -> bool:
    """False for a long question of which only what it tells beforehand sounds like counting."""
    asked = asking_part(question.text)
    if asked == question.text:
        return True
    sketch = sketch_of(normalise(asked))
    return bool(sketch.is_over_many or sketch.measured or sketch.happened)


def _asks_of_many(sketch: Sketch) -> bool:
    """True for words that may ask over many documents; a number that a field has to have asks."""
    is_bare = bool(sketch.ranges) and not sketch.rest
    asks = (sketch.is_over_many, sketch.measured, sketch.columns, sketch.happened, is_bare)
    return any(asks)


def _with_asked(sketch: Sketch, names: Names) -> Sketch:
    """Return a sketch that asks for the people whom the words ask for."""
    if names.asked is None:
        return sketch
    if names.per:
        return replace(sketch, by=sketch.by or names.asked)
    return replace(sketch, columns=[names.asked, *sketch.columns])


def _own_fields(words: str, have: Collection[str]) -> tuple[str, dict[str, str]]:
    """Put a word of the rules in the place of each column of the base's own; return which."""
    own: dict[str, str] = {}
    for name in sorted(set(have) - STANDARD_FIELDS, key=lambda one: (-len(one), one)):
        for known in _called(normalise(name)):
            if len(own) < MAX_OWN_FIELDS and len(known) > 1 and known in words:
                words = words.replace(known, f"field{len(own)}")
                own[f"#{len(own)}"] = name
                break
    return words, own


def _called(name: str) -> Iterator[str]:
    """Yield what a column is called in questions: with its unit, without, without its head."""
    bare = without_brackets(name)
    yield from (name, bare)
    head, _, behind = bare.rpartition(" ")
    if head and not behind.isascii():
        yield behind


def _of_kinds(
    rest: Iterable[str], names: Names, asked: str, kb_id: str, vocabulary: Vocabulary
) -> tuple[list[str], Filters]:
    """Read words beside one for a kind with it, where records write the kind so: gas leak.

    Where all write it so, the words restrict nothing.
    """
    left, filters = list[str](), names.filters
    for words in filter(None, rest):
        for called, kind in names.kinds:
            pairs = (f"{words}{called}", f"{words} {called}", f"{called}{words}")
            phrase = next((pair for pair in pairs if pair in asked), None)
            written = vocabulary.written_kinds(kb_id, kind) if phrase else []
            forms = _forms(phrase or "", words, written)
            if forms:
                filters = filters.merged(_written_so(forms, written))
                break
        else:
            left.append(words)
    return left, filters


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


def _found(
    rest: Iterable[str],
    filters: Filters,
    kb_id: str,
    vocabulary: Vocabulary,
    have: Collection[str],
) -> tuple[list[str], Filters]:
    """Look words that nothing was made of up among the values of the base; return what is left."""
    left: list[str] = []
    findable = [name for name in have if name in _FINDABLE or name not in STANDARD_FIELDS]
    for words in filter(None, rest):
        names = sorted(vocabulary.holding(kb_id, words, findable)) if len(words) > 1 else []
        if len(names) == 1:
            filters = joined(filters, filter_of(names[0], words))
        elif names and _STANDS_FOR.issuperset(names):
            filters = joined(filters, Filters(text=(words,)))
        else:
            left.append(words)
    return left, filters


def _unsaid(sketch: Sketch) -> list[str]:
    """Numbers that a count names without asking for them: which of the counted is meant by that?"""
    if not sketch.counts:
        return []
    limited = {one.field for one in sketch.ranges}
    named = [n for n in sketch.columns if n in NUMBER_FIELDS and n not in limited]
    return [name for name in named if name not in sketch.measured]


def _tells_people_apart(kb_id: str, vocabulary: Vocabulary) -> bool:
    """True where a base states people in roles: who has the most of all of them says nothing."""
    return any(FIELD_OF_ROLE[role] is FactField.PERSON for role in vocabulary.roles(kb_id))


def _undone(sketch: Sketch, query: RecordQuery) -> list[str]:
    """What a question asks to be made of records that its query does not make of them."""
    wanted = sketch.operation
    made = {query.op, *([Operation(query.measure)] if query.field else [])}
    is_undone = wanted in (Operation.AVERAGE, Operation.MEDIAN) and wanted not in made
    undone = [sketch.told[wanted]] if wanted and is_undone else []
    is_compared = query.op in {Operation.COMPARE, Operation.GROUP, Operation.TREND}
    return [*undone, *([] if is_compared or not sketch.compares else [sketch.told["compare"]])]


def _ranges(sketch: Sketch, own: dict[str, str]) -> Filters:
    return Filters(
        fields=tuple(
            FieldFilter(own.get(one.field, one.field), min=one.low, max=one.high)
            for one in sketch.ranges
        )
    )
