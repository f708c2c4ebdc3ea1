"""When a standing question is asked again: Schedule, written as one line. Knows no clock."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from kb_service.domain.errors import InvalidRequest

AFTER_CHANGES = "after changes"
ACCEPTED = "`after changes`, `every N minutes`, `every N hours` and `daily at HH:MM` are accepted"
MAX_MINUTES = 366 * 24 * 60
_EVERY = re.compile(r"every (\d{1,6}) (minute|hour)s?")
_DAILY = re.compile(r"daily at ([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Schedule:
    """After changes of the base (neither is given), every so often, or daily at a local time."""

    every: timedelta | None = None
    daily_at: time | None = None

    @classmethod
    def of(cls, line: str) -> "Schedule":
        """Return what a line says. Raises InvalidRequest (invalid_schedule)."""
        words = " ".join(line.lower().split())
        if words == AFTER_CHANGES:
            return cls()
        if match := _DAILY.fullmatch(words):
            return cls(daily_at=time(int(match[1]), int(match[2])))
        match = _EVERY.fullmatch(words)
        minutes = int(match[1]) * (60 if match[2] == "hour" else 1) if match else 0
        if not 1 <= minutes <= MAX_MINUTES:
            raise InvalidRequest(
                f"schedule is {line[:100]!r}; {ACCEPTED}, up to a year", code="invalid_schedule"
            )
        return cls(every=timedelta(minutes=minutes))

    @property
    def line(self) -> str:
        """The line that says it."""
        if self.daily_at:
            return f"daily at {self.daily_at:%H:%M}"
        if self.every is None:
            return AFTER_CHANGES
        minutes = self.every // timedelta(minutes=1)
        number, unit = (minutes // 60, "hour") if minutes % 60 == 0 else (minutes, "minute")
        return f"every {number} {unit}{'' if number == 1 else 's'}"

    @property
    def follows_changes(self) -> bool:
        """True where a change of the base is what makes it due."""
        return self.every is None and self.daily_at is None

    def next_after(self, now: datetime) -> datetime:
        """Return the first moment behind `now` at which it is due; `now` is aware.

        After changes that is at once: then the base says when.
        """
        if self.every is not None:
            return now + self.every
        if self.daily_at is None:
            return now
        local = now.astimezone().replace(tzinfo=None)
        today = datetime.combine(local.date(), self.daily_at)
        chosen = today if today > local else today + timedelta(days=1)
        # Of the zone that will be in force then: the clocks may change in between.
        return chosen.astimezone().astimezone(now.tzinfo)
