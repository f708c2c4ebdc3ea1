"""The words of a page over HTTP: by lines, each with its place on the page and in the text."""

from starlette.testclient import TestClient

from tests.api.service import ApiService

SENTENCES = ("The pump failed.", "Two were hurt.")


def ingested(client: TestClient, service: ApiService) -> str:
    answer = client.post("/kb/reports/documents", files=[("files", ("a.pdf", b"%PDF-1.4\n1"))])
    service.ingest(SENTENCES)
    return f"/kb/reports/documents/{answer.json()['items'][0]['document']['id']}"


def test_lines_tell_their_words_span_and_box(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = ingested(client, service)
    shown = client.get(f"{path}/pages/2/words").json()
    text = client.get(f"{path}/text").json()["text"]
    (line,) = shown["lines"]
    assert (shown["page_number"], shown["rotation"]) == (2, 0)
    assert text[line["start"] : line["end"]] == line["text"] == SENTENCES[1]
    assert line["box"] == [0.0, 0.0, float(len(SENTENCES[1])), 10.0]


def test_a_page_that_is_not_there_is_told_with_those_that_are(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = ingested(client, service)
    for number in (0, 3, 2**63, -(2**80)):
        refused = client.get(f"{path}/pages/{number}/words")
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "page_not_found")
        assert refused.json()["error"]["details"] == {"min": 1, "max": 2}


def test_a_deleted_document_has_no_words(
    client: TestClient, service: ApiService, kb_id: str
) -> None:
    path = ingested(client, service)
    client.delete(path)
    assert client.get(f"{path}/pages/1/words").json()["error"]["code"] == "document_not_found"
