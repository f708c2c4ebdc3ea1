"""What is over or still open, asked of the column of a base whose values say that.

Open and on hold are not closed, 处理中 is 还没办结. Knows no rules of questions but these.
"""

from collections.abc import Sequence

from kb_service.domain.queries import FieldFilter
from kb_service.domain.spans import TextSpan
from kb_service.language.folding import fold
from kb_service.language.states import State, state_asked, state_of
from kb_service.services.vocabulary import KnownBase

Named = tuple[tuple[FieldFilter, ...], tuple[TextSpan, ...]]


def states_named(typed: str, base: KnownBase) -> Named:
    """Return the filter that a question asks for and its words; none where no column says it.

    Words that are a value as they stand mean that value; of several columns none is picked.
    """
    folded = fold(typed)
    asked = state_asked(folded.text)
    if asked is None:
        return (), ()
    match, state = asked
    values = base.categories(base.own)
    if any(match.group().strip() in several for several in values.values()):
        return (), ()
    said = [name for name, several in values.items() if 2 * len(_told(several)) > len(several)]
    if len(said) != 1:
        return (), ()
    by_state = _told(values[said[0]])
    closed = tuple(value for value, one in by_state.items() if one is State.CLOSED)
    span = folded.typed(*match.span())
    if state is State.OPEN and closed:
        return (FieldFilter(said[0], none_of=closed),), (span,)
    same = tuple(value for value, one in by_state.items() if one is state)
    return ((FieldFilter(said[0], any_of=same),), (span,)) if same else ((), ())


def _told(values: Sequence[str]) -> dict[str, State]:
    return {value: state for value in values if (state := state_of(value))}
