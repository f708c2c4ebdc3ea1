"""Keys on the page: made, shown once, changed, revoked; what a reader may not do is not offered."""

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from kb_service.domain.people import Right, Rights
from tests.web.conftest import NARROW, WIDE, OpenPage
from tests.web.service import PageService
from tests.web.test_axe import AXE, violations

pytestmark = pytest.mark.browser

ADMIN = "s3cret-of-ann"


def enter(page: Page, secret: str) -> None:
    page.get_by_role("textbox", name="API key").fill(secret)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("api_keys", [{"ann": ADMIN}])
def test_a_key_is_made_with_rights_by_base_and_its_secret_is_shown_once(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    drafts = service.add_base("Drafts")
    page = open_page(at=f"#base={base.id}&view=setup")
    enter(page, ADMIN)
    panel = page.locator("#panel-setup")
    panel.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("mary")
    dialog.get_by_label("For whom or what").fill("Mary Miller")
    dialog.get_by_label("Reports").select_option("write")
    dialog.get_by_label("Valid for").fill("a month")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("A value was not accepted")
    dialog.get_by_label("Valid for").fill("30")
    dialog.get_by_role("button", name="Save").click()
    secret = page.locator("#new-secret").inner_text()
    assert secret.startswith("kb-")
    page.get_by_role("button", name="I have kept it").click()
    row = panel.get_by_role("row", name="mary")
    expect(row).to_contain_text("write in Reports")
    expect(row).to_contain_text("Mary Miller")
    expect(row).to_contain_text("valid until")
    assert secret not in page.content()
    found = service.keys.of_secret(secret)
    assert found is not None and found.rights == Rights(by_base={base.id: Right.WRITE})

    row.get_by_role("button", name="Change mary").click()
    dialog.get_by_label("Drafts").select_option("read")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("read in Drafts")
    changed = service.keys.get("mary").rights.by_base
    assert changed == {base.id: Right.WRITE, drafts.id: Right.READ}

    row.get_by_role("button", name="Revoke mary").click()
    dialog.get_by_role("button", name="Revoke key").click()
    expect(row).to_contain_text("revoked")
    assert service.keys.of_secret(secret) is None
    expect(row.get_by_role("button")).to_have_count(0)


def test_the_first_key_is_an_administrators_and_this_tab_uses_it(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    page = open_page(at=f"#base={base.id}&view=setup")
    panel = page.locator("#panel-setup")
    expect(panel).to_contain_text("No key is needed")
    panel.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill("ops")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Make an administrator's key first")
    dialog.get_by_label("Administrator:").check()
    expect(dialog.get_by_label("Reports")).to_be_disabled()
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="I have kept it").click()
    expect(panel.get_by_role("row", name="ops")).to_contain_text("administrator")
    expect(panel).to_contain_text("uses a key")
    panel.get_by_role("button", name="Revoke ops").click()
    dialog.get_by_role("button", name="Revoke key").click()
    expect(dialog).to_contain_text("last administrator's key")


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("api_keys", [{"ann": ADMIN}])
def test_what_a_reader_may_not_do_is_not_offered(
    service: PageService, open_page: OpenPage, right: Right
) -> None:
    base = service.add_base("Reports")
    service.add_base("Hidden")
    service.add_document(base.id, "a.pdf")
    secret = service.keys.add("mary", "", Rights(by_base={base.id: right})).secret
    page = open_page(at=f"#base={base.id}&view=documents")
    enter(page, secret)
    row = page.get_by_role("row", name="a.pdf")
    expect(row.get_by_role("button", name="Download the original of a.pdf")).to_be_visible()
    expect(page.locator("#base-list")).not_to_contain_text("Hidden")
    may_write, may_manage = right is not Right.READ, right is Right.MANAGE
    expect(page.locator("#drop-zone")).to_be_visible(visible=may_write)
    expect(row.get_by_role("button", name="Delete a.pdf")).to_be_visible(visible=may_write)
    expect(page.locator("#delete-base")).to_be_visible(visible=may_manage)
    expect(page.locator("#new-base")).to_be_hidden()
    page.get_by_role("tab", name="Settings").click()
    panel = page.locator("#panel-setup")
    expect(panel).to_contain_text(f"{right} in Reports")
    expect(panel).not_to_contain_text("Models in use")
    expect(panel.get_by_role("button", name="Make a key")).to_have_count(0)
    rename = panel.get_by_role("button", name="Rename knowledge base")
    expect(rename).to_be_visible(visible=may_manage)


@pytest.mark.parametrize("api_keys", [{"ann": ADMIN}])
def test_a_key_without_any_base_is_told_whom_to_ask(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Hidden")
    secret = service.keys.add("guest", "", Rights()).secret
    page = open_page(viewport=NARROW)
    enter(page, secret)
    expect(page.locator("#welcome")).to_contain_text("Ask an administrator")
    expect(page.locator("#welcome").get_by_role("button")).to_have_count(0)
    assert "Hidden" not in page.content()


@pytest.mark.parametrize("api_keys", [{"ann": ADMIN}])
def test_a_right_that_is_taken_while_the_page_is_open_is_told_as_such(
    service: PageService, open_page: OpenPage
) -> None:
    base = service.add_base("Reports")
    service.add_document(base.id, "a.pdf")
    new = service.keys.add("mary", "", Rights(by_base={base.id: Right.WRITE}))
    page = open_page(at=f"#base={base.id}&view=documents")
    enter(page, new.secret)
    remove = page.get_by_role("button", name="Delete a.pdf")
    remove.click()
    confirm = page.get_by_role("dialog").get_by_role("button", name="Delete")
    expect(confirm).to_be_visible()
    service.keys.change(new.key.id, Rights(by_base={base.id: Right.READ}))
    confirm.click()
    expect(page.get_by_role("dialog")).to_contain_text("Your key does not have the right")
    assert [one.name for one in service.catalog.documents.list(base.id).items] == ["a.pdf"]
    expect(remove).to_be_hidden()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: make tools")
@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en-GB"), (NARROW, "zh-CN")])
@pytest.mark.parametrize("api_keys", [{"ann": ADMIN}])
def test_axe_finds_nothing_on_keys_and_their_dialogs(
    service: PageService,
    chromium: Browser,
    address: str,
    viewport: ViewportSize,
    locale: str,
) -> None:
    base = service.add_base("Reports " + "x" * 80)
    rights = Rights(by_base={base.id: Right.WRITE}, see_personal=True)
    service.keys.add("mary", "Mary Miller", rights, 30)
    service.keys.revoke(service.keys.add("left", "", Rights(everywhere=Right.READ)).key.id)
    page = chromium.new_context(viewport=viewport, locale=locale, bypass_csp=True).new_page()
    page.goto(f"{address}#base={base.id}&view=setup")
    page.locator("#field-key").fill(ADMIN)
    page.keyboard.press("Enter")
    page.locator(".key-table").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    page.locator(".setup-part .setup-actions button").last.click()
    page.locator("#key-name").fill("peter")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.locator("#new-secret").wait_for()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator("#new-secret").wait_for(state="detached")
    page.context.close()
