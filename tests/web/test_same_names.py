"""One name on the page: the same bytes, in one go, in two tabs at once, after a failure."""

import hashlib

import pytest
from playwright.sync_api import FilePayload, Page, expect

from kb_service.domain.documents import KnowledgeBase
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService
from tests.web.test_documents import open_documents

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    return service.add_base("Reports")


def file(content: bytes = b"") -> FilePayload:
    return FilePayload(name="one.pdf", mimeType="application/pdf", buffer=PDF + content)


def send(page: Page, *files: FilePayload) -> None:
    page.locator("#file-input").set_input_files(list(files))


def told(page: Page, text: str) -> None:
    expect(page.locator("#upload-status")).to_contain_text(text, timeout=15_000)


def contents(service: PageService, base: KnowledgeBase) -> dict[str, list[str]]:
    """Return the hashes of the versions of each document by its name."""
    listed = service.catalog.documents.list(base.id).items
    return {item.name: sorted(version.sha256 for version in item.versions) for item in listed}


def sha256(*ends: bytes) -> list[str]:
    return sorted(hashlib.sha256(PDF + end).hexdigest() for end in ends)


def test_the_same_bytes_are_told_as_unchanged_and_nothing_is_asked(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    open_documents(page)
    send(page, file(), file())
    told(page, "1 added · 1 unchanged")
    send(page, file())
    told(page, "1 unchanged")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert contents(service, base) == {"one.pdf": sha256(b"")}


def test_two_files_of_one_name_in_one_go_are_asked_about(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    open_documents(page)
    send(page, file(), file(b"%"))
    page.get_by_role("dialog").get_by_text("Keep both").click()
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()
    told(page, "1 added · 1 added beside one of the same name")
    assert contents(service, base) == {"one.pdf": sha256(b""), "one (2).pdf": sha256(b"%")}


def test_other_bytes_from_two_tabs_at_once_are_both_kept(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    first = open_page()
    second = open_page(beside=first)
    for page in (first, second):
        open_documents(page)
    with service.database.write():  # both requests wait for this one
        send(first, file())
        send(second, file(b"%"))
    asked = first if _is_asked(first, second) else second
    asked.get_by_role("dialog").get_by_text("New version").click()
    asked.get_by_role("dialog").get_by_role("button", name="Go on").click()
    told(asked, "1 updated")
    told(second if asked is first else first, "1 added")
    assert contents(service, base) == {"one.pdf": sha256(b"", b"%")}


def _is_asked(page: Page, other: Page) -> bool:
    """Wait until one of two tabs asks; True for the first."""
    for _ in range(100):
        if page.get_by_role("dialog").count() or other.get_by_role("dialog").count():
            return bool(page.get_by_role("dialog").count())
        page.wait_for_timeout(100)
    raise AssertionError("neither tab asks")


def test_after_a_failure_the_same_bytes_are_read_again_and_others_are_asked_about(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.add_failed(base.id, "one.pdf")
    page = open_page()
    open_documents(page)
    send(page, file())
    told(page, "1 updated")
    expect(page.locator(".document .badge-pending")).to_be_visible()
    assert contents(service, base) == {"one.pdf": sha256(b"")}
    send(page, file(b"%"))
    page.get_by_role("dialog").get_by_text("New version").click()
    page.get_by_role("dialog").get_by_role("button", name="Go on").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    told(page, "1 updated")
    assert contents(service, base) == {"one.pdf": sha256(b"", b"%")}
