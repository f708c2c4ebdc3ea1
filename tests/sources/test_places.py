"""What every place owes to a sync, against real servers of S3 and WebDAV."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from kb_service.domain.errors import ConfigurationError, InvalidRequest, KbError, SourceError
from kb_service.domain.sources import Fetched, Source, SourceFile
from kb_service.domain.sync import SyncOrder
from kb_service.services.sync import SyncReport
from kb_service.settings import SyncSettings
from kb_service.source_parts import open_source
from kb_service.sources.remote import RemoteFolder
from tests.services.conftest import Desk
from tests.sources.servers import FolderPlace, S3Place, WebdavPlace

NEEDED = {
    "folder": (),
    "s3": ("s3fs", "moto", "flask_cors", "boto3"),
    "webdav": ("webdav4", "wsgidav", "cheroot"),
}
Place = FolderPlace | S3Place | WebdavPlace
FILES = {"a.txt": "report a", "2024/b c+ü.txt": "report b", "2024/x/c.txt": "report c"}


@pytest.fixture(params=list(NEEDED))
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    for module in NEEDED[request.param]:
        pytest.importorskip(module, reason=f"the extra `sources` lacks {module}")
    share = tmp_path / "share"
    made = {"folder": FolderPlace, "s3": S3Place, "webdav": WebdavPlace}[request.param](share)
    for path, text in FILES.items():
        made.put(path, text)
    yield made
    made.stop()


def opened(place: Place, data_dir: Path, **account: object) -> Source:
    settings = SyncSettings.model_validate(
        {"settle_s": 0, "timeout_s": 5, "accounts": {"it": place.account | account}}
    )
    return open_source(SyncOrder("r", place.url, "it"), settings, data_dir)


def sync(desk: Desk, source: Source) -> SyncReport:
    report = desk.sync.run(desk.base.id, source, prune=True)
    desk.run(*(item for _, item in report.uploads))
    return report


def names(desk: Desk) -> set[str]:
    return {document.name for document in desk.catalog.documents.list(desk.base.id).items}


def test_a_place_is_followed(desk: Desk, place: Place, tmp_path: Path) -> None:
    for clutter in ("~$a.docx", ".hidden", "2024/.git/HEAD"):
        place.put(clutter, "x")
    report = sync(desk, opened(place, tmp_path))
    assert ({item.outcome for _, item in report.uploads}, names(desk)) == ({"created"}, set(FILES))
    assert report.plan.num_skipped == 3
    place.put("a.txt", "another report")
    place.put("new.txt", "new")
    place.remove("2024/x/c.txt")
    report = sync(desk, opened(place, tmp_path))
    assert (report.plan.added, report.plan.changed) == (("new.txt",), ("a.txt",))
    assert report.removed == ("2024/x/c.txt",)
    assert names(desk) == {"a.txt", "2024/b c+ü.txt", "new.txt"}


def test_what_has_not_changed_is_not_fetched_again(
    desk: Desk, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.put("empty.txt", "")
    place.put("big.txt", "x" * 1001)
    sync(desk, opened(place, tmp_path))
    monkeypatch.delattr(RemoteFolder, "_copy")
    report = sync(desk, opened(place, tmp_path))
    assert (report.plan.is_empty, set(report.refused)) == (True, {"big.txt", "empty.txt"})


def test_a_lost_memory_costs_fetches_and_no_versions(
    desk: Desk, place: Place, tmp_path: Path
) -> None:
    sync(desk, opened(place, tmp_path))
    for path in (tmp_path / "sync").rglob("*.json"):
        path.unlink()
    report = sync(desk, opened(place, tmp_path))
    assert {item.outcome for _, item in report.uploads} <= {"unchanged"}


class Breaking:
    """A source whose place goes away at its second fetch."""

    def __init__(self, source: Source, place: Place) -> None:
        self.source, self.place, self.num_fetched = source, place, 0
        self.origin, self.are_stamps_sure = source.origin, source.are_stamps_sure
        self.listing, self.close = source.listing, source.close

    def fetch(
        self, file: SourceFile, max_bytes: int | None = None
    ) -> AbstractContextManager[Fetched]:
        self.num_fetched += 1
        if self.num_fetched == 2:
            self.place.stop()
        return self.source.fetch(file, max_bytes)


def test_a_place_that_goes_away_in_the_middle_loses_and_prunes_nothing(
    desk: Desk, place: Place, tmp_path: Path
) -> None:
    if isinstance(place, FolderPlace) and not isinstance(place, WebdavPlace):
        pytest.skip("files of a folder are refused one by one")
    sync(desk, opened(place, tmp_path))
    place.remove("a.txt")
    for name in ("n1.txt", "n2.txt"):
        place.put(name, name)
    report = sync(desk, Breaking(opened(place, tmp_path), place))
    assert isinstance(report.failure, SourceError)
    assert ([name for name, _ in report.uploads], report.removed) == (["n1.txt"], ())
    assert names(desk) == {*FILES, "n1.txt"}
    with pytest.raises(KbError):
        sync(desk, opened(place, tmp_path))
    assert names(desk) == {*FILES, "n1.txt"}


def test_a_wrong_password_is_told_without_the_password(
    desk: Desk, place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if not isinstance(place, WebdavPlace):
        pytest.skip("this server asks for none")
    with pytest.raises(SourceError) as caught:
        sync(desk, opened(place, tmp_path, password="wrong-pa55"))
    assert "401" in caught.value.message
    assert "wrong-pa55" not in caught.value.message + caplog.text


def test_no_secret_is_kept(desk: Desk, place: Place, tmp_path: Path) -> None:
    sync(desk, opened(place, tmp_path))
    secret = str(place.account.get("password", "never")).encode()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".txt"]
    assert kept
    assert not [path for path in kept if secret in path.read_bytes()]


@pytest.mark.parametrize(
    ("url", "account", "code"),
    [
        ("webdav://u:pw@nas/share", "", "password_in_address"),
        ("ftp://nas/share", "", "unknown_source"),
        ("s3:///x", "", "unknown_source"),
        ("s3://[x", "", "unknown_source"),
        ("imaps://mail:99999/INBOX", "", "unknown_source"),
        ("webdav://nas:http/share", "", "unknown_source"),
        ("imaps://mail.example.org/INBOX", "nobody", "unknown_account"),
    ],
)
def test_an_address_that_cannot_be_opened_says_why(
    tmp_path: Path, url: str, account: str, code: str
) -> None:
    with pytest.raises((InvalidRequest, ConfigurationError)) as caught:
        open_source(SyncOrder("r", url, account), SyncSettings(), tmp_path)
    assert (caught.value.code, "pw" in caught.value.message) == (code, False)


def test_the_lacking_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, url in (("s3fs", "s3://b/x"), ("webdav4.fsspec", "webdavs://nas/x")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(ConfigurationError, match=r"kb-service\[sources\]"):
            open_source(SyncOrder("r", url), SyncSettings(), tmp_path)


class HalfListed:
    """A file system that lists the top and fails below."""

    def ls(self, path: str, detail: bool) -> list[dict[str, object]]:
        if path:
            raise TimeoutError("too slow")
        return [{"name": "a.txt", "type": "file", "size": 1}, {"name": "x", "type": "directory"}]

    def open(self, path: str, mode: str) -> Fetched:
        raise AssertionError


def test_a_listing_that_fails_below_is_no_listing(desk: Desk, tmp_path: Path) -> None:
    from kb_service.sources.remote import Opened

    source = RemoteFolder(Opened(HalfListed(), (OSError,)), "", "sync:x", tmp_path)
    with pytest.raises(SourceError, match="x cannot be listed: TimeoutError: too slow"):
        sync(desk, source)
