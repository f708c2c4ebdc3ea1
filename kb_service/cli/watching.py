"""`kb watch`: standing questions, and what changed since it was last told. Prints what is found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kb_service.cli.session import Exit, JsonOption, KbOption, print_json, say, session, valid_text
from kb_service.domain.schedules import AFTER_CHANGES

if TYPE_CHECKING:
    from kb_service.domain.watches import Watch

app = typer.Typer(help="Standing questions: what changed in their answers since it was last told.")
Json = Mapping[str, Any]
PersonalOption = Annotated[
    bool, typer.Option("--personal", help="Show personal data that the base masks, too.")
]
Name = Annotated[str, typer.Argument(help="Name of the question.", callback=valid_text)]


@app.callback(invoke_without_command=True)
def watch(
    context: typer.Context,
    kb: Annotated[str, typer.Option("--kb", help="As of `run`.", callback=valid_text)] = "",
    as_json: JsonOption = False,
    personal: PersonalOption = False,
) -> None:
    """Keep questions that are asked again; without a command as `run` does."""
    if context.invoked_subcommand is None:
        if not kb:
            raise typer.BadParameter("--kb is missing")
        run(kb, as_json=as_json, personal=personal)


@app.command("run")
def run(kb: KbOption, as_json: JsonOption = False, personal: PersonalOption = False) -> None:
    """Ask what is due, and print each change that was not told yet; 3 where there is none.

    Personal data that the base masks is masked: what is printed may be mailed on.
    """
    with session(as_json=as_json) as services:
        from kb_service.schemas.watches import answer_change_body
        from kb_service.services.veiled import Veiling

        base = services.bases.show(kb)
        services.watching.ask_all(base.id)
        with services.watching.telling(base.id) as changes:
            rows = [answer_change_body(one).model_dump(mode="json") for one in changes]
            if not personal:
                masking = services.masking
                rows = Veiling(masking, masking.masked_bases()).shown(rows, base.id)
            if as_json and changes:
                print_json({"changes": rows})
            else:
                for row in rows:
                    _say_change(row)
        if not changes:
            raise typer.Exit(Exit.NOTHING_TO_DO)


@app.command("add")
def add(
    name: Name,
    kb: KbOption,
    question: Annotated[
        str, typer.Option("--question", help="A question in words.", callback=valid_text)
    ] = "",
    query: Annotated[
        str, typer.Option("--query", help="A typed query as JSON.", callback=valid_text)
    ] = "",
    language: Annotated[str, typer.Option(help="Of the answer to a query: en or zh.")] = "en",
    schedule: Annotated[
        str, typer.Option(help="When: 'every N minutes', 'every N hours', 'daily at HH:MM'.")
    ] = AFTER_CHANGES,
    webhook: Annotated[str, typer.Option(help="Where changes are posted.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Keep a question that is asked again when the base has changed, or by a schedule."""
    with session(as_json=as_json) as services:
        from kb_service.domain.query_json import query_of_text
        from kb_service.domain.watches import Asked
        from kb_service.schemas.watches import watch_body

        base = services.bases.show(kb)
        asked = Asked(question, query_of_text(query) if query else None, language)
        watch = services.watching.add(base.id, name, asked, schedule, webhook)
        if as_json:
            print_json(watch_body(watch).model_dump(mode="json"))
        else:
            say(f"{watch.name}  {watch.schedule}")


@app.command("list")
def list_(kb: KbOption, as_json: JsonOption = False) -> None:
    """List the standing questions of a base with their answers."""
    with session(as_json=as_json) as services:
        from kb_service.schemas.watches import watch_body

        base, cursor = services.bases.show(kb), None
        found: list[Watch] = []
        while True:
            page = services.watching.listed(base.id, cursor=cursor)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        rows = [watch_body(watch).model_dump(mode="json") for watch in found]
        if as_json:
            print_json(rows)
            return
        for watch, row in zip(found, rows, strict=True):
            error = f"  error: {watch.error.get('message')}" if watch.error else ""
            say(f"{watch.name}  {_stands(watch)}{error}")
            if row["answer"]:
                _say_answer("  ", row["answer"])


@app.command("pause")
def pause(
    name: Name,
    kb: KbOption,
    goes_on: Annotated[bool, typer.Option("--off", help="Ask it again from now on.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask a question no more until it is told to go on."""
    with session(as_json=as_json) as services:
        from kb_service.schemas.watches import watch_body

        base = services.bases.show(kb)
        watch = services.watching.change(base.id, name, is_paused=not goes_on)
        if as_json:
            print_json(watch_body(watch).model_dump(mode="json"))
        else:
            say(f"{watch.name}  {_stands(watch)}")


@app.command("remove")
def remove(name: Name, kb: KbOption, as_json: JsonOption = False) -> None:
    """Delete a standing question with its answers."""
    with session(as_json=as_json) as services:
        services.watching.remove(services.bases.show(kb).id, name)
        if as_json:
            print_json({"removed": name})


def _stands(watch: "Watch") -> str:
    return "paused" if watch.is_paused else watch.schedule


def _say_change(change: Json) -> None:
    say(f"{change['watch_name']}  {change['at'][:16].replace('T', ' ')} UTC")
    _say_answer("- ", change["old"])
    _say_answer("+ ", change["new"])


def _say_answer(mark: str, answer: Json) -> None:
    text = "(what it quoted was deleted)" if answer["is_redacted"] else answer["answer"]
    for line in text.splitlines():
        say(f"{mark}{line}")
    for citation in answer["citations"]:
        words = " ".join(citation["cited_text"].split())
        name = citation["document_name"] or citation["title"]
        say(f"{mark}[{citation['number']}] {name}: {words}")
