"""From a parsed question to a typed query over what documents state: Planned. Runs nothing.

By rules: what the words ask for (language.across), what they name (Named), which fields and values
the base has (Vocabulary). A question of which a word is left unread gets no query.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce

from kb_service.domain.facts import FIELD_OF_ROLE, NUMBER_FIELDS, FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.questions import Question
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.language.across import Sketch, sketch_of
from kb_service.language.asked import parse_question
from kb_service.language.background import asking_part
from kb_service.language.text import normalise
from kb_service.services.calling import called_happening
from kb_service.services.choosing import Asked, choose, held_as
from kb_service.services.joined_names import is_joined
from kb_service.services.meaning import is_called
from kb_service.services.mentioning import mentioned_in
from kb_service.services.named import Named, named_in
from kb_service.services.naming import fields_of, listed_in, names_in
from kb_service.services.offering import offers_for
from kb_service.services.placing import found_in, meant_in, of_kinds
from kb_service.services.reading_words import Words, read_by_labels, read_plainly
from kb_service.services.vocabulary import KnownBase, Vocabulary
from kb_service.services.years import Moved

_UNGROUPED = (Operation.COUNT, Operation.LIST, Operation.EXISTS, Operation.TIMELINE)
_IN_ONE = frozenset({FactField.MEASURE, FactField.CAUSE})
"""What a list may be asked of that one document tells: its measures, its causes."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a question asks of many documents.

    `query`: None where it cannot be asked. `also`: sums asked for beside. `lacking`: fields that it
    needs and the base lacks. `unread`: its words that nothing was made of; `unknown`: names that no
    record states. `is_over_many`: it asks over many documents; `is_explicit`: and not what one of
    them says. `is_of_units`: of incidents or documents, a kind of them or a total, and not only how
    many there are of something; `says_units`: in words for them. `divides`: it asks for a number of
    each of something. `sums_up`: it asks for a total; `counts`: for how many incidents or documents
    there are, or for which; `may_be_of_one`: for no number, but whether or which, which one paper
    may tell. `order`: of what the most or least. `asks_people`: it counts people, where incidents
    may be meant. `asks_what_happened`: of whatever there was. `offered`: columns nearest to what is
    unread. `outside`: the time that it is of, where that is none of the given ones. `moved`: days
    without a year, and which are meant. `mentioned`: words that are a condition only because some
    texts mention them.
    """

    query: RecordQuery | None
    also: tuple[RecordQuery, ...] = ()
    lacking: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_over_many: bool = True
    is_explicit: bool = False
    is_of_units: bool = False
    says_units: bool = False
    divides: bool = False
    sums_up: bool = False
    counts: bool = False
    may_be_of_one: bool = False
    order: str | None = None
    asks_people: bool = False
    asks_what_happened: bool = False
    offered: tuple[str, ...] = ()
    outside: Filters | None = None
    moved: tuple[Moved, ...] = ()
    mentioned: tuple[str, ...] = ()

    @property
    def asks_of_records(self) -> bool:
        """True for what no single row can answer: its words ask over incidents or documents."""
        return self.is_explicit and self.is_of_units


def planned_for(
    question: Question,
    named: Named,
    given: Filters,
    kb_id: str,
    vocabulary: Vocabulary,
    today: date,
) -> Planned | None:
    """Return what a question asks of many documents, None where its words do not.

    What questions commonly say goes first. Only where that leaves a word unread it is looked for
    in what the base calls its fields. `given`: filters that came with it; they hold beside its own.
    """
    if not _asks_over_many(question):
        return None
    base = KnownBase(kb_id, vocabulary, vocabulary.fields(kb_id))
    names = names_in(question, named, base, given, today)
    plain = _planned(base, question, read_plainly(base, names), given)
    if plain is not None and plain.query is not None:
        return plain
    names = names_in(question, named, base, given, today, is_own_first=True)
    own = _planned(base, question, read_by_labels(base, names), given)
    if own is not None and _is_of_records(own, given):
        return own
    left = own if own is not None and own.unread else plain
    words = left.unread if left is not None and left.is_explicit else ()
    if within := _in_registers(question, words, given, base, today):
        return within
    return _refused(base, plain, own)


def _in_registers(
    question: Question, unread: Sequence[str], given: Filters, base: KnownBase, today: date
) -> Planned | None:
    """Return what is asked of the rows of registers that are called by what is left unread.

    困人 in a title says what its rows are. None where no register is called so, or more is left.
    """
    text = reduce(called_happening, unread, question.text)

    def is_so(title: str) -> bool:
        return all(is_called(title, words) for words in unread)

    is_any = bool(unread) and text != question.text
    found = base.vocabulary.registers(base.kb_id, is_so) if is_any else ()
    within = given.both(Filters(document_ids=found)) if found else None
    if within is None:
        return None
    asked = replace(parse_question(text), language=question.language)
    names = names_in(asked, named_in(asked, today), base, within, today, is_own_first=True)
    told = _planned(base, asked, read_by_labels(base, names), within)
    return told if told and _is_of_records(told, within) else None


def _is_of_records(planned: Planned, given: Filters) -> bool:
    """False where a column alone is asked for, of nothing in particular: one paper may tell it."""
    query = planned.query
    is_of_some = query is not None and query.filters != given
    return query is not None and (planned.is_over_many or planned.asks_people or is_of_some)


def _refused(base: KnownBase, plain: Planned | None, own: Planned | None) -> Planned | None:
    """Tell the words that are left when all was tried, and what the base knows that is near.

    What the base calls its records (tickets) may be all that says that they are asked for.
    """
    told = own if own and own.asks_of_records and not (plain and plain.asks_of_records) else plain
    if told is None:
        return None
    unread = (own and own.unread) or told.unread
    if not (unread and told.asks_of_records):
        return told
    offered = offers_for(unread, base.own, base.categories(base.own))
    return replace(told, unread=unread, offered=offered)


def _planned(base: KnownBase, question: Question, words: Words, given: Filters) -> Planned | None:
    """Return what the words ask for. A word that nothing was made of leaves it without a query."""
    sketch, names, kb_id, vocabulary = words.sketch, words.names, base.kb_id, base.vocabulary
    if not _asks_of_many(sketch):
        return None
    rest, filters, mentioned = _placed(base, question, words)
    filters = filters.merged(_ranges(sketch, words.own, base.have))
    both = given.both(filters)
    rest += [*_unsaid(sketch), *_uncounted(words), *_unmet(words, both or filters), *names.unread]
    stated = {*base.have, *words.people, *map(str, names.roles)}
    planned = choose(
        Asked(
            sketch,
            words.own,
            filters,
            names.alternatives,
            stated,
            words.numeric,
            how_long=bool(words.how_long),
            given=given,
        )
    )
    if planned is None:
        # A total, an average, the most of what the base has not: no single row says it.
        is_divided = sketch.divides and sketch.says_units
        is_made = sketch.operation or sketch.order or sketch.counts or is_divided
        rest += [sketch.amount] if sketch.amount else []
        return _put_together(None, (), (), rest, words) if is_made and any(rest) else None
    query, also, lacking = planned
    if both is None:
        times = Filters(time_from=filters.time_from, time_to=filters.time_to)
        return replace(_put_together(None, (), lacking, rest, words), outside=times)
    if query and query.op is not Operation.COMPARE:
        rest += names.apart
    rest += _undone(words, query) if query else []
    if query and query.by == FactField.PERSON and _tells_people_apart(kb_id, vocabulary):
        rest.append(sketch.told.get("asks_person", query.by))
    return replace(_put_together(query, also, lacking, rest, words), mentioned=mentioned)


def _placed(
    base: KnownBase, question: Question, words: Words
) -> tuple[list[str], Filters, tuple[str, ...]]:
    """Place the words that no rule reads: those left, the filters, what is only mentioned."""
    sketch, names = words.sketch, words.names
    rest, filters = of_kinds(sketch.rest, names, question.normalised, base)
    within = {FactField.CAUSE} if sketch.caused else {*base.have} - {FactField.CAUSE}
    kept = _of_amounts(rest, sketch, base) if words.is_plain else []
    joined = [one for one in rest if is_joined(one, names.words)]
    sought = [one for one in rest if one not in kept]
    asked, grows = question.normalised, not words.is_plain
    rest, placed = found_in(sought, filters, base, within, asked, grows=grows)
    is_text = _asks_texts(placed, filters, base)
    mentioned = tuple(one for one in sought if one not in rest) if is_text else ()
    filters = placed
    rest += kept
    if not words.is_plain:
        rest, filters = meant_in(rest, filters, base, within)
        left, told = mentioned_in(rest, filters, base, within)
        mentioned += tuple(one for one in rest if one not in left) if told != filters else ()
        rest, filters = left, told
    if fields_of(filters) - fields_of(names.filters):  # joined to what another field states
        rest += [one for one in joined if one not in rest]
    return rest, filters, mentioned


def _asks_texts(placed: Filters, before: Filters, base: KnownBase) -> bool:
    """True where filters ask anything of a column of longer texts that those before did not."""
    asked = {one.field for one in placed.fields if one not in before.fields}
    own = asked.intersection(base.own)
    return bool(own) and not own <= base.categories(own).keys()


def _put_together(
    query: RecordQuery | None,
    also: tuple[RecordQuery, ...],
    lacking: tuple[str, ...],
    rest: Sequence[str],
    words: Words,
) -> Planned:
    sketch, names = words.sketch, words.names
    return Planned(
        None if rest or lacking or names.unknown else query,
        also,
        lacking,
        tuple(rest),
        names.unknown,
        sketch.is_over_many,
        sketch.is_over_many and not (sketch.lists and _IN_ONE & set(sketch.columns)),
        sketch.says_units or bool(names.kinds or sketch.by or sketch.operation),
        sketch.says_units,
        sketch.divides or bool(sketch.by and not sketch.is_by_one),
        sketch.operation is Operation.SUM,
        bool(sketch.counts or sketch.lists),
        sketch.may_be_of_one,
        sketch.order,
        bool(sketch.measured) and not sketch.counts,
        sketch.happened,
        moved=names.moved,
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
    return any((sketch.is_over_many, sketch.measured, sketch.columns, sketch.happened, is_bare))


def _of_amounts(rest: Sequence[str], sketch: Sketch, base: KnownBase) -> list[str]:
    """Return words that name a column of numbers where a total of no other is asked for.

    赔付加起来多少 asks for 赔付金额, whatever other column has 已赔付.
    """
    is_total = sketch.operation is Operation.SUM and not sketch.measured and not sketch.says_units
    if not is_total or not rest:
        return []
    numeric = base.vocabulary.numeric(base.kb_id, base.own)
    return [one for one in rest if len(one) > 1 and any(one in normalise(n) for n in numeric)]


def _unsaid(sketch: Sketch) -> list[str]:
    """Numbers that a count names without asking for them: which of the counted is meant by that?"""
    if not sketch.counts:
        return []
    limited = {one.field for one in sketch.ranges}
    named = [n for n in sketch.columns if n in NUMBER_FIELDS and n not in limited]
    return [name for name in named if name not in sketch.measured]


def _uncounted(words: Words) -> list[str]:
    """Columns of which a number is asked for, or limited, and which are none: how many wards."""
    sketch = words.sketch
    asked = (*sketch.measured, *(one.field for one in sketch.ranges))
    named = [words.own[name] for name in asked if name in words.own]
    return [name for name in dict.fromkeys(named) if name not in words.numeric]


def _unmet(words: Words, filters: Filters) -> list[str]:
    """Columns that a count names without asking for them or for a value: those with a witness."""
    if not words.sketch.counts or words.sketch.order:
        return []
    met = {*words.asked, *(one.field for one in filters.fields), *listed_in(filters)}
    named = [words.own[name] for name in words.sketch.columns if name in words.own]
    return [name for name in named if name not in met]


def _tells_people_apart(kb_id: str, vocabulary: Vocabulary) -> bool:
    """True where a base states people in roles: who has the most of all of them says nothing."""
    return any(FIELD_OF_ROLE[role] is FactField.PERSON for role in vocabulary.roles(kb_id))


def _undone(words: Words, query: RecordQuery) -> list[str]:
    """What a question asks to be made of records that its query does not make of them."""
    sketch = words.sketch
    wanted = sketch.operation
    made = {query.op, *([Operation(query.measure)] if query.field else [])}
    is_undone = wanted in (Operation.AVERAGE, Operation.MEDIAN) and wanted not in made
    undone = [sketch.told[wanted]] if wanted and is_undone else []
    is_measured = query.field not in (None, FactField.TIME)
    is_by_left = sketch.by and query.op in _UNGROUPED
    undone += [words.own.get(str(sketch.by), str(sketch.by))] if is_by_left else []
    undone += [words.how_long] if words.how_long and not is_measured else []
    undone += [sketch.amount] if sketch.amount and not is_measured else []
    is_compared = query.op in {Operation.COMPARE, Operation.GROUP, Operation.TREND}
    return [*undone, *([] if is_compared or not sketch.compares else [sketch.told["compare"]])]


def _ranges(sketch: Sketch, own: Mapping[str, str], have: Collection[str]) -> Filters:
    return Filters(
        fields=tuple(
            FieldFilter(held_as(own.get(one.field, one.field), have), min=one.low, max=one.high)
            for one in sketch.ranges
        )
    )
