"""A base in one archive: what comes back is what was there, and a bad archive leaves nothing."""

import json
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kb_service.domain.archives import Archived
from kb_service.domain.errors import (
    Conflict,
    DocumentError,
    InvalidRequest,
    KbError,
    NotFound,
    StorageError,
)
from kb_service.domain.facts import ColumnField
from kb_service.domain.history import PastState
from kb_service.storage.archives import exporting
from kb_service.storage.archives.exporting import export_base
from kb_service.storage.archives.importing import import_base
from kb_service.storage.facts.columns import Columns
from kb_service.storage.past import PastIndexSource
from kb_service.storage.tables import knowledge_bases
from tests.storage.test_erasure import AUDIT, quoting
from tests.storage.world import PROFILE, World

LIMIT = 1_000_000


@pytest.fixture
def kb_id(world: World) -> str:
    kb_id = world.catalog.bases.create("reports", "of all").id
    world.upload(kb_id, "a.txt", b"one", tags=("x", "y"))
    world.publish(world.claim(), ["one", "shared"])
    world.clock.advance(60)
    world.ingest(kb_id, "b.txt", ["泵失效。", "shared"])
    world.ingest(kb_id, "a.txt", ["two"])
    world.upload(kb_id, "poison.txt", b"poison")
    world.queue.fail(world.claim(), DocumentError("broken"), retry=False)
    world.upload(kb_id, "waiting.txt", b"waiting")
    return kb_id


def exported(world: World, kb_id: str, path: Path, *, with_talks: bool = False) -> Archived:
    return export_base(world.database, world.blobs, kb_id, path, with_talks=with_talks)


def imported(world: World, path: Path, name: str | None = None) -> Archived:
    return import_base(world.database, world.blobs, path, name, LIMIT)


def as_of(world: World, kb_id: str) -> list[list[str]]:
    source = PastIndexSource(world.database)
    return [
        [c.text for c in source.live_chunks(PastState(kb_id, change).key, PROFILE)]
        for change in range(world.source.head(kb_id) + 1)
    ]


def shown(world: World, kb_id: str) -> list[object]:
    return [
        (d.name, d.status, d.tags, d.error, d.created_at, d.versions, d.page_report)
        for d in world.catalog.documents.list(kb_id).items
    ]


def test_what_comes_back_is_what_was_there(world: World, kb_id: str, tmp_path: Path) -> None:
    done = exported(world, kb_id, tmp_path / "a.zip")
    back = imported(world, tmp_path / "a.zip", "copy")
    assert (done.name, done.num_documents, done.num_files) == ("reports", 4, 5)
    assert (back.name, back.num_documents, back.num_files) == ("copy", 4, 5)
    assert back.kb_id != kb_id
    assert shown(world, back.kb_id) == shown(world, kb_id)
    assert world.live_texts(back.kb_id) == world.live_texts(kb_id)
    assert as_of(world, back.kb_id) == as_of(world, kb_id)
    vectors = [chunk.vector for chunk in world.source.live_chunks(back.kb_id, PROFILE)]
    assert all(vectors)
    one, other = (world.catalog.bases.get(key) for key in (kb_id, back.kb_id))
    assert (one.description, one.change, one.num_chunks, one.created_at) == (
        other.description,
        other.change,
        other.num_chunks,
        other.created_at,
    )
    world.assert_clean()


def test_an_archive_is_told_of_once_its_name_is_on_the_disk(
    world: World, kb_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = tmp_path / "base.zip", []
    monkeypatch.setattr(exporting, "sync_folder", lambda folder: seen.append(path.exists()))
    exported(world, kb_id, path)
    assert seen == [True]


def test_what_columns_stand_for_comes_along(world: World, kb_id: str, tmp_path: Path) -> None:
    Columns(world.database, world.clock).put(kb_id, "Spot", "place", "Ann")
    exported(world, kb_id, tmp_path / "a.zip")
    back = imported(world, tmp_path / "a.zip", "copy")
    kept = Columns(world.database).listed(back.kb_id)
    assert kept == (ColumnField("Spot", "place", "Ann", world.clock.now),)


def test_an_imported_base_goes_on_by_itself(world: World, kb_id: str, tmp_path: Path) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    world.catalog.bases.delete(kb_id)
    back = imported(world, tmp_path / "a.zip")
    assert back.name == "reports"
    claim = world.claim()
    assert (claim.document_name, claim.job.kb_id) == ("waiting.txt", back.kb_id)
    world.publish(claim, ["waiting"])
    world.ingest(back.kb_id, "a.txt", ["three"])
    assert sorted(world.live_texts(back.kb_id)) == sorted(
        ["泵失效。", "shared", "waiting", "three"]
    )
    for document in world.catalog.documents.list(back.kb_id).items:
        world.catalog.documents.delete(back.kb_id, document.id)
    world.assert_clean()
    assert list(world.blobs.iter_sha256()) == []


def test_conversations_come_along_when_they_are_wanted(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    world.answers.save_turn(quoting(world, kb_id, document.id), AUDIT)
    exported(world, kb_id, tmp_path / "plain.zip")
    exported(world, kb_id, tmp_path / "whole.zip", with_talks=True)
    plain, whole = (imported(world, tmp_path / f"{n}.zip", n) for n in ("plain", "whole"))
    assert world.answers.list_conversations(plain.kb_id).items == ()
    (talk,) = world.answers.list_conversations(whole.kb_id).items
    assert [message.content for message in talk.messages] == ["Who?", "Ada Lovelace"]
    answer, audit = world.answers.get(str(talk.messages[1].answer_id))
    copy = world.catalog.documents.find(whole.kb_id, "a.txt")
    assert copy is not None
    assert answer.passages[0].document_id == copy.id
    assert (answer.kb_id, answer.conversation_id, audit) == (whole.kb_id, talk.id, AUDIT)
    world.catalog.documents.delete(whole.kb_id, copy.id)
    assert world.answers.get(answer.id)[0].answer == ""
    world.assert_clean()


def test_a_taken_name_and_a_taken_file_are_refused(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    with pytest.raises(Conflict) as taken:
        exported(world, kb_id, tmp_path / "a.zip")
    assert taken.value.code == "file_exists"
    with pytest.raises(Conflict) as error:
        imported(world, tmp_path / "a.zip")
    assert error.value.code == "kb_name_taken"
    assert sorted(path.name for path in world.blobs.staging.iterdir()) == []
    world.assert_clean()


def test_a_place_that_cannot_be_written_is_told(world: World, kb_id: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no folder")
    for path in (tmp_path / "file" / "a.zip", tmp_path / "nowhere" / "a.zip"):
        with pytest.raises(StorageError):
            exported(world, kb_id, path)


def test_a_part_of_somebody_else_stays(world: World, kb_id: str, tmp_path: Path) -> None:
    part = tmp_path / "a.zip.part"
    part.write_bytes(b"of another export")
    with pytest.raises(Conflict) as error:
        exported(world, kb_id, tmp_path / "a.zip")
    assert error.value.code == "file_exists"
    assert part.read_bytes() == b"of another export"
    part.unlink()
    with pytest.raises(NotFound):
        exported(world, "kb_nowhere", tmp_path / "a.zip")
    assert not part.exists()


def rewritten(path: Path, change: dict[str, bytes | None], **manifest: object) -> Path:
    """Copy an archive with other members; the manifest keeps their old checksums."""
    made = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = change.pop(name, old.read(name))
            if name == "manifest.json" and manifest and content is not None:
                content = json.dumps(json.loads(content) | manifest).encode()
            if content is not None:
                new.writestr(name, content)
        for name, content in change.items():
            new.writestr(name, content or b"")
    return made


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"rows/chunks.jsonl": b"{}\n"}, "rows/chunks.jsonl"),
        ({"rows/pages.jsonl": None}, "manifest.json"),
        ({"../../evil": b"x"}, "manifest.json"),
        ({"manifest.json": b"{"}, "manifest.json"),
        ({"manifest.json": None}, "manifest.json"),
    ],
)
def test_a_damaged_archive_is_refused_with_the_place_and_leaves_nothing(
    world: World, kb_id: str, tmp_path: Path, change: dict[str, bytes | None], place: str
) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    world.catalog.bases.delete(kb_id)
    with pytest.raises(InvalidRequest) as error:
        imported(world, rewritten(tmp_path / "a.zip", dict(change)))
    assert error.value.code == "archive_damaged"
    assert place in error.value.message
    assert_nothing_is_left(world)


def assert_nothing_is_left(world: World) -> None:
    with world.database.read() as connection:
        count = select(func.count()).select_from(knowledge_bases)
        assert connection.execute(count).scalar_one() == 0
    assert list(world.blobs.iter_sha256()) == list(world.blobs.staging.iterdir()) == []
    world.assert_clean()


def test_each_byte_that_is_wrong_is_found(world: World, kb_id: str, tmp_path: Path) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    world.catalog.bases.delete(kb_id)
    whole = (tmp_path / "a.zip").read_bytes()
    for place in range(40, len(whole), len(whole) // 40):
        wrong = bytearray(whole)
        wrong[place] ^= 0x20
        (tmp_path / "b.zip").write_bytes(bytes(wrong))
        try:
            back = imported(world, tmp_path / "b.zip")
        except KbError as error:
            assert isinstance(error, InvalidRequest), error
            assert_nothing_is_left(world)
        else:  # a byte of the zip's own that says nothing
            assert len(world.live_texts(back.kb_id)) == 3
            world.assert_clean(may_wait=True)
            world.catalog.bases.delete(back.kb_id)


def test_a_future_format_and_what_is_no_archive_are_refused(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    with pytest.raises(InvalidRequest) as error:
        imported(world, rewritten(tmp_path / "a.zip", {}, format=2), "new")
    assert error.value.code == "archive_too_new"
    (tmp_path / "b.zip").write_bytes(b"no archive")
    with pytest.raises(InvalidRequest):
        imported(world, tmp_path / "b.zip", "new")


def forged(path: Path, table: str, **values: object) -> Path:
    """Change every row of a table, with checksums that are right."""
    import hashlib

    made = path.with_name("forged.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for name in old.namelist():
            content = old.read(name)
            if name == f"rows/{table}.jsonl":
                rows = [json.loads(line) | values for line in content.splitlines()]
                content = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
                told = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
                manifest["members"][name] = told
            if name != "manifest.json":
                new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(manifest))
    return made


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("chunks", {"text": "forged"}),
        ("chunks", {"start": "x"}),
        ("chunks", {"revision_id": 99_999}),
        ("chunks", {"extra": 1}),
        ("documents", {"kb_id": "kb_of_others"}),
        ("documents", {"name": "one for all"}),
        ("documents", {"created_at": "yesterday"}),
        ("versions", {"sha256": "0" * 64}),
        ("text_pieces", {"units": "no base64!"}),
        ("text_pieces", {"text": "forged"}),
        ("revisions", {"text_sha256": "0" * 64}),
        ("past_chunks", {"prefix": "forged"}),
        ("pages", {"char_boxes": "Zm9yZ2Vk"}),
        ("revisions", {"page_report": 5}),
        ("knowledge_bases", {"id": 7}),
    ],
)
def test_rows_that_contradict_each_other_are_refused(
    world: World, kb_id: str, tmp_path: Path, table: str, values: dict[str, object]
) -> None:
    exported(world, kb_id, tmp_path / "a.zip")
    world.catalog.bases.delete(kb_id)
    with pytest.raises(InvalidRequest) as error:
        imported(world, forged(tmp_path / "a.zip", table, **values))
    assert error.value.code == "archive_damaged"
    assert_nothing_is_left(world)
