"""Headers of tables: years, days, hours and ranges as names of columns, and what only looks so."""

import pytest

from ingest.draft import DraftDocument
from ingest.headers import num_header
from ingest.markdown import add_markdown
from ingest.tables import row_texts
from ingest.web_page import add_html


@pytest.mark.parametrize(
    ("header", "row", "text"),
    [
        (["Kind", "2023", "2024"], ["Cars", "263", "271"], "Kind: Cars; 2023: 263; 2024: 271"),
        (["", "2023", "2024"], ["Cars", "263", "271"], "Cars; 2023: 263; 2024: 271"),
        (
            ["类别", "2020", "2021", "2022"],
            ["车辆", "3", "5", "8"],
            "类别: 车辆; 2020: 3; 2021: 5; 2022: 8",
        ),
        (
            ["Port", "2022/23", "2023/24"],
            ["Ely", "9.1", "8"],
            "Port: Ely; 2022/23: 9.1; 2023/24: 8",
        ),
        (
            ["Gauge", "08:00", "20:00"],
            ["Weir", "3.2", "3.4"],
            "Gauge: Weir; 08:00: 3.2; 20:00: 3.4",
        ),
        (
            ["Age", "0-14", "15-64", "65+"],
            ["Men", "4", "9", "2"],
            "Age: Men; 0-14: 4; 15-64: 9; 65+: 2",
        ),
        (["Site", "03-01", "03-02"], ["Ely", "12", "17"], "Site: Ely; 03-01: 12; 03-02: 17"),
        (["Site", "12/1", "13/1"], ["Site 1", "12", "17"], "Site: Site 1; 12/1: 12; 13/1: 17"),
        (
            ["站点", "01.03.2024", "02.03.2024"],
            ["东站", "1.5", "2"],
            "站点: 东站; 01.03.2024: 1.5; 02.03.2024: 2",
        ),
        (
            ["Town", "2001", "2011", "2021"],
            ["Ely", "3", "5", "8"],
            "Town: Ely; 2001: 3; 2011: 5; 2021: 8",
        ),
        (["", "2011", "2021"], ["Ely", "3", "5"], "Ely; 2011: 3; 2021: 5"),
        (["Cause", "Fires", "%"], ["Heat", "18", "4.5"], "Cause: Heat; Fires: 18; %: 4.5"),
        (["#", "Name", "€"], ["1", "Rope", "40"], "#: 1; Name: Rope; €: 40"),
        (["Site", "Q1 2024", "Q2 2024"], ["Ely", "1", "2"], "Site: Ely; Q1 2024: 1; Q2 2024: 2"),
    ],
)
def test_years_days_hours_and_ranges_name_columns(
    header: list[str], row: list[str], text: str
) -> None:
    assert list(row_texts([header, row])) == ["; ".join(filter(None, header)), text]


@pytest.mark.parametrize(
    "rows",
    [
        [["Built", "1998", "2004"], ["Renewed", "2011", "2015"]],
        [["Hall", "1987", "2019"], ["Gate", "45", "60"]],
        [["Pump 3", "08:00", "14:00"], ["Pump 4", "09:00", "11:00"]],
        [["Opened", "1998"], ["Beds", "300"]],
        [["Cars", "263", "271"], ["Homes", "487", "452"]],
        [["2023", "2024"], ["263", "271"]],
        [["Cars", "-", "-"], ["Homes", "487", "452"]],
        [["Kind", "2023", "2024"], ["Cars", "many", "few"]],
        [["Pump A", "98.5", "12.3"], ["Pump B", "100", "13"]],
        [["Inlet", "98.5", "12.3"], ["Outlet", "100", "13"]],
        [["Site 1", "3.50", "4.20"], ["Site 2", "4", "5"]],
        [["Ward 3", "12/15", "9/10"], ["Ward 4", "11", "8"]],
        [["East ward", "12/15", "9/10"], ["East hall", "11", "8"]],
        [["Spelling", "32/40", "18/20"], ["Sums", "31", "17"]],
        [["甲站", "12/15", "9/10"], ["乙站", "11", "8"], ["丙站", "3", "4"]],
        [["Kay", "1990", "2000"], ["Lee", "35", "25"]],
    ],
)
def test_years_and_hours_that_are_values_name_nothing(rows: list[list[str]]) -> None:
    assert [": " in text for text in row_texts(rows)] == [False] * len(rows)


def test_the_same_names_stand_below_several_merged_cells() -> None:
    rows = [
        ["Site", "2023", "2023", "2024", "2024"],
        ["Site", "Fires", "Deaths", "Fires", "Deaths"],
        ["Ely", "12", "1", "9", "0"],
    ]
    assert list(row_texts(rows))[2] == (
        "Site: Ely; 2023 Fires: 12; 2023 Deaths: 1; 2024 Fires: 9; 2024 Deaths: 0"
    )


def _page(page: str) -> list[str]:
    draft = DraftDocument("a.html", 10_000)
    add_html(draft, page)
    return draft.finish().text.split("\n\n")


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("<tr><th>Kind</th><th>2024</th></tr>", "Kind: Cars; 2024: 271"),
        ("<thead><tr><td>Kind</td><td>2024</td></tr></thead>", "Kind: Cars; 2024: 271"),
        ('<tr><th></th><th scope="col">1998</th></tr>', "Cars; 1998: 271"),
        (
            '<tr><th rowspan="2">Kind</th><th colspan="1">County</th></tr><tr><th>2024</th></tr>',
            "Kind: Cars; County 2024: 271",
        ),
        (
            '<tr><th colspan="2">Fires</th></tr><tr><th>Kind</th><th>3</th></tr>',
            "Kind: Cars; 3: 271",
        ),
    ],
)
def test_a_page_marks_the_names_of_its_columns(head: str, row: str) -> None:
    page = f'<table>{head}<tr><th scope="row">Cars</th><td>271</td></tr></table>'
    assert _page(page)[-1] == row


@pytest.mark.parametrize(
    "row",
    [
        '<tr><th scope="row">Cars</th><td>271</td></tr>',
        "<tr><th>Cars</th><td>271</td></tr>",
        '<tr><th scope="row">Cars</th><th scope="row">263</th></tr>',
    ],
)
def test_names_of_rows_are_no_header(row: str) -> None:
    assert ":" not in "".join(_page(f"<table>{row}<tr><th>Homes</th><td>452</td></tr></table>"))


def test_two_levels_that_a_page_marks() -> None:
    page = (
        '<table><tr><th rowspan="2">District</th><th colspan="2">2023</th><th colspan="2">2024</th>'
        "</tr><tr><th>H1</th><th>H2</th><th>H1</th><th>H2</th></tr>"
        "<tr><td>Quay</td><td>4</td><td>6</td><td>1</td><td>3</td></tr></table>"
    )
    assert _page(page)[-1] == "District: Quay; 2023 H1: 4; 2023 H2: 6; 2024 H1: 1; 2024 H2: 3"


def test_a_table_of_markdown_has_a_header_of_years() -> None:
    draft = DraftDocument("a.md", 10_000)
    add_markdown(draft, "| Kind | 2024 |\n|---|---|\n| Cars | 271 |\n")
    assert draft.finish().text.split("\n\n") == ["Kind; 2024", "Kind: Cars; 2024: 271"]


def test_the_year_over_the_days_of_a_register_names_its_column() -> None:
    names = ("2026", "Call", "Pos", "Nature")
    days = [("01/10/2026", "06:20", "Stand 7", "fod"), ("09/10", "13:40", "Hall", "fire")]
    assert num_header([names, *days], ()) == 1
    assert num_header([names, ("14", "06:20", "Stand 7", "fod")], ()) == 0
    assert num_header([names, ("01/10/2025", "06:20", "Stand 7", "fod")], ()) == 0
    assert num_header([("2026", "Call"), *days], ()) == 0
