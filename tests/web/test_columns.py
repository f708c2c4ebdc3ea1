"""What the columns of ledgers stand for, seen and changed on the page."""

import re

import pytest
from playwright.sync_api import expect

from kb_service.domain.facts import COLUMN_FIELDS
from tests.conftest import ROOT
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

FORM = "Ref: F-1\nDate: 2024-06-04\nLocation: Pier 4\nPump type: KSB\nPressure: 6 bar"
ROWS = [f"Ref: C-{n}; Date: 2024-06-0{n}; Type: theft; Spot: by press {n}" for n in (1, 2, 3)]


def test_a_column_is_given_another_field_and_facts_follow(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "report.pdf")
    service.add_document(base.id, "ledger.csv", ["\n".join(ROWS)], b"ledger")
    page = open_page(viewport=NARROW, at=f"#base={base.id}&view=documents")
    expect(page.get_by_role("button", name="Columns of")).to_have_count(2)
    page.get_by_role("button", name="Columns of ledger.csv").click()
    dialog = page.get_by_role("dialog", name="Columns of ledger.csv")
    expect(dialog.locator("tbody tr")).to_have_count(4)
    expect(dialog).to_contain_text("by press 1 · by press 2 · by press 3")
    spot = dialog.get_by_label("What Spot stands for")
    expect(spot.locator("option:checked")).to_have_text("Its own name (as read)")
    expect(dialog.get_by_label("What Type stands for").locator("option:checked")).to_have_text(
        "Kind (as read)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    spot.select_option("place")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    while service.services.facts.step():
        pass
    page.get_by_role("tab", name="Incidents").click()
    expect(page.locator("#incidents tbody tr").first).to_contain_text("by press 1")
    page.get_by_role("tab", name="Documents").click()
    page.get_by_role("button", name="Columns of ledger.csv").click()
    expect(spot.locator("option:checked")).to_have_text("Place")
    expect(dialog).to_contain_text("set by a person")
    spot.select_option("")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert service.services.columns.listed(base.id) == ()


def test_the_labels_of_a_form_are_shown_as_columns_are(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "form.txt", [FORM], b"form")
    page = open_page(viewport=NARROW, at=f"#base={base.id}&view=documents")
    page.get_by_role("button", name="Columns of form.txt").click()
    dialog = page.get_by_role("dialog", name="Columns of form.txt")
    expect(dialog.locator("tbody tr")).to_have_count(5)
    pump = dialog.get_by_label("What Pump type stands for")
    expect(pump.locator("option:checked")).to_have_text("Its own name (as read)")
    place = dialog.get_by_label("What Location stands for")
    expect(place.locator("option:checked")).to_have_text("Place (as read)")


def test_every_field_that_a_column_may_stand_for_is_offered() -> None:
    script = (ROOT / "web" / "static" / "js" / "columns.js").read_text(encoding="utf-8")
    offered = re.search(r"const FIELDS = \[([^\]]*)\]", script)
    assert offered
    assert sorted(re.findall(r'"(\w+)"', offered[1])) == sorted(map(str, COLUMN_FIELDS))
