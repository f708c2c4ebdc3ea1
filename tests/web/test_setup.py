"""Setting up in one place: the base, models, storage and health, keys."""

import pytest
from playwright.sync_api import expect

from kb_service.domain.errors import ConfigurationError
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


def test_a_base_is_described_and_its_columns_are_taken_back_in_the_settings(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.services.columns.put(base.id, "Spot", "place", "Ann")
    page = open_page(at=f"#base={base.id}")
    page.get_by_role("tab", name="Settings").click()
    panel = page.locator("#panel-setup")
    expect(panel).to_contain_text("Spot → Place")
    panel.get_by_role("button", name="Take back what Spot stands for").click()
    expect(panel).to_contain_text(
        "All columns of ledgers and labels of forms are read by their names"
    )
    assert service.services.columns.listed(base.id) == ()
    panel.get_by_role("button", name="Rename knowledge base").click()
    page.get_by_label("Description").fill("Fires of the north")
    page.get_by_role("button", name="Save").click()
    expect(panel).to_contain_text("Fires of the north")
    panel.get_by_role("button", name="Delete knowledge base").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete knowledge base").click()
    expect(page.locator("#welcome")).to_be_visible()


def test_models_room_and_health_are_told_in_the_language_of_the_page(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "a.pdf")
    service.replaced = {"embedder": ConfigurationError("no folder", code="model_missing")}
    page = open_page(viewport=NARROW, locale="zh-CN", at=f"#base={base.id}&view=setup")
    panel = page.locator("#panel-setup")
    expect(panel).to_contain_text("SQLite")
    expect(panel).to_contain_text("3 页")
    expect(panel).to_contain_text("部分功能受限")
    row = panel.get_by_role("row", name="按语义查找")
    expect(row).to_contain_text("查找与问题意思相近的段落")
    for exactly in ("counting", "KB_EMBEDDING__MODEL"):
        expect(row.get_by_text(exactly)).to_be_hidden()  # for who asks
    row.locator("summary").click()
    for exactly in ("counting", "KB_EMBEDDING__MODEL"):
        expect(row.get_by_text(exactly)).to_be_visible()
    expect(panel).to_contain_text("未设置密钥")
    assert page.evaluate("document.documentElement.scrollWidth") == 375


@pytest.mark.parametrize("api_keys", [{"ann": "s3cret-of-ann"}])
def test_names_of_keys_are_told_and_no_key(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    page = open_page(at=f"#base={base.id}&view=setup")
    page.get_by_role("textbox", name="API key").fill("s3cret-of-ann")
    page.get_by_role("button", name="Continue").click()
    panel = page.locator("#panel-setup")
    expect(panel).to_contain_text("ann")
    expect(panel).to_contain_text("uses a key")
    assert "s3cret" not in panel.inner_text()
