"""The service goes away while a reader works, and comes back; what is on paper; what moves."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from api.app import create_app
from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.service import PageService
from tests.web.test_losses import IN_BOTH_LANGUAGES, QUESTION, ask

pytestmark = pytest.mark.browser


class Server:
    """The application at one address, which can be ended and started again."""

    def __init__(self, service: PageService) -> None:
        self._service = service
        self._port = 0
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def start(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = int(listener.getsockname()[1])
        self._app = create_app(self._service.services)
        config = uvicorn.Config(self._app, log_level="error", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    def end(self) -> None:
        self._app.state.closing.set()
        self._server.should_exit = True
        self._thread.join(timeout=10)


@pytest.fixture
def server(service: PageService) -> Iterator[Server]:
    made = Server(service)
    yield made
    made.end()


@IN_BOTH_LANGUAGES
def test_a_restart_in_mid_answer_loses_nothing_and_needs_no_reload(
    base: KnowledgeBase,
    service: PageService,
    server: Server,
    chromium: Browser,
    locale: str,
    said: str,
    again: str,
) -> None:
    page = chromium.new_page(locale=locale)
    page.goto(f"{server.address}#base={base.id}")
    service.prepared.is_held = True
    ask(page)
    expect(page.locator(".answer-text")).to_contain_text("The crane")
    page.locator("#question").fill("And who was hurt?")
    server.end()
    notice = page.locator("#page-notice")
    expect(notice).to_contain_text(said, timeout=20_000)
    expect(page.locator(".reply .notice-bad")).to_be_visible()
    expect(page.locator(".question-text")).to_have_text(QUESTION)
    service.prepared.is_held = False
    server.start()
    expect(notice).to_be_hidden(timeout=20_000)
    expect(page.locator("#question")).to_have_value("And who was hurt?")
    page.get_by_role("button", name=again, exact=True).click()
    expect(page.locator(".status-answered")).to_be_visible()
    service.add_document(base.id, "Later.pdf", content=b"%PDF-1.4 later")
    page.locator("#tab-documents").click()
    expect(page.locator(".document")).to_have_count(2, timeout=20_000)  # events are heard again
    page.close()


def answered(base: KnowledgeBase, page: Page) -> None:
    ask(page)
    expect(page.locator(".status-answered")).to_be_visible()


def test_an_answer_is_printed_whole_with_its_sources_and_without_controls(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    for _ in range(6):
        page.locator("#question").fill(QUESTION)
        page.locator("#question").press("Enter")
        expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator(".status-answered")).to_have_count(6)
    page.emulate_media(media="print")
    for gone in ("#composer", ".sidebar", "#tabs", ".answer-actions >> nth=0"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.locator(".question-text").first).to_be_visible()
    expect(page.locator(".source-group").last).to_be_visible()
    scroll = page.locator("#thread-scroll")
    assert scroll.evaluate("one => one.scrollHeight - one.clientHeight") == 0
    assert page.evaluate("document.documentElement.scrollHeight > innerHeight")


def test_nothing_moves_for_who_asked_for_that(
    base: KnowledgeBase, chromium: Browser, address: str
) -> None:
    page = chromium.new_page(reduced_motion="reduce")
    page.goto(f"{address}#base={base.id}")
    answered(base, page)
    page.locator("button.mark").first.click()
    expect(page.locator(".page-picture")).to_be_visible()
    longest = page.evaluate(
        """Math.max(...[...document.querySelectorAll("*")].flatMap((one) => {
            const {transitionDuration, animationDuration} = getComputedStyle(one);
            return [transitionDuration, animationDuration].map(parseFloat);
        }))"""
    )
    assert longest <= 0.001
    page.close()
