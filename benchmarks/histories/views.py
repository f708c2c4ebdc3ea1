"""What a base holds and what it finds, as plain values without ids, so that bases can be compared.

A document is called by its name. Scores are rounded: they are sums in whatever order.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import select

from benchmarks.histories.files import questions, searches
from benchmarks.histories.hand import Hand
from kb_service.domain.answers import Answer
from kb_service.services.as_of import Moment
from kb_service.services.asking import AskRequest
from kb_service.services.searching import SearchRequest
from kb_service.storage.facts.tables import facts
from kb_service.storage.tables import chunks, documents, revisions

View = dict[str, Any]
NameOf = Callable[[str], str]
DIGITS = 5
MOST = 100
FIELD_MISSING = "field_missing"


def held(hand: Hand, kb_id: str) -> View:
    """Return the documents of a base by name: what each says, and what was made of it."""
    found = {}
    for state in hand.services.documents.every(kb_id):
        item, current = state.document, state.document.revision
        view: View = {
            "media_type": item.media_type,
            "size_bytes": item.size_bytes,
            "status": item.status.value,
            "error": (item.error or {}).get("code"),
            "tags": item.tags,
            "encoding": item.encoding,
            "container": item.container and (item.container.name, item.container.path),
            "newest": item.versions[0].sha256,
            "near": sorted((near.name, near.share) for near in state.similar_to),
        }
        if current:
            _, text = hand.services.documents.text(kb_id, item.id, None)
            view |= {
                "sha256": current.sha256,
                "num_pages": current.num_pages,
                "vectors": state.vectors and state.vectors.value,
                "metadata": item.metadata,
                "pages": item.page_report and asdict(item.page_report),
                "text": text,
            }
        found[item.name] = view
    with hand.database.read() as connection:
        return {name: view | _made_of(connection, kb_id, name) for name, view in found.items()}


def _made_of(connection: Any, kb_id: str, name: str) -> View:  # noqa: ANN401  a connection
    own = (documents.c.kb_id == kb_id, documents.c.name == name, revisions.c.is_current)
    joined = revisions.join(documents, documents.c.id == revisions.c.document_id)
    which = select(revisions.c.id).select_from(joined).where(*own).scalar_subquery()
    columns = [chunks.c[key] for key in ("ordinal", "start", "end", "text", "prefix")]
    rows = select(*columns).where(chunks.c.revision_id == which).order_by(chunks.c.ordinal)
    keys = ("record", "field", "value", "start", "end", "text", "number", "time_from")
    stated = select(*(facts.c[key] for key in keys)).where(facts.c.revision_id == which)
    return {
        "chunks": [tuple(row) for row in connection.execute(rows)],
        "facts": sorted(map(str, connection.execute(stated))),
    }


def versions(hand: Hand, kb_id: str) -> View:
    """Return the versions of each document by its name, newest first."""
    return {
        state.document.name: [
            (item.number, item.sha256, item.state.value, item.created_at)
            for item in state.document.versions
        ]
        for state in hand.services.documents.every(kb_id)
    }


def found(
    hand: Hand,
    kb_id: str,
    name_of: NameOf,
    as_of: Moment | None = None,
    num_searches: int | None = None,
) -> View:
    """Return by words what a search finds, best first, with ranks and scores."""
    return {
        words: [
            {
                "document": name_of(item.chunk.document_id),
                "sha256": item.sha256,
                "title": item.chunk.title,
                "span": (item.chunk.draft.span.start, item.chunk.draft.span.end),
                "text": item.chunk.draft.text,
                "score": round(item.score, DIGITS),
                "ranks": item.ranks,
                "scores": {leg: round(score, DIGITS) for leg, score in item.scores.items()},
            }
            for item in hand.services.searching.search(
                SearchRequest(kb_id, words, top_k=MOST, as_of=as_of)
            ).items
        ]
        for words in searches()[:num_searches]
    }


def said(
    hand: Hand,
    kb_id: str,
    name_of: NameOf,
    as_of: Moment | None = None,
    asked: Iterable[str] = (),
) -> View:
    """Return by question (none: all) what is answered; every answer is stored."""
    return {
        question: answer_view(
            hand.services.answering().ask(AskRequest(kb_id, question, as_of=as_of)), name_of
        )
        for question in asked or questions()
    }


def answer_view(answer: Answer, name_of: NameOf) -> View:
    """Return an answer without what is new in each: its id, times, the state it was asked of."""
    return {
        "status": answer.status.value,
        "reason": answer.reason,
        "is_over_many": answer.tabled is not None or answer.reason == FIELD_MISSING,
        "answer": answer.answer,
        "missing": answer.missing,
        "citations": [
            (
                name_of(item.document_id),
                item.sha256,
                item.cited_text,
                (item.source.start, item.source.end),
                item.status.value,
            )
            for item in answer.citations
        ],
        "passages": [
            (name_of(item.document_id), item.sha256, item.text) for item in answer.passages
        ],
    }


def of_one(view: View) -> View:
    """Return what was answered by the words of one document.

    What documents state, and so the answers over many, is known of the present only.
    """
    return {question: told for question, told in view.items() if not told["is_over_many"]}


def without_order(view: View) -> View:
    """Return what was found as a set, each by what it alone decides: not by who stands beside it.

    Of equal texts one is shown, and of equal scores the older comes first.
    """
    return {
        words: sorted({(item["text"], tuple(sorted(item["scores"].items()))) for item in items})
        for words, items in view.items()
    }


def difference(expected: object, got: object, where: str = "") -> str | None:
    """Return the first place in which two values differ, in words; None where they are equal."""
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in dict.fromkeys((*expected, *got)):
            if key not in got or key not in expected:
                return f"{where}[{key!r}] is {'not there' if key not in got else 'too much'}"
            if told := difference(expected[key], got[key], f"{where}[{key!r}]"):
                return told
        return None
    if isinstance(expected, list) and isinstance(got, list):
        for place, (one, other) in enumerate(zip(expected, got, strict=False)):
            if told := difference(one, other, f"{where}[{place}]"):
                return told
        if len(expected) != len(got):
            return f"{where} has {len(got)} items, not {len(expected)}"
        return None
    return None if expected == got else f"{where} is {got!r}, not {expected!r}"
