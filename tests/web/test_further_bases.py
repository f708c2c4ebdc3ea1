"""One question asked of several bases: each answers by itself, and all of it is there again."""

import re

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.answers import crane_answer
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

QUESTION = "When did the crane collapse?"


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.add_document(made.id, "Crane report.pdf")
    north = service.add_base("North")
    service.add_document(north.id, "Northern crane.pdf", content=PDF + b"%")
    service.prepared.answer = crane_answer()
    return made


def ask(page: Page, text: str = QUESTION) -> None:
    page.locator("#question").fill(text)
    page.locator("#question").press("Enter")


def also_ask_north(page: Page) -> None:
    page.locator("#scope-button").click()
    page.get_by_role("dialog").get_by_label("North").check()
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.locator("#scope .filter-chip")).to_have_text("North")


def test_each_base_answers_by_itself_and_a_follow_up_goes_on_in_each(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    also_ask_north(page)
    ask(page)
    beside = page.get_by_role("region", name="North")
    expect(beside.locator(".status-answered")).to_be_visible()
    expect(page.locator(".status-answered")).to_have_count(2)
    ask(page, "And who?")
    expect(page.locator(".status-answered")).to_have_count(4)
    north = service.catalog.bases.get("North").id
    asked = [(r.kb_id, r.conversation_id) for r in service.prepared.requests]
    assert sorted(kb for kb, _ in asked[:2]) == sorted([base.id, north])
    assert all(conversation for _, conversation in asked[2:])
    assert len({conversation for _, conversation in asked[2:]}) == 2


def test_the_quote_of_a_further_base_opens_its_document_and_a_reload_keeps_both(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    also_ask_north(page)
    ask(page)
    expect(page.locator(".status-answered")).to_have_count(2)
    page.reload()
    expect(page.locator(".status-answered")).to_have_count(2)
    beside = page.get_by_role("region", name="North")
    north = service.catalog.bases.get("North").id
    with page.expect_response(re.compile(rf"/kb/{north}/documents/.*png")) as drawn:
        beside.locator("button.mark").first.click()
    assert drawn.value.ok
    page.keyboard.press("Escape")
    beside.get_by_role("button", name="In North").click()
    expect(page.locator("#base-name")).to_have_text("North")
    expect(page.locator(".question-text")).to_have_text(QUESTION)


def test_a_further_base_that_is_gone_takes_nothing_from_the_answer_of_this_one(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}", locale="zh-CN")
    page.locator("#scope-button").click()
    page.get_by_role("dialog").get_by_label("North").check()
    page.get_by_role("button", name="使用", exact=True).click()
    service.catalog.bases.delete(service.catalog.bases.get("North").id)
    ask(page)
    expect(page.locator(".status-answered")).to_have_count(1)
    expect(page.get_by_role("region", name="North")).to_contain_text("知识库")
    expect(page.locator("#question")).to_have_value("")
