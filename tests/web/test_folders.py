"""Folders on the page: a tree that is read when it is opened, and narrows the list."""

import pytest
from playwright.sync_api import expect

from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

NAMES = ("2024/fire/a.pdf", "2024/fire/deep/b.pdf", "2024/c.pdf", "plain.pdf")


def test_a_folder_is_opened_by_keyboard_and_narrows_the_list(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    for name in NAMES:
        service.add_document(base.id, name, content=PDF + name.encode())
    service.add_failed(base.id, "2024/fire/broken.pdf")
    page = open_page(at=f"#base={base.id}&view=documents")
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/folders" in request.url else None
    )
    expect(page.locator(".document")).to_have_count(5)
    assert asked == []
    page.locator("#folders summary").press("Enter")
    tree = page.locator("#folders")
    expect(tree.locator(".folder-name")).to_have_text(["20244 · 1 failed"])
    page.get_by_role("button", name="Folders in 2024").press("Enter")
    expect(tree.locator(".folder-name")).to_have_count(2)
    page.get_by_role("button", name="Folders in 2024").press("Enter")
    expect(tree.locator(".folder-name")).to_have_count(1)
    page.get_by_role("button", name="Folders in 2024").press("Enter")
    tree.get_by_role("button", name="fire 3 · 1 failed").press("Enter")
    expect(page.locator(".document")).to_have_count(3)
    expect(page.locator("#status-filters")).to_contain_text("All 3")
    page.get_by_role("button", name="In the folder 2024/fire: show others too").click()
    expect(page.locator(".document")).to_have_count(5)


def test_a_base_without_folders_says_so_on_a_phone(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "plain.pdf")
    page = open_page(NARROW, "zh-CN", at=f"#base={base.id}&view=documents")
    page.get_by_text("文件夹", exact=True).click()
    expect(page.locator("#folders")).to_contain_text("没有来自文件夹的文档。")
