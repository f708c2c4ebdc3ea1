"""A known name on the page: the reader is asked; earlier versions are looked at and restored."""

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService
from tests.web.test_documents import file, open_documents

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.upload(made.id, "one.pdf", PDF)
    service.publish(service.claim(), ["The pump failed.", "It was old."])
    return made


def send_known_and_new(page: Page) -> None:
    open_documents(page)
    page.locator("#file-input").set_input_files([file("one.pdf"), file("two.pdf")])


@pytest.mark.parametrize(
    ("choice", "told", "names"),
    [
        ("New version", "1 added · 1 updated", ["one.pdf", "two.pdf"]),
        (
            "Keep both",
            "1 added · 1 added beside one of the same name",
            ["one (2).pdf", "one.pdf", "two.pdf"],
        ),
    ],
)
def test_the_reader_is_asked_what_a_known_name_means(
    base: KnowledgeBase,
    service: PageService,
    open_page: OpenPage,
    choice: str,
    told: str,
    names: list[str],
) -> None:
    page = open_page()
    send_known_and_new(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A document of this name is here already")
    expect(dialog.locator(".choice-items")).to_have_text("one.pdf")
    dialog.get_by_text(choice).click()
    dialog.get_by_role("button", name="Go on").click()
    expect(page.locator("#upload-status")).to_contain_text(told)
    listed = service.catalog.documents.list(base.id).items
    assert [document.name for document in listed] == names
    assert sum(len(document.versions) for document in listed) == 3


def test_who_does_not_say_keeps_what_is_there_and_reads_why(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    send_known_and_new(page)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    status = page.locator("#upload-status")
    expect(status).to_contain_text("1 added · 1 rejected")
    expect(status).to_contain_text("A document of this name is there already: one.pdf")
    listed = service.catalog.documents.list(base.id).items
    assert [len(document.versions) for document in listed] == [1, 1]


def test_versions_are_listed_compared_opened_and_restored(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.upload(base.id, "one.pdf", PDF + b"%")
    service.publish(service.claim(), ["The valve failed.", "It was old."])
    page = open_page()
    open_documents(page)
    page.get_by_role("button", name="Versions of one.pdf").click()
    dialog = page.locator(".versions")
    expect(dialog.locator(".version-list > li")).to_have_count(2)
    expect(dialog.locator(".version-list > li").first).to_contain_text("the present one")
    dialog.get_by_role("button", name="Compare version 1").click()
    expect(dialog.locator("del")).to_have_text("The pump failed.")
    expect(dialog.locator("ins")).to_have_text("The valve failed.")
    expect(dialog.locator("mark")).to_have_text(["pump", "valve"])
    dialog.get_by_role("button", name="Open version 1").click()
    expect(page.locator("#viewer")).to_contain_text("one.pdf (version 1)")
    expect(page.locator("#viewer .stored-text")).to_contain_text("The pump failed.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Versions of one.pdf").click()
    dialog.get_by_role("button", name="Restore version 1").click()
    expect(dialog).to_have_count(0)
    service.publish(service.claim(), ["The pump failed.", "It was old."])
    document = service.catalog.documents.list(base.id).items[0]
    assert [version.state.value for version in document.versions] == ["searchable", "kept", "kept"]
