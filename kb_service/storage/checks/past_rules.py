"""What must hold between present and past: chunks of earlier versions and their intervals."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, and_, exists, select

from kb_service.storage.checks.damage import Flaw
from kb_service.storage.past_tables import intervals, past_chunks
from kb_service.storage.tables import revisions

Rule = tuple[Flaw, str, Sequence[Column[Any]], ColumnElement[bool]]
"""How it is broken, what it is, the columns that name a row, and which rows break it."""


def exists_in(table: FromClause, *where: ColumnElement[bool]) -> ColumnElement[bool]:
    """Match where a table has such a row."""
    return exists(select(1).select_from(table).where(*where))


_is_open = exists_in(
    intervals, intervals.c.revision_id == revisions.c.id, intervals.c.removed.is_(None)
)
PAST_RULES: Sequence[Rule] = (
    (
        Flaw.ORPHANED,
        "past chunk of a revision that no interval tells of",
        (past_chunks.c.id, past_chunks.c.revision_id),
        ~exists_in(intervals, intervals.c.revision_id == past_chunks.c.revision_id),
    ),
    (
        Flaw.MISMATCHED,
        "past chunk of a revision that is searchable",
        (past_chunks.c.id, past_chunks.c.revision_id),
        exists_in(revisions, revisions.c.id == past_chunks.c.revision_id, revisions.c.is_current),
    ),
    (
        Flaw.LOST,
        "searchable revision that no interval tells of",
        (revisions.c.id, revisions.c.document_id),
        and_(revisions.c.is_current, ~_is_open),
    ),
    (
        Flaw.MISMATCHED,
        "interval of a revision that is searchable no longer, without its end",
        (intervals.c.kb_id, intervals.c.added, intervals.c.revision_id),
        and_(
            intervals.c.removed.is_(None),
            ~exists_in(
                revisions, revisions.c.id == intervals.c.revision_id, revisions.c.is_current
            ),
        ),
    ),
)
