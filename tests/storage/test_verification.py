"""`verify` sees each invariant that is broken by hand, and says nothing of what is whole."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, insert, make_url, select, text

from kb_service.storage.blobs import BlobStore
from kb_service.storage.data_folder import DATABASE_FILE
from kb_service.storage.database import Database, open_database
from kb_service.storage.revisions.embedded import note_embedded
from kb_service.storage.tables import metadata
from tests.storage.conftest import KINDS, copied_database
from tests.storage.world import World, build_world, sha256


@dataclass(frozen=True)
class Filled:
    """A store that tests copy before they damage it: its files, its database and its base."""

    folder: Path
    url: str
    kb_id: str


@pytest.fixture(scope="module", params=KINDS)
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), folder / DATABASE_FILE)
            url = f"sqlite:///{folder / DATABASE_FILE}"
        else:
            server = request.getfixturevalue("postgres_server")
            url = stack.enter_context(copied_database(server, "kb_template"))
        database = open_database(url)
        kb_id = fill(build_world(database, folder))
        database.close()
        yield Filled(folder, url, kb_id)


@pytest.fixture
def database_url(filled: Filled, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A copy of the filled store; these tests also take its constraints away."""
    shutil.copytree(filled.folder, tmp_path, dirs_exist_ok=True)
    if filled.url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / DATABASE_FILE}"
        return
    server, template = request.getfixturevalue("postgres_server"), make_url(filled.url).database
    with copied_database(server, str(template)) as url:
        yield url


def fill(world: World) -> str:
    """One base: a.txt with two revisions, b.txt searchable, c.txt waiting."""
    kb_id = world.catalog.bases.create("reports").id
    for sentences in (["old"], ["one", "two"]):
        world.ingest(kb_id, "a.txt", sentences)
    world.ingest(kb_id, "b.txt", ["three"])
    world.upload(kb_id, "c.txt", b"waiting")
    world.assert_clean()
    return kb_id


def corrupt(database: Database, *statements: str) -> None:
    """Run statements with every constraint and trigger out of the way."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        else:
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
        connection.invalidate()


CASES = [
    ("lost", "neither job nor revision", ["DELETE FROM jobs WHERE status = 'queued'"]),
    ("lost", "succeeded job whose", ["DELETE FROM revisions WHERE NOT is_current"]),
    ("lost", "no index is told", ["DELETE FROM changes WHERE is_added"]),
    ("orphaned", "embedding of no chunk", ["DELETE FROM chunks WHERE ordinal = 1"]),
    ("orphaned", "revision that is not searchable", ["UPDATE revisions SET is_current = false"]),
    ("orphaned", "documents row without", ["DELETE FROM knowledge_bases"]),
    ("orphaned", "revisions row without", ["DELETE FROM documents WHERE name = 'a.txt'"]),
    ("orphaned", "jobs row without", ["DELETE FROM documents WHERE name = 'c.txt'"]),
    ("orphaned", "pages row without", ["DELETE FROM revisions"]),
    (
        "orphaned",
        "answer that quotes",
        ["INSERT INTO answer_documents VALUES ('ans_x', 'doc_gone')"],
    ),
    (
        "orphaned",
        "content that was superseded",
        ["UPDATE jobs SET blob_sha256 = 'other' WHERE status = 'queued'"],
    ),
    ("mismatched", "is not the text of its span", ["UPDATE chunks SET text = 'other'"]),
    ("mismatched", "is not the text of its span", ["UPDATE chunks SET start = start + 1"]),
    ("mismatched", "hash of another text", ["UPDATE chunks SET prefix = 'other'"]),
    ("mismatched", "reaches past", ['UPDATE pages SET "end" = 9999, char_boxes = NULL']),
    ("damaged", "the stored text", ["UPDATE text_pieces SET text = 'short'"]),
    ("damaged", "the stored text", ["UPDATE text_pieces SET units = :junk"]),
    ("damaged", "its text is not", ["UPDATE revisions SET text_sha256 = 'other'"]),
    ("damaged", "its text is not", ["DELETE FROM text_pieces"]),
    ("orphaned", "text_pieces row without", ["DELETE FROM revisions"]),
    ("mismatched", "boxes for", ['UPDATE pages SET "end" = "end" + 1']),
    ("mismatched", "boxes are damaged", ["UPDATE pages SET char_boxes = :junk"]),
    ("mismatched", "not the numbers 1 to", ["DELETE FROM pages WHERE page_number = 1"]),
    ("mismatched", "not the ordinals 0 to", ["DELETE FROM chunks WHERE ordinal = 0"]),
    ("mismatched", "not the ordinals 0 to", ["UPDATE revisions SET num_chunks = 7"]),
    ("mismatched", "completeness", ["UPDATE revisions SET is_complete = false"]),
    ("mismatched", "page report", ["UPDATE pages SET reason = 'blank', kind = 'empty'"]),
    ("damaged", "page report", ['UPDATE revisions SET page_report = \'{"kind": ["x"]}\'']),
    ("mismatched", "another document or base", ["UPDATE chunks SET kb_id = 'kb_other'"]),
    ("mismatched", "past the counter", ["UPDATE knowledge_bases SET change_seq = 0"]),
    ("mismatched", "addition of a revision", ["UPDATE changes SET is_added = true"]),
    ("mismatched", "removal of a revision", ["UPDATE changes SET is_added = false"]),
    ("mismatched", "lease does not fit", ["UPDATE jobs SET lease_token = 'x'"]),
    ("mismatched", "lease does not fit", ["UPDATE jobs SET status = 'running'"]),
    ("mismatched", "unknown status", ["UPDATE jobs SET status = 'sleeping'"]),
    ("mismatched", "not float32", ["UPDATE embeddings SET vector = :junk"]),
    ("mismatched", "documents counted as ready", ["UPDATE counts SET number = number + 1"]),
    ("mismatched", "chunks counted as made", ["DELETE FROM counts WHERE noun = 'chunks'"]),
    ("mismatched", "is counted as", ["UPDATE documents SET counted_as = 'failed'"]),
    ("doubled", "knowledge bases of one name", ["UNIQUE knowledge_bases uq_knowledge_bases_name"]),
    ("doubled", "documents of one name", ["UNIQUE documents uq_documents_kb_id_name"]),
    ("doubled", "searchable revisions", ["UNIQUE revisions uq_revisions_current"]),
    ("doubled", "chunks of one ordinal", ["UNIQUE chunks uq_chunks_revision_id_ordinal"]),
]
DOUBLING = {
    "knowledge_bases": "INSERT INTO knowledge_bases (id, name, description, created_at, updated_at)"
    " SELECT 'kb_2', name, description, created_at, updated_at FROM knowledge_bases",
    "documents": "UPDATE documents SET name = 'a.txt'",
    "revisions": "UPDATE revisions SET is_current = true",
    "chunks": "UPDATE chunks SET ordinal = 0",
}


@pytest.mark.parametrize(("flaw", "message", "statements"), CASES)
def test_each_broken_invariant_is_reported(
    world: World, flaw: str, message: str, statements: list[str]
) -> None:
    for statement in statements:
        if statement.startswith("UNIQUE"):
            _, table, constraint = statement.split()
            drop_unique(world.database, table, constraint)
            corrupt(world.database, DOUBLING[table])
        else:
            corrupt(world.database, statement.replace(":junk", junk(world.database)))
    report = world.verifier.verify()
    assert not report.is_clean
    assert any(message in found for found in getattr(report, flaw)), report


def junk(database: Database) -> str:
    return "x'010203'" if database.is_sqlite else "'\\x010203'"


def drop_unique(database: Database, table: str, constraint: str) -> None:
    """Take a uniqueness rule away; SQLite cannot drop it, so the table is made without it."""
    with database.write() as connection:
        if constraint == "uq_revisions_current":
            connection.execute(text(f"DROP INDEX {constraint}"))
        elif not database.is_sqlite:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"))
        else:
            statement = text("SELECT sql FROM sqlite_master WHERE name = :table")
            sql = connection.execute(statement, {"table": table}).scalar_one()
            lines = [line for line in sql.splitlines() if constraint not in line]
            plain = "\n".join(lines).replace(", \n)", "\n)")
            plain = plain.replace(f"CREATE TABLE {table}", "CREATE TABLE plain")
            connection.exec_driver_sql(plain)
            copy = Table("plain", MetaData(), autoload_with=connection)
            connection.execute(
                insert(copy).from_select(list(copy.c), select(metadata.tables[table]))
            )
    if database.is_sqlite and constraint != "uq_revisions_current":
        corrupt(
            database,
            "PRAGMA legacy_alter_table = ON",
            f"DROP TABLE {table}",
            f"ALTER TABLE plain RENAME TO {table}",
        )


def test_a_whole_store_is_clean_and_counted(world: World) -> None:
    report = world.verifier.verify()
    assert report.is_clean
    assert (report.num_knowledge_bases, report.num_documents, report.num_revisions) == (1, 3, 3)
    assert (report.num_pages, report.num_chunks, report.num_embeddings) == (4, 3, 4)
    assert (report.num_jobs, report.num_blobs) == (4, 4)


@pytest.mark.parametrize("noted", ["", "other"])
def test_a_document_whose_vectors_are_not_those_noted_is_work_to_come(
    world: World, noted: str
) -> None:
    with world.database.write() as connection:
        two = connection.execute(text("SELECT id FROM revisions WHERE num_chunks = 2")).scalars()
        note_embedded(connection, two.all(), noted)
    report = world.verifier.verify()
    assert report.is_clean
    assert ["2 chunks of document" in said for said in report.pending] == [True]


def test_missing_damaged_and_unknown_blobs_are_reported(world: World) -> None:
    blobs: BlobStore = world.blobs
    blobs.unlink(sha256(b"old"))
    blobs.path(sha256(b"three")).write_bytes(b"rot")
    stray = blobs.publish(blobs.stage(b"stray", 100))
    report = world.verifier.verify()
    assert len(report.lost) == len(report.mismatched) == len(report.orphaned) == 1
    assert sha256(b"old") in report.lost[0]
    assert sha256(b"three") in report.mismatched[0]
    assert stray.name in report.orphaned[0]


def test_a_sweep_removes_only_what_nothing_refers_to(world: World) -> None:
    world.blobs.publish(world.blobs.stage(b"stray", 100))
    world.blobs.stage(b"staged long ago", 100)
    assert world.verifier.sweep().num_staged == 0
    swept = world.verifier.sweep(stale_after_s=0)
    assert (swept.num_blobs, swept.num_staged) == (0, 1)
    assert world.verifier.verify().num_blobs == 4
    world.assert_clean()
