"""Labels on the page: managed in the settings, put on many at once, shown and asked by."""

import pytest
from playwright.sync_api import Browser, Page, expect

from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.labels import LabelColour
from kb_service.domain.people import Right, Rights
from tests.web.answers import crane_answer
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PDF, PageService
from tests.web.test_document_table import select
from tests.web.test_rights import enter

pytestmark = pytest.mark.browser


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        service.add_document(made.id, name, content=PDF + name.encode())
    service.prepared.answer = crane_answer()
    return made


def label(service: PageService, base: KnowledgeBase, name: str, *names: str) -> str:
    made = service.catalog.labels.create(base.id, name, LabelColour.RED, "To be looked at again")
    found = [
        item.id for item in service.catalog.documents.list(base.id).items if item.name in names
    ]
    service.catalog.labels.put(base.id, found, [made.id], [])
    return made.id


def marks(page: Page, name: str) -> list[str]:
    return page.locator(".document", has_text=name).locator(".label").all_inner_texts()


def send(page: Page, name: str) -> None:
    content = PDF + name.encode()
    files = [{"name": name, "mimeType": "application/pdf", "buffer": content}]
    page.locator("#file-input").set_input_files(files)


def test_many_are_labelled_at_once_and_found_by_it(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    label(service, base, "open", "a.pdf")
    page = open_page(at=f"#base={base.id}&view=documents")
    select(page, "a.pdf", "c.pdf")
    page.get_by_role("button", name="Labels…").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_label("open").evaluate("box => box.indeterminate")
    dialog.get_by_label("New label").fill("north")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".document", has_text="c.pdf").locator(".label")).to_have_text(["north"])
    assert marks(page, "a.pdf") == ["north", "open"]
    page.get_by_role("button", name="Labels…").click()
    dialog.get_by_label("open").check()
    dialog.get_by_label("north").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".document", has_text="c.pdf").locator(".label")).to_have_text(["open"])
    assert marks(page, "a.pdf") == ["open"]
    page.locator(".label-button", has_text="open").first.click()
    expect(page.locator(".document")).to_have_count(2)
    expect(page.locator("#status-filters")).to_contain_text("All 2")
    page.get_by_role("button", name="Labelled open: show others too").click()
    expect(page.locator(".document")).to_have_count(3)


def test_a_label_is_renamed_and_deleted_in_the_settings_for_all(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    label(service, base, "open", "a.pdf", "b.pdf")
    page = open_page(at=f"#base={base.id}")
    page.get_by_role("button", name="Narrow").click()
    page.get_by_role("dialog").get_by_label("open").check()
    page.get_by_role("dialog").get_by_role("button", name="Use").click()
    chips = page.locator("#scope .filter-chip")
    expect(chips).to_have_text(["label open"])
    page.locator("#tab-setup").click()
    row = page.locator("#panel-setup").get_by_role("row", name="open")
    expect(row).to_contain_text("2")
    row.get_by_role("button", name="Change the label open").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 documents carry it")
    dialog.get_by_label("Name of the label").fill("under way")
    dialog.get_by_label("Colour").select_option("teal")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#panel-setup .label-teal")).to_have_text("under way")
    page.locator("#tab-documents").click()
    expect(page.locator(".document", has_text="b.pdf").locator(".label-teal")).to_have_text(
        "under way"
    )
    page.get_by_role("button", name="a.pdf", exact=True).click()
    expect(page.locator("#viewer .label")).to_have_text(["under way"])
    page.keyboard.press("Escape")
    page.locator("#tab-ask").click()
    expect(chips).to_have_text(["label under way"])
    page.get_by_label("Your question").fill("What fell?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".answer-actions")).to_be_visible()
    assert service.prepared.requests[-1].filters.labels == ("under way",)
    page.locator("#tab-setup").click()
    page.get_by_role("button", name="Delete the label under way").click()
    expect(dialog).to_contain_text("2 documents no longer carry it")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#panel-setup")).to_contain_text("No labels yet.")
    page.locator("#tab-ask").click()
    expect(chips).to_have_count(0)
    page.locator("#tab-documents").click()
    expect(page.locator(".document .label")).to_have_count(0)


def test_a_name_that_is_taken_is_told_in_the_dialog(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    label(service, base, "已核实", "a.pdf")
    page = open_page(NARROW, "zh-CN", at=f"#base={base.id}&view=setup")
    page.get_by_role("button", name="新建标记").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("标记名称").fill("已核实")
    dialog.get_by_role("button", name="创建").click()
    expect(dialog).to_contain_text("已有同名标记：已核实")
    dialog.get_by_label("标记名称").fill("待补充")
    dialog.get_by_role("button", name="创建").click()
    expect(page.locator("#panel-setup .label")).to_have_text(["已核实", "待补充"])


@pytest.mark.parametrize(
    ("locale", "button", "new", "use", "added"),
    [
        ("en-GB", "Labels for new files…", "New label", "Use", "1 added"),
        ("zh-CN", "新文件的标记…", "新标记", "使用", "新增 1"),
    ],
)
def test_files_get_the_labels_that_were_chosen_and_the_next_ones_none(
    base: KnowledgeBase,
    service: PageService,
    open_page: OpenPage,
    locale: str,
    button: str,
    new: str,
    use: str,
    added: str,
) -> None:
    label(service, base, "open")
    page = open_page(at=f"#base={base.id}&view=documents", locale=locale, viewport=NARROW)
    page.get_by_role("button", name=button).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("open").check()
    dialog.get_by_label(new).fill("north")
    dialog.get_by_role("button", name=use, exact=True).click()
    chips = page.locator("#upload-label-chips .label")
    expect(chips).to_have_text(["open", "north"])
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    send(page, "new.pdf")
    expect(page.locator("#upload-status")).to_contain_text(added)
    expect(page.locator(".document", has_text="new.pdf").locator(".label")).to_have_count(2)
    assert sorted(marks(page, "new.pdf")) == ["north", "open"]
    expect(chips).to_have_count(0)
    send(page, "later.pdf")
    expect(page.locator(".document", has_text="later.pdf")).to_be_visible()
    assert marks(page, "later.pdf") == []


def test_labels_chosen_for_files_belong_to_their_base_and_follow_a_rename(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    label(service, base, "open")
    other = service.add_base("Other")
    page = open_page(at=f"#base={base.id}&view=documents")
    page.get_by_role("button", name="Labels for new files…").click()
    page.get_by_role("dialog").get_by_label("open").check()
    page.get_by_role("dialog").get_by_role("button", name="Use", exact=True).click()
    chips = page.locator("#upload-label-chips .label")
    page.locator(".base-row", has_text="Other").click()
    expect(page.locator("#base-name")).to_have_text("Other")
    expect(chips).to_have_count(0)
    page.locator("#tab-documents").click()
    send(page, "other.pdf")
    expect(page.locator(".document")).to_have_count(1)
    assert service.catalog.documents.list(other.id).items[0].labels == ()
    page.locator(".base-row", has_text="Reports").click()
    page.locator("#tab-setup").click()
    page.get_by_role("button", name="Change the label open").click()
    page.get_by_role("dialog").get_by_label("Name of the label").fill("in work")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.locator("#tab-documents").click()
    expect(chips).to_have_text(["in work"])
    send(page, "new.pdf")
    expect(page.locator(".document", has_text="new.pdf").locator(".label")).to_have_text("in work")


def test_who_may_write_puts_labels_and_makes_none(
    base: KnowledgeBase, service: PageService, address: str, chromium: Browser
) -> None:
    label(service, base, "open")
    service.keys.add("admin", "", Rights(is_admin=True))
    rights = Rights(by_base={base.id: Right.WRITE})
    secret = service.keys.add("writer", "", rights).secret
    context = chromium.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{address}#base={base.id}&view=documents")
    enter(page, secret)
    select(page, "a.pdf")
    page.get_by_role("button", name="Labels…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("New label")).to_have_count(0)
    dialog.get_by_label("open").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator(".document .label")).to_have_text(["open"])
    page.get_by_role("button", name="Labels for new files…").click()
    expect(dialog.get_by_label("open")).to_be_visible()
    expect(dialog.get_by_label("New label")).to_have_count(0)
    dialog.get_by_role("button", name="Cancel").click()
    page.locator("#tab-setup").click()
    expect(page.get_by_role("cell", name="To be looked at again")).to_be_visible()
    expect(page.get_by_role("button", name="New label")).to_be_hidden()
    expect(page.get_by_role("button", name="Change the label open")).to_be_hidden()
    context.close()
