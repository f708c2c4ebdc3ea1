"""What an open document tells of, beside it: facts that open their words, times, what differs."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PDF, PageService
from tests.web.test_incidents import FOLLOW_UP, NOTICE

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.add_document(made.id, "notice.pdf", NOTICE, PDF + b"notice")
    service.add_document(made.id, "follow-up.pdf", FOLLOW_UP, PDF + b"follow")
    return made


def watch(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


def of_incident(asked: list[str]) -> list[str]:
    return [url for url in asked if "/incidents/" in url]


def test_facts_stand_beside_a_document_and_open_their_words(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    asked = watch(page)
    page.get_by_role("button", name="notice.pdf", exact=True).click()
    button = page.locator("#viewer").get_by_role("button", name="Facts", exact=True)
    expect(button).to_have_attribute("aria-expanded", "false")
    assert of_incident(asked) == []
    button.press("Enter")
    panel = page.locator("#viewer-facts")
    expect(panel).to_contain_text("The documents differ")
    expect(panel.locator(".timeline li").first).to_be_visible()
    assert len(of_incident(asked)) == 2
    place = panel.locator(".fact-place", has_text="follow-up.pdf").first
    place.press("Enter")
    expect(page.locator("#viewer-title")).to_contain_text("follow-up.pdf")
    expect(panel.locator(".fact-place", has_text="follow-up.pdf").first).to_be_focused()
    expect(panel).to_be_visible()
    assert len(of_incident(asked)) == 2
    button.press("Enter")
    expect(panel).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1280, 720)])
def test_on_a_small_window_the_words_of_a_fact_are_lit_above_the_facts(
    base: KnowledgeBase, open_page: OpenPage, width: int, height: int
) -> None:
    """The panel took the place of the document, so that a fact led nowhere that one could see."""
    at = f"#base={base.id}&view=documents"
    page = open_page(ViewportSize(width=width, height=height), at=at)
    page.get_by_role("button", name="notice.pdf", exact=True).click()
    page.locator("#viewer").get_by_role("button", name="Facts", exact=True).click()
    panel, body = page.locator("#viewer-facts"), page.locator(".viewer-body")
    panel.locator(".fact-place", has_text="follow-up.pdf").first.click()
    expect(page.locator("#viewer-title")).to_contain_text("follow-up.pdf")
    expect(body.get_by_role("img")).to_be_in_viewport()
    above, below = body.bounding_box(), panel.bounding_box()
    assert above
    assert below
    assert above["y"] + above["height"] <= below["y"]
    assert min(above["height"], below["height"]) > height / 5
    assert below["y"] + below["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_facts_are_a_tab_of_the_bar(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page(NARROW, "zh-CN", at=f"#base={base.id}&view=documents")
    page.get_by_role("button", name="notice.pdf", exact=True).click()
    page.locator("#viewer").get_by_role("button", name="事实", exact=True).click()
    expect(page.locator("#viewer-facts .fact-table")).to_be_visible()
    expect(page.locator(".viewer-body")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
