"""Lists are drawn again at any time: the keyboard, what is open and a menu stay as they were."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage

pytestmark = pytest.mark.browser


def open_asked(open_page: OpenPage) -> Page:
    page = open_page()
    page.get_by_label("Your question").fill("What fell?")
    page.keyboard.press("Enter")
    expect(page.locator(".answer-actions")).to_be_visible()
    return page


def draw_all_again(page: Page) -> None:
    """Changes the language as nobody's click: every list is drawn again, nothing is focused."""
    page.evaluate("document.querySelector('[data-language=zh]').click()")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


@pytest.mark.parametrize(
    ("view", "place"),
    [
        ("ask", ".base-row"),
        ("ask", ".conversation-row"),
        ("ask", "#conversation-list [aria-haspopup=menu]"),
        ("ask", ".answer-actions [data-key=again]"),
        ("ask", "#model-line summary"),
        ("documents", ".document-name"),
        ("documents", ".document-actions [data-action=remove]"),
        ("documents", "#status-filters .filter-chip"),
        ("documents", "#selection-bar [data-key=selected_delete]"),
    ],
)
def test_the_keyboard_stays_where_it_was(
    base: KnowledgeBase, open_page: OpenPage, view: str, place: str
) -> None:
    page = open_asked(open_page)
    page.locator(f"#tab-{view}").click()
    if "selection" in place:
        page.get_by_label("Select Crane report.pdf").check()
    page.locator(place).first.focus()
    draw_all_again(page)
    expect(page.locator(place).first).to_be_focused()


def test_a_menu_gives_the_keyboard_back_to_the_button_in_the_place_of_its_own(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_asked(open_page)
    button = page.locator("#conversation-list [aria-haspopup=menu]")
    button.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    draw_all_again(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    expect(button).to_be_focused()
