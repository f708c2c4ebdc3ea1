"""Much of everything: five thousand documents, twenty bases, five hundred files at once."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from kb_service.storage.counts import count_document
from kb_service.storage.tables import documents
from tests.web.conftest import NARROW, WIDE, OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

NAME = "Incident report of the northern district 2019-2025 with every annex and correction"
MAX_UPDATE_MS = 50


def copies(service: PageService, kb_id: str, number: int) -> None:
    """Documents whose jobs are gone, as rows like the first: 5,000 uploads would take minutes."""
    first = service.upload(kb_id, f"{NAME} 0.pdf", PDF)
    with service.database.write() as connection:
        row = connection.execute(documents.select().where(documents.c.id == first.id)).one()
        ids = [f"doc_{n:032x}" for n in range(1, number)]
        values = [
            {**row._mapping, "id": one, "name": f"{NAME} {n}.pdf", "counted_as": ""}
            for n, one in enumerate(ids, 1)
        ]
        connection.execute(insert(documents), values)
        for one in ids:
            count_document(connection, one)


def test_five_thousand_documents_are_counted_paged_and_found(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base(NAME)
    copies(service, base.id, 5000)
    page = open_page(viewport=NARROW, at=f"#base={base.id}&view=documents")
    expect(page.locator("#list-summary")).to_have_text("1 waiting · 4,999 failed")
    expect(page.locator(".document")).to_have_count(50)
    page.get_by_role("button", name="Load more (50 of 5,000)").click()
    expect(page.locator(".document")).to_have_count(100)
    page.get_by_label("Find by name").fill("correction 4711")
    expect(page.locator(".document")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") == 375


def test_twenty_bases_of_eighty_letters_are_told_apart_and_leave_room_for_conversations(
    service: PageService, open_page: OpenPage
) -> None:
    for number in range(20):
        base = service.add_base(f"{NAME[:77]} {number:02}")
    page = open_page(at=f"#base={base.id}")
    expect(page.locator(".base-row")).to_have_count(20)
    expect(page.locator(".base-row[aria-current=true]")).to_be_in_viewport()
    expect(page.locator(".base-row[aria-current=true]")).to_have_attribute("title", base.name)
    assert page.evaluate("document.documentElement.scrollWidth") == WIDE["width"]


def drop(page: Page, folder: Path, number: int) -> None:
    files = [folder / f"report-{n:03}.txt" for n in range(number)]
    for n, path in enumerate(files):
        path.write_text(f"Report {n}. On 3 May 2024 a pump failed in hall {n}.")
    page.locator("#file-input").set_input_files(files)


def script_ms(profile: dict[str, Any]) -> float:
    """How long functions of the page's own scripts ran in a profile of the browser."""
    own = {node["id"] for node in profile["nodes"] if "/static/js/" in node["callFrame"]["url"]}
    samples = zip(profile["samples"], profile["timeDeltas"], strict=True)
    return sum(delta_us for node, delta_us in samples if node in own) / 1000


def test_five_hundred_files_at_once_are_counted_whole_and_an_update_costs_at_most_50_ms(
    service: PageService, chromium: Browser, address: str, tmp_path: Path
) -> None:
    base = service.add_base("Reports")
    page = chromium.new_page()  # without what other tests wrap around the page's data
    page.goto(f"{address}#base={base.id}&view=documents")
    expect(page.locator("#panel-documents")).to_be_visible()
    drop(page, tmp_path, 500)
    expect(page.locator("#list-summary")).to_have_text("500 waiting", timeout=90_000)
    expect(page.locator("#tab-chip")).to_have_text("500 in progress")
    session = page.context.new_cdp_session(page)
    session.send("Profiler.enable")
    session.send("Profiler.start")
    lists: list[str] = []
    page.on("request", lambda sent: lists.append(sent.url) if "/documents?" in sent.url else None)
    for done in range(1, 21):
        service.publish(service.claim(), ["One.", "Two."])
        text = f"{500 - done} waiting · {done} ready"
        expect(page.locator("#list-summary")).to_have_text(text, timeout=30_000)
    expect(page.locator("#tab-chip")).to_have_text("480 in progress")
    profile = session.send("Profiler.stop")["profile"]
    page.close()
    assert 0 < script_ms(profile) / len(lists) <= MAX_UPDATE_MS
