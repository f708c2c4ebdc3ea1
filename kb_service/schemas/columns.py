"""What is said about the columns of ledgers, made from domain values."""

from kb_service.domain.facts import TableMeaning
from kb_service.schemas.documents import Shape, Time


class ColumnBody(Shape):
    """A column, the field that it stands for, and `by` what that is known: `name`, `values`,
    `person`, or "" where nothing tells it and it keeps its name."""

    name: str
    field: str
    by: str
    examples: list[str]


class LedgerBody(Shape):
    """A table of a document."""

    num_rows: int
    columns: list[ColumnBody]


class LedgerListBody(Shape):
    """The tables of a document in their order."""

    items: list[LedgerBody]


class ColumnFieldBody(Shape):
    """What a person said that columns of this name stand for in the base."""

    name: str
    field: str
    by: str
    at: Time


class ColumnFieldListBody(Shape):
    """What people said of columns, by name."""

    items: list[ColumnFieldBody]


class ColumnPutBody(Shape):
    """Of how many documents the facts are found anew in the background."""

    num_documents: int


def ledger_list_body(tables: tuple[TableMeaning, ...]) -> LedgerListBody:
    """Convert the tables of a document."""
    return LedgerListBody(items=[LedgerBody.of(table) for table in tables])
