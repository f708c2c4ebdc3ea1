"""Tables of stored answers as JSON values, and back. Pure; knows no table of the database."""

from dataclasses import asdict
from typing import Any

from kb_service.domain.query_json import query_from, query_json
from kb_service.domain.tables import Chart, CitedCell, Tabled, Tally

Json = dict[str, Any]


def tabled_json(tabled: Tabled) -> Json:
    """Return a table with its query as a JSON value."""
    return {
        **asdict(tabled),
        "query": query_json(tabled.query),
        "rows": [[[cell.value, list(cell.citations)] for cell in row] for row in tabled.rows],
    }


def tabled_from(item: Json) -> Tabled:
    """Return the table that `tabled_json` wrote."""
    tally, chart = item["tally"], item["chart"]
    return Tabled(
        query=query_from(item["query"]),
        columns=tuple(item["columns"]),
        rows=tuple(
            tuple(CitedCell(value, tuple(numbers)) for value, numbers in row)
            for row in item["rows"]
        ),
        tally=Tally(**{**tally, "lacking": tuple(tally["lacking"])}),
        chart=Chart(chart["kind"], tuple(chart["x"]), tuple(chart["y"])) if chart else None,
        documents=tuple(item["documents"]),
        next_cursor=item.get("next_cursor"),  # answers from before lists had pages lack it
    )
