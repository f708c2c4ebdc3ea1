"""What is suggested was asked before and had an answer; what was not is never shown."""

import pytest
from playwright.sync_api import Route, expect

from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.suggestions import Suggestion
from kb_service.storage.suggestions import Suggestions
from tests.web.answers import crane_answer
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


def suggest(service: PageService, kb_id: str, *questions: tuple[str, str]) -> None:
    """Keep these as the worker does after it had whole answers."""
    cited = service.catalog.documents.list(kb_id).items[0].revision
    assert cited is not None
    change = service.catalog.bases.get(kb_id).change
    found = [Suggestion(question, language, (cited.id,)) for question, language in questions]
    Suggestions(service.database).put(kb_id, change, found)


def test_a_base_suggests_what_it_was_found_to_answer_in_the_language_of_the_page_first(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    suggest(service, base.id, ("What was the cause of C-7?", "en"), ("C-7的原因是什么？", "zh"))
    service.prepared.answer = crane_answer()
    page = open_page(at=f"#base={base.id}", locale="zh-CN")
    expect(page.locator(".example")).to_have_text(
        ["C-7的原因是什么？", "What was the cause of C-7?"]
    )
    page.get_by_role("button", name="English").click()
    expect(page.locator(".example").first).to_have_text("What was the cause of C-7?")
    page.locator(".example").first.click()
    expect(page.locator(".question-text")).to_have_text("What was the cause of C-7?")


def test_without_a_checked_question_nothing_is_suggested(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    page = open_page(at=f"#base={base.id}")
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(page.locator(".example")).to_have_count(0)
    expect(page.get_by_text("What was the cause of the incident?")).to_have_count(0)


def test_a_suggestion_goes_with_its_document(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "Crane report.pdf")
    service.add_document(base.id, "Other report.pdf", content=b"%PDF-1.4\nother\n%%EOF\n")
    suggest(service, base.id, ("What was the cause of C-7?", "en"))
    page = open_page(at=f"#base={base.id}")
    expect(page.locator(".example")).to_have_count(1)
    service.catalog.documents.delete(base.id, document.id)
    expect(page.locator(".example")).to_have_count(0)


def test_what_goes_before_the_service_begins_to_tell_is_seen_when_it_does(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "Crane report.pdf")
    suggest(service, base.id, ("What was the cause of C-7?", "en"))
    page = open_page(at=f"#base={base.id}")
    held: list[Route] = []
    page.route("**/events", lambda route: held.append(route))
    with page.expect_request("**/events"):
        page.reload()
    expect(page.locator(".example")).to_have_count(1)
    service.catalog.documents.delete(base.id, document.id)
    held.pop().continue_()
    expect(page.locator(".example")).to_have_count(0)


def test_what_is_opened_and_the_keyboard_stay_when_the_suggestions_change(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    service.info = GeneratorInfo("extractive", "Reader 1", notice_en="Quotes the documents.")
    suggest(service, base.id, ("What was the cause of C-7?", "en"))
    page = open_page(at=f"#base={base.id}")
    fold = page.locator(".teaching details")
    fold.locator("summary").click()
    page.locator(".example").focus()
    suggest(service, base.id, ("What was the cause of C-7?", "en"), ("Where was C-7?", "en"))
    service.add_document(base.id, "Other report.pdf", content=b"%PDF-1.4\nother\n%%EOF\n")
    expect(page.locator(".example")).to_have_count(2)
    expect(page.locator(".example").first).to_be_focused()
    expect(fold.get_by_text("Quotes the documents.")).to_be_visible()
