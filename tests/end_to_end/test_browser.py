"""The whole path in a real Chromium on the real service: upload, progress, ask, click, lit page."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.service import Service, running_service
from tests.web.conftest import CHROMIUM, FLAGS

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH"),
]

PATIENCE_MS = 60_000


@pytest.fixture
def page(service: Service) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, locale="en-GB", device_scale_factor=1.5
        )
        opened = context.new_page()
        opened.goto(str(service.client.base_url))
        yield opened
        browser.close()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def test_a_dropped_report_can_be_asked_and_its_words_light_up(
    page: Page, demo_folder: Path, tmp_path: Path
) -> None:
    page.get_by_role("button", name="New knowledge base").first.click()
    page.get_by_label("Name", exact=True).fill("Incident reports")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", level=1, name="Incident reports")).to_be_visible()
    page.get_by_role("tab", name="Documents").click()
    files = sorted(demo_folder.glob("SG-2024*.pdf")) + sorted(demo_folder.glob("ntsb-*.pdf"))
    broken = tmp_path / "truncated.pdf"
    broken.write_bytes(files[0].read_bytes()[:4000])
    page.locator("input[type=file]").first.set_input_files([*files, broken])
    expect(page.locator(".badge-ready")).to_have_count(len(files), timeout=PATIENCE_MS)
    expect(page.locator(".document", has_text="truncated.pdf")).to_contain_text(
        "it is cut off", timeout=PATIENCE_MS
    )
    page.get_by_role("tab", name="Ask").click()
    ask(page, "中环数据中心三号机房的泄漏发生在哪一天？")
    expect(page.locator(".answer-text").last).to_contain_text("2024年8月17日", timeout=PATIENCE_MS)
    ask(page, "What was the probable cause of NTSB accident NYC08CA055?")
    expect(page.locator(".answer-text").last).to_contain_text(
        "misjudged clearance", timeout=PATIENCE_MS
    )
    page.locator("button.mark").last.click()
    picture = page.locator(".page-picture")
    expect(picture).to_have_attribute("src", re.compile("^blob:"), timeout=PATIENCE_MS)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 400
    if folder := os.environ.get("KB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "page.png")


def test_a_service_killed_in_mid_question_is_told_and_goes_on_after_its_restart(
    demo_folder: Path, tmp_path: Path
) -> None:
    """The process is stopped, so that the question is on its way when the kill comes."""
    with running_service(tmp_path / "data") as service, sync_playwright() as playwright:
        kb = service.create_kb("Incident reports")
        files = [(path.name, path.read_bytes()) for path in demo_folder.glob("ntsb-*.pdf")]
        service.upload(kb, files)
        service.wait_idle(kb)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(locale="zh-CN")
        page.goto(f"{service.client.base_url}/#base={kb}")
        expect(page.locator(".base-row")).to_contain_text("Incident reports")
        os.kill(service.pid, signal.SIGSTOP)
        page.locator("#question").fill("What was the probable cause of NTSB accident NYC08CA055?")
        page.locator("#question").press("Enter")
        expect(page.locator(".status-streaming")).to_be_visible()
        service.kill("both")
        expect(page.locator(".reply .notice-bad")).to_contain_text("无法连接服务")
        expect(page.locator("#page-notice")).to_contain_text("无法连接服务")
        service.start()
        expect(page.locator("#page-notice")).to_be_hidden(timeout=PATIENCE_MS)
        page.get_by_role("button", name="重新提问", exact=True).click()
        expect(page.locator(".answer-text")).to_contain_text(
            "misjudged clearance", timeout=PATIENCE_MS
        )
        browser.close()
