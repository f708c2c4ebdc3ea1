"""Asking on the page: streaming, marks, the viewer, stopping, what goes wrong."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.answers import AnswerStatus, CitationStatus, Understood
from kb_service.domain.errors import GenerationError
from kb_service.domain.spans import TextSpan
from tests.web.answers import answer, citation, crane_answer
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


@pytest.fixture
def ready(service: PageService) -> PageService:
    """One base with one readable document and a prepared answer."""
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    service.prepared.answer = crane_answer()
    return service


def ask(page: Page, text: str = "When did the crane collapse?") -> None:
    page.get_by_label("Your question").fill(text)
    page.get_by_label("Your question").press("Enter")


def test_an_answer_carries_a_mark_at_the_end_of_each_supported_span(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page)
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator(".answer-text")).to_have_text(
        "The crane collapsed at 14:20.1 Two workers were injured.2"
    )
    expect(page.locator(".answer-core")).to_have_text("14:20")


def test_offsets_count_code_points_not_utf16_units(ready: PageService, open_page: OpenPage) -> None:
    text = "😀𠮷14:20。余下"
    ready.prepared.answer = answer(text, [citation(1, 2, 8)], highlight=TextSpan(2, 7))
    page = open_page()
    ask(page)
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator(".answer-text")).to_have_text("😀𠮷14:20。1余下")
    expect(page.locator(".answer-core")).to_have_text("14:20")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_that_nothing_cited_says_are_marked_and_told_to_a_screen_reader(
    ready: PageService, open_page: OpenPage, scheme: Literal["light", "dark"]
) -> None:
    text = "😀 14:20 the crane flew away."
    told = citation(1, 0, 28, status=CitationStatus.UNVERIFIED, unsupported=(TextSpan(18, 27),))
    ready.prepared.answer = answer(
        text, [told], status=AnswerStatus.PARTIAL, reason="unverified_sentences"
    )
    page = open_page()
    page.emulate_media(color_scheme=scheme)
    ask(page)
    marked = page.locator(".answer-text .unsupported")
    expect(marked).to_have_text("flew away (not in the words cited)")
    expect(marked).to_have_css("text-decoration-style", "wavy")
    expect(page.locator(".status-partial")).to_contain_text("say more than the words they cite")


def test_a_mark_opens_the_page_with_the_words_lit_and_escape_gives_focus_back(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page)
    mark = page.locator("button.mark").first
    mark.click()
    picture = page.get_by_role("img", name=re.compile("Page 1 of Crane report.pdf with these"))
    expect(picture).to_be_visible()
    expect(page.get_by_text("Quote 1 of 2")).to_be_visible()
    assert ready.drawn.calls[0] == (1, ((60.0, 400.0, 300.0, 418.0),), 2.0)
    page.keyboard.press("Escape")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(mark).to_be_focused()


def test_the_viewer_steps_through_quotes_and_pages(ready: PageService, open_page: OpenPage) -> None:
    page = open_page()
    ask(page)
    page.locator("button.mark").first.click()
    page.get_by_role("button", name="Next quote").click()
    expect(page.get_by_text("Quote 2 of 2")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Page 2 of"))).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_text("Page 3 of 3")).to_be_visible()
    expect(page.get_by_role("img", name="Page 3 of Crane report.pdf", exact=True)).to_be_visible()
    expect(page.locator("button.mark[data-current]")).to_have_text("2")


def test_zooming_in_asks_for_a_sharper_picture(ready: PageService, open_page: OpenPage) -> None:
    page = open_page()
    ask(page)
    page.locator("button.mark").first.click()
    expect(page.locator(".page-picture")).to_have_attribute("src", re.compile("^blob:"))
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    expect(page.get_by_text("200 %")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.page-picture').naturalWidth === 595 * 3")


def test_a_document_without_pictures_shows_its_text_with_the_words_marked(
    ready: PageService, open_page: OpenPage
) -> None:
    notes = ready.add_base("Notes").id
    document = ready.add_document(notes, "notes.txt", ["😀 see cited! and so on"], b"x")
    cited = citation(1, 0, 4, source=TextSpan(6, 12), cited_text="cited!", regions=())
    ready.prepared.answer = answer("Yes.", [cited])
    page = open_page(at=f"#base={document.kb_id}")
    ask(page)
    page.locator("button.mark").first.click()
    expect(page.locator("#viewer mark")).to_have_text("cited!")
    expect(page.get_by_role("button", name="Page", exact=True)).to_be_hidden()


def test_on_a_narrow_screen_the_viewer_is_a_modal_dialog(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page(viewport=NARROW)
    ask(page)
    page.locator("button.mark").first.click()
    expect(page.locator("dialog#viewer:modal")).to_be_visible()
    page.get_by_role("button", name="Close the viewer").click()
    expect(page.locator("button.mark").first).to_be_focused()


def test_stop_keeps_the_words_that_came_and_frees_the_composer(
    ready: PageService, open_page: OpenPage
) -> None:
    ready.prepared.delay_s = 0.4
    page = open_page()
    ask(page)
    expect(page.locator(".answer-text")).to_contain_text("The crane")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".status-stopped")).to_be_visible()
    expect(page.locator(".answer-text")).not_to_contain_text("injured")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_the_conversation_goes_on_until_a_new_one_is_begun(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page)
    expect(page.locator(".status-answered")).to_have_count(1)
    ask(page, "And who?")
    expect(page.locator(".status-answered")).to_have_count(2)
    page.get_by_role("button", name="New conversation").click()
    ask(page, "Again?")
    expect(page.locator(".status-answered")).to_have_count(1)
    first, second, third = (request.conversation_id for request in ready.prepared.requests)
    assert (first, third) == (None, None)
    assert second is not None


def test_a_refusal_says_so_and_gives_its_reason(ready: PageService, open_page: OpenPage) -> None:
    ready.prepared.answer = answer("", [], status=AnswerStatus.REFUSED, reason="no_evidence")
    page = open_page()
    ask(page)
    expect(page.locator(".status-refused")).to_contain_text("The documents do not say")
    expect(page.locator(".status-refused")).to_contain_text("no passage contains")


def test_an_answer_whose_document_was_deleted_claims_nothing(
    ready: PageService, open_page: OpenPage
) -> None:
    ready.prepared.answer = answer("", [], reason="document_deleted", passages=[])
    page = open_page()
    ask(page)
    expect(page.locator(".status-stopped")).to_contain_text("was deleted, and its words with it")
    expect(page.locator(".status-answered")).to_have_count(0)


def test_a_mark_whose_document_was_deleted_meanwhile_says_so(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page(locale="zh-CN")
    page.get_by_label("您的问题").fill("何时？")
    page.get_by_label("您的问题").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    base = ready.catalog.bases.list().items[0].id
    ready.catalog.documents.delete(base, ready.catalog.documents.list(base).items[0].id)
    page.locator("button.mark").first.click()
    expect(page.locator("#viewer")).to_contain_text("该文档已被删除")
    expect(page.locator("#viewer")).not_to_contain_text("no document")
    expect(page.locator("#viewer img")).to_have_count(0)


def test_an_error_in_the_stream_is_shown_with_its_request_id_behind_a_fold(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ready.prepared.fails_with = GenerationError("out of memory")
    ask(page)
    problem = page.locator(".reply .notice-bad")
    expect(problem).to_contain_text("The model failed on this question: out of memory")
    expect(problem.get_by_text("Request ")).to_be_hidden()
    problem.get_by_text("Details").click()
    expect(problem.get_by_text("Request ")).to_be_visible()


def test_enter_that_chooses_a_word_in_an_input_method_does_not_send(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    page.get_by_label("Your question").fill("qi zhong ji")
    page.get_by_label("Your question").dispatch_event(
        "keydown", {"key": "Enter", "isComposing": True, "bubbles": True}
    )
    page.wait_for_timeout(100)
    assert ready.prepared.requests == []


def test_pointing_at_a_mark_does_not_move_it(ready: PageService, open_page: OpenPage) -> None:
    """Lit words once broke their line differently, so that the press and its release missed."""
    first = "2022年1月20日11时23分，位于石门县的远航物流园装卸平台发生一起火灾事故，造成1人死"
    text = f"{first}\n（一）直接原因：违规电焊火花引燃保温材料。"
    ready.prepared.answer = answer(
        text, [citation(1, 0, len(first)), citation(2, len(first), len(text))]
    )
    page = open_page()
    ask(page)
    expect(page.locator(".status-answered")).to_be_visible()
    mark = page.locator("button.mark").first
    before = mark.bounding_box()
    mark.hover()
    expect(page.locator("[data-hover]").first).to_be_visible()
    assert mark.bounding_box() == before
    mark.click()
    expect(page.locator("#viewer")).to_be_visible()


def test_how_a_follow_up_was_read_stands_above_its_answer_and_can_be_changed(
    ready: PageService, open_page: OpenPage
) -> None:
    full = "About SG-2024-003: when did it collapse?"
    ready.prepared.answer = crane_answer(understood=Understood(full, about="about SG-2024-003"))
    page = open_page()
    ask(page, "When did it collapse?")
    line = page.get_by_role("button", name=f"about SG-2024-003. Change the question: {full}")
    expect(line).to_have_text("about SG-2024-003")
    line.press("Enter")
    expect(page.get_by_label("Your question")).to_have_value(full)
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(page.locator(".question-text")).to_have_text("When did it collapse?")


def test_a_question_answered_as_typed_has_no_such_line(
    ready: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    ask(page)
    expect(page.locator(".status-answered")).to_be_visible()
    expect(page.locator(".understood")).to_have_count(0)
