"""Standing questions: what is asked again, what was said, and what changed. Values only."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from kb_service.domain.answers import AnswerStatus, Citation
from kb_service.domain.record_queries import RecordQuery
from kb_service.domain.schedules import Schedule
from kb_service.domain.tables import Tabled


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in words, or a typed query with the language of its answer: one of the two."""

    question: str = ""
    query: RecordQuery | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True)
class StandingAnswer:
    """What was said to a standing question, at a moment and a change of the base.

    `is_redacted`: a document that it quoted was deleted since, and its words went with it.
    """

    status: str
    reason: str | None
    text: str
    citations: tuple[Citation, ...]
    asked_at: datetime
    base_change: int
    tabled: Tabled | None = None
    is_redacted: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of all that makes it another answer: its status and its words, or its table.

        The words of a table, and its status, tell how much there is beside it, so that they change
        with documents that are no part of it.
        """
        if self.tabled is not None:
            return self._digest_of(str(AnswerStatus.ANSWERED), None)
        return self._digest_of(self.status, self.reason)

    def is_as(self, digest: str) -> bool:
        """True for the answer that a digest is of; one kept before may tell a table's status."""
        return digest in (self.digest, self._digest_of(self.status, self.reason))

    def _digest_of(self, status: str, reason: str | None) -> str:
        said: object = self.text
        if self.tabled is not None:
            rows = [[cell.value for cell in row] for row in self.tabled.rows]
            said = [self.tabled.tally.matched, list(self.tabled.columns), rows]
        written = json.dumps([status, reason, said], ensure_ascii=False)
        return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def documents(self) -> frozenset[str]:
        """The documents whose words or names it holds."""
        shown = (*self.tabled.documents, *self.tabled.tally.lacking) if self.tabled else ()
        return frozenset({citation.document_id for citation in self.citations} | {*shown})


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing question of a base.

    `schedule`: as a line. `webhook`: where changes are posted, "" for nowhere. `checked_change`:
    the change of the base that it was last asked at, None where it has to be asked again. `error`:
    why it could not be asked the last time. `num_checks`: told apart from what others wrote by it.
    `is_paused`: it is not asked. `num_changes`: so often its answer became another one.
    """

    id: str
    kb_id: str
    name: str
    asked: Asked
    schedule: str
    webhook: str
    created_at: datetime
    next_at: datetime
    checked_at: datetime | None
    checked_change: int | None
    error: dict[str, object] | None
    num_failures: int
    num_checks: int
    answer: StandingAnswer | None = None
    is_paused: bool = False
    num_changes: int = 0

    @property
    def when(self) -> Schedule:
        """The schedule that the line says."""
        return Schedule.of(self.schedule)


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """The answer to a standing question changed.

    `told_at`: when it was printed, None: not yet. `posted_at`: when its webhook took it.
    """

    id: int
    watch_id: str
    watch_name: str
    at: datetime
    old: StandingAnswer
    new: StandingAnswer
    told_at: datetime | None = None
    posted_at: datetime | None = None
