"""The documents as a table: filtered, sorted, and many of them handled at once."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.answers import crane_answer
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    for number, name in enumerate(("b.pdf", "a.pdf", "c.pdf")):
        service.add_document(made.id, name, content=PDF + b"%" * (30 - number))
    service.add_failed(made.id, "broken.pdf")
    service.prepared.answer = crane_answer()
    return made


def names(page: Page) -> list[str]:
    return page.locator(".document .document-name").all_inner_texts()


def select(page: Page, *chosen: str) -> None:
    for name in chosen:
        page.get_by_label(f"Select {name}").check()


def test_a_status_is_a_filter_with_its_true_total(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    chips = page.locator("#status-filters button")
    expect(chips).to_have_text(["All 4", "3 ready", "1 failed"])
    page.get_by_role("button", name="1 failed").click()
    expect(page.locator(".document")).to_have_count(1)
    expect(chips).to_have_text(["All 4", "3 ready", "1 failed"])
    page.get_by_role("button", name="All 4").click()
    expect(page.locator(".document")).to_have_count(4)


def test_columns_sort_both_ways(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document-name").first).to_have_text("a.pdf")
    page.get_by_role("button", name="Name", exact=True).click()
    expect(page.locator(".document-name").first).to_have_text("c.pdf")
    page.get_by_role("button", name="Size").click()
    expect(page.locator("#column-size_bytes")).to_have_attribute("aria-sort", "descending")
    expect(page.locator(".document-name").first).to_have_text("b.pdf")


def test_many_are_tagged_and_found_by_their_tag(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    select(page, "a.pdf", "c.pdf")
    page.get_by_role("button", name="Tags…").click()
    page.get_by_role("dialog").get_by_label("Add").fill("fire, 2025")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".document", has_text="c.pdf").locator(".tag")).to_have_text(
        ["2025", "fire"]
    )
    page.get_by_role("button", name="fire").first.click()
    expect(page.locator(".document")).to_have_count(2)
    assert service.catalog.documents.tags(base.id) == {"2025": 2, "fire": 2}


def test_many_are_tried_again_and_deleted_after_confirmation(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    select(page, "broken.pdf")
    page.get_by_role("button", name="Try again", exact=True).click()
    expect(page.locator(".badge-pending")).to_be_visible()
    page.get_by_label("Select all documents shown").check()
    expect(page.locator("#selection-bar")).to_contain_text("4 selected")
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 4 documents?")
    calls: list[str] = []
    page.on("request", lambda call: calls.append(call.url) if call.method != "GET" else None)
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No documents yet.")).to_be_visible()
    assert [url.rpartition("/")[2] for url in calls] == ["delete"]  # one call for all
    assert service.catalog.documents.list(base.id).items == ()


def test_the_drop_zone_shrinks_to_a_button_once_there_are_documents(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.get_by_text("Drop files or folders here")).to_be_hidden()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    row = page.locator(".document", has_text="a.pdf").bounding_box()
    assert row is not None
    assert row["height"] <= 50


def test_a_question_is_asked_in_the_documents_that_were_selected(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents", viewport=NARROW)
    select(page, "a.pdf", "c.pdf")
    page.get_by_role("button", name="Ask only these").click()
    chips = page.locator("#scope .filter-chip")
    expect(chips).to_have_text(["a.pdf", "c.pdf"])
    page.get_by_role("button", name="No longer only in: c.pdf").click()
    page.reload()
    expect(chips).to_have_text(["a.pdf"])
    page.get_by_label("Your question").fill("What fell?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".answer-actions")).to_be_visible()
    asked = service.prepared.requests[-1]
    wanted = {item.name: item.id for item in service.catalog.documents.list(base.id).items}
    assert asked.filters.document_ids == (wanted["a.pdf"],)


def test_documents_tags_and_days_are_picked_in_a_dialog(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    found = service.catalog.documents.list(base.id).items
    service.catalog.documents.mark(base.id, found[0].id, ["fire"])
    page = open_page(at=f"#base={base.id}")
    page.get_by_role("button", name="Narrow").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("searchbox", name="Documents").fill("b.p")
    dialog.get_by_label("b.pdf").check()
    dialog.get_by_label("fire").check()
    dialog.get_by_label("Changed from").fill("2025-03-02")
    dialog.get_by_role("button", name="Use").click()
    expect(page.locator("#scope .filter-chip")).to_have_text(
        ["b.pdf", "tag fire", "changed since 2 Mar 2025"]
    )
    page.get_by_role("button", name="Ask all documents").click()
    expect(page.locator("#scope .filter-chip")).to_have_count(0)
