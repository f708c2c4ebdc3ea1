"""What a reader sees of an answer, each thing said once, and what can be done with it."""

import pathlib

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.answers import AnswerStatus
from kb_service.domain.documents import KnowledgeBase
from tests.web.answers import SENTENCES, answer, citation, crane_answer
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

TABLE = "| Accident | Dead |\n|---|---|\n| **Crane** | 3 |\n\n- first\n- <b>second</b>"


def ask(page: Page, text: str = "What fell?") -> None:
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".answer-actions").last).to_be_visible()


def test_an_answer_is_copied_with_its_references(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page)
    page.get_by_role("button", name="Copy with references").click()
    expect(page.get_by_role("alert").filter(has_text="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(
        "The crane collapsed at 14:20.[1] Two workers were injured.[2]\n\n[1] "
    )
    assert f"[1] Crane report.pdf, page 1: “{SENTENCES[0]}”" in copied


def test_a_rating_and_its_comment_are_kept_with_the_answer(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page)
    page.get_by_role("button", name="Not a good answer").click()
    page.get_by_label("What was good or wrong?").fill("the time is wrong")
    page.get_by_label("What was good or wrong?").press("Enter")
    expect(page.get_by_text("kept with the answer")).to_be_visible()
    (listed,) = service.answers.list_conversations(base.id).items
    assert service.answers.get_feedback(listed.messages[1].answer_id or "") == (
        "down",
        "the time is wrong",
    )
    page.reload()
    expect(page.get_by_role("button", name="Not a good answer")).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_link_leads_to_one_answer_of_a_conversation(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "First?")
    page.get_by_role("button", name="Copy a link to this answer").click()
    expect(page.get_by_role("alert").filter(has_text="Link copied")).to_be_visible()
    ask(page, "Second?")
    link = page.evaluate("navigator.clipboard.readText()")
    other = open_page(beside=page, at=link[link.index("#") :])
    expect(other.locator(".turn")).to_have_count(2)
    expect(other.locator(".turn", has_text="First?")).to_be_in_viewport()
    top = "document.querySelector('.turn').getBoundingClientRect().top"
    assert other.evaluate(f"{top} >= 0")


def test_words_that_the_answer_repeats_are_not_said_again_among_its_sources(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """One sentence once stood four times on the page."""
    said = SENTENCES[0]
    cited = [citation(1, 0, len(said)), citation(2, 0, len(said), cited_text=SENTENCES[1])]
    service.prepared.answer = answer(said, cited)
    page = open_page()
    ask(page)
    expect(page.locator(".source-group")).to_have_count(1)
    expect(page.locator(".source-group .source")).to_have_count(2)
    expect(page.locator(".source-quote")).to_have_text([SENTENCES[1]])


def test_markdown_is_laid_out_and_no_markup_of_an_answer_is_obeyed(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    start = TABLE.index("**Crane**")
    service.prepared.answer = answer(TABLE, [citation(1, start, start + 9)])
    page = open_page()
    ask(page)
    expect(page.locator(".answer-text td")).to_have_text(["Crane1", "3"])
    expect(page.locator(".answer-text td strong")).to_have_text("Crane1")
    expect(page.locator(".answer-text li")).to_have_text(["first", "<b>second</b>"])
    expect(page.locator(".answer-text b")).to_have_count(0)


@pytest.mark.parametrize("reason", ["cannot_count", "cannot_summarise"])
def test_what_was_not_done_is_not_called_silence_of_the_documents(
    base: KnowledgeBase, service: PageService, open_page: OpenPage, reason: str
) -> None:
    service.prepared.answer = answer("…", [], status=AnswerStatus.REFUSED, reason=reason)
    page = open_page()
    ask(page)
    expect(page.locator(".status-refused")).to_contain_text("Not ")
    expect(page.locator(".status-refused")).not_to_contain_text("do not say")


def test_sources_that_disagree_stand_side_by_side(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.prepared.answer = crane_answer(
        status=AnswerStatus.PARTIAL, reason="conflicting_sources"
    )
    page = open_page()
    ask(page)
    expect(page.locator(".status-partial")).to_have_text("The documents state different values")
    expect(page.locator(".side-by-side .source-quote")).to_have_count(2)


@pytest.mark.parametrize(
    ("entry", "begins"),
    [
        ("Save as Markdown", b"The crane collapsed"),
        ("Save as HTML", b"<!DOCTYPE html>"),
        ("Save as Word document", b"PK"),
    ],
)
def test_an_answer_is_saved_as_a_file(
    base: KnowledgeBase, open_page: OpenPage, entry: str, begins: bytes
) -> None:
    page = open_page()
    ask(page)
    page.get_by_role("button", name="Save this answer").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=entry).click()
    suffix = {"Markdown": ".md", "HTML": ".html", "document": ".docx"}[entry.rsplit(maxsplit=1)[-1]]
    assert download.value.suggested_filename.endswith(suffix)
    assert pathlib.Path(download.value.path()).read_bytes().startswith(begins)


def test_a_question_that_was_answered_is_changed_and_asked_again(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page, "Who was hurt?")
    page.get_by_role("button", name="Ask again with other words").click()
    expect(page.get_by_label("Your question")).to_have_value("Who was hurt?")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(" And where?")
    page.keyboard.press("Enter")
    expect(page.locator(".question-text")).to_have_text(
        ["Who was hurt?", "Who was hurt? And where?"]
    )


def test_an_answer_with_twelve_citations_stays_readable_on_a_phone(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    said = "".join(f"Part {number} was seen. " for number in range(1, 13))
    width = len("Part 1 was seen. ")
    ends = [said.index(f"Part {number} ") + width - 1 for number in range(1, 13)]
    cited = [citation(n, end - width + 1, end) for n, end in enumerate(ends, 1)]
    service.prepared.answer = answer(said, cited)
    page = open_page(viewport=NARROW)
    ask(page)
    expect(page.locator(".answer-text button.mark")).to_have_count(12)
    expect(page.locator(".source-group")).to_have_count(1)
    expect(page.locator(".source-group .source")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_what_rests_on_a_hundred_places_shows_some_and_the_others_on_demand(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """A sum over 89 documents had 89 marks behind it, and the words were lost among them."""
    said = "The losses add up to 820,000."
    cited = [citation(n, 0, len(said)) for n in range(1, 90)]
    service.prepared.answer = answer(said, cited)
    page = open_page(viewport=NARROW)
    ask(page)
    marks = page.locator(".answer-text button.mark[data-citation]")
    expect(marks).to_have_count(8)
    page.get_by_role("button", name="81 further citations").press("Enter")
    expect(marks).to_have_count(89)
    expect(marks.nth(8)).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
