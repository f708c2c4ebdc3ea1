"""Times of day that a question names (03:21, 10时05分, 9.40 pm), as what a text may state.

Pure functions on normalised text. Knows no day and no document.
"""

from collections.abc import Iterator

from kb_service.language.dates import CALENDAR
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_ZONE = regex(rf"\s*(?:{any_of(shipped_lexicon().listed('calendar', 'zones'))})\b")
_HALF_A_DAY = 12


def clock_times(normalised: str) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Yield where a time of day stands, with its zone, and its values; both halves of a day may be
    meant (3:20 is 15:20 where it says so elsewhere).

    No values where only the hour is told, which nobody means to the minute, nor where several times
    are: they begin and end a stretch.
    """
    found = [m for p in CALENDAR.time_patterns for m in p.finditer(normalised) if CALENDAR.time(m)]
    for match in found:
        zone = _ZONE.match(normalised, match.end())
        end = zone.end() if zone else match.start() + len(match.group().rstrip())
        is_exact = len(found) == 1 and match.groupdict().get("min")
        values = _values(match.groupdict()) if is_exact else ()
        yield match.start(), end, values


def _values(groups: dict[str, str]) -> tuple[str, ...]:
    hour, minute = int(groups["h"]), int(groups["min"])
    halves = (hour, (hour + _HALF_A_DAY) % (2 * _HALF_A_DAY))
    return tuple(f"time:{each}:{minute:02}" for each in halves)
