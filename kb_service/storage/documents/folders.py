"""The folders that documents lie in by their names: `2024/fire/report.pdf` lies in `2024/fire`.

Names of a folder that was taken in, of one that is followed and of an archive are paths; no folder
is stored. Builds statements.
"""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, Select, and_, case, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import Text

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.lists import Folder
from kb_service.domain.names import composed
from kb_service.storage.tables import documents

_BEHIND_SLASH = "0"
"""The character that follows `/`: what a folder holds lies between the two, on an index."""


class before_slash(FunctionElement[str]):  # noqa: N801  an SQL function
    """What of a text that has a slash stands before the first one."""

    inherit_cache = True
    type = Text()


@compiles(before_slash)
def _in_sqlite(element: before_slash, compiler: Any, **options: Any) -> str:  # noqa: ANN401  SQLAlchemy
    words = compiler.process(element.clauses, **options)
    return f"substr({words}, 1, instr({words}, '/') - 1)"


@compiles(before_slash, "postgresql")
def _in_postgresql(element: before_slash, compiler: Any, **options: Any) -> str:  # noqa: ANN401
    return f"split_part({compiler.process(element.clauses, **options)}, '/', 1)"


def lies_in(folder: str) -> ColumnElement[bool]:
    """Match documents of a folder and of those in it; of the base for ""."""
    path = composed(folder).strip("/")
    name = documents.c.name
    return and_(name > f"{path}/", name < f"{path}{_BEHIND_SLASH}") if path else name != ""


def folders_in(kb_id: str, folder: str, after: str | None) -> Select[Any]:
    """Select the folders right in a folder by name, after one: `part`, `has_folders`, counts by
    status."""
    path = composed(folder).strip("/")
    begin = literal_column(str(len(path) + 2 if path else 1), Integer)
    rest = func.substr(documents.c.name, begin).label("rest")
    mine = documents.c.kb_id == kb_id
    inside = select(rest, documents.c.counted_as).where(mine, lies_in(folder)).subquery()
    is_deeper = case((inside.c.rest.like("%_/_%/_%"), 1), else_=0)
    part = before_slash(inside.c.rest).label("part")
    parts = (
        select(part, inside.c.counted_as, is_deeper.label("is_deeper"))
        .where(inside.c.rest.like("%_/_%"))
        .subquery()
    )
    numbers = (
        func.sum(case((parts.c.counted_as == status, 1), else_=0)).label(status)
        for status in DocumentStatus
    )
    statement = select(parts.c.part, func.max(parts.c.is_deeper).label("has_folders"), *numbers)
    if after is not None:
        statement = statement.where(parts.c.part > after)
    return statement.where(parts.c.part != "").group_by(parts.c.part).order_by(parts.c.part)


def folder_of(row: Row[Any], within: str) -> Folder:
    """Return the folder of a row of `folders_in`."""
    above = composed(within).strip("/")
    totals = {str(status): int(getattr(row, status)) for status in DocumentStatus}
    path = f"{above}/{row.part}" if above else str(row.part)
    return Folder(path, totals, has_folders=bool(row.has_folders))
