"""Numbers on the page are those of the whole base, and no name however long cuts one."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.lists import Wanted
from tests.web.conftest import NARROW, WIDE, OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

LONG_NAMES = (
    "Incident reports of the northern district 2019-2025 with annexes and every correction",
    "Ein_sehr_langer_Name_ohne_Trennstelle_" * 5,
    "一个非常非常长的知识库名称用来测试侧栏里的数字会不会被截断而显示成错误的数目" * 3,
    "تقارير الحوادث والسلامة في المنطقة الشمالية الطويلة جدا مع المرفقات والتصحيحات",
    "W" * 200,
)
# Every count must lie whole inside the list that shows it, and inside the window.
CUT_COUNTS = """
    [...document.querySelectorAll(".base-row-count, #base-counts, .stepper-label, .tab-chip")]
        .filter((node) => node.checkVisibility({visibilityProperty: true}) && node.textContent)
        .filter((node) => {
            const box = node.getBoundingClientRect();
            const frame = (node.closest("ul, header") ?? document.body).getBoundingClientRect();
            return node.scrollWidth > node.clientWidth
                || box.left < frame.left - 1 || box.right > frame.right + 1
                || box.right > innerWidth || box.width < 4;
        })
        .map((node) => node.outerHTML)
"""


def open_documents(page: Page) -> None:
    page.get_by_role("tab", name="Documents").click()


def fill(service: PageService, kb_id: str) -> None:
    """58 waiting documents, 2 readable and 1 that failed."""
    for number in range(2):
        service.add_document(kb_id, f"z-ready-{number}.pdf", content=PDF + b"r%d" % number)
    service.add_failed(kb_id, "z-broken.pdf")
    for number in range(58):
        service.upload(kb_id, f"report-{number:02}.pdf", PDF + b"%d" % number)


def test_counts_by_status_are_those_of_the_whole_base(
    service: PageService, open_page: OpenPage
) -> None:
    """They were once those of the first fifty rows: a base with failures showed none."""
    fill(service, service.add_base("Reports").id)
    page = open_page()
    open_documents(page)
    expect(page.locator("#list-summary")).to_have_text("58 waiting · 2 ready · 1 failed")
    expect(page.locator(".document")).to_have_count(50)
    expect(page.locator("#tab-chip")).to_have_text("58 in progress")
    page.get_by_role("button", name="Load more (50 of 61)").click()
    expect(page.locator("#list-summary")).to_have_text("58 waiting · 2 ready · 1 failed")


def test_a_search_counts_what_it_finds_and_leaves_the_count_of_the_base(
    service: PageService, open_page: OpenPage
) -> None:
    fill(service, service.add_base("Reports").id)
    page = open_page()
    open_documents(page)
    page.get_by_label("Find by name").fill("z-")
    expect(page.locator("#list-summary")).to_have_text("2 ready · 1 failed")
    expect(page.locator("#tab-chip")).to_have_text("58 in progress")


def test_counts_change_with_what_happens_to_documents_that_no_row_shows(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    fill(service, base.id)
    page = open_page()
    open_documents(page)
    expect(page.locator("#list-summary")).to_contain_text("1 failed")
    broken = service.catalog.documents.list(base.id, wanted=Wanted("z-broken.pdf")).items[0]
    assert broken.id not in page.locator("#document-list").inner_html()
    service.catalog.documents.delete(base.id, broken.id)
    expect(page.locator("#list-summary")).to_have_text("58 waiting · 2 ready", timeout=15000)


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_no_name_cuts_a_count(
    service: PageService, open_page: OpenPage, viewport: dict[str, int], locale: str
) -> None:
    """One name of 24 letters once made every row as wide as it: 114 documents read as 11."""
    for name in LONG_NAMES:
        base = service.add_base(name[:200], f"about {name}")
    for number in range(95):
        service.add_base(f"Base {number}")
    for number in range(12):
        service.upload(base.id, f"{number}.pdf", PDF + b"%d" % number)
    page = open_page(viewport=viewport, locale=locale, at=f"#base={base.id}")
    expect(page.locator(".base-row")).to_have_count(100)
    expect(page.locator("#base-counts")).to_contain_text("12")
    assert page.evaluate(CUT_COUNTS) == []
    if viewport is NARROW:
        page.locator("#menu-button").click()
        page.wait_for_timeout(300)  # the drawer slides in
        assert page.evaluate(CUT_COUNTS) == []
    row = page.locator(".base-row", has_text=base.name)
    expect(row).to_have_attribute("title", base.name)
    expect(row.locator(".base-row-count")).to_contain_text("12")
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
