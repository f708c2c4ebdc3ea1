"""What happened as pages: facts with their places, times, differences, what a person sets right."""

import pytest
from playwright.sync_api import Locator, Page, expect

from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.domain.spans import TextSpan
from kb_service.domain.tables import CitedCell, Tabled, Tally
from tests.web.answers import answer, citation
from tests.web.conftest import NARROW, OpenPage
from tests.web.service import PDF, PageService

pytestmark = pytest.mark.browser

NOTICE = (
    "Notice N-1 (Initial)",
    "On 3 May 2024 at 14:20 a fire broke out at Mill Lane 7.",
    "Six people were injured.",
)
FOLLOW_UP = (
    "Notice N-2 (Follow-up)",
    "Follow-up to N-1.",
    "On 3 May 2024 five people were injured in the fire.",
)
OTHER = ("Report N-9", "On 9 July 2024 at 08:00 a fire broke out at Oak Road 2.")


def fill(service: PageService) -> str:
    """Two documents on one fire, and one on another."""
    base = service.add_base("Reports")
    for name, sentences in (
        ("notice.pdf", NOTICE),
        ("follow-up.pdf", FOLLOW_UP),
        ("oak.pdf", OTHER),
    ):
        service.add_document(base.id, name, sentences, PDF + name.encode())
    return base.id


def row(page: Page, words: str) -> Locator:
    return page.locator(".fact-table tr", has_text=words)


def open_whole(page: Page) -> None:
    """Go from the facts beside a document to its incident."""
    page.locator("#viewer").get_by_role("button", name="Facts", exact=True).click()
    page.locator("#viewer").get_by_role("button", name="Open the whole incident").click()


def test_incidents_are_listed_once_and_open_with_facts_times_and_differences(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    page = open_page(at=f"#base={kb_id}")
    page.get_by_role("tab", name="Incidents").click()
    rows = page.locator("#incidents tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Fire")
    expect(rows.first).to_contain_text("Mill Lane 7")
    page.get_by_role("button", name="Fire").first.click()
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_focused()
    expect(page.locator(".incident-conflict")).to_have_text("The documents differ: Injured")
    expect(page.locator(".is-disputed")).to_have_count(2)
    expect(page.locator(".told .badge")).to_have_text(["first report", "follow-up"])
    times = page.locator(".timeline time")
    expect(times).to_have_text(["3 May 2024", "3 May 2024, 14:20"])
    expect(page.locator(".similar")).to_contain_text("the same Kind: fire")
    assert "incident=1" in page.url
    page.reload()
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_visible()
    page.go_back()
    expect(page.locator("#incidents tbody tr")).to_have_count(2)


def test_a_fact_opens_at_its_words_with_the_incident_beside_it(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    page = open_page(at=f"#base={kb_id}&view=incidents&incident=1")
    row(page, "Six people").locator(".fact-place").click()
    picture = page.get_by_role("img", name="Page 3 of notice.pdf")
    expect(picture).to_be_visible()
    assert service.drawn.calls[-1][0] == 3
    assert service.drawn.calls[-1][1], "no box is lit"
    expect(page.locator("#viewer-title")).to_have_text("notice.pdf")
    page.keyboard.press("Escape")
    expect(row(page, "Six people").locator(".fact-place")).to_be_focused()


def test_a_fact_is_set_right_with_who_and_when_and_taken_back(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    page = open_page(at=f"#base={kb_id}&view=incidents&incident=1")
    row(page, "Six people").get_by_role("button", name="Correct: Injured").click()
    page.get_by_label("This means").fill("several, nobody counted")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="not understood")).to_be_visible()
    page.get_by_label("This means").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".incident-conflict")).to_have_count(0)
    expect(page.get_by_text("Corrected by somebody")).to_be_visible()
    expect(row(page, "in words: Six people")).to_have_count(1)
    page.get_by_role("button", name="Take back the correction").click()
    expect(page.locator(".is-disputed")).to_have_count(2)
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_visible()


def test_a_link_is_undone_and_made_again(service: PageService, open_page: OpenPage) -> None:
    kb_id = fill(service)
    page = open_page(at=f"#base={kb_id}&view=incidents&incident=1")
    page.get_by_role("button", name="follow-up.pdf is not of this incident").click()
    expect(page.locator(".told")).to_have_count(1)
    expect(page.locator(".undo-line")).to_contain_text(
        "follow-up.pdf is an incident of its own now"
    )
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("Taken apart by somebody")).to_be_visible()
    expect(page.locator(".told")).to_contain_text("follow-up.pdf")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_visible()
    expect(page.locator(".told")).to_have_count(2)


def test_a_row_of_an_answer_leads_to_its_incident_and_so_does_the_viewer(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    first = service.catalog.documents.list(kb_id).items[0]
    assert first.revision is not None
    _, text = service.catalog.revisions.text(kb_id, first.id)
    start = text.index("On 3 May")
    cited = citation(
        1, 0, 5, source=TextSpan(start, start + 13), cited_text=text[start : start + 13]
    )
    tabled = Tabled(
        RecordQuery(Operation.LIST),
        ("document", "kind"),
        ((CitedCell(first.name, (1,)), CitedCell("fire", (1,))),),
        Tally(1, 2, 1),
    )
    service.prepared.answer = answer("1 fire.", [cited], tabled=tabled)
    page = open_page(at=f"#base={kb_id}")
    page.get_by_label("Your question").fill("List the fires")
    page.get_by_label("Your question").press("Enter")
    page.locator(".tabled").get_by_role("button", name="Facts and timeline").click()
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_visible()
    page.go_back()
    page.locator("button.mark").first.click()
    open_whole(page)
    expect(page.locator("#incident-title")).to_have_text("Fire, Mill Lane 7")
    expect(page.locator("#viewer")).to_be_visible()


def test_on_a_phone_the_incident_takes_the_place_of_the_viewer_and_back_leads_there(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    document = service.catalog.documents.list(kb_id).items[0]
    page = open_page(viewport=NARROW, at=f"#base={kb_id}&view=documents&document={document.id}")
    open_whole(page)
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.get_by_role("heading", name="Fire, Mill Lane 7")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.go_back()
    expect(page.locator("#viewer")).to_be_visible()


def test_a_ledger_opens_the_list_of_its_own_incidents(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    rows = [
        f"No.: C-{n}; Time: 2024-06-0{n} 10:00; Type: theft; Place: Hall {n}" for n in (1, 2, 3)
    ]
    ledger = service.add_document(kb_id, "ledger.xlsx", rows, PDF + b"ledger")
    page = open_page(at=f"#base={kb_id}&view=documents&document={ledger.id}")
    page.locator("#viewer").get_by_role("button", name="Facts", exact=True).click()
    page.get_by_role("button", name="Incidents told of here").click()
    expect(page.locator("#incidents tbody tr")).to_have_count(3)
    page.locator("#incidents").get_by_role("button", name="Theft").first.click()
    expect(page.locator(".told")).to_contain_text("ledger.xlsx, row 1")
    page.go_back()
    page.get_by_role("button", name="No longer only in: ledger.xlsx").click()
    expect(page.locator("#incidents tbody tr")).to_have_count(5)


def test_an_incident_that_is_gone_says_so_and_leads_on(
    service: PageService, open_page: OpenPage
) -> None:
    kb_id = fill(service)
    page = open_page(at=f"#base={kb_id}&view=incidents&incident=77", locale="zh-CN")
    expect(page.locator("#incidents")).to_contain_text("该事件已不存在")
    page.get_by_role("button", name="全部事件").click()
    expect(page.locator("#incidents tbody tr")).to_have_count(2)
