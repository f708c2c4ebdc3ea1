"""`kb sync`: bases that follow folders and other places, one that is named or those of kb.toml."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from kb_service.cli.documents import exit_code, other_name, say_run, say_skipped, upload_row
from kb_service.cli.session import Exit, JsonOption, print_json, say, session, valid_text
from kb_service.domain.errors import InvalidRequest, KbError
from kb_service.domain.sources import Selection
from kb_service.domain.sync import SyncOrder
from kb_service.language.plurals import num_of

if TYPE_CHECKING:
    from kb_service.domain.sync import SyncPlan
    from kb_service.operations import Services
    from kb_service.services.intake import Followed
    from kb_service.services.sync import SyncPreview
    from kb_service.settings import FollowedFolder, Settings

Result = tuple[dict[str, object], Exit]
"""What a sync has to tell as JSON, and its exit code."""


def sync(
    place: Annotated[
        str | None,
        typer.Argument(help="The folder or address to follow; without: [[sync.folders]]."),
    ] = None,
    kb: Annotated[
        str | None,
        typer.Option("--kb", help="Name or id of the knowledge base.", callback=valid_text),
    ] = None,
    include: Annotated[
        list[str] | None, typer.Option(help="Only files that match, as *.pdf or 2024/**.")
    ] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="No files that match.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag of what is taken in.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="A label of what is taken in, which is made if it is new."),
    ] = None,
    account: Annotated[str, typer.Option(help="The [sync.accounts] entry that opens it.")] = "",
    dry_run: Annotated[bool, typer.Option(help="Print the plan and change nothing.")] = False,
    prune: Annotated[bool, typer.Option(help="Delete documents gone from the place.")] = False,
    strict: Annotated[
        bool, typer.Option(help="Fail while a file of the place cannot be taken in or read.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a knowledge base follow a folder (the cron job); hashes decide what changed."""
    with session(as_json=as_json) as services:
        if place is not None:
            selection = Selection(tuple(include or ()), tuple(exclude or ()))
            marks = {"tags": tuple(tag or ()), "labels": tuple(label or ())}
            order = SyncOrder(_named(kb), place, account, selection=selection, prune=prune, **marks)
            row, code = _done(services, order, dry_run=dry_run, strict=strict, as_json=as_json)
            if as_json:
                print_json(row)
            raise typer.Exit(code)
        if include or exclude or tag or label or account:
            raise typer.BadParameter(
                "patterns, tags, labels and account belong to a folder: name it"
            )
        orders = [replace(o, prune=o.prune or prune) for o in _orders(services.settings, kb)]
        code = _follow_all(services, orders, dry_run=dry_run, strict=strict, as_json=as_json)
        raise typer.Exit(code)


def _named(kb: str | None) -> str:
    if kb is None:
        raise typer.BadParameter("a folder needs --kb, the base that follows it")
    return kb


def _orders(settings: "Settings", kb: str | None) -> list[SyncOrder]:
    orders = [_order(entry) for entry in settings.sync.folders if kb in (None, entry.kb)]
    if not orders:
        which = f" of base {kb}" if kb else ""
        raise InvalidRequest(
            f"no folder{which} to follow: name one, or list it under [[sync.folders]] in kb.toml",
            code="no_folders",
        )
    return orders


def _order(entry: "FollowedFolder") -> SyncOrder:
    selection = Selection(entry.include, entry.exclude)
    return SyncOrder(
        entry.kb, entry.path, entry.account, entry.tags, selection, entry.prune, entry.labels
    )


def _follow_all(
    services: "Services", orders: list[SyncOrder], *, dry_run: bool, strict: bool, as_json: bool
) -> Exit:
    """Do one after the other; one that fails does not stop the others."""
    rows: list[dict[str, object]] = []
    codes: list[Exit] = []
    for order in orders:
        if not as_json:
            say(f"{order.kb} follows {order.place}")
        try:
            row, code = _done(services, order, dry_run=dry_run, strict=strict, as_json=as_json)
        except KbError as error:
            row, code = {"error": error.as_dict()}, Exit.FAILED
            if not as_json:
                say(f"error: {error.message} [{error.code}]", to_stderr=True)
        rows.append({"path": order.place, "kb": order.kb, **row})
        codes.append(code)
    if as_json:
        print_json({"folders": rows})
    if Exit.FAILED in codes:
        return Exit.FAILED
    return Exit.DONE if Exit.DONE in codes else Exit.NOTHING_TO_DO


def _done(
    services: "Services", order: SyncOrder, *, dry_run: bool, strict: bool, as_json: bool
) -> Result:
    if dry_run:
        preview = services.intake.preview(order)
        if not as_json:
            _say_preview(preview)
        is_nothing = preview.plan.is_empty and not preview.refusals
        return _preview_row(preview), Exit.NOTHING_TO_DO if is_nothing else Exit.DONE
    followed = services.intake.follow(order)
    if not as_json:
        _say_followed(followed, prune=order.prune)
    return _followed_row(followed), _code_of(followed, strict=strict)


def _code_of(followed: "Followed", *, strict: bool) -> Exit:
    code = exit_code(followed.sync.uploads, followed.run)
    if followed.sync.failure or (strict and (followed.sync.refused or followed.failed_before)):
        return Exit.FAILED
    is_only_removal = code is Exit.NOTHING_TO_DO and followed.sync.removed
    return Exit.DONE if is_only_removal else code


def _say_preview(preview: "SyncPreview") -> None:
    for label, names in _groups(preview.plan).items():
        for name in names:
            say(f"{label:10} {name}")
    for name, error in preview.refusals.items():
        say(f"refused    {name}: {error.message} [{error.code}]")
    _say_rest(preview.plan)


def _preview_row(preview: "SyncPreview") -> dict[str, object]:
    refusals = {name: error.as_dict() for name, error in preview.refusals.items()}
    return {"plan": _plan_row(preview.plan), "refusals": refusals}


def _groups(plan: "SyncPlan") -> dict[str, tuple[str, ...]]:
    return {
        "added": plan.added,
        "changed": plan.changed,
        "removed": plan.removed,
        "again": plan.again,
        "refused": plan.refused,
        "changing": plan.changing,
    }


def _plan_row(plan: "SyncPlan") -> dict[str, object]:
    return {
        **_groups(plan),
        "num_unchanged": len(plan.unchanged),
        "num_skipped": plan.num_skipped,
        "num_excluded": plan.num_excluded,
    }


def _say_rest(plan: "SyncPlan") -> None:
    say(f"unchanged  {num_of(len(plan.unchanged), 'file')}")
    say_skipped(plan.num_skipped)
    if plan.num_excluded:
        say(f"excluded   {num_of(plan.num_excluded, 'file')}, by the patterns")


def _followed_row(followed: "Followed") -> dict[str, object]:
    report = followed.sync
    return {
        "plan": _plan_row(report.plan),
        "items": [upload_row(name, item) for name, item in report.uploads],
        "removed": report.removed,
        "failed_before": [document.name for document in followed.failed_before],
        "failure": report.failure.as_dict() if report.failure else None,
        "run": followed.run.as_dict(),
    }


def _say_followed(followed: "Followed", *, prune: bool) -> None:
    report, plan = followed.sync, followed.sync.plan
    for name, item in report.uploads:
        reason = f": {item.error.message} [{item.error.code}]" if item.error else ""
        outcome = "again" if name in plan.again else item.outcome
        say(f"{outcome:10} {name}{other_name(item)}{reason}")
    for name in report.removed if prune else plan.removed:
        say(f"removed    {name}" if prune else f"gone       {name} (kept; --prune deletes it)")
    for name in plan.changing:
        say(f"changing   {name} (being written; the next run takes it in)")
    if report.uploads:
        say_run(followed.run)
    _say_rest(plan)
    for name, refusal in report.refused.items():
        say(f"refused    {name} (as before): {refusal.message} [{refusal.code}]")
    for document in followed.failed_before:
        say(f"unread     {document.name}: {(document.error or {}).get('message')}")
    if report.failure:
        say(f"error: {report.failure.message} [{report.failure.code}]", to_stderr=True)
