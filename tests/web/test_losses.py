"""What breaks while a reader works: the connection, the key, the base, the document, the tab."""

import re

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.line import Line
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

QUESTION = "When did the crane collapse?"
KB_S = 1024

IN_BOTH_LANGUAGES = pytest.mark.parametrize(
    ("locale", "said", "again"),
    [
        ("en-GB", "The service cannot be reached", "Ask again"),
        ("zh-CN", "无法连接服务", "重新提问"),
    ],
)
"""What is said while the service is away, and the button behind it."""


def ask(page: Page, text: str = QUESTION) -> None:
    page.locator("#question").fill(text)
    page.locator("#question").press("Enter")


def slow_down(page: Page, latency_ms: int, rate: int) -> None:
    """As the browser's own tools emulate it. `rate`: bytes a second each way."""
    session: CDPSession = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": rate,
            "uploadThroughput": rate,
        },
    )


@IN_BOTH_LANGUAGES
def test_a_question_asked_without_a_connection_waits_in_the_thread(
    base: KnowledgeBase,
    service: PageService,
    open_page: OpenPage,
    locale: str,
    said: str,
    again: str,
) -> None:
    page = open_page(at=f"#base={base.id}", locale=locale)
    expect(page.locator("#question")).to_be_visible()
    page.context.set_offline(True)
    ask(page)
    expect(page.locator(".reply .notice-bad")).to_contain_text(said)
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    page.context.set_offline(False)
    page.get_by_role("button", name=again, exact=True).click()
    expect(page.locator(".status-answered")).to_be_visible()
    assert [request.question for request in service.prepared.requests] == [QUESTION]


def test_the_page_tells_that_it_is_offline_and_goes_on_by_itself(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(1)
    page.context.set_offline(True)
    expect(page.locator("#page-notice")).to_contain_text("This computer is offline")
    service.upload(base.id, "Later.pdf", PDF + b"%")
    page.context.set_offline(False)
    expect(page.locator("#page-notice")).to_be_hidden()
    expect(page.locator(".document")).to_have_count(2)


def test_a_last_answer_after_the_computer_went_offline_hides_nothing_for_long(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(1)
    page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    with page.expect_response("**/readyz"):  # the one that still comes through
        page.evaluate("dispatchEvent(new Event('offline'))")
    page.route("**/readyz", lambda route: route.abort())
    notice = page.locator("#page-notice")
    expect(notice).to_contain_text("This computer is offline", timeout=4000)


def test_a_slow_line_shows_the_question_at_once_and_brings_the_answer(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.locator("#question")).to_be_visible()
    slow_down(page, 1500, 20 * KB_S)
    ask(page)
    expect(page.locator(".question-text")).to_have_text(QUESTION, timeout=500)
    expect(page.locator(".status-streaming")).to_be_visible(timeout=500)
    expect(page.locator(".status-answered")).to_be_visible(timeout=20_000)
    page.locator("button.mark").first.click()
    expect(page.locator("#viewer .viewer-title")).to_have_text("Crane report.pdf", timeout=500)
    expect(page.locator(".page-picture")).to_have_attribute(
        "src", re.compile("^blob:"), timeout=20_000
    )


@pytest.mark.parametrize("api_keys", [{"reader": "secret-1"}])
def test_a_key_that_is_revoked_is_asked_for_again_and_the_question_is_kept(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    key = page.get_by_label("API key", exact=True)
    key.fill("secret-1")
    with page.expect_request("**/readyz"):  # whatever is read again at first would ask for the key
        page.get_by_role("button", name="Continue").click()
    page.wait_for_timeout(500)
    expect(page.locator("#question")).to_be_visible()
    page.evaluate("sessionStorage.setItem('kb.api_key', 'revoked')")
    ask(page)
    expect(page.get_by_text("That key was not accepted")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#composer-problem")).to_contain_text("That API key is not accepted")
    expect(page.locator("#question")).to_have_value(QUESTION)
    page.locator("#question").press("Enter")
    key.fill("secret-1")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".status-answered")).to_be_visible()
    assert len(service.prepared.requests) == 1


def test_a_document_deleted_elsewhere_while_it_is_open_says_so(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    page.locator("button.document-name").click()
    expect(page.get_by_role("img", name=re.compile("^Page 1 of"))).to_be_visible()
    (document,) = service.catalog.documents.list(base.id).items
    service.catalog.documents.delete(base.id, document.id)
    expect(page.locator("#viewer")).to_contain_text("This document was deleted.", timeout=15_000)
    expect(page.locator("#viewer img")).to_have_count(0)
    expect(page.locator(".document")).to_have_count(0)


def test_a_base_deleted_in_another_tab_in_mid_answer_says_so(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Other")
    service.prepared.is_held = True
    page = open_page(at=f"#base={base.id}")
    ask(page)
    expect(page.locator(".answer-text")).to_contain_text("The crane")
    other = open_page(at=f"#base={base.id}", beside=page)
    other.get_by_role("button", name="Delete knowledge base").click()
    other.get_by_role("dialog").get_by_role("button", name="Delete knowledge base").click()
    expect(other.locator("#base-name")).to_have_text("Other")
    expect(page.get_by_text("This knowledge base was deleted")).to_be_visible()
    page.get_by_role("button", name="Open Other").click()
    expect(page.locator("#question")).to_be_visible()
    expect(page.locator("#page-notice")).to_be_hidden()


def test_an_upload_that_a_reload_broke_off_is_told_by_name(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(1)
    page.route(
        "**/documents", lambda route: None if route.request.method == "POST" else route.continue_()
    )
    files = [
        {"name": f"{n:02}.pdf", "mimeType": "application/pdf", "buffer": PDF + b"%d" % n}
        for n in range(25)
    ]
    page.locator("#file-input").set_input_files(files)
    expect(page.locator("#upload-status")).to_contain_text("Uploading 0 of 25 files")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert asked == ["beforeunload"]
    status = page.locator("#upload-status")
    expect(status).to_contain_text("It is not known whether 20 files arrived")
    expect(status).to_contain_text("5 files were not accepted")
    expect(status.locator(".reject-name")).to_have_count(25)
    status.get_by_role("button", name="Dismiss").click()
    page.reload()
    expect(page.locator(".document")).to_have_count(1)
    expect(status).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "said", "again"),
    [
        ("en-GB", "The connection ended before the answer was complete", "Ask again"),
        ("zh-CN", "回答尚未完成，连接已中断", "重新提问"),
    ],
)
def test_a_line_cut_in_mid_answer_is_told_in_words_and_the_question_is_asked_again(
    base: KnowledgeBase,
    service: PageService,
    chromium: Browser,
    address: str,
    locale: str,
    said: str,
    again: str,
) -> None:
    """The browser's own words stood there, in English: "network error"."""
    line = Line(int(address.rstrip("/").rpartition(":")[2]))
    page = chromium.new_page(locale=locale)
    page.goto(f"http://127.0.0.1:{line.port}/#base={base.id}")
    service.prepared.is_held = True
    ask(page)
    expect(page.locator(".answer-text")).to_contain_text("The crane")
    line.cut()
    expect(page.locator(".reply .notice-bad")).to_have_text(said)
    expect(page.locator(".answer-text")).to_contain_text("The crane")
    page.reload()
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    service.prepared.is_held = False
    page.get_by_role("button", name=again, exact=True).click()
    expect(page.locator(".status-answered")).to_be_visible()
    page.close()
    line.close()
