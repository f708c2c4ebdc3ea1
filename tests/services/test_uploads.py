"""What may come in, what is rejected, and that every rejection names its reason."""

import io
import unicodedata

import pytest

from kb_service.domain.documents import DocumentStatus
from kb_service.domain.errors import Conflict, DocumentError, NotFound
from kb_service.domain.lists import Wanted
from kb_service.services.uploads import UploadService
from tests.services.conftest import MAX_FILE_BYTES, Desk

ODD_NAMES = [
    "quo\"te's.txt",
    "<img src=x onerror=alert(1)>.txt",
    "../../etc/passwd",
    "C:\\temp\\a.txt",
    "\u202etxt.exe",
    "事故报告.txt",
    "é" * 127 + "x",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_data_and_kept_as_it_is(desk: Desk, name: str) -> None:
    item = desk.upload(name, "water in the pump room")
    assert item.outcome == "created"
    assert item.document is not None
    assert desk.catalog.documents.find(desk.base.id, name) is not None


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 256, "汉" * 86, "a\x00b", "line\nbreak", "\ud800"]
)
def test_a_name_outside_the_range_is_rejected_with_its_reason(desk: Desk, name: str) -> None:
    item = desk.upload(name, "text")
    assert item.outcome == "rejected"
    assert item.error is not None
    assert item.error.code == "invalid_document_name"


COMPOSED = ["été.txt", "Ünïcode é/à.txt", "보고서.txt", "がぎ.txt", "Ấn.txt"]


@pytest.mark.parametrize("name", COMPOSED)
def test_one_name_in_two_unicode_forms_is_one_document(desk: Desk, name: str) -> None:
    apart = unicodedata.normalize("NFD", name)
    assert apart != name
    first, second = desk.upload(apart, "old words"), desk.upload(name, "new words")
    assert (first.outcome, second.outcome) == ("created", "revised")
    assert first.document and second.document
    assert (first.document.id, first.document.name) == (second.document.id, name)
    assert desk.upload(apart, "new words").outcome == "unchanged"
    for form in (name, apart):
        assert desk.catalog.documents.find(desk.base.id, form) == second.document
        assert len(desk.catalog.documents.list(desk.base.id, wanted=Wanted(form)).items) == 1
        assert (
            len(
                desk.catalog.documents.list(
                    desk.base.id, wanted=Wanted(name_contains=form[:-4])
                ).items
            )
            == 1
        )


def test_documents_stored_in_other_forms_stay_what_they_are(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, apart = "été.txt", unicodedata.normalize("NFD", "été.txt")
    with monkeypatch.context() as earlier:
        earlier.setattr("kb_service.storage.documents.registration.composed", lambda name: name)
        old = desk.upload(apart, "old words").document
    assert old is not None and old.name == apart
    revised = desk.upload(name, "new words")
    assert (revised.outcome, revised.document and revised.document.id) == ("revised", old.id)
    with monkeypatch.context() as earlier:
        earlier.setattr("kb_service.storage.documents.registration.composed", lambda name: name)
        earlier.setattr("kb_service.storage.documents.rows.forms_of", lambda name: (name,))
        other = desk.upload(name, "other words").document
    assert other is not None and other.id != old.id
    for form, document in ((name, other), (apart, old)):
        item = desk.upload(form, f"words of {document.id}")
        assert item.document and item.document.id == document.id


def test_a_base_has_one_name_in_every_unicode_form(desk: Desk) -> None:
    base = desk.catalog.bases.create(unicodedata.normalize("NFD", "Pannes d'été"))
    assert base.name == "Pannes d'été"
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, base.name)
        assert desk.catalog.bases.get(name).id == base.id
        with pytest.raises(Conflict):
            desk.catalog.bases.create(name)


def test_an_empty_file_is_rejected(desk: Desk) -> None:
    item = desk.upload("empty.txt", "")
    assert item.error is not None
    assert item.error.code == "empty_document"


def test_a_file_past_the_limit_is_rejected_and_names_the_limit(desk: Desk) -> None:
    item = desk.upload("big.txt", "x" * (MAX_FILE_BYTES + 1))
    assert item.error is not None
    assert item.error.code == "payload_too_large"
    assert str(MAX_FILE_BYTES) in item.error.message


def test_an_unreadable_kind_is_rejected_and_leaves_no_bytes(desk: Desk) -> None:
    def refuse(name: str, head: bytes) -> str:
        raise DocumentError(f"{name} is an image", code="unsupported_media_type")

    uploads = UploadService(desk.catalog, desk.uploads._blobs, refuse, MAX_FILE_BYTES)
    item = uploads.accept(desk.base.id, "a.png", io.BytesIO(b"\x89PNG"))
    assert item.error is not None
    assert item.error.code == "unsupported_media_type"
    assert list(desk.uploads._blobs.iter_sha256()) == []


def test_an_unknown_base_is_an_error_of_the_whole_request(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.uploads.accept("kb_none", "a.txt", io.BytesIO(b"text"))


@pytest.mark.parametrize("tags", [["x" * 101], [""], [str(number) for number in range(51)]])
def test_tags_outside_the_range_are_rejected(desk: Desk, tags: list[str]) -> None:
    item = desk.uploads.accept(desk.base.id, "a.txt", io.BytesIO(b"text"), tags)
    assert item.error is not None
    assert item.error.code == "invalid_tags"


def test_the_same_bytes_again_are_nothing_to_do(desk: Desk) -> None:
    first = desk.upload("a.txt", "one")
    desk.run(first)
    again = desk.upload("a.txt", "one")
    assert (again.outcome, again.job) == ("unchanged", None)


def test_new_bytes_under_a_name_are_a_revision_of_the_same_document(desk: Desk) -> None:
    first = desk.upload("a.txt", "one")
    second = desk.upload("a.txt", "two")
    assert second.outcome == "revised"
    assert first.document is not None
    assert second.document is not None
    assert first.document.id == second.document.id
    desk.run(second)
    document = desk.catalog.documents.get(desk.base.id, first.document.id)
    assert document.status is DocumentStatus.READY
