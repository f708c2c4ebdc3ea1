"""`kb query`: a typed query over what documents state. Prints what the service finds."""

from pathlib import Path
from typing import Annotated

import typer

from kb_service.cli.reports import write_report
from kb_service.cli.session import JsonOption, KbOption, print_json, say, session, valid_text

QueryText = Annotated[
    str,
    typer.Argument(help='The query as JSON: {"op": "count", …}', callback=valid_text),
]


def query(
    text: QueryText,
    kb: KbOption,
    language: Annotated[str, typer.Option(help="Of the answer: en or zh.")] = "en",
    report: Annotated[
        Path | None, typer.Option(help="Also write it as one HTML file to hand over.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Count, list, group or measure what the documents of a base state."""
    from kb_service.domain.query_json import query_of_text
    from kb_service.schemas.answers import query_answer_body

    with session(as_json=as_json) as services:
        base = services.bases.show(kb)
        told = services.querying.told_of(base.id, query_of_text(text), language)
        if report is not None:
            write_report(report, services.reports.of_query(base.id, told, language))
        if as_json:
            body = query_answer_body(told.text, told.citations, told.tabled)
            print_json(body.model_dump(mode="json"))
            return
        say(told.text)
        for citation in told.citations:
            say(f"[{citation.number}] {citation.document_name}: {citation.cited_text}")
