"""Nothing that a reader wrote is lost: drafts, questions without an answer, conversations."""

import threading
import time

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.slots import MAX_RUNNING
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import Busy
from tests.web.answers import crane_answer
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

QUESTION = "When did the crane collapse?"


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.add_base("Other")
    service.add_document(made.id, "Crane report.pdf")
    service.prepared.answer = crane_answer()
    return made


def ask(page: Page, text: str = QUESTION) -> None:
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")


def ask_and_wait(page: Page, text: str = QUESTION) -> None:
    ask(page, text)
    expect(page.locator(".turn", has_text=text).locator(".status-answered")).to_be_visible()


def test_a_draft_survives_a_reload_another_base_and_a_tab_that_died(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    box = page.get_by_label("Your question")
    box.fill("half a question")
    page.locator(".base-row", has_text="Other").click()
    expect(box).to_have_value("")
    page.go_back()
    expect(box).to_have_value("half a question")
    page.reload()
    expect(box).to_have_value("half a question")
    after_crash = open_page(at=f"#base={base.id}", beside=page)
    expect(after_crash.get_by_label("Your question")).to_have_value("half a question")


def test_a_question_that_is_refused_stays_in_the_box_with_the_reason(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}", locale="zh-CN")
    box = page.get_by_label("您的问题")
    service.prepared.refuses_with = Busy("12 questions are waiting")
    box.fill("何时？")
    box.press("Enter")
    expect(page.locator("#composer-problem")).to_contain_text("排队的问题太多，请稍候再问")
    expect(box).to_have_value("何时？")
    expect(page.locator(".turn")).to_have_count(0)
    box.fill("何时倒塌？")
    expect(page.locator("#composer-problem")).to_be_hidden()
    service.prepared.refuses_with = None
    box.press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    asked = [request.question for request in service.prepared.requests]
    assert asked == ["何时？", "何时倒塌？"]


def test_a_question_refused_before_its_stream_stays_in_the_box_too(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    page.route("**/ask", lambda route: route.fulfill(status=504, body="<html>gateway timeout"))
    ask(page)
    expect(page.locator("#composer-problem")).to_contain_text("answered 504")
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)


def test_a_question_to_a_conversation_deleted_elsewhere_begins_a_new_one(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page, "First?")
    service.answers.delete_conversation(service.answers.list_conversations().items[0].id)
    ask(page)
    expect(page.get_by_text("That conversation is not there any more.")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".turn", has_text=QUESTION).locator(".status-answered")).to_be_visible()


def test_the_phase_is_told_while_nothing_is_written(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.is_silent = True
    page = open_page(at=f"#base={base.id}", locale="zh-CN")
    page.get_by_label("您的问题").fill("何时？")
    page.get_by_label("您的问题").press("Enter")
    expect(page.locator(".status-streaming")).to_have_text("正在查阅文档…")
    service.prepared.is_held = True
    service.prepared.is_silent = False
    expect(page.locator(".status-streaming")).to_have_text("正在撰写回答…")


def test_who_waits_for_others_sees_the_place_in_line(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.is_silent = True
    page = open_page(at=f"#base={base.id}")
    url = f"{page.url.partition('#')[0]}kb/{base.id}/ask"

    def hold() -> None:
        httpx.post(url, json={"question": "First?"}, timeout=60)

    others = [threading.Thread(target=hold) for _ in range(MAX_RUNNING)]
    for thread in others:
        thread.start()
    while len(service.prepared.requests) < MAX_RUNNING:
        time.sleep(0.01)
    ask(page)
    told = "Waiting: number 1 in line, about 5 s…"
    expect(page.locator(".status-streaming")).to_have_text(told)
    service.prepared.is_silent = False
    expect(page.locator(".turn", has_text=QUESTION).locator(".status-answered")).to_be_visible()
    for thread in others:
        thread.join()


def test_a_question_longer_than_the_limit_is_counted_and_not_sent(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.locator("#drop-hint")).to_contain_text("MB")  # the limits are known
    long = "😀" * 2001
    ask(page, long)
    expect(page.locator("#composer-hint")).to_have_text("2,001 of 2,000 characters")
    expect(page.get_by_label("Your question")).to_have_value(long)
    assert service.prepared.requests == []
    ask(page, long[:-1])
    expect(page.locator(".status-answered")).to_be_visible()


def test_a_stopped_question_is_there_after_a_reload_to_be_asked_again_or_changed(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.is_held = True
    page = open_page(at=f"#base={base.id}")
    ask(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".status-stopped")).to_have_text("Stopped")
    page.reload()
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    page.get_by_role("button", name="Edit and ask again").click()
    expect(page.get_by_label("Your question")).to_have_value(QUESTION)
    expect(page.locator(".turn")).to_have_count(0)
    service.prepared.is_held = False
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    page.reload()
    expect(page.locator(".turn")).to_have_count(1)


def test_a_reload_in_mid_answer_shows_the_question_as_not_finished(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page, "First?")
    service.prepared.is_held = True
    ask(page)
    expect(page.locator(".turn")).to_have_count(2)
    page.reload()
    expect(page.locator(".question-text")).to_have_text(["First?", QUESTION])
    expect(page.locator(".status-stopped")).to_have_text("Not finished: no answer came")
    service.prepared.is_held = False
    page.get_by_role("button", name="Ask again", exact=True).click()
    expect(page.locator(".status-answered")).to_have_count(2)
    page.reload()
    expect(page.locator(".status-answered")).to_have_count(2)
    expect(page.locator(".turn")).to_have_count(2)


def test_an_answer_that_nobody_waited_for_is_found_after_the_reload(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """The tab dies between the moment the answer is stored and the moment it hears of it."""
    page = open_page(at=f"#base={base.id}")
    page.route("**/ask", lambda route: (route.fetch(), route.abort()))
    ask(page)
    expect(page.locator(".reply .notice-bad")).to_contain_text("cannot be reached")
    page.evaluate("""() => {
        const [item] = Object.keys(localStorage).filter((name) => name.startsWith("kb.asked."));
        const asked = JSON.parse(localStorage.getItem(item));
        localStorage.setItem(item, JSON.stringify(asked.map((one) => ({...one, isAsking: true}))));
    }""")
    page.unroute("**/ask")
    page.reload()
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    assert len(service.prepared.requests) == 1


def test_another_tab_does_not_call_a_running_question_unfinished(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.is_held = True
    page = open_page(at=f"#base={base.id}")
    ask(page)
    other = open_page(at=f"#base={base.id}", beside=page)
    expect(other.get_by_text("What would you like to know?")).to_be_visible()
    expect(other.locator(".turn")).to_have_count(0)
    service.prepared.is_held = False
    expect(page.locator(".status-answered")).to_be_visible()


def test_a_question_asked_before_going_elsewhere_is_there_on_return(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.is_held = True
    page = open_page(at=f"#base={base.id}")
    ask(page)
    page.locator(".base-row", has_text="Other").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.go_back()
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    expect(page.get_by_role("button", name="Ask again", exact=True)).to_be_visible()


def test_the_conversation_is_in_the_address_and_in_every_tab(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page)
    ask_and_wait(page, "And who?")
    assert "conversation=conv_" in page.url
    page.reload()
    expect(page.locator(".status-answered")).to_have_count(2)
    fresh = open_page(at=f"#base={base.id}", beside=page)
    expect(fresh.locator(".turn")).to_have_count(0)
    fresh.locator(".conversation-row", has_text=QUESTION).click()
    expect(fresh.locator(".status-answered")).to_have_count(2)
    ask_and_wait(fresh, "When was it repaired?")
    ids = {request.conversation_id for request in service.prepared.requests[1:]}
    assert len(ids) == 1


def test_conversations_are_listed_by_base_and_deleted_after_confirmation(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page, "First?")
    page.get_by_role("button", name="New conversation").click()
    ask_and_wait(page, "Second?")
    rows = page.locator(".conversation-row")
    expect(rows.locator(".conversation-title")).to_have_text(["Second?", "First?"])
    page.get_by_role("button", name="Rename, export or delete “Second?”").click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("“Second?”: 1 question with its answer")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    assert [item.title for item in service.answers.list_conversations().items] == ["First?"]
    page.locator(".base-row", has_text="Other").click()
    expect(page.locator("#conversations")).to_be_hidden()


def test_a_conversation_deleted_elsewhere_is_gone_without_a_red_error(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page)
    page.get_by_role("button", name="New conversation").click()
    service.answers.delete_conversation(service.answers.list_conversations().items[0].id)
    page.locator(".conversation-row").click()
    expect(page.get_by_text("That conversation is not there any more.")).to_be_visible()
    expect(page.locator(".conversation-row")).to_have_count(0)
    expect(page.locator("#page-notice")).not_to_have_class("notice-bad")


def test_a_conversation_that_cannot_be_read_now_can_be_tried_again(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    """A service that was away for a moment once lost the conversation of the tab."""
    page = open_page(at=f"#base={base.id}")
    ask_and_wait(page)
    page.route("**/answers/*", lambda route: route.abort())
    page.reload()
    expect(page.locator("#thread .notice-bad")).to_contain_text("cannot be reached")
    page.unroute("**/answers/*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".status-answered")).to_be_visible()


def test_forgetting_the_key_forgets_what_was_written(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    page.get_by_label("Your question").fill("a secret")
    page.evaluate("import('./static/js/api.js').then(({ useKey }) => useKey('k'))")
    page.get_by_role("button", name="Forget the API key").click()
    expect(page.get_by_label("Your question")).to_have_value("")
    assert "a secret" not in page.evaluate("JSON.stringify({...localStorage, ...sessionStorage})")
