"""A refusal on the page says what is missing and opens what comes nearest."""

from datetime import date

import pytest
from playwright.sync_api import expect

from kb_service.domain.answers import AnswerStatus
from kb_service.domain.queries import Passage
from kb_service.domain.spans import PageRegion, TextSpan
from tests.web.answers import SENTENCES, answer, citation, crane_answer
from tests.web.conftest import OpenPage
from tests.web.service import PageService
from tests.web.test_texts import TEXTS

BOX = (60.0, 400.0, 300.0, 418.0)


def passage(number: int) -> Passage:
    span = TextSpan(0, len(SENTENCES[0]))
    where = (PageRegion(number, (BOX,)),)
    return Passage(
        number, 7, "", 1, "", "Crane report.pdf", span, SENTENCES[0], score=0.8, regions=where
    )


@pytest.fixture
def refusing(service: PageService) -> PageService:
    base = service.add_base("Reports")
    service.add_document(base.id, "Crane report.pdf")
    service.prepared.answer = answer(
        "No document speaks of Lisbon.",
        [],
        status=AnswerStatus.REFUSED,
        reason="subject_unknown",
        missing=("Lisbon", "2031"),
        nearest=(1, 3),
        passages=(passage(1), passage(2), passage(3)),
    )
    return service


def test_a_refusal_says_what_is_missing_and_lists_the_nearest_passages(
    refusing: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    page.get_by_label("Your question").fill("What fell in Lisbon in 2031?")
    page.get_by_label("Your question").press("Enter")
    status = page.locator(".status-refused")
    expect(status).to_contain_text("no document speaks of what the question names")
    expect(page.locator(".missing-words")).to_have_text(["Lisbon", "2031"])
    expect(page.get_by_text("2 nearest passages")).to_be_visible()
    expect(page.locator(".source-quote")).to_have_text([SENTENCES[0]] * 2)


def test_a_nearest_passage_opens_its_page_with_the_words_lit(
    refusing: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    page.get_by_label("Your question").fill("What fell in Lisbon?")
    page.get_by_label("Your question").press("Enter")
    page.locator(".source").nth(1).click()
    expect(page.locator("#viewer img")).to_have_attribute(
        "alt", f"Page 3 of Crane report.pdf with these words lit: {SENTENCES[0]}"
    )
    expect(page.locator("#viewer .stepper-label").first).to_have_text("Quote 2 of 2")
    assert (3, (BOX,)) in [call[:2] for call in refusing.drawn.calls]
    assert page.url.endswith(".near3")
    page.keyboard.press("Escape")
    expect(page.locator(".source").nth(1)).to_be_focused()
    page.wait_for_function("() => !location.hash.includes('near3')")


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh")])
def test_a_greeting_is_not_called_an_answer_from_the_documents(
    refusing: PageService, open_page: OpenPage, locale: str, language: str
) -> None:
    refusing.prepared.answer = answer("Hello.", [], reason="greeting", passages=())
    page = open_page(locale=locale)
    page.locator("textarea").fill("Hello")
    page.locator("textarea").press("Enter")
    expect(page.locator(".status")).to_have_text(TEXTS[language]["reason_greeting"])


def test_the_part_of_a_question_that_nothing_answers_is_named(
    refusing: PageService, open_page: OpenPage
) -> None:
    part = "Who paid for the crane?"
    refusing.prepared.answer = crane_answer(
        status=AnswerStatus.PARTIAL, reason="part_missing", missing=(part,)
    )
    page = open_page()
    page.get_by_label("Your question").fill("When did it fall and who paid?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".missing-words")).to_have_text([part])
    expect(page.locator(".status-partial")).to_contain_text("answers a part of the question")


def test_cited_documents_of_one_title_are_told_apart(
    refusing: PageService, open_page: OpenPage
) -> None:
    named = {"title": "Notice", "document_name": "notice-2.pdf", "document_date": date(2026, 5, 8)}
    cited = citation(1, 0, 4, **named, document_line="Harbour fire")
    refusing.prepared.answer = answer("Fire.", [cited])
    page = open_page()
    page.get_by_label("Your question").fill("What fell?")
    page.get_by_label("Your question").press("Enter")
    head = page.locator(".source-group .source-title")
    expect(head).to_have_text("Noticenotice-2.pdf8 May 2026")
    expect(page.locator(".source-group .source .meta")).to_have_text("page 1")
    expect(page.locator(".source-line")).to_have_text("Harbour fire")
