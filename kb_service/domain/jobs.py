"""The durable ingest queue as values: IngestJob, its statuses and stages. Knows no database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobStatus(StrEnum):
    """`failed` waits for its next attempt; `dead` has none left or can never succeed."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DEAD = "dead"


TERMINAL_STATUSES = frozenset({JobStatus.SUCCEEDED, JobStatus.CANCELLED, JobStatus.DEAD})


class JobStage(StrEnum):
    """What a running job is doing; `done` of `total` counts pages (load) or chunks (later)."""

    QUEUED = "queued"
    LOAD = "load"
    CHUNK = "chunk"
    COMMIT = "commit"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class IngestJob:
    """One durable piece of work: bring one revision of one document into the index."""

    id: str
    kb_id: str
    document_id: str
    blob_sha256: str
    media_type: str
    status: JobStatus
    stage: JobStage
    done: int
    total: int
    attempt: int
    error: "dict[str, object] | None"
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pause:
    """Why no worker takes jobs: who said so and when; `is_everywhere`: for the whole service.

    `by` is "" where no key was needed.
    """

    by: str
    at: datetime
    is_everywhere: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a running job: `done` of `total` pages or chunks in `stage`."""

    stage: JobStage
    done: int
    total: int
