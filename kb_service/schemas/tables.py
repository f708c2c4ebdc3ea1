"""What the API says of answers over many documents: tables, what is behind them. Pure."""

from pydantic import ConfigDict, Field

from kb_service.domain.query_json import query_json
from kb_service.domain.tables import CellValue, Tabled
from kb_service.schemas.documents import Shape


class CellBody(Shape):
    """A value, null where nothing is stated, and the numbers of the citations that it rests on."""

    value: CellValue
    citations: list[int]


class RowBody(Shape):
    """A row, a cell for each column."""

    cells: list[CellBody]


class TableBody(Shape):
    """Rows under columns: fields, `document`, or what was measured."""

    columns: list[str]
    rows: list[RowBody]


class CountedBody(Shape):
    """How much stands behind a table: `matched` of `of`, in so many `documents`.

    `lacking`: documents that may belong to it and do not state what was asked. `unclear`: how many
    state it not to the point; `disputed`: of how many the documents say different things.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    matched: int
    total: int = Field(alias="of")
    documents: int
    lacking: list[str]
    unclear: int
    disputed: int


class ChartBody(Shape):
    """Data of a picture: `bars`, `line` or `timeline`."""

    kind: str
    x: list[str]
    y: list[float | None]


class TabledBody(Shape):
    """What an answer over many documents has beside its words; null in any other answer."""

    table: TableBody | None = None
    counted: CountedBody | None = None
    query: dict[str, object] | None = Field(default=None, description="The typed query.")
    chart: ChartBody | None = None
    next_cursor: str | None = Field(default=None, description="Of the next page of a list.")


def tabled_values(tabled: Tabled | None) -> dict[str, object]:
    """Return the values of the fields of `TabledBody`."""
    if tabled is None:
        return dict.fromkeys(TabledBody.model_fields)
    rows = [RowBody(cells=[CellBody.of(cell) for cell in row]) for row in tabled.rows]
    return {
        "table": TableBody(columns=[str(name) for name in tabled.columns], rows=rows),
        "counted": CountedBody.of(tabled.tally, total=tabled.tally.of),
        "query": query_json(tabled.query),
        "chart": ChartBody.of(tabled.chart) if tabled.chart else None,
        "next_cursor": tabled.next_cursor,
    }
