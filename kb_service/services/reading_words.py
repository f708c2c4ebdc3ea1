"""The words of a question read among the fields and values of a base: Words. Runs nothing.

First by what questions commonly say, with the columns that are named whole; or with whatever of the
base's labels stands in them. Knows no query.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Counted
from kb_service.language.across import Sketch, is_amount, is_record_noun, sketch_of, some_of
from kb_service.language.text import normalise
from kb_service.services.calling import Called, Labels, called_in, exactly_called
from kb_service.services.counted_columns import with_counted_columns
from kb_service.services.joined_names import joined
from kb_service.services.meaning import answer_among
from kb_service.services.naming import Names, filter_of
from kb_service.services.vocabulary import KnownBase


@dataclass(frozen=True, slots=True)
class Words:
    """A question as it was read among the fields and values of a base.

    `own`: fields by what the rules say for them; of these are `numeric` numbers, `asked` those of
    which the words ask which there are; `people` are labels at which people stand.
    `is_plain`: by what questions commonly say, and no more.
    """

    sketch: Sketch
    names: Names
    own: Mapping[str, str]
    numeric: Collection[str]
    asked: Collection[str]
    people: Collection[str] = ()
    how_long: str = ""
    is_plain: bool = True


def read_plainly(base: KnownBase, names: Names) -> Words:
    """Read words by the rules, with the columns that they name whole."""
    return _read(base, exactly_called(names.words, _askable(base.have)), names)


def read_by_labels(base: KnownBase, names: Names) -> Words:
    """Read words with whatever of the labels of the base stands in them."""
    people = base.vocabulary.people(base.kb_id)
    standard = STANDARD_FIELDS.intersection(base.have)
    fields = {name: name for name in (*people, *_askable(base.own))}
    labels = {**base.vocabulary.labels(base.kb_id, standard), **fields}
    words = with_counted_columns(names.words, lambda: base.vocabulary.numeric(base.kb_id, base.own))
    called = called_in(words, Labels(labels, people, base.have))
    _put_in_roles(called, names, people)
    _put_answers(base, called, names)
    return _read(base, called, names, people, is_plain=False)


def _askable(columns: Collection[str]) -> list[str]:
    """Return columns without those of a summary that are called as records are: how many calls."""
    return [name for name in columns if not is_record_noun(normalise(name))]


def _read(
    base: KnownBase,
    called: Called,
    names: Names,
    people: Collection[str] = (),
    *,
    is_plain: bool = True,
) -> Words:
    numeric = base.vocabulary.numeric(base.kb_id, called.fields.values())
    called.with_figures(numeric)
    sketch = _with_asked(_counted_amounts(sketch_of(called.words), called.fields), names)
    if {*people} & {*called.fields.values()}:
        sketch.columns = [name for name in sketch.columns if name != FactField.PERSON]
    asked = [name for name in called.fields.values() if called.asks_which(name)]
    return Words(sketch, names, called.fields, numeric, asked, people, called.how_long, is_plain)


def _with_asked(sketch: Sketch, names: Names) -> Sketch:
    """Return a sketch that asks for the people whom the words ask for."""
    if names.asked is None:
        return sketch
    if names.per:
        return replace(sketch, by=sketch.by or names.asked)
    return replace(sketch, columns=[names.asked, *sketch.columns])


def _counted_amounts(sketch: Sketch, own: Mapping[str, str]) -> Sketch:
    """Return a sketch that counts what has an amount where it asks how many of them there are.

    How many were fined, how many fines: no sum of money says that.
    """
    named = [name for name in sketch.columns if name in own] if sketch.counts else []
    amounts = [n for n in (*sketch.how_many, *named) if is_amount(own.get(n, n))]
    if not amounts:
        return sketch
    limited = {one.field for one in sketch.ranges}
    return replace(
        sketch,
        counts=sketch.counts or Counted.INCIDENTS,
        measured=[name for name in sketch.measured if name not in amounts],
        columns=[name for name in sketch.columns if name not in amounts],
        ranges=[*sketch.ranges, *(some_of(n) for n in amounts if n not in limited)],
    )


def _put_in_roles(called: Called, names: Names, people: Collection[str]) -> None:
    """Ask for people under the label that the words name beside them, unless they ask for it.

    Of several labels it is open who has which; who has one not is not said by a filter.
    """
    labels = [n for n in called.fields.values() if n in people and not called.asks_which(n)]
    asked = names.filters.person
    if asked and (len(labels) > 1 or any(map(called.is_denied, labels))):
        names.unread = (*names.unread, *labels)
    elif labels and asked:
        called.leave_out(labels[0])
        called.list_what_was_done()
        either = FieldFilter(labels[0], any_of=asked) if len(asked) > 1 else None
        beside = Filters(fields=(either or FieldFilter(labels[0], text=asked[0]),))
        names.filters = replace(names.filters, person=()).merged(beside)


def _put_answers(base: KnownBase, called: Called, names: Names) -> None:
    """Ask for what a column says yes or no to, where the words say it or deny it: police called."""
    for name, values in base.categories([*called.fields.values()]).items():
        answer = answer_among(values, is_yes=not called.is_denied(name))
        if answer and not called.asks_which(name):
            called.leave_out(name)
            names.filters = joined(names.filters, filter_of(name, answer))
