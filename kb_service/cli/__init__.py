"""The `kb` command: one typer application, its commands by subject in the modules beside it.

Importing it stays cheap: services, models and indexes are imported by the command that needs them.
"""

import gc
from collections.abc import Callable

import typer

import llm  # noqa: F401 -- sets how idle threads wait, before a command imports torch
from kb_service.cli import (
    asking,
    documents,
    evaluating,
    facts,
    keys,
    labels,
    operations,
    querying,
    queues,
    reports,
    serving,
    syncing,
    transfer,
    watching,
)
from kb_service.cli.session import replace_what_cannot_be_shown

app = typer.Typer(
    name="kb",
    help="Answers from your own documents, every sentence tied to the words it came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "serve": serving.serve,
    "worker": serving.worker,
    "answerer": serving.answerer,
    "ingest": documents.ingest,
    "sync": syncing.sync,
    "list": documents.list_,
    "show": documents.show,
    "reread": documents.reread,
    "delete": documents.delete,
    "ask": asking.ask,
    "search": asking.search,
    "query": querying.query,
    "prompt-ids": asking.prompt_ids,
    "report": reports.report,
    "verify-report": reports.verify_report,
    "eval": evaluating.evaluate,
    "facts": facts.facts,
    "pause": queues.pause,
    "resume": queues.resume,
    "reindex": operations.reindex,
    "verify": operations.verify,
    "export": transfer.export,
    "import": transfer.import_,
    "backup": operations.backup,
    "restore": operations.restore,
    "doctor": operations.doctor,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
app.add_typer(watching.app, name="watch")
app.add_typer(keys.app, name="keys")
app.add_typer(labels.app, name="labels")


COLLECT_EVERY = 50_000
"""New objects between two looks of the collector. What is imported makes some 250,000 that stay,
and a count over many documents a few hundred thousand at once; with Python's 700 an eighth of a
start, and half of such a count, went into looking at them again and again."""


def main() -> None:
    """Run the command line; the process ends with its exit code."""
    gc.set_threshold(COLLECT_EVERY)
    replace_what_cannot_be_shown()
    app()
