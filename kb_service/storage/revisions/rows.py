"""Rows of revisions as domain values, the report of its pages among them.

The page report is one value of the row, by column: a list of documents reads no page.
"""

from itertools import repeat, starmap
from typing import Any

from sqlalchemy import Row

from kb_service.domain.documents import PageKind, PageOutline, PageReport, Revision
from kb_service.domain.errors import StorageError
from kb_service.domain.members import Loss
from kb_service.storage.rows import value_of

_KINDS = {kind.value: kind for kind in PageKind}


def revision_of(row: Row[Any]) -> Revision:
    """Return the revision of a row of the revisions table."""
    return value_of(Revision, row)


def page_report_value(report: PageReport) -> dict[str, list[Any]]:
    """Return the value of a row; pages are numbered from 1 without a gap."""
    value: dict[str, list[Any]] = {
        "kind": [page.kind.value for page in report.pages],
        "num_chars": [page.num_chars for page in report.pages],
        "reason": [page.reason for page in report.pages],
    }
    sure = [page.confidence for page in report.pages]
    if any(of is not None for of in sure):
        value["confidence"] = sure
    if report.losses:
        value["losses"] = [[o.where, o.what, o.num_words, o.sample] for o in report.losses]
    return value


def page_report_of(row: Row[Any]) -> PageReport:
    """Return the page report of a revisions row. Raises StorageError when it is damaged."""
    try:
        stored = row.page_report
        kinds = [_KINDS[kind] for kind in stored["kind"]]
        sure = stored.get("confidence") or [*repeat(None, len(kinds))]
        columns = (range(1, len(kinds) + 1), kinds, stored["num_chars"], stored["reason"], sure)
        losses = tuple(Loss(*loss) for loss in stored.get("losses") or ())
        return PageReport(tuple(starmap(PageOutline, zip(*columns, strict=True))), losses)
    except (KeyError, TypeError, ValueError) as error:
        raise StorageError(
            f"the page report of revision {row.id} is damaged: {error!r}", code="text_damaged"
        ) from error
