"""The page as it is served: every script is named at once, and sent compressed where asked."""

import re

from starlette.testclient import TestClient

from web import static_dir


def test_the_index_names_every_script_so_that_none_waits_for_another(client: TestClient) -> None:
    page = client.get("/")
    named = re.findall(r'rel="modulepreload" href="static/([^"]+)"', page.text)
    assert named == sorted(
        path.relative_to(static_dir()).as_posix() for path in static_dir().rglob("*.js")
    )
    assert page.headers["cache-control"] == "no-cache"
    assert {client.get(f"/static/{name}").status_code for name in named} == {200}


def test_scripts_are_compressed_for_who_takes_it_and_unchanged_ones_are_not_sent(
    client: TestClient,
) -> None:
    path = "/static/js/main.js"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers and packed.text == plain.text
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    again = client.get(path, headers={"If-None-Match": packed.headers["etag"]})
    assert again.status_code == 304
