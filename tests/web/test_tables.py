"""Answers over many documents: tables whose cells are cited, their picture, what is behind them."""

import pytest
from playwright.sync_api import expect

from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.tables import Chart, CitedCell, Tabled, Tally
from tests.web.answers import answer, citation
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("kind", ["bars", "line", "timeline"])
def test_a_table_is_drawn_with_its_citations_and_its_picture(
    service: PageService, open_page: OpenPage, kind: str
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    cited = [citation(number, 15, 26) for number in range(1, 6)]
    fire = (CitedCell("fire"), CitedCell(1204, (1, 2, 3, 4, 5)))
    tabled = Tabled(
        RecordQuery(Operation.GROUP, by="kind"),
        ("kind", "count"),
        (fire, (CitedCell("leak"), CitedCell(None))),
        Tally(2, 3, 2, ("doc_1",), 1, 1),
        Chart(kind, ("fire", "leak"), (1204.0, None)),
    )
    service.prepared.answer = answer("1,204 fires.\n- fire: 1,204\n- leak", cited, tabled=tabled)
    page = open_page(viewport=NARROW, at=f"#base={base.id}")
    page.get_by_label("Your question").fill("How many fires?")
    page.get_by_label("Your question").press("Enter")
    table = page.get_by_role("table")
    expect(table.get_by_role("columnheader")).to_have_text(["Kind", "Number"])
    expect(table.locator("tbody td bdi")).to_have_text(["Fire", "1,204", "Leak", "–"])
    expect(table.locator("button.mark")).to_have_count(3)
    expect(page.locator(".answer-text")).to_have_text("1,204 fires.")
    expect(table).to_contain_text("+2")
    chart = page.get_by_role("img", name="Chart of the table")
    expect(chart).to_be_visible()
    assert chart.evaluate("one => one.clientWidth / one.viewBox.baseVal.width") >= 0.95
    expect(page.locator(".tabled")).not_to_contain_text("2 documents")
    table.locator("button.mark").first.click()
    expect(page.get_by_role("img", name="Page 1 of")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_a_row_says_once_what_its_cells_rest_on(service: PageService, open_page: OpenPage) -> None:
    """Each cell of a row repeated the mark of the one sentence that they all come from."""
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    cited = [citation(number, 15, 26) for number in range(1, 5)]
    row = (CitedCell("Crane report.pdf", (1,)), CitedCell("N-9", (1,)), CitedCell("fire", (1, 2)))
    other = (CitedCell("May", (3,)), CitedCell("leak", (4,)), CitedCell(2, (3, 4)))
    tabled = Tabled(
        RecordQuery(Operation.LIST),
        ("document", "number", "count"),
        (row, other),
        Tally(2, 2, 1, ("doc_1",), 0, 0),
        None,
    )
    service.prepared.answer = answer("Two.\n- fire\n- leak", cited, tabled=tabled)
    page = open_page(at=f"#base={base.id}")
    page.get_by_label("Your question").fill("Which?")
    page.get_by_label("Your question").press("Enter")
    rows = page.locator(".tabled tbody tr")
    expect(rows).to_have_count(2)
    marks = [rows.nth(n).locator("td .mark").all_inner_texts() for n in range(2)]
    assert marks == [["1", "2"], ["3", "4"]]
    expect(rows.first.locator("td").first.locator(".mark")).to_have_count(0)
