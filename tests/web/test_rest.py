"""What the page asks for: nothing while nothing changes, and what changed once it is told."""

import pytest
from playwright.sync_api import expect

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.people import Right, Rights
from tests.web.answers import crane_answer
from tests.web.calls import calls_of
from tests.web.conftest import WIDE, OpenPage
from tests.web.service import PDF, PageService
from tests.web.test_losses import ask
from tests.web.test_suggestions import suggest

pytestmark = pytest.mark.browser

LONGER_THAN_ANY_ROUND_MS = 65_000
TOLD_MS = 3500
"""By when a mark that changed has come: it is looked at every three seconds."""


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.add_document(made.id, "Crane report.pdf")
    suggest(service, made.id, ("What was the cause of C-7?", "en"))
    service.prepared.answer = crane_answer()
    return made


@pytest.mark.parametrize("view", ["ask", "documents", "search", "incidents", "watches", "setup"])
def test_a_page_at_rest_asks_for_nothing(
    base: KnowledgeBase, open_page: OpenPage, view: str
) -> None:
    page = open_page(at=f"#base={base.id}&view={view}", has_clock=True)
    expect(page.locator("#model-line")).to_contain_text("scripted")
    page.wait_for_timeout(TOLD_MS)
    with calls_of(page) as calls:
        page.clock.run_for(LONGER_THAN_ANY_ROUND_MS)
        page.wait_for_timeout(500)
    assert calls == []


def test_an_upload_costs_no_reading_of_the_base_nor_of_what_is_suggested_elsewhere(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """Of 500 files the page read the base 51 times and its suggestions 45 times."""
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(1)
    page.wait_for_timeout(TOLD_MS)
    with calls_of(page) as calls:
        for number in range(40):
            service.upload(base.id, f"{number:02}.txt", f"report {number}".encode())
            service.publish(service.claim(), ["words"])
        expect(page.locator("#base-counts")).to_contain_text("41 documents · 43 passages")
        page.wait_for_timeout(TOLD_MS)
    assert set(calls) == {"GET kb/*/documents"}
    assert len(calls) <= 20  # once a second at most, however many files there are


def test_suggestions_are_read_when_they_are_shown_and_once_for_each_change(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(1)
    with calls_of(page) as calls:
        suggest(service, base.id, ("When did C-7 happen?", "en"))
        page.wait_for_timeout(TOLD_MS)
        assert not [call for call in calls if call.endswith("suggestions")]
        page.locator("#tab-ask").click()
        expect(page.locator(".example")).to_have_text("When did C-7 happen?")
        page.locator("#tab-search").click()
        page.locator("#tab-ask").click()
        assert calls.count("GET kb/*/suggestions") == 1
        suggest(service, base.id, ("Where did C-7 happen?", "en"))
        expect(page.locator(".example")).to_have_text("Where did C-7 happen?")
        assert calls.count("GET kb/*/suggestions") == 2


def test_what_others_do_is_seen_without_asking_by_the_clock(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(WIDE, at=f"#base={base.id}")
    other = open_page(beside=page, at=f"#base={base.id}")
    expect(page.locator(".example")).to_have_count(1)
    ask(other)
    expect(page.locator(".conversation-row")).to_have_count(1)
    service.catalog.bases.update(base.id, "Accidents", "of the harbour")
    expect(page.get_by_role("heading", level=1, name="Accidents")).to_be_visible()
    service.add_base("Later")
    expect(page.locator(".base-row")).to_have_count(2)


def test_a_right_that_is_given_shows_at_once_what_it_opens(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.keys.add("admin", "", Rights(is_admin=True))
    made = service.keys.add("reader", "", Rights(by_base={base.id: Right.READ}))
    page = open_page(at=f"#base={base.id}&view=documents")
    page.get_by_role("textbox").last.fill(made.secret)
    page.keyboard.press("Enter")
    expect(page.locator(".document")).to_have_count(1)
    expect(page.locator("#pick-files")).to_be_hidden()
    service.keys.change(made.key.id, Rights(by_base={base.id: Right.WRITE}))
    expect(page.locator("#pick-files")).to_be_visible()


def test_lists_are_read_again_after_the_line_was_lost(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}", has_clock=True)
    expect(page.locator(".example")).to_have_count(1)
    page.wait_for_timeout(TOLD_MS)
    page.context.set_offline(True)
    expect(page.locator("#page-notice")).to_be_visible()
    service.catalog.bases.update(base.id, "Accidents")
    service.upload(base.id, "later.pdf", PDF + b"later")
    page.context.set_offline(False)
    page.clock.run_for(6_000)
    expect(page.get_by_role("heading", level=1, name="Accidents")).to_be_visible()
    expect(page.locator("#base-counts")).to_contain_text("2 documents")
