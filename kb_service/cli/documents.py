"""`kb ingest, sync, list, show, delete`: documents in and out from the command line."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.session import Exit, JsonOption, KbOption, print_json, say, session
from kb_service.domain.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from kb_service.bootstrap import Application
    from kb_service.domain.documents import Document
    from kb_service.domain.sync import SyncPlan
    from kb_service.services.ingest_run import IngestRun
    from kb_service.services.sync import SyncReport
    from kb_service.services.uploads import UploadItem


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.")],
    kb: KbOption,
    wait: Annotated[bool, typer.Option(help="Ingest here and wait until all is done.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put files into a knowledge base; it is created when it does not exist."""
    from kb_service.services.lookup import ensure_kb
    from kb_service.services.sync import accept_file

    with session(as_json=as_json) as application:
        base = ensure_kb(application.catalog, kb)
        files, num_skipped = _named_files(paths, application.settings.data_dir)
        uploads = [
            (name, accept_file(application.uploads, base.id, name, path)) for name, path in files
        ]
        run = application.ingest_jobs(_job_ids(uploads)) if wait else None
        _report_uploads(uploads, run, num_skipped, as_json=as_json)
        raise typer.Exit(_exit_code(uploads, run))


def _named_files(paths: Iterable[Path], data_dir: Path) -> tuple[list[tuple[str, Path]], int]:
    """Return the files, and how many of their folders were left out as hidden or clutter."""
    from kb_service.services.folders import scan

    found: list[tuple[str, Path]] = []
    num_skipped = 0
    for path in paths:
        if path.is_dir():
            folder = scan(path, data_dir)
            found.extend(folder.files.items())
            num_skipped += folder.num_skipped
        elif path.is_file():
            found.append((path.name, path))
        else:
            raise InvalidRequest(f"{path} is neither a file nor a folder", code="no_such_path")
    return found, num_skipped


def _job_ids(uploads: Iterable[tuple[str, "UploadItem"]]) -> list[str]:
    return [item.job.id for _, item in uploads if item.job]


def _report_uploads(
    uploads: list[tuple[str, "UploadItem"]],
    run: "IngestRun | None",
    num_skipped: int,
    *,
    as_json: bool,
) -> None:
    if as_json:
        rows = [_upload_row(name, item) for name, item in uploads]
        summary = {"num_skipped": num_skipped, "run": run.as_dict() if run else None}
        print_json({"items": rows} | summary)
        return
    for name, item in uploads:
        reason = f": {item.error.message} [{item.error.code}]" if item.error else ""
        say(f"{item.outcome:10} {name}{reason}")
    _say_skipped(num_skipped)
    if run:
        _say_run(run)
    elif any(item.job for _, item in uploads):
        say("Queued; a running `kb serve` ingests them, or add --wait to do it here.")


def _say_skipped(num_skipped: int) -> None:
    if num_skipped:
        say(f"skipped    {num_skipped} hidden, temporary or system files and folders")


def _say_run(run: "IngestRun") -> None:
    for failure in run.failures:
        say(f"failed     {failure['document_id']}: {failure['message']} [{failure['code']}]")
    say(f"ingested   {run.num_succeeded} of {run.num_jobs} documents in {run.seconds:.1f} s")
    if run.num_here:
        counts = f"{run.num_pages} pages, {run.num_chunks} chunks, {run.num_embedded} embedded"
        say(f"           {run.num_here} of them by this command: {counts}")


def _upload_row(name: str, item: "UploadItem") -> dict[str, object]:
    return {
        "name": name,
        "outcome": item.outcome,
        "document_id": item.document.id if item.document else None,
        "job_id": item.job.id if item.job else None,
        "error": item.error.as_dict() if item.error else None,
    }


def _exit_code(uploads: list[tuple[str, "UploadItem"]], run: "IngestRun | None") -> Exit:
    if any(item.outcome == "rejected" for _, item in uploads) or (run and run.failures):
        return Exit.FAILED
    if all(item.outcome == "unchanged" for _, item in uploads):
        return Exit.NOTHING_TO_DO
    return Exit.DONE


def sync(
    folder: Annotated[Path, typer.Argument(help="The folder to follow.")],
    kb: KbOption,
    dry_run: Annotated[bool, typer.Option(help="Print the plan and change nothing.")] = False,
    prune: Annotated[bool, typer.Option(help="Delete documents gone from the folder.")] = False,
    strict: Annotated[
        bool, typer.Option(help="Fail while a file of the folder cannot be taken in or read.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a knowledge base follow a folder (the cron job); hashes decide what changed."""
    from kb_service.services.lookup import ensure_kb

    with session(as_json=as_json) as application:
        if dry_run:
            _dry_run(application, folder, kb, as_json=as_json)
            return
        base = ensure_kb(application.catalog, kb)
        report = application.sync.run(base.id, folder, prune=prune)
        run = application.ingest_jobs(_job_ids(report.uploads))
        failed = _failed_before(application, base.id, report)
        _report_sync(report, run, failed, prune=prune, as_json=as_json)
        code = _exit_code(list(report.uploads), run)
        if strict and (report.refused or failed):
            code = Exit.FAILED
        is_only_removal = code is Exit.NOTHING_TO_DO and report.removed
        raise typer.Exit(Exit.DONE if is_only_removal else code)


def _dry_run(application: "Application", folder: Path, kb: str, *, as_json: bool) -> None:
    try:
        kb_id = application.catalog.get_kb(kb).id
    except NotFound:
        kb_id = None
    plan = application.sync.plan(kb_id, folder)
    if as_json:
        print_json({"plan": _plan_row(plan)})
    else:
        for label, names in _groups(plan).items():
            for name in names:
                say(f"{label:10} {name}")
        say(f"unchanged  {len(plan.unchanged)} files")
        _say_skipped(plan.num_skipped)
    if plan.is_empty:
        raise typer.Exit(Exit.NOTHING_TO_DO)


def _groups(plan: "SyncPlan") -> dict[str, tuple[str, ...]]:
    return {
        "added": plan.added,
        "changed": plan.changed,
        "removed": plan.removed,
        "again": plan.again,
        "refused": plan.refused,
    }


def _plan_row(plan: "SyncPlan") -> dict[str, object]:
    return {
        **_groups(plan),
        "num_unchanged": len(plan.unchanged),
        "num_skipped": plan.num_skipped,
    }


def _failed_before(
    application: "Application", kb_id: str, report: "SyncReport"
) -> list["Document"]:
    """The documents of unchanged files that an earlier run could not read: nobody asks again."""
    from kb_service.services.lookup import every_document

    unchanged = set(report.plan.unchanged)
    return [
        document
        for document in every_document(application.catalog, kb_id)
        if document.name in unchanged and document.error
    ]


def _report_sync(
    report: "SyncReport",
    run: "IngestRun",
    failed: list["Document"],
    *,
    prune: bool,
    as_json: bool,
) -> None:
    plan = report.plan
    if as_json:
        print_json(
            {
                "plan": _plan_row(plan),
                "items": [_upload_row(name, item) for name, item in report.uploads],
                "removed": report.removed,
                "failed_before": [document.name for document in failed],
                "run": run.as_dict(),
            }
        )
        return
    for name, item in report.uploads:
        reason = f": {item.error.message} [{item.error.code}]" if item.error else ""
        say(f"{'again' if name in plan.again else item.outcome:10} {name}{reason}")
    for name in plan.removed:
        say(f"removed    {name}" if prune else f"gone       {name} (kept; --prune deletes it)")
    if report.uploads:
        _say_run(run)
    say(f"unchanged  {len(plan.unchanged)} files")
    _say_skipped(plan.num_skipped)
    for name, refusal in report.refused.items():
        say(f"refused    {name} (as before): {refusal.message} [{refusal.code}]")
    for document in failed:
        say(f"unread     {document.name}: {(document.error or {}).get('message')}")


def list_(
    kb: Annotated[str | None, typer.Option("--kb", help="List the documents of this base.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the knowledge bases, or the documents of one."""
    with session(as_json=as_json) as application:
        if kb is None:
            _list_bases(application, as_json=as_json)
        else:
            _list_documents(application, kb, as_json=as_json)


def _list_bases(application: "Application", *, as_json: bool) -> None:
    from kb_service.schemas.documents import knowledge_base_body
    from kb_service.services.lookup import every_kb

    bases = list(every_kb(application.catalog))
    if as_json:
        print_json({"items": [knowledge_base_body(base).model_dump(mode="json") for base in bases]})
        return
    for base in bases:
        say(f"{base.name}  ({base.num_documents} documents, {base.id})")


def _list_documents(application: "Application", kb: str, *, as_json: bool) -> None:
    from kb_service.services.lookup import every_document

    documents = list(every_document(application.catalog, application.catalog.get_kb(kb).id))
    if as_json:
        print_json({"items": [_document_json(application, item) for item in documents]})
        return
    for document in documents:
        say(_document_line(document))


def _document_json(application: "Application", document: "Document") -> dict[str, object]:
    from kb_service.schemas.documents import document_body

    newest = application.jobs.newest_of([document.id])
    return document_body(document, newest.get(document.id)).model_dump(mode="json")


def _document_line(document: "Document") -> str:
    error = f"  {document.error['message']}" if document.error else ""
    return f"{document.status:10} {document.id}  {document.name}{error}"


def show(
    document: Annotated[str, typer.Argument(help="Document id or exact name.")],
    kb: KbOption,
    as_json: JsonOption = False,
) -> None:
    """Show one document with its page report."""
    from kb_service.services.lookup import find_document

    with session(as_json=as_json) as application:
        base = application.catalog.get_kb(kb)
        found = find_document(application.catalog, base.id, document)
        if as_json:
            print_json(_document_json(application, found))
            return
        say(_document_line(found))
        for page in found.page_report.pages if found.page_report else ():
            reason = f" ({page.reason})" if page.reason else ""
            say(f"  page {page.page_number}: {page.kind}, {page.num_chars} characters{reason}")


def delete(
    kb: KbOption,
    document: Annotated[str | None, typer.Argument(help="Document id or exact name.")] = None,
    whole_base: Annotated[bool, typer.Option("--all", help="Delete the whole base.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a document, or a whole knowledge base with --all."""
    if (document is None) == (not whole_base):
        raise typer.BadParameter("name a document, or give --all to delete the whole base")
    from kb_service.services.lookup import find_document

    with session(as_json=as_json) as application:
        base = application.catalog.get_kb(kb)
        if document is None:
            application.delete_base(base.id)
            name = base.name
        else:
            found = find_document(application.catalog, base.id, document)
            application.catalog.delete_document(base.id, found.id)
            name = found.name
        if as_json:
            print_json({"deleted": name})
        else:
            say(f"deleted    {name}")
