"""What is said about queues of ingest jobs, made from domain values."""

from kb_service.domain.jobs import Pause
from kb_service.schemas.documents import PauseBody, Shape


class QueueBody(Shape):
    """Whether the queue of ingest jobs stands still; null: it goes on."""

    paused: PauseBody | None


def queue_body(paused: Pause | None) -> QueueBody:
    """Convert what is known of a queue."""
    return QueueBody(paused=None if paused is None else PauseBody.of(paused))
