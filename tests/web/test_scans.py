"""What OCR read says so on the page: how surely, and which characters it is unsure of."""

import pytest
from playwright.sync_api import expect

from kb_service.domain.spans import PageRegion
from tests.web.answers import SENTENCES, TEXT_EN, answer, citation
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("locale", "said"), [("en-GB", "read from a picture, 0.97"), ("zh-CN", "识别自图片，0.97")]
)
def test_a_quote_from_a_picture_says_so_and_its_unsure_words_are_marked(
    service: PageService, open_page: OpenPage, locale: str, said: str
) -> None:
    base = service.add_base("Reports")
    service.upload(base.id, "scan.pdf")
    sure, unsure = b"\xff", b"\x80"
    scores = sure * 4 + unsure * 5 + sure * (len(SENTENCES[0]) - 9)
    service.publish(service.claim(), SENTENCES, scores=scores)
    regions = (PageRegion(1, ((60.0, 400.0, 300.0, 418.0),), 0.9714),)
    service.prepared.answer = answer(TEXT_EN, [citation(1, 0, 10, regions=regions)])
    page = open_page(locale=locale)
    page.locator("#question, textarea").first.fill("When?")
    page.keyboard.press("Enter")
    source = page.locator("button.source")
    expect(source).to_contain_text(said)
    source.click()
    expect(page.locator(".viewer-method")).to_have_text(said)
    page.locator(".mode-button").click()
    expect(page.locator(".stored-text mark .unsure")).to_have_text(SENTENCES[0][4:9])
