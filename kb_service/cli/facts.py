"""`kb facts`: what the documents of a base state. Prints what the service finds."""

from typing import Annotated

import typer

from kb_service.cli.session import (
    Exit,
    JsonOption,
    KbOption,
    LabelOption,
    print_json,
    say,
    session,
    valid_text,
)

FieldOption = Annotated[
    str | None,
    typer.Option("--field", help="Only of this field or column.", callback=valid_text),
]
DocumentOption = Annotated[
    str | None,
    typer.Option("--document", help="Only of the document of this name.", callback=valid_text),
]


def facts(
    kb: KbOption,
    field: FieldOption = None,
    document: DocumentOption = None,
    label: LabelOption = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what the documents of a base state, field by field."""
    with session(as_json=as_json) as services:
        from kb_service.schemas.facts import csv_lines, fact_body

        base = services.bases.show(kb)
        which = services.documents.find(base.id, document).document.id if document else None
        found = list(services.facts.every(base.id, field, which, tuple(label or ())))
        if as_json:
            print_json([fact_body(item, ()).model_dump(mode="json") for item in found])
        elif as_csv:
            for line in csv_lines(found):
                say(line.rstrip("\r\n"))
        else:
            for item in found:
                fact = item.fact
                row = f" row {fact.record}" if fact.record else ""
                say(f"{item.document_name}{row}: {fact.field} = {fact.text} ({fact.value!r})")
        if not found:
            raise typer.Exit(Exit.NOTHING_TO_DO)
