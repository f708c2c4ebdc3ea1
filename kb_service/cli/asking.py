"""`kb ask, search, prompt-ids`: questions from the command line.

Knows how results are printed; answering and ranking are the services'.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import (
    JsonOption,
    KbOption,
    LabelOption,
    print_json,
    say,
    session,
    valid_text,
)

if TYPE_CHECKING:
    from kb_service.domain.answers import Answer, Citation
    from kb_service.domain.queries import Passage
    from kb_service.domain.spans import PageRegion

AsOf = Annotated[
    str | None,
    typer.Option(help="As the base was then: an ISO 8601 day or time, or the number of a change."),
]
Question = Annotated[str, typer.Argument(help="The question.", callback=valid_text)]
TopK = Annotated[int | None, typer.Option(help="Number of chunks to retrieve.")]


def ask(
    question: Question,
    kb: KbOption,
    top_k: TopK = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer in tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the sampling.")] = None,
    as_of: AsOf = None,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a question from a knowledge base, with the words it rests on."""
    from kb_service.domain.chats import SamplingOptions
    from kb_service.domain.queries import Filters
    from kb_service.schemas.answers import answer_body
    from kb_service.services.asking import AskRequest, DoneEvent, TokenEvent

    with session(as_json=as_json) as services:
        options = SamplingOptions(temperature=temperature, max_tokens=max_tokens, seed=seed)
        request = AskRequest(
            kb_id=kb,
            question=question,
            top_k=top_k,
            filters=Filters(labels=tuple(label or ())),
            options=options,
            as_of=as_of,
        )
        if as_json:
            answer = services.answering().ask(request)
            print_json(answer_body(answer).model_dump(mode="json"))
            return
        for event in services.answering().stream(request):
            if isinstance(event, TokenEvent):
                say(event.text, ends_line=False)
            elif isinstance(event, DoneEvent):
                say("")
                _say_evidence(event.answer)


def _say_evidence(answer: "Answer") -> None:
    """Print what an answer rests on, what is missing, and what comes nearest to that."""
    if answer.understood.about:
        say(f"understood: {answer.understood.about}")
    for citation in answer.citations:
        say(f"[{citation.number}] {_named(citation)}: {citation.cited_text}")
    if answer.missing:
        say(f"missing: {'; '.join(answer.missing)}")
    for passage in answer.passages:
        if passage.number in answer.nearest:
            words = " ".join(passage.text.split())
            say(f"near: {_named(passage)}: {words}")
    if answer.not_stored:
        reason = f"{answer.not_stored.message} [{answer.not_stored.code}]"
        say(f"note: this answer is not stored: {reason}", to_stderr=True)


def _named(quoted: "Citation | Passage") -> str:
    """Return what tells a document and the place in it: title, file, date, its own line, page."""
    name = quoted.document_name if quoted.document_name != quoted.title else ""
    parts = [quoted.title, name, str(quoted.document_date or ""), quoted.document_line or ""]
    return ", ".join([*filter(None, parts), f"page {_pages(quoted.regions)}"])


def _pages(regions: "Sequence[PageRegion]") -> str:
    return ", ".join(str(region.page_number) for region in regions)


def search(
    query: Annotated[str, typer.Argument(help="Words to look for.", callback=valid_text)],
    kb: KbOption,
    top_k: TopK = 10,
    as_of: AsOf = None,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the best passages of a knowledge base with their ranks."""
    from kb_service.domain.queries import Filters
    from kb_service.schemas.search import search_body
    from kb_service.services.searching import SearchRequest

    with session(as_json=as_json) as services:
        filters = Filters(labels=tuple(label or ()))
        request = SearchRequest(kb, query, top_k, filters, as_of=as_of)
        result = services.searching.search(request)
        if as_json:
            print_json(search_body(result).model_dump(mode="json"))
            return
        for number, item in enumerate(result.items, start=1):
            ranks = ", ".join(f"{leg} {rank}" for leg, rank in item.ranks.items())
            pages = _pages(item.regions)
            say(f"{number}. {item.chunk.title}, page {pages}  ({ranks}; {item.score:.4f})")
            say(f"   {' '.join(item.chunk.draft.text.split())}")


def prompt_ids(question: Question, kb: KbOption, as_json: JsonOption = False) -> None:
    """Print the exact prompt of a question as token ids with their segments."""
    from kb_service.services.asking import AskRequest

    with session(as_json=as_json) as services:
        segments = services.answering().prompt_segments(AskRequest(kb_id=kb, question=question))
        if as_json:
            print_json({"segments": [{"role": s.role, "ids": list(s.ids)} for s in segments]})
            return
        for segment in segments:
            say(f"{segment.role:10} {' '.join(map(str, segment.ids))}")
