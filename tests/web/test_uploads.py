"""A long upload: true numbers, stopped, added to, broken off; many alike errors in one line."""

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

A_BATCH = 20


class Gate:
    """Lets so many uploads through; the others wait."""

    def __init__(self, page: Page, num_open: int) -> None:
        self._left = num_open
        self._held: list[Route] = []
        page.route("**/documents", self._take)

    def _take(self, route: Route) -> None:
        if route.request.method != "POST" or self._left > 0:
            self._left -= route.request.method == "POST"
            route.continue_()
        else:
            self._held.append(route)

    def open(self) -> None:
        self._left = 1000
        held, self._held = self._held, []
        for route in held:
            route.continue_()


def reports(number: int, start: int = 0) -> list[FilePayload]:
    return [
        FilePayload(name=f"{n:03}.pdf", mimeType="application/pdf", buffer=PDF + b"%d" % n)
        for n in range(start, start + number)
    ]


def programs(number: int) -> list[FilePayload]:
    return [
        FilePayload(name=f"setup-{n:02}.exe", mimeType="x/x", buffer=b"MZ\0\0" + bytes(99))
        for n in range(number)
    ]


def add(page: Page, files: list[FilePayload]) -> None:
    page.locator("#file-input").set_input_files(files)


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    return service.add_base("Reports")


@pytest.fixture
def page(base: KnowledgeBase, open_page: OpenPage) -> Page:
    made = open_page(at=f"#base={base.id}&view=documents")
    expect(made.locator("#list-empty")).to_be_visible()
    return made


def test_many_files_that_fail_alike_are_told_of_in_one_line(page: Page) -> None:
    add(page, [*programs(30), *reports(5)])
    status = page.locator("#upload-status")
    expect(status.locator("strong").first).to_have_text("5 added · 30 rejected")
    line = status.locator(".reject-list > li").filter(has=page.locator("details"))
    expect(line).to_contain_text("Type not supported")
    expect(status.locator(".reject-list").first.locator(":scope > li")).to_have_count(1)
    expect(line.get_by_text("setup-07.exe", exact=True)).to_be_hidden()
    line.get_by_text("Which files").click()
    expect(line.get_by_text("setup-07.exe", exact=True)).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(status).to_contain_text("30 个文件")
    expect(line.get_by_text("setup-07.exe", exact=True)).to_be_visible()  # it stays open


def test_few_failures_are_told_of_one_by_one(page: Page) -> None:
    add(page, [*programs(2), *reports(1)])
    rows = page.locator("#upload-status .reject-list > li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("setup-00.exe is a")


def test_progress_is_told_in_true_numbers_and_stopping_sends_no_more(
    page: Page, base: KnowledgeBase, service: PageService
) -> None:
    Gate(page, 2)
    add(page, reports(70))
    status = page.locator("#upload-status")
    expect(status).to_contain_text(f"Uploading {2 * A_BATCH} of 70 files")
    share = status.locator("progress").evaluate("bar => bar.value")
    assert 0.5 < share < 0.7
    assert service.catalog.bases.get(base.id).num_documents == 2 * A_BATCH
    status.get_by_role("button", name="Stop").click()
    expect(status).to_contain_text("40 added · 30 rejected")
    expect(status.locator(".reject-list > li").first).to_contain_text(
        "30 filesStopped before it was sent."
    )
    expect(page.locator("#base-counts")).to_contain_text("40 documents")


def test_files_that_are_added_meanwhile_are_counted_with_those_before(
    page: Page, base: KnowledgeBase, service: PageService
) -> None:
    gate = Gate(page, 1)
    add(page, reports(30))
    status = page.locator("#upload-status")
    expect(status).to_contain_text(f"Uploading {A_BATCH} of 30 files")
    add(page, reports(5, start=100))
    expect(status).to_contain_text(f"Uploading {A_BATCH} of 35 files")
    gate.open()
    expect(status).to_contain_text("35 added")
    assert service.catalog.bases.get(base.id).num_documents == 35


def test_a_reload_in_the_middle_loses_nothing_of_what_became_of_each_file(page: Page) -> None:
    Gate(page, 1)
    add(page, [*programs(1), *reports(49)])
    status = page.locator("#upload-status")
    expect(status).to_contain_text(f"Uploading {A_BATCH} of 50 files")
    add(page, reports(5, start=100))
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    # 20 had an answer, 20 were on their way, 10 and the 5 added later were behind them.
    expect(status).to_contain_text("19 added · 16 rejected · 20 without an answer")
    expect(status).to_contain_text("setup-00.exe is a")
    expect(status.locator("li").filter(has_text="15 files")).to_contain_text("Stopped before")
    expect(page.locator("#base-counts")).to_contain_text("19 documents")
