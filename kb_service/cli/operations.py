"""`kb reindex, verify, backup, restore, doctor`: keeping a service healthy from the command line.

Prints what the services find and sets the exit code; finds nothing itself.
"""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import (
    Exit,
    JsonOption,
    KbOption,
    load_settings,
    print_json,
    private_files,
    reported_errors,
    say,
    session,
    upkeep_session,
)
from kb_service.language.plurals import num_of

if TYPE_CHECKING:
    from kb_service.domain.backups import Backup
    from kb_service.operations import Services


def reindex(
    kb: KbOption,
    facts: Annotated[
        bool, typer.Option("--facts", help="Only find anew what the documents state.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Rebuild the indexes of a base; texts without a vector of the present model are embedded."""
    with session(as_json=as_json) as services:
        if facts:
            _find_facts(services, kb, as_json=as_json)
            return
        done = services.reindexing.reindex(kb)
        base, num_embedded = done.base, done.num_embedded
        if as_json:
            print_json({"kb_id": base.id, "num_embedded": num_embedded})
        else:
            say(f"reindexed {base.name}: {num_of(num_embedded, 'text')} embedded")


def _find_facts(services: "Services", kb: str, *, as_json: bool) -> None:
    base = services.bases.show(kb)
    num_documents = services.facts.find_all(base.id)
    if as_json:
        print_json({"kb_id": base.id, "num_documents": num_documents})
    else:
        say(f"found the facts of {base.name} anew: {num_of(num_documents, 'document')}")


def verify(
    deleted: Annotated[
        str | None, typer.Option(help="Look for what is left of a deleted document.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check every invariant of storage and indexes and print the counts."""
    if deleted is not None:
        _verify_deleted(deleted, as_json=as_json)
        return
    with upkeep_session(as_json=as_json) as upkeep:
        report = upkeep.verify()
        if as_json:
            print_json(report)
        else:
            for name, value in report.items():
                flaws = value if isinstance(value, list | tuple) else None
                say(f"{name:20} {value if flaws is None else len(flaws)}")
                for flaw in flaws or ():
                    say(f"  {flaw}")
        if not report["is_clean"]:
            raise typer.Exit(Exit.FAILED)


def _verify_deleted(document_id: str, *, as_json: bool) -> None:
    from kb_service.cli.documents import say_erasure
    from kb_service.schemas.erasure import erasure_body

    with session(as_json=as_json) as services:
        erasure = services.erasing.check(document_id)
        if as_json:
            print_json(erasure_body(erasure).model_dump(mode="json"))
        else:
            say_erasure(erasure)
        if not erasure.is_complete:
            raise typer.Exit(Exit.FAILED)


FolderArgument = Annotated[Path, typer.Argument(help="Folder of the backup.")]


def backup(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Write database and original files into a new folder; a running service goes on."""
    with upkeep_session(as_json=as_json) as upkeep:
        taken = upkeep.back_up(folder)
        _tell_backup(taken, f"backed up to {folder}", as_json=as_json)
        if taken.lacking:
            raise typer.Exit(Exit.FAILED)


def restore(folder: FolderArgument, as_json: JsonOption = False) -> None:
    """Bring a backup back into a data folder without a database."""
    with upkeep_session(as_json=as_json) as upkeep:
        taken = upkeep.restore(folder)
        done = f"restored to {load_settings().data_dir}; now run kb verify"
        _tell_backup(taken, done, as_json=as_json)


def _tell_backup(taken: "Backup", done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(taken))
        return
    for message in taken.lacking:
        say(f"lacking: {message}", to_stderr=True)
    say(f"{done}: {num_of(taken.num_blobs, 'file')}, {num_of(taken.size_bytes, 'byte')}")


def doctor(as_json: JsonOption = False) -> None:
    """Print the settings in force and what is wrong with them."""
    with reported_errors(as_json=as_json), private_files():
        from kb_service.bootstrap import find_faults
        from kb_service.cli.logs import configure_logs

        settings = load_settings()
        configure_logs("CRITICAL")  # the findings say what would be logged
        findings = find_faults(settings)
        if as_json:
            print_json([finding.as_dict() for finding in findings])
        else:
            for finding in findings:
                say(f"{'ok ' if finding.is_ok else 'BAD'} {finding.name}: {finding.text}")
        if not all(finding.is_ok for finding in findings):
            raise typer.Exit(Exit.FAILED)
