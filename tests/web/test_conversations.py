"""Conversations in the sidebar: found, renamed, saved; those of programs apart."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from kb_service.services.asking import AskRequest
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


def ask(page: Page, text: str) -> None:
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".turn", has_text=text).locator(".answer-actions")).to_be_visible()


def choose(page: Page, entry: str) -> None:
    page.get_by_role("button", name="Rename, export or delete").first.click()
    page.get_by_role("menuitem", name=entry).click()


def test_a_conversation_is_renamed_from_the_keyboard(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page, "What fell?")
    page.get_by_role("button", name="Rename, export or delete").press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_label("Title").fill("The crane")
    page.keyboard.press("Enter")
    expect(page.locator(".conversation-title")).to_have_text("The crane")
    assert [one.title for one in service.answers.list_conversations().items] == ["The crane"]


@pytest.mark.parametrize(
    ("entry", "suffix", "begins"),
    [("Save as Markdown", "md", "# What fell?"), ("Save as HTML", "html", "<!doctype html>")],
)
def test_a_conversation_is_saved_with_its_references(
    base: KnowledgeBase, open_page: OpenPage, tmp_path: Path, entry: str, suffix: str, begins: str
) -> None:
    page = open_page()
    ask(page, "What fell?")
    with page.expect_download() as download:
        choose(page, entry)
    assert download.value.suggested_filename == f"What fell.{suffix}"
    download.value.save_as(tmp_path / "saved")
    text = (tmp_path / "saved").read_text("utf-8")
    assert text.startswith(begins)
    assert "The crane collapsed at 14:20.[1]" in text
    assert "Crane report.pdf, page 1" in text


def test_conversations_of_programs_are_listed_apart(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    for _ in service.prepared.stream(AskRequest(base.id, "Asked by a program?")):
        pass
    page = open_page()
    ask(page, "Asked on the page?")
    titles = page.locator(".conversation-title")
    expect(titles).to_have_text(["Asked on the page?"])
    page.get_by_role("button", name="Show those of programs").click()
    expect(titles).to_have_text(["Asked by a program?"])
    page.get_by_role("button", name="Show those of the page").click()
    expect(titles).to_have_text(["Asked on the page?"])


def test_conversations_are_found_by_what_was_said(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    for number in range(8):
        ask(page, f"Question {number}?")
        page.get_by_role("button", name="New conversation").click()
        expect(page.locator(".turn")).to_have_count(0)
    page.get_by_label("Find in conversations").fill("question 5")
    expect(page.locator(".conversation-title")).to_have_text(["Question 5?"])
    page.get_by_label("Find in conversations").fill("zeppelin")
    expect(page.get_by_text("No conversation says “zeppelin”.")).to_be_visible()
