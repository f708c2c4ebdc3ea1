"""Answers and their audit records as JSON values, and what is left of them after redaction.

Pure; knows no table.
"""

import dataclasses
from datetime import datetime
from typing import Any

from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    AnswerStatus,
    Citation,
    CitationStatus,
    Understood,
)
from kb_service.domain.chats import Usage
from kb_service.domain.queries import Passage, Reranking
from kb_service.domain.questions import QuestionKind
from kb_service.domain.spans import Box, PageRegion, TextSpan

Json = dict[str, Any]
REDACTED_REASON = "document_deleted"


def answer_json(answer: Answer) -> Json:
    """Return the answer as a JSON value, without whether it is stored and the units it read."""
    payload = dataclasses.asdict(answer)
    del payload["not_stored"]
    for passage in payload["passages"]:
        del passage["units"]
    payload["created_at"] = answer.created_at.isoformat()
    return payload


def audit_json(audit: AnswerAudit) -> Json:
    """Return the audit record as a JSON value."""
    return dataclasses.asdict(audit)


def answer_from(payload: Json) -> Answer:
    """Return the answer that `answer_json` wrote."""
    return Answer(
        **{
            **payload,
            "status": AnswerStatus(payload["status"]),
            "citations": tuple(_citation_from(item) for item in payload["citations"]),
            "passages": tuple(_passage_from(item) for item in payload["passages"]),
            "usage": Usage(**payload["usage"]),
            "highlight": TextSpan(**payload["highlight"]) if payload["highlight"] else None,
            "created_at": datetime.fromisoformat(payload["created_at"]),
            # Answers from before questions were understood have none of these.
            "understood": _understood_from(payload.get("understood")),
            "kind": QuestionKind(payload.get("kind", QuestionKind.FACT)),
            "missing": tuple(payload.get("missing", ())),
            "nearest": tuple(payload.get("nearest", ())),
        }
    )


def audit_from(payload: Json) -> AnswerAudit:
    """Return the audit record that `audit_json` wrote."""
    return AnswerAudit(
        **{
            **payload,
            "prompt_token_ids": tuple(payload["prompt_token_ids"]),
            "reranking": _reranking_from(payload.get("reranking")),
        }
    )


def seen_documents(answer: Answer) -> set[str]:
    """Return the documents whose words the answer quotes, was generated from or asked with."""
    quoted = {citation.document_id for citation in answer.citations}
    asked_with = answer.understood.documents if answer.understood else ()
    return quoted | {passage.document_id for passage in answer.passages} | set(asked_with)


def redacted(payload: Json, audit: Json) -> tuple[Json, Json]:
    """Return both without any words of the documents; the question and the numbers stay."""
    emptied = {
        **payload,
        "answer": "",
        "citations": [],
        "passages": [],
        "highlight": None,
        "understood": None,
        "nearest": [],
        "reason": REDACTED_REASON,
    }
    return emptied, {**audit, "prompt_token_ids": [], "raw_output": ""}


def _understood_from(item: Json | None) -> Understood | None:
    return Understood(**{**item, "documents": tuple(item["documents"])}) if item else None


def _reranking_from(item: Json | None) -> Reranking | None:
    """Records from before there was a reranker have none; early ones also tell its time budget."""
    if item is None:
        return None
    return Reranking(item["model"], item["num_candidates"], item["num_scored"])


def _citation_from(item: Json) -> Citation:
    return Citation(
        **{
            **item,
            "source": TextSpan(**item["source"]),
            "answer": TextSpan(**item["answer"]),
            "regions": tuple(_region_from(region) for region in item["regions"]),
            "status": CitationStatus(item["status"]),
            # Answers from before novelty was told have none.
            "unsupported": tuple(TextSpan(**span) for span in item.get("unsupported", ())),
        }
    )


def _region_from(item: Json) -> PageRegion:
    return PageRegion(item["page_number"], tuple(_box_from(box) for box in item["boxes"]))


def _box_from(numbers: list[float]) -> Box:
    x0, y0, x1, y1 = numbers
    return (x0, y0, x1, y1)


def _passage_from(item: Json) -> Passage:
    return Passage(**{**item, "span": TextSpan(**item["span"])})
