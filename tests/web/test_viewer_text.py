"""Text in the viewer: rows of tables as tables, and words found inside a document."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.spans import TextSpan
from tests.web.answers import answer, citation
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

ROWS = ("Name: Li Wei; Role: electrician", "Name: Tom Reed; Role: guard", "They met Tom Reed.")


def open_text(page: Page) -> None:
    page.locator("#viewer .mode-button").click()


def test_rows_of_a_table_stand_as_a_table_with_the_cited_one_lit(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "staff.xlsx", ROWS)
    _, text = service.catalog.revisions.text(base.id, document.id, None)
    start = text.index(ROWS[1])
    span = TextSpan(start, start + len(ROWS[1]))
    cited = citation(1, 0, 5, source=span, cited_text=ROWS[1])
    service.prepared.answer = answer("Guard", [cited])
    page = open_page(at=f"#base={base.id}")
    page.get_by_label("Your question").fill("What was Tom Reed?")
    page.get_by_label("Your question").press("Enter")
    page.locator("button.mark").first.click()
    open_text(page)
    viewer = page.locator("#viewer")
    expect(viewer.get_by_role("columnheader")).to_have_text(["Name", "Role"])
    expect(viewer.locator("tr.is-lit")).to_have_text("Tom Reedguard")
    expect(viewer.locator("mark")).to_have_text(["Tom Reed", "guard"])


def test_words_are_found_inside_a_document_one_place_after_the_other(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "staff.xlsx", ROWS)
    page = open_page(at=f"#base={base.id}&view=documents")
    page.locator("button.document-name").click()
    viewer = page.locator("#viewer")
    viewer.get_by_label("Find in this document").fill("tom reed")
    page.keyboard.press("Enter")
    expect(viewer.get_by_text("1 of 2")).to_be_visible()
    expect(viewer.locator("tr.is-lit mark")).to_have_text("Tom Reed")
    page.keyboard.press("Enter")
    expect(viewer.get_by_text("2 of 2")).to_be_visible()
    expect(viewer.locator(".stored-text mark")).to_have_text("Tom Reed")
    viewer.get_by_label("Find in this document").fill("zeppelin")
    page.keyboard.press("Enter")
    expect(viewer.get_by_text("not found")).to_be_visible()
