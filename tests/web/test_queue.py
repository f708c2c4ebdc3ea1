"""The queue on the page: paused and resumed by who may, told to everybody."""

import pytest
from playwright.sync_api import Browser, expect

from kb_service.domain.people import Right, Rights
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


def test_reading_is_paused_and_resumed_beside_the_list(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.upload(base.id, "waiting.pdf")
    page = open_page(at=f"#base={base.id}&view=documents")
    line = page.locator("#queue-line")
    line.get_by_role("button", name="Pause reading").click()
    expect(line).to_contain_text("Reading is paused since")
    assert service.jobs.claim("worker-1") is None
    page.reload()
    line.get_by_role("button", name="Resume reading").click()
    expect(line.get_by_role("button", name="Pause reading")).to_be_focused()
    service.publish(service.claim(), ["words"])
    expect(line).to_be_hidden()


def test_who_may_not_manage_reads_who_paused_it(
    service: PageService, address: str, chromium: Browser
) -> None:
    base = service.add_base("Reports")
    service.keys.add("admin", "", Rights(is_admin=True))
    rights = Rights(by_base={base.id: Right.WRITE})
    secret = service.keys.add("writer", "", rights).secret
    service.upload(base.id, "waiting.pdf")
    context = chromium.new_context(locale="zh-CN", viewport=NARROW)
    page = context.new_page()
    page.goto(f"{address}#base={base.id}&view=documents")
    page.get_by_role("textbox").last.fill(secret)
    page.keyboard.press("Enter")
    expect(page.locator(".document")).to_have_count(1)
    expect(page.locator("#queue-line button")).to_be_hidden()
    service.jobs.pauses.begin(base.id, "张三")
    expect(page.locator("#queue-line")).to_contain_text("张三 自")
    expect(page.locator("#queue-line button")).to_be_hidden()
    context.close()


def test_an_administrator_pauses_the_whole_service_in_the_settings(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.upload(base.id, "waiting.pdf")
    page = open_page(at=f"#base={base.id}&view=setup")
    page.locator("#panel-setup").get_by_role("button", name="Pause reading").click()
    expect(page.locator("#panel-setup")).to_contain_text("paused in the whole service")
    page.locator("#tab-documents").click()
    expect(page.locator("#queue-line")).to_contain_text("in the whole service since")
    page.locator("#queue-line").get_by_role("button", name="Resume reading").click()
    expect(page.locator("#queue-line")).not_to_contain_text("paused")
    assert service.jobs.claim("worker-1") is not None


def test_a_long_queue_is_followed_without_a_request_for_each_job(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    for number in range(60):  # more than a part of the list shows
        service.upload(base.id, f"{number:02}.txt", f"report {number}".encode())
    page = open_page(at=f"#base={base.id}&view=documents")
    expect(page.locator("#tab-chip")).to_contain_text("60")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(60):
        service.publish(service.claim(), ["words"])
    expect(page.locator("#tab-chip")).to_be_empty(timeout=20_000)
    assert any("/documents" in url for url in asked)
    assert not [url for url in asked if "/jobs/" in url]
