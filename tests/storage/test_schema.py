"""The migration builds what the tables declare; both databases keep what they are given."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from kb_service.domain.errors import ConfigurationError, InvalidRequest, StorageError
from kb_service.domain.jobs import JobStage
from kb_service.storage.database import Database, open_database
from kb_service.storage.migration import MIGRATIONS, newest_version
from kb_service.storage.tables import metadata
from tests.storage.world import PROFILE, World, downgrade, parsed_of


@pytest.fixture
def database_url(own_database_url: str) -> str:
    """These tests change the schema."""
    return own_database_url


def test_the_migrated_schema_is_what_the_tables_declare(database: Database) -> None:
    migrated = describe(database)
    with database.write() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == describe(database)
    assert set(migrated) == set(metadata.tables)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def describe(database: Database) -> dict[str, dict[str, object]]:
    """Return all that the database itself says about each table."""
    inspector = inspect(database.engine)
    return {
        table: {
            "columns": [{**c, "type": repr(c["type"])} for c in inspector.get_columns(table)],
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": sorted(map(repr, inspector.get_foreign_keys(table))),
            "unique": sorted(map(repr, inspector.get_unique_constraints(table))),
            "checks": sorted(map(repr, inspector.get_check_constraints(table))),
            "indexes": sorted(describe_index(index) for index in inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def describe_index(index: Any) -> str:  # noqa: ANN401  a reflected index
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return f"{index['name']} {index['column_names']} {index['unique']} {options}"


def test_the_newest_version_by_file_name_is_alembics() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest_version() == ScriptDirectory.from_config(config).get_current_head()


def test_migrating_twice_changes_nothing(database: Database) -> None:
    before = describe(database)
    database.migrate()
    assert describe(database) == before
    with database.read() as connection:
        versions = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert len(versions) == 1


def test_an_older_database_says_the_same_after_its_migration(world: World) -> None:
    kb_id = world.catalog.bases.create("a").id
    for name in ("a.txt", "b.txt"):
        world.ingest(kb_id, name, [f"words of {name}", "泵失效。", "third"])
    before = world.catalog.documents.list(kb_id)
    downgrade(world.database, "0001")
    world.database.migrate()
    world.assert_clean()
    assert world.catalog.documents.list(kb_id) == before
    for document in before.items:
        assert world.catalog.revisions.text(kb_id, document.id)[1].startswith("words of")


@pytest.mark.parametrize("stage", ["embed", "index"])
def test_a_job_that_ended_in_a_stage_of_old_is_read(world: World, stage: str) -> None:
    kb_id = world.catalog.bases.create("a").id
    document_id = world.ingest(kb_id, "a.txt", ["words"]).document_id
    downgrade(world.database, "0005")
    with world.database.write() as connection:
        connection.execute(text("UPDATE jobs SET stage = :stage"), {"stage": stage})
    world.database.migrate()
    job = world.queue.newest_of([document_id])[document_id]
    assert job.stage is JobStage.COMMIT


def test_an_upgrade_knows_whose_vectors_were_made(world: World) -> None:
    kb_id = world.catalog.bases.create("a").id
    world.ingest(kb_id, "whole.txt", ["one", "two"])
    world.upload(kb_id, "begun.txt", b"two, three")
    world.publisher.publish(world.claim(), *parsed_of(["two", "three"]))
    world.upload(kb_id, "empty.txt", b"")
    world.publish(world.claim(), [])
    downgrade(world.database, "0007")
    world.database.migrate()
    listed = world.catalog.documents.list(kb_id).items
    assert {item.name: item.revision and item.revision.embedded_by for item in listed} == {
        "whole.txt": PROFILE.fingerprint,
        "begun.txt": "",
        "empty.txt": "",
    }
    world.assert_clean(may_wait=True)


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigurationError) as error:
        database.migrate()
    assert error.value.code == "database_version_unknown"


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    code = (
        "import sys; from kb_service.storage.database import open_database; "
        "open_database(sys.argv[1]).migrate()"
    )
    url = f"sqlite:///{tmp_path / 'kb.sqlite3'}"
    command = [sys.executable, "-c", code, url]
    children = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    assert [child.communicate()[1].decode() for child in children] == ["", "", ""]
    assert [child.returncode for child in children] == [0, 0, 0]


def test_sqlite_is_durable_and_guards_references(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    database.close()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "postgresql://x/y", "nonsense"])
def test_other_database_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_database(url)


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
def test_text_that_cannot_be_stored_is_a_typed_error(world: World, bad: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        world.catalog.bases.create(bad)
    assert error.value.code == "unstorable_text"
    assert "position 1" in error.value.message
    kb = world.catalog.bases.create("a")
    with pytest.raises(InvalidRequest):
        world.upload(kb.id, bad, b"bytes")
    assert world.catalog.documents.list(kb.id).items == ()


def test_an_unreachable_database_is_a_storage_error(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'absent' / 'kb.sqlite3'}")
    with pytest.raises(StorageError) as error:
        database.migrate()
    assert error.value.code == "storage_unavailable"


def test_a_transaction_that_raises_leaves_nothing(database: Database, world: World) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.execute(
            text("INSERT INTO embeddings VALUES ('p', 't', :vector)"), {"vector": b"1234"}
        )
        raise ZeroDivisionError
    assert world.verifier.verify().num_embeddings == 0


def test_documents_of_an_older_schema_have_the_versions_that_are_known(world: World) -> None:
    kb_id = world.catalog.bases.create("old").id
    for content in ("one", "two"):
        world.ingest(kb_id, "a.txt", [content])
    world.upload(kb_id, "a.txt", b"three")
    world.upload(kb_id, "b.txt", b"four")
    before = world.catalog.documents.list(kb_id).items
    downgrade(world.database, "0008")
    world.database.migrate()
    assert world.catalog.documents.list(kb_id).items == before
    assert [len(document.versions) for document in before] == [3, 1]
    world.assert_clean()
