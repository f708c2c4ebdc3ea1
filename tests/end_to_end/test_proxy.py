"""Behind Debian's nginx with the lines of docs/operations.md: uploads, streams, a sub-path."""

import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from kb_service.settings import Settings
from tests.api.service import DATABASE_FILE, ApiService
from tests.api.serving import serving, wait_until
from tests.conftest import ROOT

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
KEY = "correct-horse-battery"
NAME = "kb.example.org"
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def guide_block(start: str) -> str:
    """Return the one nginx example of the guide that starts so."""
    blocks = re.findall(r"```nginx\n(.*?)```", GUIDE, flags=re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(start)]
    return str(block)


def site_config(prefix: str, port: int, backend: int) -> str:
    """Return the guide's lines with the ports of this test, and no TLS."""
    if prefix:
        server = f"server {{ listen 127.0.0.1:{port}; {guide_block('location = /docs')} }}"
    else:
        server = re.sub(r"ssl_certificate\S*\s.*;", "", guide_block("server {"))
        server = server.replace("listen 443 ssl;", f"listen 127.0.0.1:{port};")
    assert "127.0.0.1:8000" in server
    return server.replace("127.0.0.1:8000", f"127.0.0.1:{backend}")


@contextmanager
def nginx(folder: Path, config: str, port: int) -> Iterator[None]:
    """Run nginx over one site, everything it writes in `folder`."""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary} {config} }}\n"
    )
    command = [str(NGINX), "-c", str(path), "-p", str(folder), "-e", str(folder / "error.log")]
    process = subprocess.Popen(command)
    try:
        wait_until(lambda: is_open(port))
        yield
    finally:
        process.terminate()
        process.wait(20)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Site:
    """A service behind nginx, and a client of the proxy."""

    def __init__(self, service: ApiService, port: int, backend: int, prefix: str) -> None:
        self.service = service
        self.backend = backend
        self.public = f"http://{NAME}:{port}{prefix}"
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}{prefix}",
            headers={"host": f"{NAME}:{port}", "authorization": f"Bearer {KEY}"},
            timeout=60,
        )


@pytest.fixture(scope="module", params=["", "/docs"], ids=["own-name", "sub-path"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service under its own name, and under a path of another site."""
    port, prefix = free_port(), request.param
    data, folder = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("nginx")
    settings = Settings(
        data_dir=data,
        public_url=f"http://{NAME}:{port}{prefix}",
        trusted_proxies="127.0.0.1",  # type: ignore[arg-type]  # as the environment has it
        api_keys={"team": KEY},  # type: ignore[dict-item]  # pydantic converts
    )
    service = ApiService(settings)
    assert (data / DATABASE_FILE).exists()
    with (
        serving(service) as served,
        nginx(folder, site_config(prefix, port, served.port), port),
    ):
        made = Site(service, port, served.port, prefix)
        made.client.post("/kb", json={"name": "reports"}).raise_for_status()
        yield made
        made.client.close()
    service.database.close()


def test_an_upload_larger_than_nginx_takes_by_itself_goes_through(site: Site) -> None:
    files = [("files", (f"{number}.txt", b"text" * 1_000_000)) for number in range(3)]
    response = site.client.post("/kb/reports/documents", files=files)
    assert response.status_code == 202, response.text
    assert {item["outcome"] for item in response.json()["items"]} <= {"created", "unchanged"}


def test_the_words_of_an_answer_come_while_it_is_written(site: Site) -> None:
    answering = site.service.answering
    answering.waits_for, answering.wait_s = threading.Event(), 30
    question = {"question": "When did the pump fail?", "stream": True}
    with site.client.stream("POST", "/kb/reports/ask", json=question) as response:
        assert response.status_code == 200
        for line in response.iter_lines():
            if line == "event: token":
                answering.waits_for.set()
                break
        else:
            pytest.fail("no token came")


def test_events_come_as_they_happen(site: Site) -> None:
    with site.client.stream("GET", "/kb/reports/events") as response:
        lines = response.iter_lines()
        assert next(lines).startswith(":")
        files = [("files", ("event.txt", b"text"))]
        site.client.post("/kb/reports/documents", files=files).raise_for_status()
        assert any(line == "event: job" for line in lines)


def test_the_page_and_all_it_links_to_are_there(site: Site) -> None:
    page = site.client.get("/")
    assert page.status_code == 200
    links = re.findall(r'(?:href|src)="([^"#]+)"', page.text)
    assert len(links) > 3
    for link in links:
        assert site.client.get(f"/{link}").status_code == 200, link


def test_a_browser_on_the_public_address_may_change_things(site: Site) -> None:
    origin = site.public.removesuffix("/docs")
    own = site.client.post("/kb", json={"name": "own"}, headers={"origin": origin})
    assert own.status_code in {201, 409}
    other = site.client.post("/kb", json={"name": "x"}, headers={"origin": "http://evil.example"})
    assert other.status_code == 403


def test_links_in_answers_lead_through_the_proxy(site: Site) -> None:
    site.service.answering.waits_for = None
    body = {"model": "kb:reports", "messages": [{"role": "user", "content": "When?"}]}
    answer = site.client.post("/v1/chat/completions", json=body).json()
    url = answer["choices"][0]["message"]["annotations"][0]["url_citation"]["url"]
    assert url.startswith(f"{site.public}/kb/")
    # What a client writes of proxies is written over.
    forged = {"x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil"}
    again = site.client.post("/v1/chat/completions", json=body, headers=forged).json()
    assert json.dumps(again).count("evil") == 0


def test_a_wrong_host_and_a_forged_one_past_the_proxy_are_refused(site: Site) -> None:
    assert site.client.get("/kb", headers={"host": "evil.example"}).status_code == 421
    with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.2")) as stranger:
        response = stranger.get(
            f"http://127.0.0.1:{site.backend}/kb",
            headers={"host": "evil.example", "x-forwarded-host": NAME},
        )
    assert response.status_code == 421
    assert site.client.get("/kb", headers={"authorization": ""}).status_code == 401


def test_the_path_without_its_slash_leads_to_the_page(site: Site) -> None:
    response = site.client.get("")
    assert response.status_code in {200, 301}
    if response.status_code == 301:
        assert response.headers["location"].endswith("/docs/")
