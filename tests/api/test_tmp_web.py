from fastapi.testclient import TestClient
from tests.api.conftest import *


def test_x(client, kb_id, service):
    for n in ["Alpha 50%.txt", "beta.txt", "报告.txt"]:
        r = client.post(f"/kb/{kb_id}/documents", files=[("files", (n, b"hello world here"))])
        print(r.status_code)
    q = lambda s: [
        d["name"]
        for d in client.get(f"/kb/{kb_id}/documents", params={"name_contains": s}).json()["items"]
    ]
    assert (
        q("ALPHA") == ["Alpha 50%.txt"]
        and q("%") == ["Alpha 50%.txt"]
        and q("报") == ["报告.txt"]
        and len(q(".TXT")) == 3
    )
    d = client.get(f"/kb/{kb_id}/documents").json()["items"][0]
    assert d["job"]["status"] == "queued" and d["job"]["document_id"] == d["id"]
    assert client.get(f"/kb/{kb_id}/documents/{d['id']}").json()["job"] == d["job"]
