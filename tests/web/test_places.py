"""Every view has an address: Back and Forward move between views, a link opens one."""

import re

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.answers import crane_answer
from tests.web.conftest import NARROW, WIDE, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    """A base with one readable document and a prepared answer, beside an empty one."""
    made = service.add_base("Reports")
    service.add_base("Other")
    service.add_document(made.id, "Crane report.pdf")
    service.prepared.answer = crane_answer()
    return made


def ask(page: Page, text: str = "When did the crane collapse?") -> None:
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".turn", has_text=text).locator(".status-answered")).to_be_visible()


def choose(page: Page, name: str) -> None:
    page.locator(".base-row", has_text=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_back_returns_to_the_former_base_and_forward_to_the_later(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    choose(page, "Other")
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("heading", level=1, name="Other")).to_be_visible()


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["panel", "dialog"])
def test_back_closes_the_viewer_and_forward_opens_it_at_the_same_words(
    base: KnowledgeBase, open_page: OpenPage, viewport: dict[str, int]
) -> None:
    page = open_page(viewport=viewport, at=f"#base={base.id}")
    ask(page)
    page.locator("button.mark").last.click()
    expect(page.get_by_text("Quote 2 of 2")).to_be_visible()
    page.go_back()
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator("button.mark").last).to_be_focused()
    page.go_forward()
    expect(page.get_by_text("Quote 2 of 2")).to_be_visible()


def test_a_viewer_closed_by_hand_leaves_no_dead_step_behind(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    choose(page, "Other")
    choose(page, "Reports")
    ask(page)
    page.locator("button.mark").first.click()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Documents").click()
    page.go_back()
    expect(page.get_by_role("tab", name="Ask")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#viewer")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("heading", level=1, name="Other")).to_be_visible()


def test_the_address_of_a_citation_opens_it_elsewhere(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    """Citations are numbered in each answer anew: the address must name the answer too."""
    page = open_page(at=f"#base={base.id}")
    ask(page, "Who was hurt?")
    ask(page)
    page.locator(".turn").last.locator("button.mark").first.click()
    page.get_by_role("button", name="Next quote").click()
    expect(page.get_by_text("Quote 2 of 2")).to_be_visible()
    other = open_page(at=page.url[page.url.index("#") :])
    expect(other.get_by_text("Quote 2 of 2")).to_be_visible()
    expect(other.locator(".turn").last.locator("button.mark[data-current]")).to_have_text("2")
    expect(other.locator(".turn").first.locator("[data-current]")).to_have_count(0)
    other.keyboard.press("Escape")
    expect(other.locator("button.mark").last).to_be_focused()


def test_the_address_of_a_document_opens_it_elsewhere(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    page.get_by_role("button", name="Crane report.pdf", exact=True).click()
    expect(page.get_by_role("img", name=re.compile("^Page 1 of Crane"))).to_be_visible()
    other = open_page(at=page.url[page.url.index("#") :])
    expect(other.get_by_role("img", name=re.compile("^Page 1 of Crane"))).to_be_visible()
    expect(other.locator(".document")).to_be_visible()


def test_back_after_the_first_answer_still_shows_its_conversation(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    """The conversation had no id yet when the earlier views were left."""
    page = open_page(at=f"#base={base.id}")
    page.get_by_role("tab", name="Documents").click()
    page.get_by_role("tab", name="Ask").click()
    ask(page)
    page.go_back()
    page.go_back()
    expect(page.get_by_role("tab", name="Ask")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".question-text")).to_have_text("When did the crane collapse?")


def test_an_address_of_nothing_says_so_and_leads_on(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at="#base=kb_nowhere&conversation=conv_nowhere")
    expect(
        page.get_by_text("This knowledge base was deleted, or its address is wrong")
    ).to_be_visible()
    page.get_by_role("button", name=re.compile("^Open ")).click()
    expect(page.get_by_role("tab", name="Ask")).to_be_visible()
    page.goto(f"{page.url.split('#')[0]}#base={base.id}&conversation=conv_nowhere")
    expect(page.get_by_text("That conversation is not there any more.")).to_be_visible()
    expect(page.get_by_text("What would you like to know?")).to_be_visible()


def test_the_way_on_is_not_cut_on_a_phone(service: PageService, open_page: OpenPage) -> None:
    service.add_base("Ein_sehr_langer_Name_ohne_Trennstelle_" * 5)
    page = open_page(viewport=NARROW, at="#base=kb_nowhere")
    button = page.get_by_role("button", name=re.compile("^Open Ein_sehr"))
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= NARROW["width"]


def test_a_base_deleted_elsewhere_says_so_and_over_no_other_base(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """The error of the deleted base once stood in red over every other base until a reload."""
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_be_visible()
    service.catalog.bases.delete(base.id)
    expect(page.get_by_text("This knowledge base was deleted")).to_be_visible(timeout=20000)
    expect(page.locator(".base-row", has_text="Reports")).to_have_count(0)
    choose(page, "Other")
    expect(page.locator("#page-notice")).to_be_hidden()
    expect(page.get_by_text("This knowledge base was deleted")).to_be_hidden()


@pytest.mark.parametrize("where", ["documents", "conversations"])
def test_an_error_of_one_base_goes_with_it(
    base: KnowledgeBase, open_page: OpenPage, where: str
) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    fails = re.compile(rf"{where}\?.*|{where}$")
    page.route(fails, lambda route: route.fulfill(status=502, body="<html>bad gateway"))
    choose(page, "Other")
    expect(page.locator("#page-notice")).to_contain_text("answered 502")
    page.unroute(fails)
    choose(page, "Reports")
    expect(page.locator("#page-notice")).to_be_hidden()


def test_an_error_goes_when_it_heals(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_be_visible()
    listing = re.compile(r"/documents\?")
    page.route(listing, lambda route: route.abort())
    page.get_by_label("Find by name").fill("crane")
    expect(page.locator("#page-notice")).to_contain_text("cannot be reached")
    page.unroute(listing)
    page.get_by_label("Find by name").fill("")
    expect(page.locator("#page-notice")).to_be_hidden(timeout=10000)


def test_what_was_rejected_in_one_base_is_not_shown_in_another(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=documents")
    program = {"name": "setup.exe", "mimeType": "x/x", "buffer": b"MZ\0\0" + bytes(99)}
    page.locator("#file-input").set_input_files(program)
    expect(page.locator(".reject-list")).to_contain_text("setup.exe")
    choose(page, "Other")
    expect(page.locator(".reject-list")).to_have_count(0)
    page.go_back()
    expect(page.locator(".reject-list")).to_contain_text("setup.exe")


def test_an_error_is_said_in_the_language_that_is_chosen(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_failed(service.add_base("Reports").id, "cut.pdf")
    page = open_page(at=f"#base={service.catalog.bases.get('Reports').id}&view=documents")
    expect(page.locator(".document-error")).to_have_text("Damaged file: cut.pdf is cut off")
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".document-error > p")).to_have_text("文件损坏")
    page.get_by_text("服务的原话").click()
    expect(page.get_by_text("cut.pdf is cut off")).to_be_visible()


def test_the_tab_of_the_view_in_the_address_is_in_sight_on_a_phone(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    page = open_page(viewport=NARROW, at=f"#base={base.id}&view=setup")
    tab = page.get_by_role("tab", name="Settings")
    expect(tab).to_have_attribute("aria-selected", "true")
    expect(tab).to_be_in_viewport(ratio=1)
