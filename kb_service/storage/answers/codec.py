"""Answers and their audit records as JSON values, and what is left of them after redaction.

Pure; knows no table.
"""

import dataclasses
from datetime import date, datetime
from typing import Any

from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    AnswerStatus,
    Channel,
    Citation,
    CitationStatus,
    Understood,
)
from kb_service.domain.chats import Usage
from kb_service.domain.queries import Passage, Reranking
from kb_service.domain.query_json import filters_from, filters_json
from kb_service.domain.questions import QuestionKind
from kb_service.domain.spans import Box, PageRegion, TextSpan
from kb_service.domain.times import Period
from kb_service.storage.answers.tabled_codec import tabled_from, tabled_json

Json = dict[str, Any]
REDACTED_REASON = "document_deleted"


def answer_json(answer: Answer) -> Json:
    """Return the answer as a JSON value, without whether it is stored, whose it is and what was
    read."""
    payload = dataclasses.asdict(answer)
    del payload["not_stored"], payload["owner"]
    payload["tabled"] = answer.tabled and tabled_json(answer.tabled)
    for passage in payload["passages"]:
        del passage["units"], passage["found"]
    for named in (*payload["passages"], *payload["citations"]):
        named["document_date"] = named["document_date"] and named["document_date"].isoformat()
    payload["created_at"] = answer.created_at.isoformat()
    payload["understood"] = _understood_json(answer.understood)
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
            "citations": tuple(citation_from(item) for item in payload["citations"]),
            "passages": tuple(_passage_from(item) for item in payload["passages"]),
            "usage": Usage(**payload["usage"]),
            "highlight": TextSpan(**payload["highlight"]) if payload["highlight"] else None,
            "created_at": datetime.fromisoformat(payload["created_at"]),
            # Answers from before questions were understood have none of these.
            "understood": _understood_from(payload.get("understood"), payload["question"]),
            "channel": Channel(payload.get("channel", Channel.PAGE)),
            "kind": QuestionKind(payload.get("kind", QuestionKind.FACT)),
            "missing": tuple(payload.get("missing", ())),
            "nearest": tuple(payload.get("nearest", ())),
            "tabled": tabled_from(payload["tabled"]) if payload.get("tabled") else None,
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
    shown = set(answer.tabled.documents) if answer.tabled else set()
    return (
        quoted
        | shown
        | {passage.document_id for passage in answer.passages}
        | set(answer.understood.documents)
    )


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
        "tabled": None,
        "reason": REDACTED_REASON,
    }
    return emptied, {**audit, "prompt_token_ids": [], "raw_output": ""}


def _understood_json(read: Understood) -> Json:
    """Return how a question was read with its days and moments as words."""
    days = dataclasses.asdict(read.time) if read.time else None
    return {
        **dataclasses.asdict(read),
        "time": days and {name: day.isoformat() for name, day in days.items()},
        "filters": filters_json(read.filters),
    }


def _understood_from(item: Json | None, typed: str) -> Understood:
    """Return how a question was read; of one from before that was told, what is known of it."""
    told = item or {"question": typed}
    days, filters = told.get("time"), told.get("filters")
    return Understood(
        question=told["question"],
        subjects=tuple(told.get("subjects", ())),
        time=Period(*map(date.fromisoformat, (days["first"], days["last"]))) if days else None,
        filters=filters_from(filters or {}),
        carried=tuple(told.get("carried", ())),
        documents=tuple(told.get("documents", ())),
        about=told.get("about"),
    )


def _reranking_from(item: Json | None) -> Reranking | None:
    """Records from before there was a reranker have none; early ones also tell its time budget."""
    if item is None:
        return None
    return Reranking(item["model"], item["num_candidates"], item["num_scored"])


def citation_from(item: Json) -> Citation:
    """Return a citation of a stored answer."""
    return Citation(
        **{
            **item,
            "source": TextSpan(**item["source"]),
            "answer": TextSpan(**item["answer"]),
            "regions": tuple(_region_from(region) for region in item["regions"]),
            "status": CitationStatus(item["status"]),
            # Answers from before novelty was told have none.
            "unsupported": tuple(TextSpan(**span) for span in item.get("unsupported", ())),
            "document_date": _date_of(item),
        }
    )


def _region_from(item: Json) -> PageRegion:
    boxes = tuple(_box_from(box) for box in item["boxes"])
    return PageRegion(item["page_number"], boxes, item.get("confidence"))


def _box_from(numbers: list[float]) -> Box:
    x0, y0, x1, y1 = numbers
    return (x0, y0, x1, y1)


def _passage_from(item: Json) -> Passage:
    regions = tuple(_region_from(region) for region in item.get("regions", ()))
    known = {"span": TextSpan(**item["span"]), "regions": regions, "document_date": _date_of(item)}
    return Passage(**{**item, **known})


def _date_of(item: Json) -> date | None:
    """Return the date of a document; answers from before it was told have none."""
    stated = item.get("document_date")
    return date.fromisoformat(stated) if stated else None
