"""In what is asked, by what documents state: kinds of happening, and when it happened."""

from datetime import datetime

import pytest
from playwright.sync_api import expect

from tests.web.answers import crane_answer
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

FIRE = ("Report N-9", "On 9 July 2024 at 08:00 a fire broke out at Oak Road 2.")
LEAK = ("Report N-8", "On 1 May 2024 at 09:00 a gas leak was found at Mill Lane 7.")


@pytest.mark.parametrize(
    ("locale", "kind", "narrow", "use", "since", "chips"),
    [
        ("en-GB", "Fire", "Narrow", "Use", "Happened from", ["Fire", "happened since 1 Jul 2024"]),
        ("zh-CN", "火灾", "限定范围", "使用", "发生时间从", ["火灾", "2024年7月1日 及以后发生"]),
    ],
)
def test_a_question_is_narrowed_to_a_kind_of_happening_and_its_days(
    service: PageService,
    open_page: OpenPage,
    locale: str,
    kind: str,
    narrow: str,
    use: str,
    since: str,
    chips: list[str],
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "oak.pdf", FIRE)
    service.add_document(base.id, "mill.pdf", LEAK, PDF + b"%")
    service.prepared.answer = crane_answer()
    page = open_page(at=f"#base={base.id}", locale=locale)
    page.get_by_role("button", name=narrow).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(kind).check()
    dialog.get_by_label(since).fill("2024-07-01")
    dialog.get_by_role("button", name=use, exact=True).click()
    expect(page.locator("#scope .filter-chip")).to_have_text(chips)
    page.locator("#question").fill("Who?")
    page.locator("#question").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    filters = service.prepared.requests[-1].filters
    assert (filters.kind, filters.time_from) == (("fire",), datetime(2024, 7, 1))  # noqa: DTZ001
    page.reload()
    expect(page.locator("#scope .filter-chip")).to_have_text(chips)


@pytest.mark.parametrize(
    ("locale", "narrow", "said"),
    [
        ("en-GB", "Narrow", "No document is called so, and the words stand in none."),
        ("zh-CN", "限定范围", "没有这样命名的文档，正文中也没有这些词。"),
    ],
)
def test_who_looks_for_a_document_that_is_not_there_is_told_so(
    service: PageService, open_page: OpenPage, locale: str, narrow: str, said: str
) -> None:
    """An empty box stood there."""
    base = service.add_base("Reports")
    service.add_document(base.id, "oak.pdf", FIRE)
    page = open_page(at=f"#base={base.id}", locale=locale)
    page.get_by_role("button", name=narrow).click()
    found = page.get_by_role("dialog").locator(".field .scope-list")
    expect(found).to_have_text("oak.pdf")
    page.locator("#scope-find").fill("XY-7")
    expect(found).to_have_text(said)
