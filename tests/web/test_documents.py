"""Bases and documents on the page: create, upload, progress, failures, delete, search."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from kb_service.domain.errors import DocumentError
from tests.web.answers import SENTENCES
from tests.web.conftest import OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser


def file(name: str, size: int = 10) -> FilePayload:
    return FilePayload(name=name, mimeType="application/octet-stream", buffer=PDF + b"%" * size)


PROGRAM = FilePayload(
    name="setup.exe", mimeType="application/octet-stream", buffer=b"MZ\0\0" + bytes(200)
)


def open_documents(page: Page) -> None:
    page.get_by_role("tab", name="Documents").click()


def test_a_first_visit_teaches_and_creates_a_base(
    service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    expect(page.get_by_text("Click a citation mark to see the page")).to_be_visible()
    page.locator("#welcome").get_by_role("button", name="New knowledge base").click()
    page.get_by_label("Name", exact=True).fill("Reports")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Reports")).to_be_visible()
    assert [base.name for base in service.catalog.bases.list().items] == ["Reports"]


def test_a_taken_name_is_told_inside_the_dialog(service: PageService, open_page: OpenPage) -> None:
    service.add_base("Reports")
    page = open_page()
    page.get_by_role("button", name="New knowledge base").click()
    page.get_by_label("Name", exact=True).fill("Reports")
    page.get_by_role("button", name="Create").click()
    problem = page.get_by_role("dialog").get_by_role("alert")
    expect(problem).to_contain_text("There is a knowledge base of this name already: Reports")
    number = problem.get_by_text("Request ")  # for who reads the log, and not in the way of others
    expect(number).to_be_hidden()
    problem.get_by_text("Details").click()
    expect(number).to_be_visible()


def test_deleting_a_base_names_what_is_lost(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    for number in range(3):
        service.upload(base.id, f"{number}.pdf", PDF + b"%d" % number)
    page = open_page()
    page.get_by_role("button", name="Delete knowledge base").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("3 documents with their original files")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete knowledge base").click()
    expect(page.get_by_role("heading", level=1, name="Welcome")).to_be_visible()
    assert service.catalog.bases.list().items == ()


def test_uploaded_files_are_followed_to_ready_with_their_page_report(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Reports")
    page = open_page()
    open_documents(page)
    page.locator("#file-input").set_input_files([file("one.pdf"), PROGRAM])
    expect(page.locator(".reject-list")).to_contain_text("Type not supported: setup.exe is a")
    row = page.locator(".document", has_text="one.pdf")
    expect(row.locator(".badge-pending")).to_be_visible()
    claim = service.claim()
    service.progress(claim, 1, 3)
    expect(row.locator("progress")).to_have_attribute("max", "3", timeout=15000)
    service.publish(claim, ["first", "second"], unread="no_text_layer")
    expect(row.locator(".badge-ready, .badge-partial")).to_be_visible(timeout=15000)
    expect(row.locator("summary")).to_have_text("2 pages of text · 1 empty page")
    row.locator("summary").click()
    expect(row).to_contain_text("Page 3: no text — a picture without text")


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", "Searchable by its words; search by meaning follows"),
        ("zh-CN", "已可按词查找，语义查找随后就绪"),
    ],
)
def test_a_document_says_that_its_vectors_follow_until_they_are_there(
    service: PageService, open_page: OpenPage, locale: str, said: str
) -> None:
    base = service.add_base("Reports")
    service.upload(base.id, "one.pdf")
    service.publish(service.claim(), SENTENCES, has_vectors=False)
    page = open_page(locale=locale, has_clock=True)
    page.locator("#tab-documents").click()
    row = page.locator(".document")
    expect(row.locator(".badge-ready")).to_be_visible()
    expect(row.locator(".document-vectors")).to_have_text(said)
    row.locator(".document-name").click()
    expect(page.locator(".viewer-vectors")).to_have_text(said)
    service.add_vectors(SENTENCES)
    page.clock.run_for(11_000)
    expect(row.locator(".document-vectors")).to_have_count(0)
    expect(page.locator(".viewer-vectors")).to_be_hidden()


def test_many_files_travel_in_batches_of_twenty(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    page = open_page()
    open_documents(page)
    sent = []
    page.on(
        "request", lambda request: sent.append(request.url) if request.method == "POST" else None
    )
    page.locator("#file-input").set_input_files([file(f"{n:02}.pdf", n) for n in range(45)])
    expect(page.locator("#upload-status")).to_contain_text("45 added", timeout=60000)
    assert len(service.catalog.documents.list(base.id).items) == 45
    assert len(sent) == 3


def test_files_that_nobody_acknowledged_are_neither_lost_nor_rejected(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Reports")
    page = open_page()
    open_documents(page)
    page.route("**/documents", lambda route: route.abort())
    page.locator("#file-input").set_input_files([file("one.pdf"), file("two.pdf")])
    status = page.locator("#upload-status")
    expect(status).to_contain_text("2 without an answer")
    expect(status).to_contain_text("It is not known whether 2 files arrived")
    expect(status).not_to_contain_text("rejected")


def test_files_of_a_folder_that_share_a_name_are_named_by_their_path(
    service: PageService, open_page: OpenPage, tmp_path: Path
) -> None:
    for name in ("2024/report.pdf", "2025/report.pdf", "2025/only.pdf", ".DS_Store"):
        target = tmp_path / "all" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(PDF + name.encode())
    base = service.add_base("Reports")
    page = open_page()
    open_documents(page)
    page.locator("#folder-input").set_input_files(tmp_path / "all")
    expect(page.locator("#upload-status")).to_contain_text("3 added")
    sent = [document.name for document in service.catalog.documents.list(base.id).items]
    assert sorted(sent) == ["all - 2024 - report.pdf", "all - 2025 - report.pdf", "only.pdf"]


def test_files_dropped_anywhere_are_uploaded(service: PageService, open_page: OpenPage) -> None:
    service.add_base("Reports")
    page = open_page()
    expect(page.get_by_role("tab", name="Documents")).to_be_visible()
    transfer = page.evaluate_handle(
        "() => { const t = new DataTransfer(); t.items.add(new File(['x'], 'dropped.txt'));"
        " return t; }"
    )
    page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
    expect(page.get_by_text("Drop to add to this knowledge base")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": transfer})
    expect(page.locator(".document")).to_contain_text("dropped.txt")


def test_a_failure_shows_its_reason_and_can_be_tried_again(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    error = DocumentError("locked.pdf needs a password", code="encrypted_document")
    document = service.add_failed(base.id, "locked.pdf", error)
    page = open_page()
    open_documents(page)
    expect(page.locator(".document-error")).to_have_text(
        "Password-protected: locked.pdf needs a password"
    )
    page.get_by_role("button", name="Try locked.pdf again").click()
    expect(page.locator(".badge-pending")).to_be_visible()
    assert service.catalog.documents.get(base.id, document.id).error is None


def test_a_document_is_deleted_after_confirmation(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_failed(base.id, "old.pdf")
    page = open_page()
    open_documents(page)
    page.get_by_role("button", name="Delete old.pdf").click()
    expect(page.get_by_role("dialog")).to_contain_text("old.pdf")
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No documents yet.")).to_be_visible()
    assert service.catalog.documents.list(base.id).items == ()


def test_the_original_is_downloaded_under_its_name(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_failed(base.id, "报告 1.pdf")
    page = open_page()
    open_documents(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the original of 报告 1.pdf").click()
    assert download.value.suggested_filename == "报告 1.pdf"


def test_the_list_loads_further_pages_and_finds_by_name(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    for number in range(60):
        service.upload(base.id, f"report-{number:02}.pdf", PDF + b"%d" % number)
    page = open_page()
    open_documents(page)
    expect(page.locator(".document")).to_have_count(50)
    page.get_by_role("button", name="Load more (50 of 60)").click()
    expect(page.locator(".document")).to_have_count(60)
    page.get_by_label("Find by name").fill("REPORT-5")
    expect(page.locator(".document")).to_have_count(10)
    page.get_by_label("Find by name").fill("nothing")
    expect(page.get_by_text(re.compile("No document has “nothing”"))).to_be_visible()
