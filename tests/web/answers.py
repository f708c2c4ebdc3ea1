"""Prepared answers as domain values; ids and documents are filled in when one is given."""

from datetime import UTC, datetime
from typing import Any

from kb_service.domain.answers import Answer, AnswerStatus, Citation, CitationStatus, Understood
from kb_service.domain.chats import Usage
from kb_service.domain.queries import Passage
from kb_service.domain.spans import PageRegion, TextSpan

TEXT_EN = "The crane collapsed at 14:20. Two workers were injured."
SENTENCES = ("At 14:20 the crane collapsed onto the hall.", "Two were injured.", "It was repaired.")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def citation(number: int, start: int, end: int, **fields: Any) -> Citation:  # noqa: ANN401
    """A citation whose answer span is [start, end); one page, one box, unless told otherwise."""
    known: dict[str, Any] = {
        "title": "Crane report.pdf",
        "cited_text": SENTENCES[0],
        "source": TextSpan(0, len(SENTENCES[0])),
        "regions": (PageRegion(number, ((60.0, 400.0, 300.0, 418.0),)),),
        "status": CitationStatus.VERIFIED,
    }
    return Citation(
        id=f"c{number}",
        number=number,
        document_id="",
        sha256="",
        answer=TextSpan(start, end),
        score=0.9,
        **known | fields,
    )


def answer(text: str, citations: list[Citation], **fields: Any) -> Answer:  # noqa: ANN401
    passage = Passage(1, 7, "", 1, "", "Crane report.pdf", TextSpan(0, 43), SENTENCES[0], score=0.8)
    known: dict[str, Any] = {
        "status": AnswerStatus.ANSWERED,
        "reason": None,
        "passages": (passage,),
        "model": "test reader",
        "timings": {"retrieve_s": 0.01, "total_s": 0.05},
        "understood": Understood(""),
    }
    return Answer(
        id="",
        kb_id="",
        question="",
        answer=text,
        citations=tuple(citations),
        conversation_id="",
        usage=Usage(0, 0, 0),
        created_at=NOW,
        **known | fields,
    )


def crane_answer(**fields: Any) -> Answer:  # noqa: ANN401
    first = TEXT_EN.index(" Two")
    citations = [citation(1, 0, first), citation(2, first + 1, len(TEXT_EN))]
    return answer(TEXT_EN, citations, highlight=TextSpan(23, 28), **fields)
