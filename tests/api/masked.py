"""A base full of personal data, and a client that may not see it."""

from dataclasses import replace

from fastapi import FastAPI
from starlette.testclient import TestClient

from kb_service.domain.answers import Answer, AnswerAudit, Citation
from kb_service.domain.masking import PersonalKind, PersonRole
from kb_service.domain.people import Right, Rights
from kb_service.domain.spans import PageRegion, TextSpan
from tests.api.conftest import BASE_URL
from tests.api.service import ApiService, sample_answer, sample_audit

RAW = (
    *("13812345678", "138 1234 5678", "11010519491231002X", "6222021001116245702", "京A12345"),
    *("zhang.wei@example.com", "555-0188", "8765432", "8765433", "张伟", "李梅", "John Smith"),
    *("Smith", "钱学"),
)
SENTENCES = (
    "接处警记录。报警人张伟，电话13812345678，身份证号11010519491231002X。",
    "张伟驾驶京A12345离开，邮箱zhang.wei@example.com，卡6222021001116245702被盗刷。",
    "Witness John Smith (phone 555-0188) saw the fire; Smith left at 14:20 on 3 May 2024.",
    "编号: 1; 报警人: 李梅; 电话: 8765432; 时间: 2024-05-03 14:20; 类别: 火灾; 受伤: 2",
    "编号: 2; 报警人: 钱学; 电话: 8765433; 时间: 2024-05-04 15:20; 类别: 火灾; 受伤: 1",
)
TEXT = "\n".join(SENTENCES)
FILE = "13812345678 张伟.txt"
ALL = {"kinds": [*PersonalKind], "roles": [*PersonRole]}
ADMIN, DESK = Rights(is_admin=True), Rights(everywhere=Right.MANAGE)


class Desk(TestClient):
    """A client whose key may do everything in every base but see personal data, unless it is
    an administrator's. `key_id`: of the key."""

    def __init__(self, app: FastAPI, service: ApiService, rights: Rights) -> None:
        made = service.keys.add(f"key {rights.is_admin}", "", rights, None)
        self.key_id = made.key.id
        headers = {"x-api-key": made.secret}
        super().__init__(app, BASE_URL, raise_server_exceptions=False, headers=headers)


def filled(client: TestClient, service: ApiService, kb_id: str, owner: str) -> str:
    """Put personal data wherever a base may have it, and mask all; return the document's id."""
    content = f"{TEXT}\n".encode()
    sent = client.post(
        f"/kb/{kb_id}/documents", files=[("files", (FILE, content))], data={"tags": '["张伟"]'}
    ).json()
    document = str(sent["items"][0]["document"]["id"])
    service.ingest(SENTENCES)
    answer = replace(stored_answer(service, kb_id, document), owner=owner)
    service.answers.save_turn(answer, _audit())
    changed = client.patch(
        f"/kb/{kb_id}", json={"masking": ALL, "description": "问张伟13812345678"}
    )
    assert changed.status_code == 200, changed.text
    return document


def stored_answer(service: ApiService, kb_id: str, document: str) -> Answer:
    """Return an answer that quotes the whole document and names people without their role."""
    revision = service.catalog.revisions.get(kb_id, document)
    _, text = service.catalog.revisions.text(kb_id, document)
    words = "李梅和Smith说，8765432是电话。"
    answer = sample_answer(kb_id, "张伟的电话13812345678？", (words,), FILE)
    whole = TextSpan(0, len(text))
    passage = replace(
        answer.passages[0],
        document_id=document,
        revision_id=revision.id,
        sha256=revision.sha256,
        span=whole,
        text=text,
        document_name=FILE,
        document_line=SENTENCES[0],
    )
    citation: Citation = replace(
        answer.citations[0],
        document_id=document,
        sha256=revision.sha256,
        cited_text=text,
        source=whole,
        document_name=FILE,
        answer=TextSpan(0, len(words)),
        regions=(PageRegion(1),),
    )
    return replace(
        answer, passages=(passage,), citations=(citation,), missing=("张伟",), nearest=(1,)
    )


def _audit() -> AnswerAudit:
    return replace(sample_audit(), raw_output=TEXT, prompt_token_ids=(1, 2, 3))


def leaks(text: str) -> list[str]:
    """Return what is personal in a text that left."""
    return [raw for raw in RAW if raw in text]
