"""Search without asking: passages with their words lit, why they were found, where they stand."""

import pytest
from playwright.sync_api import expect

from kb_service.domain.documents import Chunk, ChunkDraft, Document, KnowledgeBase
from kb_service.domain.queries import Query, RetrievalResult, ScoredChunk
from kb_service.domain.spans import PageRegion, TextSpan
from tests.api.service import ScriptedRetriever
from tests.web.answers import SENTENCES
from tests.web.conftest import OpenPage
from tests.web.service import PageService

pytestmark = pytest.mark.browser


class FindsWords(ScriptedRetriever):
    """Finds the sentences of one document that hold the first word of the query."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document

    def retrieve(self, query: Query) -> RetrievalResult:
        word = query.question.text.split()[0]
        hits = [self._hit(n, text) for n, text in enumerate(SENTENCES) if word in text]
        hits.reverse()  # the best hit is not the first of the document
        return RetrievalResult(tuple(hits), {"total_s": 0.0})

    def _hit(self, number: int, text: str) -> ScoredChunk:
        assert self._document.revision is not None
        kb_id, name, revision = self._document.kb_id, self._document.name, self._document.revision
        draft = ChunkDraft(number, TextSpan(0, len(text)), text)
        chunk = Chunk(number, kb_id, self._document.id, revision.id, "Report", draft, name)
        where = (PageRegion(number + 1, ((60.0, 400.0, 300.0, 418.0),)),)
        return ScoredChunk(chunk, revision.sha256, 1.0, {"lexical": 1}, {"lexical": 9.5}, where)


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    made = service.add_base("Reports")
    service.retriever = FindsWords(service.add_document(made.id, "Crane report.pdf"))
    return made


def test_passages_are_found_without_asking_and_open_on_their_page(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    page.get_by_role("tab", name="Search").click()
    page.get_by_label("Words to look for").fill("crane collapsed")
    page.get_by_label("Words to look for").press("Enter")
    hit = page.locator(".hit").first
    expect(hit.locator("mark")).to_have_text(["crane", "collapsed"])
    hit.get_by_text("Why this?").click()
    expect(hit.locator(".hit-why li").first).to_contain_text("place 1")
    hit.locator(".source").click()
    expect(page.locator("#viewer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(hit.locator(".source")).to_be_focused()


def test_a_search_has_an_address_and_back_leads_to_the_one_before(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}&view=search&query=crane")
    expect(page.locator(".hit mark").first).to_have_text("crane")
    page.get_by_label("Words to look for").fill("repaired")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".hit mark").first).to_have_text("repaired")
    page.go_back()
    expect(page.get_by_label("Words to look for")).to_have_value("crane")
    expect(page.locator(".hit mark").first).to_have_text("crane")


def test_words_in_chinese_are_lit_as_the_index_meets_them(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    page = open_page(at=f"#base={base.id}")
    lit = page.evaluate(
        """import('./static/js/lit_words.js').then(({ lightWords }) =>
            lightWords('2024年发生火灾事故，原因不明。fires', '火灾的原因 fire')
                .map((node) => typeof node === 'string' ? node : `[${node.textContent}]`))"""
    )
    assert lit == ["2024年发生", "[火灾]", "事故，", "[原因]", "不明。fires"]


def test_the_viewer_steps_through_passages_in_the_order_of_the_list(
    base: KnowledgeBase, open_page: OpenPage
) -> None:
    """They were stepped through as they stand in their documents: the best hit was the last."""
    page = open_page(at=f"#base={base.id}&view=search&query=re")
    hits = page.locator(".hit .source")
    expect(hits).to_have_count(2)
    expect(hits.first).to_contain_text("repaired")
    hits.first.click()
    expect(page.get_by_text("Quote 1 of 2")).to_be_visible()
    page.get_by_role("button", name="Next quote").click()
    expect(hits.nth(1)).to_have_attribute("data-current", "")
