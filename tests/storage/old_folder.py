"""A data folder as the first release left it: its schema, its rows and its files, written by hand.

The values are those that its code wrote. Nothing of today's storage is used but the first step of
the migrations, so that the folder does not change when storage does.
"""

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from kb_service.storage.migration import MIGRATIONS

KB, TALK, ANSWER = f"kb_{'a' * 24}", f"conv_{'b' * 24}", f"ans_{'c' * 24}"
PUMP, BOILER, CRANE, MAIL = (f"doc_{digit * 24}" for digit in "1234")
FIRST = "The pump in hall three was repaired by Meyer on 2 May 2026.\n\nThe cause was a worn seal."
SECOND = "The pump in hall three was repaired again by Schmidt on 9 May 2026."
LEAK = "The boiler in hall five leaked on 3 May 2026."
FALL = "The crane fell on 4 May 2026."
QUESTION = "Who repaired the pump in hall three?"
SAID = FIRST.partition("\n")[0]
AT = "2026-05-10 08:00:00.000000"
PROFILE = "5e" * 32
ERROR = {"code": "corrupt_document", "message": "m.eml is cut off", "details": None}


def make_old_folder(folder: Path) -> None:
    """Write the folder: two documents that were read, one that waits, one that failed."""
    folder.mkdir(mode=0o700)
    file = folder / "kb.sqlite3"
    _make_schema(file)
    for content in (FIRST, SECOND, LEAK, FALL, "cut"):
        place = folder / "blobs" / _sha(content)[:2] / _sha(content)[2:4] / _sha(content)
        place.parent.mkdir(parents=True)
        place.write_text(content, encoding="utf-8")
    connection = sqlite3.connect(file)
    with connection:
        _base_rows(connection)
        _revision(connection, 1, PUMP, FIRST, is_current=False)
        _revision(connection, 2, BOILER, LEAK, is_current=True)
        _revision(connection, 3, PUMP, SECOND, is_current=True)
        _talk_rows(connection)
    connection.close()


def _make_schema(file: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()


def _sha(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def _put(connection: sqlite3.Connection, table: str, **values: Any) -> None:  # noqa: ANN401
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  names of this file
        tuple(values.values()),
    )


def _base_rows(connection: sqlite3.Connection) -> None:
    times = {"created_at": AT, "updated_at": AT}
    base = {"description": "of the works", "change_seq": 4, "event_seq": 22}
    _put(connection, "knowledge_bases", id=KB, name="reports", **base, **times)
    documents = (
        (PUMP, "pump.txt", SECOND),
        (BOILER, "boiler.txt", LEAK),
        (CRANE, "crane.txt", FALL),
        (MAIL, "m.eml", "cut"),
    )
    for number, (key, name, content) in enumerate(documents, 1):
        kind = "message/rfc822" if name == "m.eml" else "text/plain"
        file = {"size_bytes": len(content), "media_type": kind}
        _put(
            connection,
            "documents",
            id=key,
            kb_id=KB,
            name=name,
            sha256=_sha(content),
            **file,
            **times,
        )
        status = {CRANE: "queued", MAIL: "dead"}.get(key, "succeeded")
        stage = {CRANE: "queued", MAIL: "load"}.get(key, "done")
        state = {"status": status, "stage": stage, "done": 0, "total": 0, "interruptions": 0}
        error = json.dumps(ERROR) if key == MAIL else None
        given = {"attempt": int(key != CRANE), "error": error, "run_after": AT, "created_at": AT}
        _put(
            connection,
            "jobs",
            number=number,
            id=f"job_{key[4:]}",
            kb_id=KB,
            document_id=key,
            event_seq=number,
            blob_sha256=_sha(content),
            **file,
            **state,
            **given,
        )
    _put(connection, "document_tags", document_id=PUMP, tag="pumps")


def _revision(
    connection: sqlite3.Connection, number: int, document: str, text: str, *, is_current: bool
) -> None:
    title = {PUMP: "pump", BOILER: "boiler"}[document]
    counts = {"num_pages": 1, "num_chunks": int(is_current), "is_complete": True}
    file = {"sha256": _sha(text), "size_bytes": len(text), "media_type": "text/plain"}
    _put(
        connection,
        "revisions",
        id=number,
        document_id=document,
        title=title,
        metadata="{}",
        text=text,
        is_current=is_current,
        created_at=AT,
        **file,
        **counts,
    )
    _put(
        connection,
        "pages",
        revision_id=number,
        page_number=1,
        start=0,
        end=len(text),
        kind="text",
        width=0.0,
        height=0.0,
        rotation=0,
    )
    change = {"kb_id": KB, "revision_id": number, "is_added": is_current}
    _put(connection, "changes", seq={1: 3, 2: 2, 3: 4}[number], **change)
    if is_current:
        _chunk(connection, number, document, f"{title}\n{text}")


def _chunk(connection: sqlite3.Connection, number: int, document: str, embedded: str) -> None:
    title, text = embedded.split("\n", 1)
    key = _sha(embedded)
    span = {"start": 0, "end": len(text), "text": text, "text_sha256": key}
    own = {"kb_id": KB, "document_id": document, "revision_id": number}
    told = {"heading_path": "[]", "prefix": title}
    _put(connection, "chunks", id=number, ordinal=0, **span, **own, **told)
    vector = {"profile_fingerprint": PROFILE, "text_sha256": key, "vector": bytes(8)}
    _put(connection, "embeddings", **vector)


def _talk_rows(connection: sqlite3.Connection) -> None:
    times = {"created_at": AT, "updated_at": AT}
    _put(connection, "conversations", id=TALK, kb_id=KB, title=QUESTION, **times)
    payload, audit = json.dumps(_payload()), json.dumps(_audit())
    _put(
        connection,
        "answers",
        id=ANSWER,
        kb_id=KB,
        conversation_id=TALK,
        payload=payload,
        audit=audit,
        created_at=AT,
    )
    _put(connection, "answer_documents", answer_id=ANSWER, document_id=PUMP)
    turns = ((1, "user", QUESTION, None), (2, "assistant", SAID, ANSWER))
    for number, role, content, answer in turns:
        _put(
            connection,
            "messages",
            conversation_id=TALK,
            number=number,
            role=role,
            content=content,
            answer_id=answer,
            created_at=AT,
        )
    _put(connection, "feedback", answer_id=ANSWER, rating="up", comment="right", created_at=AT)


def _payload() -> dict[str, object]:
    """An answer as it was stored: none of the fields that came later."""
    source = {"document_id": PUMP, "sha256": _sha(FIRST), "title": "pump"}
    whole = {"start": 0, "end": len(SAID)}
    citation = {
        **source,
        "id": "c1",
        "number": 1,
        "cited_text": SAID,
        "source": whole,
        "answer": whole,
        "regions": [{"page_number": 1, "boxes": []}],
        "score": 1.0,
        "status": "verified",
    }
    passage = {
        **source,
        "number": 1,
        "chunk_id": 1,
        "revision_id": 1,
        "text": FIRST,
        "score": 0.09,
        "span": {"start": 0, "end": len(FIRST)},
    }
    return {
        "id": ANSWER,
        "kb_id": KB,
        "question": QUESTION,
        "status": "answered",
        "answer": SAID,
        "reason": None,
        "citations": [citation],
        "passages": [passage],
        "conversation_id": TALK,
        "model": "extractive-reader",
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cached_tokens": 0},
        "timings": {"retrieve_s": 0.1, "total_s": 0.2},
        "created_at": "2026-05-10T08:00:00+00:00",
        "highlight": {"start": 39, "end": 44},
    }


def _audit() -> dict[str, object]:
    return {
        "model_sha256": "",
        "tokenizer_sha256": "",
        "prompt_token_ids": [],
        "sampling": {},
        "seed": None,
        "raw_output": f"{SAID}[1]",
        "reranking": {"model": "x", "num_candidates": 2, "num_scored": 2, "budget_s": 0.3},
    }
