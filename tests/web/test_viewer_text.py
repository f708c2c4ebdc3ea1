"""Text in the viewer: rows of tables as tables, and words found inside a document."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.spans import TextSpan
from tests.web.answers import SENTENCES, answer, citation
from tests.web.conftest import OpenPage
from tests.web.pictures import PAGE
from tests.web.service import PageService

pytestmark = pytest.mark.browser

ROWS = ("Name: Li Wei; Role: electrician", "Name: Tom Reed; Role: guard", "They met Tom Reed.")
APART = tuple(f"{row}\n" for row in ROWS)  # as the rows of a sheet are stored


def open_text(page: Page) -> None:
    page.locator("#viewer .mode-button").click()


@pytest.mark.parametrize("rows", [ROWS, APART])
def test_rows_of_a_table_stand_as_a_table_with_the_cited_one_lit(
    service: PageService, open_page: OpenPage, rows: tuple[str, ...]
) -> None:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "staff.xlsx", rows)
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


def test_words_over_the_picture_can_be_selected_and_stand_where_the_page_has_them(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane.pdf", SENTENCES)
    page = open_page(at=f"#base={base.id}&view=documents")
    page.locator("button.document-name").click()
    line = page.locator(".page-words span")
    expect(line).to_have_text(SENTENCES[0])
    sheet, words = page.locator(".page-picture").bounding_box(), line.bounding_box()
    assert sheet and words
    share = sheet["width"] / PAGE[0]  # pixels a point; a character of these pages is 1 by 10
    assert words["width"] == pytest.approx(len(SENTENCES[0]) * share, abs=1)
    assert words["y"] + words["height"] == pytest.approx(sheet["y"] + sheet["height"], abs=1)
    line.click(click_count=3)
    assert page.evaluate("getSelection().toString().trim()") == SENTENCES[0]
    page.get_by_role("button", name="Next page").click()
    expect(line).to_have_text(SENTENCES[1])
