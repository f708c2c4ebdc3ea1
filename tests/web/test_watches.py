"""Standing questions on the page: kept from an answer, paused, removed, changes side by side."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from kb_service.domain.answers import AnswerStatus
from kb_service.domain.watches import Asked, StandingAnswer, Watch
from kb_service.services.watching import WatchService
from kb_service.storage.watches.store import Watches
from tests.web.answers import NOW, SENTENCES, answer, citation
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

QUESTION = "How many were injured?"


def said(service: PageService, kb_id: str, text: str) -> None:
    """Ask all standing questions as the worker does; each answer cites the first document."""
    cited = service.catalog.documents.list(kb_id).items[0]
    assert cited.revision is not None
    names = {"document_id": cited.id, "sha256": cited.revision.sha256, "title": cited.name}

    def ask(watch: Watch) -> StandingAnswer:
        known = replace(citation(1, 0, len(text), cited_text=SENTENCES[1]), **names)
        return StandingAnswer(AnswerStatus.ANSWERED, None, text, (known,), NOW, 0)

    watching = WatchService(Watches(service.database), ask, service.settings, lambda: 0.0)
    watching.ask_all(kb_id)


def add(service: PageService, kb_id: str, name: str) -> None:
    service.services.watching.add(kb_id, name, Asked(QUESTION))


def test_a_question_is_kept_from_its_answer_and_listed(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    service.prepared.answer = answer("Two were injured.", [citation(1, 0, 17)])
    page = open_page(at=f"#base={base.id}")
    page.get_by_label("Your question").fill(QUESTION)
    page.get_by_label("Your question").press("Enter")
    page.get_by_role("button", name="Keep asking this").click()
    dialog = page.get_by_role("dialog", name="Keep asking this")
    expect(dialog.get_by_label("Name")).to_have_value(QUESTION)
    dialog.get_by_label("When").select_option("daily at 07:00")
    dialog.get_by_role("button", name="Keep asking").click()
    expect(page.locator(".watch")).to_contain_text("daily at 07:00 · not asked yet")
    assert "view=watches" in page.url
    (kept,) = service.services.watching.listed(base.id).items
    assert (kept.asked.question, kept.schedule) == (QUESTION, "daily at 07:00")


def test_a_taken_name_is_said_in_the_dialog(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    add(service, base.id, QUESTION)
    service.prepared.answer = answer("Two were injured.", [citation(1, 0, 17)])
    page = open_page(at=f"#base={base.id}")
    page.get_by_label("Your question").fill(QUESTION)
    page.get_by_label("Your question").press("Enter")
    page.get_by_role("button", name="Keep asking this").click()
    page.get_by_role("dialog").get_by_role("button", name="Keep asking").click()
    expect(page.get_by_role("dialog")).to_contain_text("A standing question of this name is there")


def test_a_changed_answer_is_shown_with_both_and_their_citations(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    add(service, base.id, "Injured")
    said(service, base.id, "Two were injured.")
    page = open_page(at=f"#base={base.id}&view=watches", viewport=NARROW)
    expect(page.locator(".watch")).to_contain_text("Two were injured.")
    expect(page.locator(".watch")).to_contain_text("The answer has not changed since.")
    service.add_document(base.id, "Final report.pdf", content=b"%PDF-1.4\nother\n%%EOF\n")
    said(service, base.id, "Three were injured.")
    page.reload()
    page.get_by_text("1 change of the answer").click()
    sides = page.locator(".watch-side")
    expect(sides.first).to_contain_text("Two were injured.")
    expect(sides.last).to_contain_text("Three were injured.")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    sides.first.locator("button.mark").first.click()
    expect(page.get_by_role("img", name="Page 1 of Crane report.pdf")).to_be_visible()


def test_a_press_is_not_lost_when_the_list_is_drawn_again_under_it(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    add(service, base.id, "Injured")
    said(service, base.id, "Two were injured.")
    service.add_document(base.id, "Final report.pdf", content=b"%PDF-1.4\nother\n%%EOF\n")
    said(service, base.id, "Three were injured.")
    page = open_page(at=f"#base={base.id}&view=watches")
    page.get_by_text("1 change of the answer").hover()
    page.mouse.down()
    with page.expect_response(lambda response: "/watches" in response.url):
        add(service, base.id, "Crane")
    page.wait_for_timeout(300)
    expect(page.locator(".watch")).to_have_count(1)
    page.mouse.up()
    expect(page.locator(".watch")).to_have_count(2)
    expect(page.locator(".watch-side").first).to_contain_text("Two were injured.")


def test_a_question_is_paused_goes_on_is_asked_at_other_times_and_removed(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    add(service, base.id, "Injured")
    page = open_page(at=f"#base={base.id}&view=watches")
    page.get_by_role("button", name="Pause Injured").click()
    expect(page.locator(".watch")).to_contain_text("Paused")
    expect(page.get_by_role("button", name="Go on with Injured")).to_be_focused()
    said(service, base.id, "Two were injured.")
    assert service.services.watching.get(base.id, "Injured").answer is None
    page.keyboard.press("Enter")
    expect(page.locator(".watch")).to_contain_text("when documents have changed")
    page.get_by_role("button", name="When Injured is asked").click()
    page.get_by_role("dialog").get_by_label("When").select_option("every 1 hours")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".watch")).to_contain_text("every hour")
    page.get_by_role("button", name="Remove Injured").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No standing question yet.")).to_be_visible()
    assert service.services.watching.listed(base.id).items == ()


def test_words_of_a_deleted_document_are_said_to_be_gone(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "Crane report.pdf")
    add(service, base.id, "Injured")
    said(service, base.id, "Two were injured.")
    service.catalog.documents.delete(base.id, document.id)
    page = open_page(at=f"#base={base.id}&view=watches", locale="zh-CN")
    expect(page.locator(".watch")).to_contain_text("所引文档已删除")
