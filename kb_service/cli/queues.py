"""`kb pause, resume`: queues of ingest jobs that stand still, and go on."""

from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import JsonOption, print_json, say, session, valid_text

if TYPE_CHECKING:
    from kb_service.domain.jobs import Pause
    from kb_service.operations import Services

OneBase = Annotated[
    str | None, typer.Option("--kb", help="Name or id of the knowledge base.", callback=valid_text)
]
Every = Annotated[bool, typer.Option("--all", help="Of the whole service.")]


def pause(kb: OneBase = None, every: Every = False, as_json: JsonOption = False) -> None:
    """Let no worker take a job of a base, or of any; running ones go on to their end."""
    _require_one(kb, every=every)
    with session(as_json=as_json) as services:
        _tell(services.jobs.pause(_scope(services, kb), ""), as_json=as_json)


def resume(kb: OneBase = None, every: Every = False, as_json: JsonOption = False) -> None:
    """Let the queue of a base, or of the whole service, go on."""
    _require_one(kb, every=every)
    with session(as_json=as_json) as services:
        _tell(services.jobs.resume(_scope(services, kb)), as_json=as_json)


def _require_one(kb: str | None, *, every: bool) -> None:
    if (kb is None) == (not every):
        raise typer.BadParameter("name a base with --kb, or give --all for the whole service")


def _scope(services: "Services", kb: str | None) -> str | None:
    return None if kb is None else services.bases.show(kb).id


def _tell(paused: "Pause | None", *, as_json: bool) -> None:
    if as_json:
        from kb_service.schemas.queues import queue_body

        print_json(queue_body(paused).model_dump(mode="json"))
    elif paused is None:
        say("the queue goes on")
    else:
        whole = " (the whole service)" if paused.is_everywhere else ""
        by = f" by {paused.by}" if paused.by else ""
        say(f"paused{by} since {paused.at:%Y-%m-%d %H:%M} UTC{whole}")
