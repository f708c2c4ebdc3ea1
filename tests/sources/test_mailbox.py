"""A mailbox is read, never written: against a real IMAP server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.domain.errors import SourceError
from kb_service.domain.sync import SyncOrder
from kb_service.services.sync import SyncReport
from kb_service.settings import SyncSettings
from kb_service.source_parts import open_source
from kb_service.sources.mailbox import Mailbox, MailboxAddress, mailbox_name, name_of
from tests.services.conftest import Desk
from tests.sources.servers import USER, MailServer, mail_server

pytest.importorskip("pymap", reason="the IMAP server of the tests is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with mail_server(tmp_path, has_tls=True) as running:
        yield running


def opened(server: MailServer, tmp_path: Path, folder: str = "", **account: object) -> Mailbox:
    known = {"user": USER, "password": "hunter2", "ca_file": str(server.ca_file or "")}
    settings = SyncSettings.model_validate({"accounts": {"it": known | account}})
    place = f"imap://127.0.0.1:{server.port}/{folder}"
    return open_source(SyncOrder("r", place, "it"), settings, tmp_path)


def sync(desk: Desk, mailbox: Mailbox) -> SyncReport:
    report = desk.sync.run(desk.base.id, mailbox, prune=True)
    mailbox.close()
    desk.run(*(item for _, item in report.uploads))
    return report


def names(desk: Desk) -> set[str]:
    return {document.name for document in desk.catalog.documents.list(desk.base.id).items}


def test_mails_become_documents_and_each_is_fetched_once(
    desk: Desk, server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sync(desk, opened(server, tmp_path)).plan.is_empty
    server.put("维修: pump/3", "the pump leaked")
    server.put("Re: pump", "it was mended")
    report = sync(desk, opened(server, tmp_path))
    assert {item.outcome for _, item in report.uploads} == {"created"}
    assert names(desk) == {"2026-11-29 14.05 维修: pump 3.eml", "2026-11-29 14.05 Re: pump.eml"}
    assert server.do(("search", None, "UNSEEN"))[0].split() == [b"1", b"2"]
    monkeypatch.delattr(Mailbox, "fetch")
    assert sync(desk, opened(server, tmp_path)).plan.is_empty


def test_a_mail_that_was_deleted_is_pruned(desk: Desk, server: MailServer, tmp_path: Path) -> None:
    for number in range(3):
        server.put(f"mail {number}", f"text {number}")
    sync(desk, opened(server, tmp_path))
    server.do(("store", "2", "+FLAGS", r"(\Deleted)"))
    assert len(sync(desk, opened(server, tmp_path)).removed) == 1
    server.do(("expunge",))
    assert sync(desk, opened(server, tmp_path)).plan.is_empty
    assert names(desk) == {"2026-11-29 14.05 mail 0.eml", "2026-11-29 14.05 mail 2.eml"}


def test_mails_that_are_numbered_anew_stay_the_documents_they_are(
    desk: Desk, tmp_path: Path
) -> None:
    ids = []
    for _ in range(2):  # another server behind the same address: another UIDVALIDITY
        with mail_server(tmp_path, has_tls=False) as server:
            server.put("mail", "text")
            source = opened(server, tmp_path, tls=False)
            source._address = _at_one_port(source, server.port)
            sync(desk, source)
            ids.append([d.id for d in desk.catalog.documents.list(desk.base.id).items])
    assert ids[0] == ids[1]
    assert len(ids[0]) == 1


def _at_one_port(source: Mailbox, port: int) -> MailboxAddress:
    class Address(type(source._address)):  # type: ignore[misc]
        text = "imap://mail"

    own = source._address
    return Address(**{name: getattr(own, name) for name in own.__slots__})


def test_a_folder_with_a_chinese_name_is_opened(
    desk: Desk, server: MailServer, tmp_path: Path
) -> None:
    assert mailbox_name('台北 & "x"') == '&U,BTFw- &- \\"x\\"'
    server.put("mail", "text", folder=mailbox_name("报告"))
    assert len(sync(desk, opened(server, tmp_path, "%E6%8A%A5%E5%91%8A")).uploads) == 1


@pytest.mark.parametrize(
    ("account", "folder", "said"),
    [
        ({"password": "wrong-pa55"}, "", "cannot be opened"),
        ({}, "absent", "cannot be opened"),
        ({"ca_file": ""}, "", "CERTIFICATE_VERIFY_FAILED"),
    ],
    ids=["password", "folder", "certificate"],
)
def test_what_cannot_be_opened_says_why_and_no_password(
    desk: Desk, server: MailServer, tmp_path: Path, account: dict[str, str], folder: str, said: str
) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        sync(desk, opened(server, tmp_path, folder, **account))
    assert "pa55" not in caught.value.message
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "mail.eml"),
        (b"Subject: =?utf-8?b?5rOE5ryP?=\r\n", "泄漏.eml"),
        (b"Subject: a\r\n b\r\nDate: nonsense\r\n", "a b.eml"),
        (b"Subject: \xb1\xb1\xbe\xa9/x\r\n", "\ufffd\ufffd\ufffd\ufffd x.eml"),
        (b"Subject: =?nonsense?q?x?=\r\n", "x.eml"),
    ],
)
def test_a_mail_is_called_by_its_time_and_subject(head: bytes, name: str) -> None:
    assert name_of(head + b"\r\nbody") == name
