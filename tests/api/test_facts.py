"""Facts and incidents over HTTP: listed, exported, set right, linked and unlinked."""

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.service import ApiService

Json = dict[str, Any]
NOTICE = ["Notice N-1 (Initial)", "On 3 May 2024 at 14:20 a fire broke out at Mill Lane 7.", "No."]
FOLLOW_UP = ["Notice N-2 (Follow-up)", "Follow-up to N-1.", "On 3 May 2024 five people were hurt."]


@pytest.fixture
def send(client: TestClient, service: ApiService, kb_id: str) -> Any:  # noqa: ANN401  a function
    def sent(name: str, sentences: list[str]) -> str:
        files = [("files", (name, "\n".join(sentences).encode()))]
        answer = client.post("/kb/reports/documents", files=files).json()
        service.ingest(sentences)
        return str(answer["items"][0]["document"]["id"])

    return sent


def test_facts_are_listed_with_the_words_that_state_them(client: TestClient, send: Any) -> None:  # noqa: ANN401
    document = send("a.txt", NOTICE)
    found = client.get("/kb/reports/facts", params={"field": "time"}).json()["items"]
    assert [(f["value"], f["time_from"], f["precision"]) for f in found] == [
        ("3 May 2024 at 14:20", "2024-05-03T14:20:00", "minute")
    ]
    assert (found[0]["document_id"], found[0]["record"], found[0]["incident"]) == (document, 0, 1)
    text = client.get(f"/kb/reports/documents/{document}/text").json()["text"]
    span = found[0]["span"]
    assert text[span["start"] : span["end"]] == found[0]["value"]
    assert found[0]["pages"][0]["page_number"] == 2


def test_a_fact_is_set_right_and_back(client: TestClient, send: Any) -> None:  # noqa: ANN401
    send("a.txt", FOLLOW_UP)
    fact = client.get("/kb/reports/facts", params={"field": "injured"}).json()["items"][0]
    done = client.patch(f"/kb/reports/facts/{fact['id']}", json={"value": "6"}).json()
    assert (done["number"], done["value"], done["method"]) == (6.0, fact["value"], "person")
    assert done["correction"]["at"]
    back = client.patch(f"/kb/reports/facts/{done['id']}", json={"value": None}).json()
    assert (back["number"], back["correction"]) == (5.0, None)
    refused = client.patch(f"/kb/reports/facts/{back['id']}", json={"value": "soon"})
    assert refused.json()["error"]["code"] == "value_not_understood"
    for unknown in ("999999", "x", "9" * 40):
        answer = client.patch(f"/kb/reports/facts/{unknown}", json={"value": "1"})
        assert answer.json()["error"]["code"] == "fact_not_found"


def test_an_incident_of_two_documents_is_one_until_they_are_unlinked(
    client: TestClient,
    send: Any,  # noqa: ANN401
) -> None:
    send("a.txt", NOTICE)
    second = send("b.txt", FOLLOW_UP)
    (incident,) = client.get("/kb/reports/incidents").json()["items"]
    assert (incident["kind"], incident["place"]) == ("fire", "Mill Lane 7")
    assert [r["status"] for r in incident["records"]] == ["initial", "follow-up"]
    whole = client.get(f"/kb/reports/incidents/{incident['number']}").json()
    assert len(whole["timeline"]) == 2
    link = f"/kb/reports/records/{second}/0/link"
    assert client.delete(link).status_code == 204
    assert len(client.get("/kb/reports/incidents").json()["items"]) == 2
    own = client.get("/kb/reports/incidents", params={"document": second}).json()["items"]
    assert [r["document_id"] for r in own[0]["records"]] == [second]
    shown = client.get(f"/kb/reports/incidents/{own[0]['number']}").json()
    assert shown["records"][0]["apart"]["at"]
    assert client.post(link).status_code == 204
    assert len(client.get("/kb/reports/incidents").json()["items"]) == 1
    assert client.get("/kb/reports/incidents/77").json()["error"]["code"] == "incident_not_found"


def test_no_cell_of_the_export_acts_in_a_spreadsheet(client: TestClient, send: Any) -> None:  # noqa: ANN401
    send("=1+2.txt", ["Incident No.: C-5", "Location: =HYPERLINK(1)", "Type: fire"])
    answer = client.get("/kb/reports/facts.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0][:4] == ["document", "record", "incident", "field"]
    place = next(row for row in rows if row[3] == "place")
    assert (place[0], place[4]) == ("'=1+2.txt", "'=HYPERLINK(1)")


def test_similar_incidents_tell_what_is_alike_and_what_differs(
    client: TestClient,
    send: Any,  # noqa: ANN401
) -> None:
    send("a.txt", NOTICE)
    send("b.txt", ["Report N-9", "On 9 July 2024 a fire broke out at Oak Road 2."])
    incidents = client.get("/kb/reports/incidents").json()["items"]
    (found,) = client.get("/kb/reports/incidents/1/similar").json()["items"]
    assert found["incident"] == incidents[1]
    assert [pair["field"] for pair in found["alike"]] == ["kind"]
    assert [(pair["value"], pair["other"]) for pair in found["differs"]] == [
        ("Mill Lane 7", "Oak Road 2")
    ]
    assert 0 < found["score"] < 1
    refused = client.get("/kb/reports/incidents/1/similar?limit=0").json()["error"]["code"]
    assert refused == "limit_out_of_range"
    gone = client.get("/kb/reports/incidents/77/similar").json()["error"]["code"]
    assert gone == "incident_not_found"


def test_incidents_are_listed_by_the_words_that_tell_of_them(
    client: TestClient,
    send: Any,  # noqa: ANN401
) -> None:
    document = send("a.txt", NOTICE)
    send("b.txt", ["Report N-9", "On 9 July 2024 a fire broke out at Oak Road 2."])
    fact = client.get("/kb/reports/facts?field=time").json()["items"][0]

    def numbers(**asked: object) -> list[int]:
        params = {"document": document, **asked}
        items = client.get("/kb/reports/incidents", params=params).json()["items"]
        return [item["number"] for item in items]

    span = fact["span"]
    assert numbers() == [1]
    assert numbers(revision=fact["revision"], start=span["start"], end=span["end"]) == [1]
    assert numbers(start=99_999) == []
    assert numbers(revision="0" * 64) == []
    unknown = client.get("/kb/reports/incidents?document=doc_x").json()["error"]["code"]
    assert unknown == "document_not_found"
