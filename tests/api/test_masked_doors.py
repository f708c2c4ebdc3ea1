"""What a key that may not see personal data cannot do to have it shown."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from kb_service.services.veils import MaskingService, Veil
from tests.api.conftest import PDF_BYTES
from tests.api.masked import ADMIN, ALL, DESK, SENTENCES, Desk, filled, leaks
from tests.api.service import ApiService

DOCUMENTS = "/kb/reports/documents"


@pytest.fixture
def client(app: FastAPI, service: ApiService) -> Iterator[TestClient]:
    """An administrator."""
    with Desk(app, service, ADMIN) as made:
        yield made


@pytest.fixture
def desk(app: FastAPI, service: ApiService, client: TestClient) -> Iterator[Desk]:
    """Who may do everything in every base but see personal data."""
    with Desk(app, service, DESK) as made:
        yield made


@pytest.fixture
def document(client: TestClient, service: ApiService, kb_id: str, desk: Desk) -> str:
    """The id of a document full of personal data, in a base that masks all."""
    return filled(client, service, kb_id, desk.key_id)


def refused(answer: Any) -> bool:  # noqa: ANN401  a response
    assert answer.status_code == 403, answer.text
    return bool(answer.json()["error"]["code"] == "personal_data_masked")


def test_only_who_sees_it_says_in_which_encoding_documents_are_read(
    desk: Desk, client: TestClient, document: str
) -> None:
    path = f"{DOCUMENTS}/{document}"
    for encoding in ("cp037", "utf-16-le", "utf-8", ""):
        assert refused(desk.post(f"{path}/read", json={"encoding": encoding}))
    # A version that others sent in would be restored in it.
    sent = [("files", ("new.txt", b"x"))]
    assert refused(desk.post(DOCUMENTS, files=sent, data={"encoding": "cp037"}))
    assert [item["name"] for item in client.get(DOCUMENTS).json()["items"]] == [
        client.get(path).json()["name"]
    ]
    assert client.get(path).json()["encoding"] == ""
    assert desk.post(DOCUMENTS, files=sent).status_code == 202
    assert client.post(f"{path}/read", json={"encoding": "cp037"}).status_code == 202
    client.patch("/kb/reports", json={"masking": {"kinds": [], "roles": []}})
    assert desk.post(f"{path}/read", json={"encoding": "utf-8"}).status_code == 202


def test_only_who_sees_it_says_what_columns_stand_for(
    desk: Desk, client: TestClient, document: str
) -> None:
    for field in ("column", "kind", None):
        assert refused(desk.put("/kb/reports/columns", json={"name": "电话", "field": field}))
    assert client.get("/kb/reports/columns").json()["items"] == []
    put = client.put("/kb/reports/columns", json={"name": "电话", "field": "phone"})
    assert put.status_code == 200


def test_files_of_a_base_do_not_tell_a_name_that_is_personal(
    desk: Desk, client: TestClient, service: ApiService, kb_id: str, document: str
) -> None:
    client.patch("/kb/reports", json={"name": "张伟13812345678"})
    query = {"json": {"op": "count", "of": "records", "filters": {}}}
    for who, is_told in ((desk, False), (client, True)):
        table = who.get(f"/kb/{kb_id}/facts.csv")
        report = who.post(f"/kb/{kb_id}/query/report", **query)  # type: ignore[arg-type]  # JSON
        for answer in (table, report):
            assert answer.status_code == 200
            head = answer.headers["content-disposition"]
            assert bool(leaks(head)) is is_told
            assert (kb_id in head) is not is_told


@pytest.fixture
def page(client: TestClient, service: ApiService, kb_id: str, desk: Desk) -> str:
    """The path of a document whose page has nothing to hide, in a base that masks all."""
    client.patch("/kb/reports", json={"masking": ALL})
    sent = client.post(DOCUMENTS, files=[("files", ("a.pdf", PDF_BYTES))]).json()
    service.ingest(["Nothing to hide."])
    return f"{DOCUMENTS}/{sent['items'][0]['document']['id']}"


def test_a_picture_is_of_the_version_whose_words_it_hides(
    desk: Desk,
    client: TestClient,
    service: ApiService,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A version that came while a picture was looked for was drawn with the boxes of another."""
    first = client.get(page).json()["revision"]["sha256"]
    known = MaskingService.veil

    def revised(*given: Any) -> Veil:  # noqa: ANN401  whatever a veil is asked for
        monkeypatch.undo()
        veil = known(*given)
        client.post(DOCUMENTS, files=[("files", ("a.pdf", PDF_BYTES + b"%2"))])
        service.ingest(SENTENCES[:1])
        return veil

    monkeypatch.setattr(MaskingService, "veil", revised)
    early = desk.get(f"{page}/pages/1.png")
    second = client.get(page).json()["revision"]["sha256"]
    tags = {
        sha256: desk.get(f"{page}/pages/1.png", params={"revision": sha256}).headers["etag"]
        for sha256 in (first, second)
    }
    assert first != second
    assert early.headers["etag"] == tags[first] != tags[second]


def test_no_picture_leaves_of_a_text_that_is_gone(
    desk: Desk, client: TestClient, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = MaskingService.veil

    def deleted(*given: Any) -> Veil:  # noqa: ANN401  whatever a veil is asked for
        monkeypatch.undo()
        client.delete(page)
        return known(*given)

    assert desk.get(f"{page}/pages/1.png").status_code == 200
    monkeypatch.setattr(MaskingService, "veil", deleted)
    assert refused(desk.get(f"{page}/pages/1.png"))


SAID = ("欧阳修竹", "Zebulon", "Mary Ann Quill", "8765439", "沪B99887")


@pytest.fixture
def corrected(client: TestClient, service: ApiService, document: str) -> str:
    """A base in which an administrator set facts right; its document."""
    fields = ("person", "person", "person", "phone", "vehicle")
    for field, words in zip(fields, SAID, strict=True):
        facts = client.get("/kb/reports/facts", params={"field": field}).json()["items"]
        first = next(fact["id"] for fact in facts if not fact["correction"])
        answer = client.patch(f"/kb/reports/facts/{first}", json={"value": words})
        assert answer.status_code == 200
    return document


def told(text: str) -> set[str]:
    return {words for words in SAID if words.casefold() in text.casefold()}


def test_what_people_set_right_is_hidden_as_what_documents_say(
    desk: Desk, client: TestClient, corrected: str
) -> None:
    """A value that somebody typed stands in no text, and was shown as the label of a group."""
    seen: set[str] = set()
    for by in ("person", "reporter", "phone", "vehicle"):
        for op in ({"op": "group", "by": by}, {"op": "which", "field": by}):
            query = op | {"of": "records", "filters": {}}
            seen |= told(client.post("/kb/reports/query", json=query).text)
            for path in ("query", "query/report"):
                answer = desk.post(f"/kb/reports/{path}", json=query)
                assert answer.status_code == 200
                assert told(answer.text) == set(), (query, path)
    assert seen == set(SAID)
    for path in ("facts", "facts.csv", "incidents", "incidents/1"):
        answer = desk.get(f"/kb/reports/{path}")
        assert answer.status_code == 200, path
        assert told(answer.text) == set(), path


def test_a_correction_is_hidden_by_the_role_of_whom_it_names(
    desk: Desk, client: TestClient, corrected: str
) -> None:
    query = {"op": "which", "of": "records", "field": "person", "filters": {}}
    client.patch("/kb/reports", json={"masking": {"kinds": ["plate"], "roles": ["witness"]}})
    assert told(client.post("/kb/reports/query", json=query).text) == {*SAID[:3]}
    assert told(desk.post("/kb/reports/query", json=query).text) == {SAID[0], SAID[2]}
    client.delete(f"/kb/reports/documents/{corrected}")
    assert told(desk.post("/kb/reports/query", json=query).text) == set()


@pytest.mark.parametrize("field", ["phone", "email", "vehicle", "person", "reporter", "电话"])
def test_no_number_is_made_of_what_is_personal(desk: Desk, document: str, field: str) -> None:
    """The least, or the sum, of phones is told as a number, which no form knows again."""
    makes = ("sum", "min", "max", "average", "median")
    grouped = {"op": "group", "by": "kind", "field": field}
    asked = [{"op": op, "field": field} for op in (*makes, "top")]
    asked += [grouped | {"measure": measure} for measure in makes]
    for query in asked:
        for path in ("query", "query/report"):
            assert refused(desk.post(f"/kb/reports/{path}", json=query)), query
        watch = {"name": "w", "query": query, "schedule": "every 5 hours"}
        assert refused(desk.post("/kb/reports/watches", json=watch)), query


def test_numbers_are_made_of_what_is_not(desk: Desk, document: str) -> None:
    query = {"op": "sum", "of": "records", "field": "injured"}
    assert desk.post("/kb/reports/query", json=query).json()["answer"]
    grouped = {"op": "group", "by": "kind", "field": "injured", "measure": "max"}
    assert desk.post("/kb/reports/query", json=grouped).status_code == 200


def test_folders_are_told_to_who_sees_names(desk: Desk, client: TestClient, document: str) -> None:
    doors = (
        (DOCUMENTS, {"folder": "张伟"}),
        ("/kb/reports/folders", {}),
        ("/kb/reports/folders", {"within": "张伟"}),
    )
    for path, asked in doors:
        assert refused(desk.get(path, params=asked))
        assert client.get(path, params=asked).status_code == 200
    client.patch("/kb/reports", json={"masking": {"kinds": [], "roles": []}})
    for path, asked in doors:
        assert desk.get(path, params=asked).status_code == 200


def test_labels_do_not_tell_a_name_that_is_personal(
    desk: Desk, client: TestClient, service: ApiService, document: str
) -> None:
    made = {"name": "张伟", "description": "电话13812345678"}
    label = client.post("/kb/reports/labels", json=made).json()["id"]
    put = {"documents": [document], "add": [label]}
    assert desk.post(f"{DOCUMENTS}/labels", json=put).json() == {"num_documents": 1}
    (shown,) = desk.get("/kb/reports/labels").json()["items"]
    assert (shown["id"], shown["num_documents"]) == (label, 1)
    for path in ("/kb/reports/labels", DOCUMENTS, f"{DOCUMENTS}/{document}"):
        assert not leaks(desk.get(path).text)
    for path in (DOCUMENTS, "/kb/reports/facts"):
        for who, name, is_found in (
            (desk, "张伟", False),
            (desk, label, True),
            (client, "张伟", True),
        ):
            found = who.get(path, params={"label": name}).json()["items"]
            assert bool(found) is is_found, (path, name)
    search = {"query": "fire", "filters": {"labels": ["张伟"]}}
    desk.post("/kb/reports/search", json=search)
    assert not leaks(str(service.retriever.queries[-1].filters.labels))
    sent_back = {"name": shown["name"], "description": shown["description"], "colour": "teal"}
    assert desk.patch(f"/kb/reports/labels/{label}", json=sent_back).status_code == 200
    (kept,) = client.get("/kb/reports/labels").json()["items"]
    assert {name: kept[name] for name in ("name", "description", "colour")} == {
        **made,
        "colour": "teal",
    }
