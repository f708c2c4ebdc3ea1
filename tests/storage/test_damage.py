"""Damage on disk is named, never taken for whole and never quoted; what is whole is still read."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from kb_service.domain.errors import StorageError
from kb_service.domain.spans import TextSpan
from kb_service.storage.checks.damage import look_over
from kb_service.storage.checks.verifier import Verifier, VerifyReport
from kb_service.storage.database import Database, open_database
from tests.postgres import administer, with_database
from tests.storage.world import PROFILE, World, build_world, sha256

PAGE_BYTES = 4096
CHUNK_CHANGES = {
    "text": "UPDATE chunks SET text = 'The pump ran.' WHERE id = :id",
    "prefix": "UPDATE chunks SET prefix = 'Another report' WHERE id = :id",
}


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A SQLite file of one's own; the tests that need PostgreSQL say so."""
    shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "kb.sqlite3")
    return f"sqlite:///{tmp_path / 'kb.sqlite3'}"


@pytest.fixture
def kb_id(world: World) -> str:
    """A base of two documents."""
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "a.txt", ["The pump failed at 07:42.", "Nobody was hurt."])
    world.ingest(kb_id, "b.txt", [f"Valve {number} was closed." for number in range(30)])
    world.assert_clean()
    return kb_id


def file_of(database: Database) -> Path:
    """Return the SQLite file with everything in it, closed."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return Path(make_url(str(database.engine.url)).database or "")


def garble(path: Path, start: int, count: int) -> None:
    """Invert bytes in place."""
    with path.open("r+b") as file:
        file.seek(start)
        garbled = bytes(byte ^ 0x5A for byte in file.read(count))
        file.seek(start)
        file.write(garbled)


def run(database: Database, statement: str, **values: object) -> None:
    with database.write() as connection:
        connection.execute(text(statement), values)


def verify_with_damaged_page(world: World, folder: Path, page: int) -> VerifyReport:
    """Verify a copy of the database with one page inverted."""
    copy = folder / f"page-{page}.sqlite3"
    shutil.copy(file_of(world.database), copy)
    garble(copy, (page - 1) * PAGE_BYTES, PAGE_BYTES)
    damaged = open_database(f"sqlite:///{copy}")
    report = Verifier(damaged, world.blobs).verify()
    damaged.close()
    return report


def test_a_damaged_page_anywhere_is_found_and_the_blobs_are_checked_all_the_same(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    """A torn page was once called clean, or ended the check without naming anything."""
    world.blobs.path(sha256(b"The pump failed at 07:42.\nNobody was hurt.")).write_bytes(b"rot")
    num_pages = file_of(world.database).stat().st_size // PAGE_BYTES
    for page in (1, 2, *range(3, num_pages + 1, 5)):
        report = verify_with_damaged_page(world, tmp_path, page)
        assert not report.is_clean
        assert report.damaged, f"page {page} of {num_pages}"
        assert report.num_blobs == 2
        assert any("has other bytes" in found for found in report.mismatched), f"page {page}"


def test_what_a_damaged_page_does_not_hit_is_counted_and_what_it_hits_is_named(
    world: World, kb_id: str, tmp_path: Path
) -> None:
    with world.database.read() as connection:
        statement = text("SELECT rootpage FROM sqlite_master WHERE name = 'embeddings'")
        page = connection.execute(statement).scalar_one()
    report = verify_with_damaged_page(world, tmp_path, page)
    assert (report.num_documents, report.num_chunks) == (2, 32)
    assert any("table embeddings" in found for found in report.damaged)
    assert any(f"Page {page}" in found for found in report.damaged)
    assert not report.mismatched


def test_a_truncated_database_is_damaged(world: World, kb_id: str) -> None:
    path = file_of(world.database)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert world.verifier.verify().damaged


def test_the_first_read_that_meets_damage_is_remembered(world: World, kb_id: str) -> None:
    path = file_of(world.database)
    assert not world.database.is_damaged
    with sqlite3.connect(path) as connection:
        page = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'documents'"
        ).fetchone()[0]
    garble(path, (page - 1) * PAGE_BYTES, PAGE_BYTES)
    with pytest.raises(StorageError) as error:
        world.catalog.documents.list(kb_id)
    assert error.value.code == "database_damaged"
    assert not error.value.is_outage
    assert world.database.is_damaged


def test_a_look_at_the_start_finds_a_damaged_page_and_passes_a_whole_file(
    world: World, kb_id: str
) -> None:
    assert "whole" in look_over(world.database)
    path = file_of(world.database)
    garble(path, (path.stat().st_size // PAGE_BYTES - 1) * PAGE_BYTES, PAGE_BYTES)
    with pytest.raises(StorageError) as error:
        look_over(world.database)
    assert error.value.code == "database_damaged"
    assert world.database.is_damaged


@pytest.mark.parametrize("wrong", ["The pump failed at 07:43.\nNobody was hurt.\n", "", "短"])
def test_a_text_with_a_wrong_byte_is_neither_served_nor_clean(
    world: World, kb_id: str, wrong: str
) -> None:
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    run(world.database, "UPDATE text_pieces SET text = :wrong WHERE revision_id = 1", wrong=wrong)
    with pytest.raises(StorageError) as error:
        world.catalog.revisions.text(kb_id, document.id)
    assert error.value.code == "text_damaged"
    assert error.value.details == {"document_id": document.id}
    damaged = world.verifier.verify().damaged
    assert [document.id in found for found in damaged] == [True]


def test_a_byte_that_is_no_utf8_is_damage_of_its_document(world: World, kb_id: str) -> None:
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    run(world.database, "UPDATE text_pieces SET text = CAST(x'54ff' AS TEXT) WHERE revision_id = 1")
    with pytest.raises(StorageError) as error:
        world.catalog.revisions.text(kb_id, document.id)
    assert (error.value.code, document.id in error.value.message) == ("text_damaged", True)
    report = world.verifier.verify()
    assert any(document.id in found and "UTF-8" in found for found in report.damaged)
    assert not world.database.is_damaged  # one document is, the rest is served


@pytest.mark.parametrize("column", CHUNK_CHANGES)
def test_a_chunk_with_other_words_is_no_hit(world: World, kb_id: str, column: str) -> None:
    ids = [chunk.chunk_id for chunk in world.source.live_chunks(kb_id, PROFILE)]
    assert len(world.source.hydrate(kb_id, ids)) == len(ids)
    run(world.database, CHUNK_CHANGES[column], id=ids[0])
    with pytest.raises(StorageError) as error:
        world.source.hydrate(kb_id, ids)
    assert error.value.code == "text_damaged"


def test_damaged_boxes_of_a_page_are_not_shown(world: World, kb_id: str) -> None:
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    assert document.revision is not None
    with world.database.write() as connection:
        statement = text("SELECT char_boxes FROM pages WHERE revision_id = 1 AND page_number = 1")
        packed = bytearray(connection.execute(statement).scalar_one())
        packed[len(packed) // 2] ^= 1
        connection.execute(
            text("UPDATE pages SET char_boxes = :packed WHERE revision_id = 1 AND page_number = 1"),
            {"packed": bytes(packed)},
        )
    with pytest.raises(StorageError) as error:
        world.catalog.revisions.regions(document.revision.id, TextSpan(0, 4))
    assert error.value.code == "page_boxes_damaged"


def test_a_stored_value_that_is_no_json_is_typed_and_named(world: World, kb_id: str) -> None:
    run(world.database, "UPDATE revisions SET metadata = '{' WHERE num_pages = 2")
    with pytest.raises(StorageError) as error:
        world.catalog.documents.list(kb_id)
    assert error.value.code == "text_damaged"
    assert any("revision 1" in found for found in world.verifier.verify().damaged)


def test_bytes_that_changed_vanished_or_cannot_be_read_are_told_apart_and_never_given_out(
    world: World, kb_id: str
) -> None:
    document = world.catalog.documents.find(kb_id, "a.txt")
    assert document is not None
    assert document.revision is not None
    path, _ = world.catalog.documents.content(kb_id, document.id)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"!")
    assert refused(world, kb_id, document.id) == "blob_damaged"
    assert len(world.verifier.verify().mismatched) == 1
    path.unlink()
    assert refused(world, kb_id, document.id) == "blob_missing"
    assert len(world.verifier.verify().lost) == 1
    path.mkdir()  # reading it fails as reading a bad sector does
    assert refused(world, kb_id, document.id) == "blob_damaged"
    assert "cannot be read" in world.verifier.verify().damaged[0]
    path.rmdir()
    world.upload(kb_id, "a.txt", whole)
    assert world.catalog.documents.content(kb_id, document.id)[0].read_bytes() == whole
    world.assert_clean()


def refused(world: World, kb_id: str, document_id: str) -> str:
    with pytest.raises(StorageError) as error:
        world.catalog.documents.content(kb_id, document_id)
    assert "a.txt" in error.value.message
    assert error.value.details is not None
    assert str(error.value.details["sha256"]) in error.value.message
    return error.value.code


def test_texts_that_wait_for_vectors_are_pending_and_nothing_is_lost(
    world: World, kb_id: str
) -> None:
    """Documents ingested without an embedding model were once counted as lost."""
    run(world.database, "DELETE FROM embeddings")
    report = world.verifier.verify()
    assert report.is_clean
    assert len(report.pending) == 2
    assert "2 chunks of document" in report.pending[0] + report.pending[1]


@pytest.mark.postgres
def test_a_damaged_page_of_postgresql_is_a_finding_and_the_rest_is_checked(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server = request.getfixturevalue("postgres_server")
    administer(server, "CREATE DATABASE kb_whole TEMPLATE kb_template")
    database = open_database(with_database(server, "kb_whole"))
    world = build_world(database, tmp_path)
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "a.txt", ["The pump failed at 07:42."])
    database.close()
    # The copy's pages are on disk and in no buffer: what is changed there is what is read.
    administer(server, "CREATE DATABASE kb_torn TEMPLATE kb_whole STRATEGY FILE_COPY")
    torn = open_database(with_database(server, "kb_torn"))
    with torn.read() as connection:
        folder = connection.execute(text("SHOW data_directory")).scalar_one()
        name = connection.execute(text("SELECT pg_relation_filepath('embeddings')")).scalar_one()
    garble(Path(folder) / name, 2000, 2000)
    report = Verifier(torn, world.blobs).verify()
    for opened, name in ((torn, "kb_torn"), (database, "kb_whole")):
        opened.close()
        administer(server, f"DROP DATABASE {name} WITH (FORCE)")
    assert any("embeddings" in found for found in report.damaged)
    assert (report.num_documents, report.num_revisions, report.num_blobs) == (1, 1, 1)
    assert report.num_embeddings is None
