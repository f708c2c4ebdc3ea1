"""Prepared answers in the shape of the contract."""

from typing import Any

TEXT_EN = "The crane collapsed at 14:20. Two workers were injured."
SHA = "aa" * 32


def citation(number: int, start: int, end: int, **fields: object) -> dict[str, Any]:
    """A citation whose answer span is [start, end); one page, one box, unless told otherwise."""
    pages = [{"page_number": number, "boxes": [[60.0, 400.0, 300.0, 418.0]]}]
    return {
        "id": f"cit_{number}",
        "number": number,
        "document_id": "doc_0",
        "revision": SHA,
        "title": "Crane report.pdf",
        "cited_text": "At 14:20 the crane collapsed onto the hall.",
        "source": {"start": 6, "end": 12, "pages": pages},
        "answer": {"start": start, "end": end},
        "score": 0.9,
        "status": "verified",
    } | fields


def answer(text: str, citations: list[dict[str, Any]], **fields: object) -> dict[str, Any]:
    passage = {"number": 1, "chunk_id": 7, "document_id": "doc_0", "title": "Crane report.pdf"}
    return {
        "id": "ans_1",
        "kb_id": "kb_0",
        "status": "answered",
        "answer": text,
        "reason": None,
        "citations": citations,
        "passages": [passage | {"text": "At 14:20 the crane collapsed.", "score": 0.8}],
        "conversation_id": "conv_1",
        "model": "test reader",
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0},
        "timings": {"retrieve_s": 0.01, "first_token_s": 0.02, "generate_s": 0.03, "total_s": 0.05},
    } | fields


def crane_answer(**fields: object) -> dict[str, Any]:
    first = TEXT_EN.index(" Two")
    citations = [citation(1, 0, first), citation(2, first + 1, len(TEXT_EN))]
    return answer(TEXT_EN, citations, highlight={"start": 23, "end": 28}, **fields)
