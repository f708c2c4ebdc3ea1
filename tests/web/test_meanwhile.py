"""What a reader does while the page still waits for the service goes where it was meant to go.

Every step that waits has a base that it began with; by the time it goes on, the page may show
another one, or none.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

EVENTS = re.compile(r"/kb/\w+/events$")
BASES = re.compile(r"/kb\?limit=")
PROGRAM = FilePayload(name="setup.exe", mimeType="x/x", buffer=b"MZ\0\0" + bytes(99))
# A browser reads dropped files and folders bit by bit: here, until `window.readDropped()`.
DROP_SLOWLY = """() => {
    const transfer = new DataTransfer();
    const file = new File(["x"], "dropped.txt");
    transfer.items.add(file);
    const read = (resolve) => { window.readDropped = () => resolve(file); };
    DataTransferItem.prototype.webkitGetAsEntry = () =>
        ({ isFile: true, fullPath: "/dropped.txt", file: read });
    const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent("drop", how));
}"""
DROP = """() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["x"], "dropped.txt"));
    const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new DragEvent("drop", how));
}"""
GONE = "This knowledge base was deleted, or its address is wrong"


class HeldCalls:
    """Calls of the pages, `but` for one, whose answers wait until they are let go."""

    def __init__(self, but: Page | None = None) -> None:
        self._routes: list[Route] = []
        self._but = but

    def __call__(self, route: Route) -> None:
        if self._but and route.request.frame.page == self._but:
            route.fallback()
        else:
            self._routes.append(route)

    def __len__(self) -> int:
        return len(self._routes)

    def let_go(self) -> None:
        routes, self._routes = self._routes, []
        for route in routes:
            route.continue_()


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    """A base beside another one, both empty."""
    made = service.add_base("Reports")
    service.add_base("Other")
    return made


def choose(page: Page, name: str) -> None:
    page.locator(".base-row", has_text=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def names_in(service: PageService, name: str) -> list[str]:
    kb_id = service.catalog.bases.get(name).id
    return [document.name for document in service.catalog.documents.list(kb_id).items]


def wait_for(held: HeldCalls, page: Page, num_calls: int = 1) -> None:
    while len(held) < num_calls:
        page.wait_for_timeout(20)


@pytest.mark.parametrize(
    "give",
    [
        lambda page: page.locator("#file-input").set_input_files(PROGRAM | {"name": "early.txt"}),
        lambda page: page.evaluate(DROP),
    ],
    ids=["chosen", "dropped"],
)
def test_files_given_before_the_page_knows_its_base_wait_for_it(
    base: KnowledgeBase, service: PageService, open_page: OpenPage, give: Callable[[Page], None]
) -> None:
    """They were lost, and the page threw: it asked the base that was not there for its id."""
    first = open_page()
    expect(first.locator(".base-row")).to_have_count(2)
    held = HeldCalls(but=first)
    first.context.route(BASES, held)
    page = open_page(beside=first, at=f"#base={base.id}")
    wait_for(held, page)
    give(page)
    held.let_go()
    expect(page.locator("#upload-status")).to_be_visible()
    expect(page.get_by_role("tab", name="Documents")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#upload-status")).to_contain_text(re.compile("1 added|1 rejected"))


def test_a_document_that_comes_before_the_service_begins_to_tell_is_shown(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """Between the list and its events: it was in neither, and the page at rest never saw it."""
    first = open_page()
    held = HeldCalls(but=first)
    first.context.route(EVENTS, held)
    page = open_page(beside=first, at=f"#base={base.id}&view=documents")
    wait_for(held, page)
    expect(page.locator("#list-empty")).to_be_visible()
    service.upload(base.id, "late.pdf", PDF)
    service.publish(service.claim(), ["It came late."])
    held.let_go()
    expect(page.locator(".document")).to_have_count(1)


def test_files_without_a_base_are_not_taken_in_silence(
    service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    expect(page.get_by_role("heading", level=1, name="Welcome")).to_be_visible()
    page.evaluate(DROP)
    expect(page.locator("#page-notice")).to_have_text(
        "No file was added: there is no knowledge base here to add it to"
    )
    page.locator("#welcome").get_by_role("button", name="New knowledge base").click()
    page.get_by_label("Name", exact=True).fill("Reports")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    expect(page.locator("#page-notice")).to_be_hidden()


def test_dropped_files_go_into_the_base_they_were_dropped_on(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    page.evaluate(DROP_SLOWLY)
    choose(page, "Other")
    page.evaluate("window.readDropped()")
    choose(page, "Reports")
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("#upload-status")).to_contain_text("1 added")
    assert (names_in(service, "Reports"), names_in(service, "Other")) == (["dropped.txt"], [])


def test_files_that_cannot_be_read_are_told(base: KnowledgeBase, open_page: OpenPage) -> None:
    page = open_page(at=f"#base={base.id}")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    unreadable = "(_, reject) => reject(new DOMException('It could not be found.'))"
    page.evaluate(DROP_SLOWLY.replace("file: read", f"file: {unreadable}"))
    expect(page.locator("#page-notice")).to_contain_text("It could not be found.")


def test_more_documents_of_a_base_that_was_left_are_not_listed_in_another(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    for number in range(51):
        service.upload(base.id, f"{number}.pdf", PDF + b"%d" % number)
    page = open_page(at=f"#base={base.id}&view=documents")
    held = HeldCalls()
    page.route(re.compile(r"/documents\?cursor="), held)
    page.get_by_role("button", name="Load more").click()
    wait_for(held, page)
    choose(page, "Other")
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator("#more-documents")).to_be_hidden()
    with page.expect_response(re.compile(r"/documents\?cursor=")):
        held.let_go()
    expect(page.get_by_text("No documents yet")).to_be_visible()
    expect(page.locator(".document")).to_have_count(0)
    expect(page.locator("#tab-chip")).to_be_empty()


def test_the_later_search_by_name_stands_whichever_is_answered_last(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.upload(base.id, "crane.pdf")
    service.upload(base.id, "tower.pdf", PDF + b"%")
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_have_count(2)
    held = HeldCalls()
    page.route(re.compile("name_contains=crane"), held)
    page.get_by_label("Find by name").fill("crane")
    wait_for(held, page)
    page.get_by_label("Find by name").fill("tower")
    expect(page.locator(".document")).to_have_text([re.compile("tower")])
    with page.expect_response(re.compile("name_contains=crane")):
        held.let_go()
    page.wait_for_timeout(100)
    expect(page.locator(".document")).to_have_text([re.compile("tower")])


def test_a_search_begun_before_the_base_went_is_given_up(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.upload(base.id, "crane.pdf")
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator(".document")).to_be_visible()
    page.evaluate(
        """() => {
            const field = document.getElementById("document-filter");
            field.value = "crane";
            field.dispatchEvent(new Event("input"));
            location.hash = "#base=kb_nowhere";
        }"""
    )
    expect(page.get_by_text(GONE)).to_be_visible()
    page.wait_for_timeout(400)  # longer than typing is waited for
    expect(page.locator("#page-notice")).to_be_hidden()


def test_a_document_is_deleted_from_the_base_in_which_it_was_chosen(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.upload(base.id, "crane.pdf")
    page = open_page(at=f"#base={service.catalog.bases.get('Other').id}")
    choose(page, "Reports")
    page.get_by_role("tab", name="Documents").click()
    page.get_by_role("button", name="Delete crane.pdf").click()
    page.go_back()
    page.go_back()
    expect(page.locator("#base-name")).to_have_text("Other")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert names_in(service, "Reports") == []


def test_a_base_deleted_after_it_was_left_takes_nobody_elsewhere(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    third = service.add_base("Third")
    page = open_page(at=f"#base={third.id}")
    choose(page, "Reports")
    page.get_by_role("button", name="Delete knowledge base").click()
    page.go_back()
    expect(page.locator("#base-name")).to_have_text("Third")
    page.get_by_role("dialog").get_by_role("button", name="Delete knowledge base").click()
    expect(page.locator(".base-row", has_text="Reports")).to_have_count(0)
    expect(page.locator("#base-name")).to_have_text("Third")


def test_a_reader_who_comes_back_while_the_bases_are_read_sees_each_once(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    first = open_page()
    held = HeldCalls(but=first)
    first.context.route(BASES, held)
    page = open_page(beside=first)
    wait_for(held, page)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(100)
    held.let_go()
    expect(page.get_by_role("tab", name="Ask")).to_be_visible()
    expect(page.locator(".base-row")).to_have_count(2)


def test_a_document_opened_over_another_base_keeps_its_address(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    """The viewer told late that it had been closed, and the address of what came next was cut."""
    other = service.catalog.bases.get("Other")
    crane = service.add_document(base.id, "Crane.pdf")
    tower = service.add_document(other.id, "Tower.pdf", content=PDF + b"%")
    page = open_page(at=f"#base={other.id}&document={tower.id}")
    expect(page.get_by_role("img", name=re.compile("^Page 1 of Tower"))).to_be_visible()
    page.evaluate(f"location.hash = '#base={base.id}&document={crane.id}'")
    expect(page.get_by_role("img", name=re.compile("^Page 1 of Crane"))).to_be_visible()
    assert f"document={crane.id}" in page.url
