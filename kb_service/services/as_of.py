"""What a request says of when: a change number, an ISO 8601 time, a day.

A day means its end, and the present day the present. Knows no index.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.history import AsOf
from kb_service.storage.history import History
from kb_service.storage.identity import Clock, utc_now

Moment = int | str
"""As it is asked for: the number of a change, or a time or day in ISO 8601."""

States = Callable[[str, Moment | None], AsOf | None]
"""(base id, what was asked for) -> the state of the base; None where nothing was asked for."""


def only_the_present(kb_id: str, asked: Moment | None) -> AsOf | None:
    """Refuse every moment: for those who have no history. Raises InvalidRequest (invalid_as_of)."""
    if asked is not None:
        raise _invalid(asked)
    return None


def states_of(history: Callable[[], History], clock: Clock = utc_now) -> States:
    """Return what finds states in a history.

    It raises NotFound, StorageError, InvalidRequest: invalid_as_of, as_of_in_future,
    as_of_before_base, as_of_purged.
    """

    def find(kb_id: str, asked: Moment | None) -> AsOf | None:
        if asked is None:
            return None
        return history().resolve(kb_id, read_moment(asked, clock()))

    return find


def read_moment(asked: Moment, now: datetime) -> int | datetime:
    """Return a change number or an aware time. Raises InvalidRequest (invalid_as_of)."""
    if isinstance(asked, int):
        return asked
    words = asked.strip()
    if words.isascii() and words.isdigit() and len(words) < _MAX_DIGITS:
        return int(words)
    try:
        if day := _day(words):
            return now if day == now.date() else datetime.combine(day, time.max, UTC)
        found = datetime.fromisoformat(words.upper())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _invalid(asked) from error


_MAX_DIGITS = 8
"""20240501 is a day in ISO 8601, not a number."""


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def _invalid(asked: Moment) -> InvalidRequest:
    return InvalidRequest(
        f"as_of is {str(asked)[:50]!r}; the number of a change, or an ISO 8601 day or time such as"
        " 2024-05-01T12:00:00Z, is accepted",
        code="invalid_as_of",
    )
