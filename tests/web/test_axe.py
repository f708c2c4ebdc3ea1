"""axe-core finds nothing on any view, in both languages, light and dark, wide and on a phone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from kb_service.domain.labels import LabelColour
from kb_service.domain.watches import Asked
from tests.web.answers import crane_answer
from tests.web.conftest import NARROW, WIDE
from tests.web.service import PDF, PageService
from tests.web.test_columns import ROWS
from tests.web.test_incidents import FOLLOW_UP, NOTICE

AXE = Path(__file__).parent / "tools" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
    axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
        violations.map(({id, nodes}) => [id, nodes.map(({html}) => html.slice(0, 200))]))
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make tools"),
]


@pytest.fixture(
    params=[(WIDE, "en-GB", "light"), (NARROW, "zh-CN", "dark")], ids=["wide", "phone-dark"]
)
def page(
    request: pytest.FixtureRequest, chromium: Browser, address: str, service: PageService
) -> Iterator[Page]:
    base = service.add_base("Reports")
    document = service.add_document(base.id, "Crane report.pdf")
    for name in ("notice.pdf", "follow-up.pdf"):
        sentences = NOTICE if name == "notice.pdf" else FOLLOW_UP
        service.add_document(base.id, name, sentences, PDF + name.encode())
    service.add_document(base.id, "ledger.csv", ["\n".join(ROWS)], b"ledger")
    service.add_failed(base.id, "2024/fire/broken.pdf")
    service.jobs.pauses.begin(base.id, "Head of the station")
    service.catalog.documents.mark(base.id, document.id, ["fire"])
    label = service.catalog.labels.create(base.id, "open", LabelColour.AMBER, "")
    service.catalog.labels.put(base.id, [document.id], [label.id], [])
    service.prepared.answer = crane_answer()
    service.services.watching.add(base.id, "Injured", Asked("How many were injured?"))
    viewport: ViewportSize
    viewport, locale, scheme = request.param
    context = chromium.new_context(
        viewport=viewport, locale=locale, color_scheme=scheme, bypass_csp=True
    )
    opened = context.new_page()
    opened.goto(f"{address}#base={base.id}")
    expect(opened.locator(".teaching h2")).to_be_visible()
    yield opened
    context.close()


def violations(page: Page) -> list[object]:
    page.evaluate(AXE.read_text("utf-8"))
    found: list[object] = page.evaluate(RUN)
    return found


def test_no_view_violates_a_rule_of_accessibility(page: Page) -> None:
    found = {"begin": violations(page)}
    page.locator("#question").fill("When?")
    page.locator("#question").press("Enter")
    page.locator("[data-key=rate-down]").click()
    expect(page.locator(".rate-form")).to_be_visible()
    found["answer"] = violations(page)
    page.locator("button.mark").first.click()
    expect(page.locator("#viewer img")).to_be_visible()
    found["viewer"] = violations(page)
    page.keyboard.press("Escape")
    page.locator("#tab-documents").click()
    page.locator(".document-tick input").nth(1).check()
    page.locator("#folders summary").click()
    expect(page.locator("#folders .folder-name")).to_have_count(1)
    expect(page.locator("#queue-line")).to_contain_text("Head of the station")
    found["documents"] = violations(page)
    page.locator(".document", has_text="notice.pdf").locator(".document-name").click()
    page.locator("[aria-controls=viewer-facts]").click()
    expect(page.locator("#viewer-facts .timeline li").first).to_be_visible()
    found["facts"] = violations(page)
    page.keyboard.press("Escape")
    ledger = page.locator(".document", has_text="ledger.csv")
    ledger.locator("[data-action=columns]").click()
    expect(page.locator(".ledger")).to_be_visible()
    found["columns"] = violations(page)
    page.keyboard.press("Escape")
    page.locator("#tab-search").click()
    found["search"] = violations(page)
    page.locator("#panel-search [data-scope-button]").click()
    expect(page.locator("dialog.modal")).to_be_visible()
    found["narrowing"] = violations(page)
    page.keyboard.press("Escape")
    page.locator("#tab-incidents").click()
    expect(page.locator("#incidents tbody tr")).to_have_count(4)
    found["incidents"] = violations(page)
    page.locator("#incidents tbody button").first.click()
    page.locator(".told button").last.click()
    expect(page.locator(".undo-line")).to_be_visible()
    found["incident"] = violations(page)
    page.locator("#tab-watches").click()
    expect(page.locator(".watch")).to_have_count(1)
    found["watches"] = violations(page)
    page.locator("#tab-setup").click()
    expect(page.locator(".setup-part")).to_have_count(6)
    found["setup"] = violations(page)
    assert {view: one for view, one in found.items() if one} == {}, json.dumps(found)


def test_no_dialog_violates_a_rule_of_accessibility(page: Page, service: PageService) -> None:
    base = service.catalog.bases.list().items[0]
    service.jobs.pauses.end(base.id)
    service.upload(base.id, "notice.pdf", PDF + b"corrected")
    service.publish(service.claim(), [*NOTICE[:-1], "It was corrected."], "scanned")
    dialog, found = page.locator("dialog.modal"), dict[str, list[object]]()

    def look(name: str) -> None:
        expect(dialog).to_be_visible()
        found[name] = violations(page)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    page.locator("#tab-documents").click()
    notice = page.locator(".document", has_text="notice.pdf")
    notice.locator(".page-report summary").click()
    programs = [{"name": f"{n}.exe", "mimeType": "x/x", "buffer": b"MZ\0\0"} for n in range(9)]
    page.locator("#file-input").set_input_files(programs)  # type: ignore[arg-type]  # a payload
    page.locator("#upload-status .own-words summary").first.click()
    found["report and rejected files"] = violations(page)
    notice.locator("[data-action=versions]").click()
    dialog.locator(".version-actions button").nth(3).click()
    expect(dialog.locator("ins").first).to_be_visible()
    look("versions")
    page.locator(".document-tick input").nth(1).check()
    for name in ("labels", "tag", "delete"):
        page.locator(f"#selection-bar [data-key=selected_{name}]").click()
        look(name)
    page.locator("#upload-labels").click()
    look("labels of uploads")
    other = {"name": "notice.pdf", "mimeType": "application/pdf", "buffer": PDF + b"third"}
    page.locator("#file-input").set_input_files([other])  # type: ignore[list-item]  # a payload
    look("a known name")
    page.locator("#tab-setup").click()
    for name in ("mask", "rename", "remove", "label", "key"):
        page.locator(f"#panel-setup [data-action={name}]").click()
        look(f"settings: {name}")
    page.locator("#new-base").dispatch_event("click")
    look("new base")
    assert {view: one for view, one in found.items() if one} == {}, json.dumps(found)


def test_nothing_is_cut_at_twice_the_size(page: Page) -> None:
    """200 % zoom of a window of 1280 pixels leaves 640 of them."""
    page.set_viewport_size({"width": 640, "height": 400})
    for tab in ("ask", "search", "documents", "incidents", "watches", "setup"):
        page.locator(f"#tab-{tab}").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 640, tab
