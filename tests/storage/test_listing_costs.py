"""What a list of documents reads grows with what it shows, not with pages, chunks or the base."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, event

from kb_service.domain.documents import VectorState
from kb_service.domain.spans import TextSpan
from kb_service.services.documents import DocumentService
from kb_service.storage.database import Database, open_database
from kb_service.storage.records.store import RecordStore
from kb_service.storage.revisions.pieces import read_pieces
from tests.storage.world import World

Statement = tuple[str, Sequence[object]]
SHOWN = 10


@contextmanager
def statements(database: Database) -> Iterator[list[Statement]]:
    """Collect what is asked of the database meanwhile; of commits a thread may tell at any time."""
    said: list[Statement] = []

    def note(*event_of: object) -> None:
        _, _, statement, parameters, *_ = event_of
        if str(statement).startswith("SELECT") and "pg_notify" not in str(statement):
            said.append((str(statement), parameters))  # type: ignore[arg-type]

    event.listen(database.engine, "after_cursor_execute", note)
    yield said
    event.remove(database.engine, "after_cursor_execute", note)


def num_rows(connection: Connection, statement: Statement) -> int:
    """Return how many rows a statement has given."""
    asked, parameters = statement
    return len(connection.exec_driver_sql(asked, parameters).all())


def cost_of_a_list(world: World, kb_id: str) -> tuple[int, int]:
    """Return queries and rows of the first part of a list, as the API reads it."""
    documents = DocumentService(world.catalog, world.queue, makes_vectors=True)
    with statements(world.database) as said:
        listed = documents.list(kb_id, None, SHOWN)
    assert {item.vectors for item in listed.items} == {VectorState.READY}
    assert len(listed.items) == SHOWN
    assert not [asked for asked, _ in said if re.search(r"\b(pages|chunks|embeddings)\b", asked)]
    with world.database.read() as connection:
        return len(said), sum(num_rows(connection, statement) for statement in said)


def base_of(world: World, num_documents: int, num_pages: int) -> str:
    kb_id = world.catalog.bases.create(f"{num_documents} documents of {num_pages} pages").id
    for number in range(num_documents):
        pages = [f"page {page} of {number}" for page in range(num_pages)]
        world.ingest(kb_id, f"{number:04}.txt", pages)
    return kb_id


def test_a_list_costs_the_same_in_a_larger_base_and_for_longer_documents(world: World) -> None:
    small, large, long = (
        cost_of_a_list(world, base_of(world, *size)) for size in ((10, 1), (30, 1), (10, 20))
    )
    assert long == small
    # One row more: the document after the last one shown tells that there is a next part.
    assert large == (small[0], small[1] + 1)


def test_a_list_costs_the_same_for_documents_of_20_and_of_2000_chunks(world: World) -> None:
    kb_id = base_of(world, SHOWN, 20)
    short = cost_of_a_list(world, kb_id)
    world.ingest(kb_id, "0000.txt", [f"sentence {number}" for number in range(2000)])
    # One row more: the version before.
    assert cost_of_a_list(world, kb_id) == (short[0], short[1] + 1)


def test_parts_of_texts_are_found_by_an_index_however_many_there_are(migrated_sqlite: Path) -> None:
    database = open_database(f"sqlite:///{migrated_sqlite}")
    with statements(database) as said, database.read() as connection:
        read_pieces(connection, [(number, TextSpan(0, 9)) for number in range(20)])
        RecordStore(database).stated("kb_1", [(number, 0) for number in range(20)], ["kind"])
        (plan_of_text, plan_of_facts) = (
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", parameters).all())
            for asked, parameters in tuple(said)
        )
    database.close()
    assert "(revision_id=?" in plan_of_text and "SCAN text_pieces" not in plan_of_text
    assert "(kb_id=? AND field=? AND revision_id=?" in plan_of_facts
