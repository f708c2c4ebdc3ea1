"""The encoding of a text on the page: what its reading says, read again as chosen, sent with it."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from ingest.chunking import SentenceChunker
from ingest.limits import ParseLimits
from ingest.loaders import DocumentLoader
from kb_service.domain.documents import KnowledgeBase, ParsedDocument
from kb_service.domain.errors import DocumentError
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser

WORDS = "機房冷卻水洩漏，無人受傷。"
TEXT = FilePayload(name="a.txt", mimeType="text/plain", buffer=WORDS.encode("big5"))


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    return service.add_base("Reports")


def read(service: PageService) -> str:
    """Read what waits, as a worker does; return the text."""
    claim = service.claim()
    media_type = claim.job.media_type
    if claim.encoding:
        media_type = f"{media_type}; charset={claim.encoding}"
    path = service.blobs.whole(claim.job.blob_sha256, claim.document_name)
    loaded = DocumentLoader(ParseLimits()).load(path, claim.document_name, media_type)
    parsed = next(found for found in loaded if isinstance(found, ParsedDocument))
    service.publisher.publish(claim, parsed, SentenceChunker().chunk(parsed, "a"))
    return parsed.text


def documents_on(page: Page) -> None:
    page.locator("#tab-documents").click()


@pytest.mark.parametrize(
    ("locale", "guessed", "again", "by_bytes", "chosen"),
    [
        (
            "en-GB",
            r"Read as .+, guessed, \d+ % sure",
            "Read again",
            "What its bytes tell",
            "Read as KOI8-R (Cyrillic), chosen by hand",
        ),
        (
            "zh-CN",
            r"按 .+ 读取，推测，把握 \d+%",
            "重新读取",
            "按内容判断",
            "按 KOI8-R（西里尔文） 读取，手动指定",
        ),
    ],
)
def test_a_text_whose_encoding_is_a_guess_is_read_again_as_chosen(
    base: KnowledgeBase,
    service: PageService,
    open_page: OpenPage,
    locale: str,
    guessed: str,
    again: str,
    by_bytes: str,
    chosen: str,
) -> None:
    data = "ポンプ".encode("shift_jis")
    service.upload(base.id, "a.txt", data)
    guess, choice = read(service), data.decode("koi8-r")
    assert guess != choice
    page = open_page(locale=locale, has_clock=True)
    documents_on(page)
    line = page.locator(".document-encoding")
    expect(line.locator("span").first).to_have_text(re.compile(guessed))
    line.get_by_role("button").click()
    dialog = page.get_by_role("dialog")
    select = dialog.get_by_role("combobox")
    expect(select.locator("option:checked")).to_have_text(by_bytes)
    select.select_option("koi8_r")
    dialog.get_by_role("button", name=again, exact=True).click()
    expect(dialog).to_have_count(0)
    expect(page.locator(".document progress")).to_be_visible()
    assert read(service) == choice
    page.clock.run_for(11_000)
    expect(line.locator("span").first).to_have_text(chosen)
    expect(page.locator(".document progress")).to_have_count(0)
    page.locator(".document-name").click()
    expect(page.locator("#viewer .stored-text")).to_contain_text(choice)


def test_the_bytes_decide_again_when_the_choice_is_taken_back(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    document = service.upload(base.id, "a.txt", "Die Pumpe drückt.".encode())
    service.uploads.read_as(base.id, document.id, "cp1252")
    assert read(service) == "Die Pumpe drÃ¼ckt."
    page = open_page(has_clock=True)
    documents_on(page)
    page.get_by_role("button", name="Read a.txt again in another encoding").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("option:checked")).to_have_text("Windows-1252 (Western European)")
    dialog.get_by_role("combobox").select_option("")
    dialog.get_by_role("button", name="Read again", exact=True).click()
    expect(dialog).to_have_count(0)
    assert read(service) == "Die Pumpe drückt."
    page.clock.run_for(11_000)
    expect(page.locator(".document-encoding")).to_have_count(0)


def test_a_text_that_could_not_be_read_can_be_read_again(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    service.upload(base.id, "a.txt", WORDS.encode("big5"))
    error = DocumentError("a.txt is not text", code="corrupt_document")
    service.jobs.fail(service.claim(), error, retry=False)
    page = open_page()
    documents_on(page)
    page.get_by_role("button", name="Read a.txt again in another encoding").click()
    page.get_by_role("dialog").get_by_role("button", name="Read again", exact=True).click()
    expect(page.locator(".document .badge-pending")).to_be_visible()


def test_files_are_sent_with_the_encoding_that_was_chosen_and_the_next_ones_without(
    base: KnowledgeBase, service: PageService, open_page: OpenPage
) -> None:
    page = open_page()
    documents_on(page)
    page.get_by_text("Encoding of texts").click()
    page.get_by_label("Encoding of texts").select_option("big5")
    page.locator("#file-input").set_input_files([TEXT])
    expect(page.locator("#upload-status")).to_contain_text("1 added")
    assert service.catalog.documents.list(base.id).items[0].encoding == "big5hkscs"
    assert read(service) == WORDS
    expect(page.get_by_label("Encoding of texts")).to_have_value("")
    page.locator("#file-input").set_input_files([{**TEXT, "name": "b.txt"}])
    expect(page.locator(".document")).to_have_count(2)
    encodings = {item.name: item.encoding for item in service.catalog.documents.list(base.id).items}
    assert encodings == {"a.txt": "big5hkscs", "b.txt": ""}
