"""What a base masks, seen and changed on the page, in both languages."""

import re

import pytest
from playwright.sync_api import expect

from kb_service.domain.masking import PersonalKind, PersonRole
from tests.conftest import ROOT
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


def test_masking_is_set_and_shown(service: PageService, open_page: OpenPage) -> None:
    base = service.add_base("Reports")
    page = open_page(viewport=NARROW, at=f"#base={base.id}&view=setup")
    part = page.locator(".setup-part").first
    expect(part).to_contain_text("Nothing: every key of this base sees personal data.")
    page.get_by_role("button", name="Change masking").click()
    dialog = page.get_by_role("dialog", name="Mask personal data")
    expect(dialog.get_by_role("checkbox")).to_have_count(len(PersonalKind) + len(PersonRole))
    dialog.get_by_label("phone numbers").check()
    dialog.get_by_label("witnesses").press("Space")
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(part).to_contain_text("phone numbers, witnesses")
    masking = service.services.bases.show(base.id).masking
    assert (masking.kinds, masking.roles) == ({PersonalKind.PHONE}, {PersonRole.WITNESS})


@pytest.mark.parametrize(("name", "words"), [("KINDS", PersonalKind), ("ROLES", PersonRole)])
def test_everything_that_can_be_masked_is_offered(
    name: str, words: type[PersonalKind] | type[PersonRole]
) -> None:
    script = (ROOT / "web" / "static" / "js" / "masking.js").read_text(encoding="utf-8")
    offered = re.search(rf"const {name} = \[([^\]]*)\]", script)
    assert offered
    assert sorted(re.findall(r'"(\w+)"', offered[1])) == sorted(map(str, words))
