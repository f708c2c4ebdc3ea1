"""What the page must hold whatever it is given: text stays text, keys stay, names exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kb_service.domain.answers import GeneratorInfo, NotStored
from kb_service.domain.errors import ConfigurationError, StorageError
from tests.web.answers import answer, citation
from tests.web.conftest import NARROW, WIDE, OpenPage
from tests.web.service import PageService
from web import static_dir

ASKED_AGAIN_MS = 5000
"""After which a service that works with less is asked again (readiness.js)."""

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
NAMELESS = """
    [...document.querySelectorAll("button, input, textarea, select, a, summary, [role=tab]")]
        .filter((node) => node.checkVisibility({visibilityProperty: true}))
        .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()
            || [...(node.labels ?? [])].some((label) => label.textContent.trim())))
        .map((node) => node.outerHTML)
"""


def fill_with(service: PageService, text: str) -> None:
    """One base, one readable document, one answer, all carrying `text`."""
    base = service.add_base(text, text)
    service.add_document(base.id, text)
    cited = citation(1, 0, len(text), title=text, cited_text=text)
    service.prepared.answer = answer(text, [cited], model=text, reason=text)
    service.info = GeneratorInfo("extractive", text, notice_en=text)


@pytest.mark.browser
def test_markup_in_names_titles_questions_and_answers_stays_text(
    service: PageService, open_page: OpenPage
) -> None:
    fill_with(service, HOSTILE)
    page = open_page()
    page.get_by_label("Your question").fill(HOSTILE)
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    page.locator("button.mark").first.click()
    expect(page.locator(".viewer-quote")).to_have_text(HOSTILE)
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator(".document-name")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Delete knowledge base").click()
    expect(page.locator(".modal")).to_contain_text("<script>")
    assert (
        page.evaluate("document.querySelectorAll('img:not(.page-picture), body script').length")
        == 0
    )
    assert page.title() == f"{HOSTILE} · kb-service"


@pytest.mark.browser
def test_every_visible_control_has_a_name(service: PageService, open_page: OpenPage) -> None:
    fill_with(service, "Crane report.pdf")
    for viewport in (WIDE, NARROW):
        page = open_page(viewport=viewport)
        for _ in views(page):
            assert page.evaluate(NAMELESS) == []


def views(page: Page) -> Iterator[None]:
    """Walk through the views of the page, yielding in each."""
    page.get_by_label("Your question").fill("When?")
    page.get_by_label("Your question").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    yield
    page.locator("button.mark").first.click()
    expect(page.locator("#viewer")).to_be_visible()
    yield
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Documents").click()
    yield
    page.get_by_role("button", name="Delete knowledge base").click()
    yield
    page.keyboard.press("Escape")


@pytest.mark.browser
def test_the_tab_key_reaches_every_control(service: PageService, open_page: OpenPage) -> None:
    fill_with(service, "Crane report.pdf")
    page = open_page()
    page.get_by_role("tab", name="Documents").click()
    expect(page.locator(".document")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    wanted = {
        "skip-link", "new-base", "base-row", "rename-base", "delete-base", "tab-documents",
        "pick-files", "pick-folder", "document-filter", "document-name", "download", "remove",
        "SUMMARY",
    }  # fmt: skip
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(({id, dataset, className, tagName}) =>"
                " id || dataset.action || className || tagName)(document.activeElement)"
            )
        )
    assert wanted <= reached


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_nothing_is_wider_than_a_small_phone(
    service: PageService, open_page: OpenPage, locale: str
) -> None:
    fill_with(service, "Ein_sehr_langer_Name_ohne_Trennstelle_" * 4 + ".pdf")
    page = open_page(viewport=NARROW, locale=locale)
    page.locator("#question").fill("x")
    page.locator("#question").press("Enter")
    expect(page.locator(".status-answered")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    page.locator("#tab-documents").click()
    assert page.locator("#panel-documents").evaluate("n => n.scrollWidth - n.clientWidth") == 0


@pytest.mark.browser
def test_the_language_follows_the_browser_and_is_remembered(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Reports")
    page = open_page(locale="zh-CN")
    expect(page.get_by_role("tab", name="提问")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("tab", name="Ask")).to_be_visible()
    page.reload()
    expect(page.get_by_role("tab", name="Ask")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("api_keys", [{"reader": "secret-1"}])
def test_a_missing_key_is_asked_for_once_and_sent_from_then_on(
    service: PageService, open_page: OpenPage
) -> None:
    fill_with(service, "Crane report.pdf")
    page = open_page()
    page.get_by_label("API key", exact=True).fill("wrong")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("That key was not accepted")).to_be_visible()
    page.get_by_label("API key", exact=True).fill("secret-1")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1, name="Crane report.pdf")).to_be_visible()
    page.get_by_label("Your question").fill("When?")
    page.get_by_label("Your question").press("Enter")
    page.locator("button.mark").first.click()
    expect(page.get_by_role("img", name=re.compile("^Page 1"))).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter((k) => k.includes('key'))") == []


@pytest.mark.browser
def test_what_the_service_says_about_its_model_is_shown(
    service: PageService, open_page: OpenPage
) -> None:
    service.add_base("Reports")
    notice = "Set KB_LLM__MODEL to a folder."
    service.info = GeneratorInfo("extractive", "Reader 1", notice_en=notice)
    page = open_page()
    expect(page.locator("#model-line")).to_contain_text("Reader 1")
    told = page.locator(".teaching").get_by_text(notice)
    expect(told).to_be_hidden()  # names of settings are for who asks
    page.get_by_text("How answers are made").click()
    expect(told).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("status", "said"),
    [("degraded", "with less than was configured"), ("not_ready", "not ready yet")],
)
def test_a_model_that_is_away_is_named_on_the_page(
    service: PageService, open_page: OpenPage, status: str, said: str
) -> None:
    service.add_base("Reports")
    reasons = service.replaced if status == "degraded" else service.waiting
    reasons["embedder"] = ConfigurationError("weights are missing", code="model_missing")
    page = open_page(has_clock=True)
    notice = page.get_by_text("meaning vectors: The files of the model are missing")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text(said)
    reasons.clear()
    page.clock.fast_forward(ASKED_AGAIN_MS)
    expect(notice).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("disk_full", "服务所在磁盘已满，无法保存新内容"),
        ("storage_read_only", "数据文件夹无法写入"),
        ("database_locked", "数据库正被其他程序占用，请稍候再试"),
        ("disk_low", "服务所在磁盘即将写满，很快将无法保存新内容"),
    ],
)
def test_storage_that_refuses_is_told_in_the_language_of_the_page_until_it_heals(
    service: PageService, open_page: OpenPage, code: str, said: str
) -> None:
    service.add_base("Reports")
    service.storage.worry = StorageError("cannot write", code=code)
    page = open_page(locale="zh-CN", has_clock=True)
    expect(page.locator("#page-notice")).to_have_text(said)
    service.storage.worry = None
    page.clock.fast_forward(ASKED_AGAIN_MS)
    expect(page.locator("#page-notice")).to_be_hidden()


@pytest.mark.browser
def test_an_answer_that_could_not_be_kept_says_so(
    service: PageService, open_page: OpenPage
) -> None:
    fill_with(service, "Crane report.pdf")
    service.prepared.not_stored = NotStored("disk_full", "no space left")
    page = open_page(locale="zh-CN")
    page.get_by_label("您的问题").fill("何时？")
    page.get_by_label("您的问题").press("Enter")
    expect(page.locator(".reply-notes")).to_contain_text(
        "这个回答未能保存：服务所在磁盘已满，无法保存新内容"
    )


def test_both_languages_have_the_same_texts_and_every_used_text_exists() -> None:
    folder = static_dir() / "js" / "i18n"
    english, chinese = (
        set[str]().union(*map(keys_of, [folder / f"{name}.js", *folder.glob(f"*_{name}.js")]))
        for name in ("en", "zh")
    )
    assert english == chinese
    sources = [*(static_dir() / "js").glob("*.js"), *folder.glob("i18n.js")]
    code = "\n".join(path.read_text("utf-8") for path in sources)
    markup = (static_dir() / "index.html").read_text("utf-8")
    used = set(re.findall(r'\bt\("(\w+)"', code))
    used |= set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', markup))
    assert used - english == set()


def keys_of(path: Path) -> set[str]:
    return set(re.findall(r"^  (\w+):", path.read_text("utf-8"), re.MULTILINE))


def test_the_page_never_builds_markup_from_text_and_loads_nothing_from_elsewhere() -> None:
    for path in static_dir().rglob("*.*"):
        text = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", text), path
        found = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert found == set(), path
        assert path.suffix == ".html" or text.count("\n") <= 250, path
