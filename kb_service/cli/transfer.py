"""`kb export, import`: whole bases in one file from the command line."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import JsonOption, print_json, say, session, valid_text
from kb_service.language.plurals import num_of

if TYPE_CHECKING:
    from kb_service.domain.archives import Archived


def export(
    kb: Annotated[str, typer.Argument(help="Name or id of the base.", callback=valid_text)],
    file: Annotated[Path, typer.Argument(help="The archive, a new file.")],
    conversations: Annotated[
        bool, typer.Option("--conversations", help="Conversations and stored answers too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a base into one archive; a running service goes on."""
    with session(as_json=as_json) as services:
        done = services.transfer.export(kb, file, with_talks=conversations)
        _tell(done, f"exported   {done.name} to {file}", as_json=as_json)


def import_(
    file: Annotated[Path, typer.Argument(help="The archive.")],
    name: Annotated[
        str | None, typer.Option(help="Instead of the archive's name.", callback=valid_text)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a base of an archive; every checksum is compared first."""
    with session(as_json=as_json) as services:
        done = services.transfer.bring_back(file, name)
        _tell(done, f"imported   {done.name} ({done.kb_id})", as_json=as_json)


def _tell(done: "Archived", what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
    else:
        counts = f"{num_of(done.num_documents, 'document')}, {num_of(done.num_files, 'file')}"
        say(f"{what}: {counts}, {num_of(done.size_bytes, 'byte')}")
