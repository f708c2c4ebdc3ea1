"""Standing questions: kept, asked again when they are due, told when their answer changes.

Knows when a base has settled and how long to wait after a failure. How a question is answered is
the asker's business; it writes in the words of the documents, so that only these change an answer.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

import structlog

from kb_service.domain.errors import InvalidRequest, KbError, StorageError
from kb_service.domain.names import CONTROLS
from kb_service.domain.schedules import AFTER_CHANGES, Schedule
from kb_service.domain.watches import AnswerChange, Asked, StandingAnswer, Watch
from kb_service.language.tables import LANGUAGES
from kb_service.services.across import AcrossDocuments
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.services.ranges import check_text
from kb_service.services.webhooks import check_webhook
from kb_service.settings import Settings
from kb_service.storage.identity import Clock, Listing, utc_now
from kb_service.storage.watches.store import Watches

MAX_NAME_CHARS = 200
FIRST_PAUSE = timedelta(minutes=1)
MAX_PAUSE = timedelta(hours=6)
MAX_UNSETTLED = 20
"""A base that never rests is asked after so many times the pause that it should have."""

log = structlog.get_logger("watches")


class Asker(Protocol):
    """Answers what stands."""

    def __call__(self, watch: Watch) -> StandingAnswer:
        """Return the answer of now; its moment and change are the caller's. Raises KbError."""


@dataclass(slots=True)
class _Rest:
    """Since when a base is at this change, and since when it is at another than was asked at."""

    change: int
    since_s: float
    unsettled_s: float


class WatchService:
    """The standing questions of all bases."""

    def __init__(
        self,
        watches: Watches,
        ask: Asker,
        settings: Settings,
        elapsed: Callable[[], float],
        clock: Clock = utc_now,
    ) -> None:
        self._watches, self._ask, self._elapsed, self._clock = watches, ask, elapsed, clock
        self._limits, self._settings = settings.retrieval, settings.watch
        self._rests: dict[str, _Rest] = {}

    def add(
        self,
        kb_id: str,
        name: str,
        asked: Asked,
        schedule: str = AFTER_CHANGES,
        webhook: str = "",
    ) -> Watch:
        """Keep a standing question; the worker asks it for the first time.

        Raises NotFound, Conflict (watch_name_taken), InvalidRequest (invalid_watch_name,
        invalid_watch, invalid_schedule, webhook_not_allowed).
        """
        if not name.strip() or len(name) > MAX_NAME_CHARS or not CONTROLS.isdisjoint(name):
            raise InvalidRequest(
                f"name is {name[:100]!r}; 1 to {MAX_NAME_CHARS} characters are accepted, no control"
                " characters",
                code="invalid_watch_name",
            )
        if bool(asked.question.strip()) == (asked.query is not None):
            raise InvalidRequest("either a question or a query is accepted", code="invalid_watch")
        if asked.query is None:
            check_text("question", asked.question, self._limits.max_question_chars)
        if asked.language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise InvalidRequest(
                f"language is {asked.language[:20]!r}; {known} are accepted", code="invalid_watch"
            )
        if webhook:
            check_webhook(webhook, self._settings)
        return self._watches.add(kb_id, name, asked, Schedule.of(schedule), webhook)

    def get(self, kb_id: str, watch: str) -> Watch:
        """Return a standing question by id or name. Raises NotFound (watch_not_found)."""
        return self._watches.get(kb_id, watch)

    def listed(self, kb_id: str, limit: int = 100, cursor: str | None = None) -> Listing[Watch]:
        """Return the standing questions of a base by name. Raises NotFound, InvalidRequest."""
        return self._watches.listed(kb_id, limit, cursor)

    def states(self, kb_id: str) -> tuple[tuple[object, ...], ...]:
        """Return what tells that the list of a base is another one, without any answer."""
        return self._watches.states(kb_id)

    def change(
        self, kb_id: str, watch: str, is_paused: bool | None = None, schedule: str | None = None
    ) -> Watch:
        """Pause a question, let it go on, or ask it at other times; None: as it was.

        Raises NotFound (watch_not_found), InvalidRequest (invalid_schedule).
        """
        when = None if schedule is None else Schedule.of(schedule)
        return self._watches.change(kb_id, watch, is_paused, when)

    def remove(self, kb_id: str, watch: str) -> None:
        """Delete a standing question and its answers. Raises NotFound (watch_not_found)."""
        self._watches.remove(kb_id, watch)

    def changes(
        self, kb_id: str, watch: str, limit: int = 100, cursor: str | None = None
    ) -> Listing[AnswerChange]:
        """Return how its answer changed, the latest first. Raises NotFound, InvalidRequest."""
        return self._watches.changes(kb_id, watch, limit, cursor)

    def step(self) -> bool:
        """Ask one question that is due; False when none is. Raises StorageError.

        What follows changes waits until its base has rested: a batch is asked about once.
        """
        for watch, change in self._watches.due():
            if not watch.when.follows_changes or self._has_rested(watch, change):
                self._asked(watch, change)
                return True
        return False

    def ask_all(self, kb_id: str) -> None:
        """Ask every question of a base that is due, however lately it changed."""
        for watch, change in self._watches.due(kb_id):
            self._asked(watch, change)

    @contextmanager
    def telling(self, kb_id: str) -> Iterator[list[AnswerChange]]:
        """Yield the changes that were not told yet; told they are when the block ends well."""
        found = self._watches.untold(kb_id)
        yield found
        self._watches.told([change.id for change in found])

    def _has_rested(self, watch: Watch, change: int) -> bool:
        now_s, rest = self._elapsed(), self._rests.get(watch.kb_id)
        if watch.checked_change is None:
            return True
        if rest is None or rest.change <= watch.checked_change:
            rest = self._rests[watch.kb_id] = _Rest(change, now_s, now_s)
        elif rest.change != change:
            rest.change, rest.since_s = change, now_s
        pause_s = self._settings.settle_s
        has_rested = now_s - rest.since_s >= pause_s
        return has_rested or now_s - rest.unsettled_s >= MAX_UNSETTLED * pause_s

    def _asked(self, watch: Watch, change: int) -> None:
        try:
            answer = self._ask(watch)
        except KbError as error:
            if isinstance(error, StorageError) and error.is_outage:
                raise
            log.warning("standing question not asked", watch=watch.name, error=error.message)
            pause = min(FIRST_PAUSE * 2 ** min(watch.num_failures, 20), MAX_PAUSE)
            self._watches.failed(watch, error.as_dict(), self._clock() + pause)
            return
        self._watches.answered(watch, replace(answer, asked_at=self._clock(), base_change=change))


def asker_of(
    across: AcrossDocuments, answering: Callable[[], AnsweringService], clock: Clock = utc_now
) -> Asker:
    """Return what answers questions and typed queries."""

    def ask(watch: Watch) -> StandingAnswer:
        asked, now = watch.asked, clock()
        if asked.query is not None:
            told = across.told_of(watch.kb_id, asked.query, asked.language)
            return StandingAnswer(
                told.status, told.reason, told.text, told.citations, now, 0, told.tabled
            )
        said = answering().ask(AskRequest(kb_id=watch.kb_id, question=asked.question))
        return StandingAnswer(
            said.status, said.reason, said.answer, said.citations, now, 0, said.tabled
        )

    return ask
