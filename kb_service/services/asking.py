"""What can be asked and what comes back while it is answered: AskRequest, AskEvent.

Knows the accepted range of every value of a request. Knows nothing of retrieval, models, storage.
"""

from dataclasses import dataclass, field

from kb_service.domain.answers import Answer, Citation, SamplingOptions
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Filters
from kb_service.settings import RetrievalSettings

MAX_SEED = 2**31 - 1
MAX_TEMPERATURE = 2.0
MAX_TOKENS = 32768


@dataclass(frozen=True, slots=True)
class AskRequest:
    """A question to one knowledge base (id or exact name). None means the service's default.

    `top_k`: number of chunks retrieved. `conversation_id`: continue that conversation; None starts
    a new one.
    """

    kb_id: str
    question: str
    conversation_id: str | None = None
    top_k: int | None = None
    filters: Filters = field(default_factory=Filters)
    options: SamplingOptions = field(default_factory=SamplingOptions)


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """The next piece of the answer; the pieces joined are exactly `Answer.answer`."""

    text: str


@dataclass(frozen=True, slots=True)
class CitationEvent:
    """A citation of words already sent; the events in order are exactly `Answer.citations`."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class DoneEvent:
    """The last event: the whole answer, already saved."""

    answer: Answer


AskEvent = TokenEvent | CitationEvent | DoneEvent


def check_request(request: AskRequest, limits: RetrievalSettings) -> None:
    """Raise InvalidRequest that names the value and its accepted range."""
    _check_question(request.question, limits.max_question_chars)
    _check_range("top_k", request.top_k, 1, limits.max_top_k)
    _check_range("temperature", request.options.temperature, 0.0, MAX_TEMPERATURE)
    _check_range("max_tokens", request.options.max_tokens, 1, MAX_TOKENS)
    _check_range("seed", request.options.seed, 0, MAX_SEED)


def _check_question(question: str, max_chars: int) -> None:
    details = {"num_chars": len(question), "max_chars": max_chars}
    if not question.strip():
        raise InvalidRequest(
            f"question is empty; expected 1 to {max_chars} characters",
            code="question_empty",
            details=details,
        )
    if len(question) > max_chars:
        raise InvalidRequest(
            f"question has {len(question)} characters; expected 1 to {max_chars}",
            code="question_too_long",
            details=details,
        )


def _check_range(name: str, value: float | None, low: float, high: float) -> None:
    # NaN fails every comparison, so the test is for being inside.
    if value is None or low <= value <= high:
        return
    raise InvalidRequest(
        f"{name} is {value}; expected {low} to {high}",
        code=f"{name}_out_of_range",
        details={"name": name, "value": str(value), "min": low, "max": high},
    )
