"""Rows of standing questions as domain values, and back; what a deleted document takes with it.

Called inside a transaction only.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from kb_service.domain.query_json import query_from, query_json
from kb_service.domain.watches import AnswerChange, Asked, StandingAnswer, Watch
from kb_service.storage.answers.codec import citation_from
from kb_service.storage.answers.tabled_codec import tabled_from, tabled_json
from kb_service.storage.rows import batches, value_of
from kb_service.storage.watches.tables import (
    watch_answer_documents,
    watch_answers,
    watch_changes,
    watches,
)

Json = dict[str, Any]
_old, _new = watch_answers.alias("old_answer"), watch_answers.alias("new_answer")


def watch_rows() -> Select[Any]:
    """Select standing questions with their present answers."""
    num_changes = select(func.count()).where(watch_changes.c.watch_id == watches.c.id)
    return select(
        watches, watch_answers.c.payload, num_changes.scalar_subquery().label("num_changes")
    ).outerjoin(watch_answers, watch_answers.c.id == watches.c.answer_id)


def watch_of(row: Row[Any]) -> Watch:
    """Return the standing question of a row of `watch_rows`."""
    answer = answer_of(row.payload) if row.payload else None
    return value_of(Watch, row, asked=_asked_of(row.asked), answer=answer)


def change_rows() -> Select[Any]:
    """Select changes of answers, both answers with them."""
    return (
        select(
            watch_changes,
            watches.c.name.label("watch_name"),
            _old.c.payload.label("old_payload"),
            _new.c.payload.label("new_payload"),
        )
        .join(watches, watches.c.id == watch_changes.c.watch_id)
        .join(_old, _old.c.id == watch_changes.c.old_id)
        .join(_new, _new.c.id == watch_changes.c.new_id)
    )


def change_of(row: Row[Any]) -> AnswerChange:
    """Return the change of a row of `change_rows`."""
    old, new = answer_of(row.old_payload), answer_of(row.new_payload)
    return value_of(AnswerChange, row, old=old, new=new)


def asked_json(asked: Asked) -> Json:
    """Return what is asked as a JSON value."""
    query = asked.query and query_json(asked.query)
    return {"question": asked.question, "query": query, "language": asked.language}


def answer_of(payload: Json) -> StandingAnswer:
    """Return the answer of a stored payload."""
    tabled = payload["tabled"]
    return StandingAnswer(
        **{
            **payload,
            "citations": tuple(map(citation_from, payload["citations"])),
            "tabled": tabled_from(tabled) if tabled else None,
            "asked_at": datetime.fromisoformat(payload["asked_at"]),
        }
    )


def insert_answer(connection: Connection, watch_id: str, answer: StandingAnswer) -> int:
    """Keep an answer with the documents that it quotes; return its id."""
    statement = insert(watch_answers).returning(watch_answers.c.id)
    values = {"watch_id": watch_id, "digest": answer.digest, "payload": _payload(answer)}
    answer_id: int = connection.execute(statement.values(values)).scalar_one()
    if answer.documents:
        quoted = [{"answer_id": answer_id, "document_id": one} for one in sorted(answer.documents)]
        connection.execute(insert(watch_answer_documents), quoted)
    return answer_id


def redact_standing_answers(connection: Connection, document_id: str) -> None:
    """Take the words out of every answer to a standing question that quotes the document."""
    quoted = watch_answer_documents.c
    ids = select(quoted.answer_id).where(quoted.document_id == document_id)
    rows = connection.execute(select(watch_answers).where(watch_answers.c.id.in_(ids))).all()
    for row in rows:
        known = answer_of(row.payload)
        emptied = replace(known, text="", citations=(), tabled=None, is_redacted=True)
        connection.execute(
            update(watch_answers)
            .where(watch_answers.c.id == row.id)
            .values(payload=_payload(emptied))
        )
    for batch in batches(row.id for row in rows):
        connection.execute(delete(watch_answer_documents).where(quoted.answer_id.in_(batch)))


def ask_again(connection: Connection, kb_id: str) -> None:
    """Let what follows changes be asked again: what documents state is other than it was."""
    connection.execute(
        update(watches)
        .where(watches.c.kb_id == kb_id)
        .values(checked_change=None, num_checks=watches.c.num_checks + 1)
    )


def _payload(answer: StandingAnswer) -> Json:
    payload = asdict(answer)
    for citation in payload["citations"]:
        dated = citation["document_date"]
        citation["document_date"] = dated and dated.isoformat()
    payload["tabled"] = answer.tabled and tabled_json(answer.tabled)
    return {**payload, "asked_at": answer.asked_at.isoformat()}


def _asked_of(item: Json) -> Asked:
    query = query_from(item["query"]) if item["query"] else None
    return Asked(item["question"], query, item["language"])
