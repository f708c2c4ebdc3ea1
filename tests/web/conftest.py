"""A real Chromium, the page, and the real API behind it; one fresh page and data folder a test."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pydantic import SecretStr

from api.app import create_app
from kb_service.domain.documents import KnowledgeBase
from kb_service.settings import Settings
from tests.api.service import DATABASE_FILE, ApiService
from tests.web.answers import crane_answer
from tests.web.service import PageService

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
COUNT_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
# Everything that the page gets from the service, wrapped: a field that is read and was not sent is
# a misunderstanding between page and API.
RECORD_MISSING = """
    window.missing = [];
    const wrapped = (value, path) => {
        if (value === null || typeof value !== "object") return value;
        return new Proxy(value, {
            get(target, name, receiver) {
                const isFree = path.endsWith(".details") || path.endsWith(".metadata")
                    || path.endsWith(".codes");
                if (typeof name === "string" && !(name in target) && !Array.isArray(target)
                    && name !== "toJSON" && name !== "then" && !isFree) {
                    window.missing.push(`${path}.${name}`);
                }
                const found = Reflect.get(target, name, receiver);
                return typeof name === "string" && Object.hasOwn(target, name)
                    ? wrapped(found, `${path}.${Array.isArray(target) ? "" : name}`) : found;
            },
        });
    };
    const parse = JSON.parse;
    JSON.parse = (text, ...more) => wrapped(parse(text, ...more), "");
"""
WIDE = ViewportSize(width=1440, height=900)
NARROW = ViewportSize(width=375, height=760)

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH (Debian: apt-get install chromium fonts-noto-cjk)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest schema, made once."""
    folder = tmp_path_factory.mktemp("migrated")
    ApiService(Settings(data_dir=folder)).database.close()
    return folder / DATABASE_FILE


@pytest.fixture
def api_keys() -> dict[str, str]:
    """The keys of the service; none, unless a test is given some."""
    return {}


@pytest.fixture
def settings(tmp_path: Path, migrated: Path, api_keys: dict[str, str]) -> Settings:
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(migrated, folder / DATABASE_FILE)
    return Settings(data_dir=folder, api_keys={k: SecretStr(v) for k, v in api_keys.items()})


@pytest.fixture
def service(settings: Settings) -> Iterator[PageService]:
    made = PageService(settings)
    yield made
    made.database.close()


@pytest.fixture
def address(service: PageService) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(service.services)
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    app.state.closing.set()
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def open_page(chromium: Browser, address: str) -> Iterator[OpenPage]:
    """Open the page; afterwards nothing it did may have broken the security policy, thrown, or read
    a field that the service does not send."""
    opened: list[tuple[Page, list[str]]] = []

    def open_one(
        viewport: ViewportSize = WIDE,
        locale: str = "en-GB",
        at: str = "",
        beside: Page | None = None,
        *,
        has_clock: bool = False,
    ) -> Page:
        """`at`: the fragment. `beside`: as a further tab of that page's browser. `has_clock`: the
        test may put the page's clock forward, and need not wait for what comes in seconds."""
        context = (
            beside.context if beside else chromium.new_context(viewport=viewport, locale=locale)
        )
        if not beside:
            context.add_init_script(COUNT_VIOLATIONS + RECORD_MISSING)
            context.set_default_timeout(8000)
            # Loading is not what is tried here, and waits for all scripts of a busy machine.
            context.set_default_navigation_timeout(30_000)
            if has_clock:
                context.clock.install()
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append((page, errors))
        page.goto(address + at)
        return page

    yield open_one
    found = [
        (page.evaluate("[window.violations, window.missing]"), errors) for page, errors in opened
    ]
    for page, _ in opened:
        page.context.close()
    for (violations, missing), errors in found:
        assert (violations, missing, errors) == ([], [], [])


@pytest.fixture
def base(service: PageService) -> KnowledgeBase:
    """A base with one report, and an answer that cites it."""
    made = service.add_base("Reports")
    service.add_document(made.id, "Crane report.pdf")
    service.prepared.answer = crane_answer()
    return made
