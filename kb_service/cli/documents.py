"""`kb ingest, list, show, delete`: documents in and out from the command line."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import (
    Exit,
    JsonOption,
    KbOption,
    LabelOption,
    print_json,
    say,
    session,
)
from kb_service.domain.documents import CONVERTED_BY
from kb_service.domain.lists import Wanted
from kb_service.domain.names import OnConflict
from kb_service.language.plurals import num_of

if TYPE_CHECKING:
    from kb_service.domain.documents import Document, KnowledgeBase
    from kb_service.domain.erasure import Erasure
    from kb_service.services.documents import DocumentState
    from kb_service.services.ingest_run import IngestRun
    from kb_service.services.intake import Intake, NamedItem
    from kb_service.services.uploads import UploadItem


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.")],
    kb: KbOption,
    wait: Annotated[bool, typer.Option(help="Ingest here and wait until all is done.")] = False,
    on_conflict: Annotated[
        OnConflict,
        typer.Option(help="Other content of a known name: a new version, both, or an error."),
    ] = OnConflict.REVISE,
    encoding: Annotated[
        str, typer.Option(help="In which the texts are written; without it what their bytes tell.")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label for all of them, which is made if it is new; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Put files into a knowledge base; it is created when it does not exist."""
    with session(as_json=as_json) as services:
        intake = services.intake.take_in(
            kb,
            paths,
            is_waiting=wait,
            on_conflict=on_conflict,
            encoding=encoding,
            labels=label or (),
        )
        _report_intake(intake, as_json=as_json)
        raise typer.Exit(exit_code(intake.uploads, intake.run))


def _report_intake(intake: "Intake", *, as_json: bool) -> None:
    uploads, run = intake.uploads, intake.run
    if as_json:
        rows = [upload_row(name, item) for name, item in uploads]
        summary = {"num_skipped": intake.num_skipped, "run": run.as_dict() if run else None}
        print_json({"items": rows} | summary)
        return
    for name, item in uploads:
        reason = f": {item.error.message} [{item.error.code}]" if item.error else ""
        say(f"{item.outcome:10} {name}{other_name(item)}{reason}")
    say_skipped(intake.num_skipped)
    if run:
        say_run(run)
    elif any(item.job for _, item in uploads):
        say("Queued; a running `kb serve` ingests them, or add --wait to do it here.")


def other_name(item: "UploadItem") -> str:
    return f" as {item.document.name}" if item.document and item.outcome == "kept_both" else ""


def say_skipped(num_skipped: int) -> None:
    if num_skipped:
        say(f"skipped    {num_skipped} hidden, temporary or system files and folders")


def say_run(run: "IngestRun") -> None:
    for failure in run.failures:
        say(f"failed     {failure['document_id']}: {failure['message']} [{failure['code']}]")
    jobs = num_of(run.num_jobs, "document")
    say(f"ingested   {run.num_succeeded} of {jobs} in {run.seconds:.1f} s")
    if run.num_here:
        counts = f"{num_of(run.num_pages, 'page')}, {num_of(run.num_chunks, 'chunk')}"
        say(f"           {run.num_here} of them by this command: {counts}")
    if run.num_embedded:
        say(f"           {num_of(run.num_embedded, 'text')} got vectors")


def upload_row(name: str, item: "UploadItem") -> dict[str, object]:
    return {
        "name": name,
        "outcome": item.outcome,
        "document_name": item.document.name if item.document else None,
        "document_id": item.document.id if item.document else None,
        "job_id": item.job.id if item.job else None,
        "error": item.error.as_dict() if item.error else None,
    }


def exit_code(uploads: Sequence["NamedItem"], run: "IngestRun | None") -> Exit:
    if any(item.outcome == "rejected" for _, item in uploads) or (run and run.failures):
        return Exit.FAILED
    if all(item.outcome == "unchanged" for _, item in uploads):
        return Exit.NOTHING_TO_DO
    return Exit.DONE


def list_(
    kb: Annotated[str | None, typer.Option("--kb", help="List the documents of this base.")] = None,
    label: LabelOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the knowledge bases, or the documents of one."""
    if label and kb is None:
        raise typer.BadParameter("labels are those of a base: name it with --kb")
    with session(as_json=as_json) as services:
        if kb is None:
            _list_bases(services.bases.every(), as_json=as_json)
        else:
            wanted = Wanted(labels=tuple(label or ()))
            _list_documents(services.documents.every(kb, wanted), as_json=as_json)


def _list_bases(bases: Iterable["KnowledgeBase"], *, as_json: bool) -> None:
    from kb_service.schemas.documents import KnowledgeBaseBody

    if as_json:
        print_json(
            {"items": [KnowledgeBaseBody.of(base).model_dump(mode="json") for base in bases]}
        )
        return
    for base in bases:
        say(f"{base.name}  ({num_of(base.num_documents, 'document')}, {base.id})")


def _list_documents(states: Iterable["DocumentState"], *, as_json: bool) -> None:
    if as_json:
        print_json({"items": [_document_json(state) for state in states]})
        return
    for state in states:
        say(_document_line(state.document))


def _document_json(state: "DocumentState") -> dict[str, object]:
    from kb_service.schemas.documents import document_state_body

    return document_state_body(state).model_dump(mode="json")


def _document_line(document: "Document") -> str:
    error = f"  {document.error['message']}" if document.error else ""
    return f"{document.status:10} {document.id}  {document.name}{error}"


def show(
    document: Annotated[str, typer.Argument(help="Document id or exact name.")],
    kb: KbOption,
    as_json: JsonOption = False,
) -> None:
    """Show one document with its page report."""
    with session(as_json=as_json) as services:
        state = services.documents.find(kb, document)
        if as_json:
            print_json(_document_json(state))
            return
        found = state.document
        say(_document_line(found))
        if found.container:
            say(f"  out of {found.container.name}: {found.container.path}")
        for line in _reading_lines(found):
            say(line)
        for page in found.page_report.pages if found.page_report else ():
            reason = f" ({page.reason})" if page.reason else ""
            chars = num_of(page.num_chars, "character")
            say(f"  page {page.page_number}: {page.kind}, {chars}{reason}")
        for loss in found.page_report.losses if found.page_report else ():
            say(f"  not read: {loss.where or 'more'} ({loss.what}: {loss.sample})")
        for version in found.versions:
            day = f"{version.created_at:%Y-%m-%d %H:%M} UTC"
            say(f"  version {version.number}: {day}, {version.size_bytes} bytes, {version.state}")


def _reading_lines(document: "Document") -> Iterator[str]:
    converter = document.metadata.get(CONVERTED_BY)
    if converter:
        yield f"  converted  by {converter}"
    encoding = document.encoding or document.metadata.get("encoding")
    if encoding:
        confidence = document.metadata.get("encoding_confidence", "")
        how = "chosen by hand" if document.encoding else f"guessed, {confidence} sure"
        yield f"  encoding   {encoding}, {how}"


def reread(
    document: Annotated[str, typer.Argument(help="Document id or exact name.")],
    kb: KbOption,
    encoding: Annotated[
        str, typer.Option(help="Of its text, as big5 or gb18030; without: what its bytes tell.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Read a text again in the encoding that is named, as will be its later versions."""
    with session(as_json=as_json) as services:
        found = services.documents.find(kb, document).document
        item = services.uploads.read_as(found.kb_id, found.id, encoding)
        run = services.intake.ingest([item.job.id] if item.job else [])
        state = services.documents.show(found.kb_id, found.id)
        if as_json:
            print_json(_document_json(state))
        else:
            say(_document_line(state.document))
        raise typer.Exit(Exit.FAILED if run.failures else Exit.DONE)


def delete(
    kb: KbOption,
    document: Annotated[str | None, typer.Argument(help="Document id or exact name.")] = None,
    whole_base: Annotated[bool, typer.Option("--all", help="Delete the whole base.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a document, or a whole base with --all; prints what shows that it is gone."""
    if (document is None) == (not whole_base):
        raise typer.BadParameter("name a document, or give --all to delete the whole base")
    with session(as_json=as_json) as services:
        if document is None:
            name = services.bases.delete(kb).name
            if as_json:
                print_json({"deleted": name})
            else:
                say(f"deleted    {name}")
            return
        found = services.documents.delete_found(kb, document)
        services.erasing.erase(found.kb_id)
        _report_deletion(found.name, services.erasing.check(found.id), as_json=as_json)


def _report_deletion(name: str, erasure: "Erasure", *, as_json: bool) -> None:
    if as_json:
        from kb_service.schemas.erasure import erasure_body

        print_json({"deleted": name} | erasure_body(erasure).model_dump(mode="json"))
    else:
        say(f"deleted    {name}")
        say_erasure(erasure)


def say_erasure(erasure: "Erasure") -> None:
    """Print where a document was looked for, what is left of it, and what went."""
    receipt = erasure.receipt
    if receipt is not None:
        rows = ", ".join(f"{number} {name}" for name, number in receipt.num_rows.items())
        say(f"receipt    {receipt.document_id}, {receipt.deleted_at:%Y-%m-%d %H:%M} UTC: {rows}")
        for sha256 in receipt.files:
            say(f"  file {sha256}")
    for place in erasure.places:
        say(f"{place.name:10} {place.num_looked} looked at, {len(place.found) or 'nothing'} found")
        for what in place.found:
            say(f"  FOUND {what}")
        for what in place.shared:
            say(f"  stays: {what}")
