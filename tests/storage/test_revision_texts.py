"""Stored text is read by span, with units that are kept with it and are those of the whole text."""

import random

import pytest
from sqlalchemy import text, update

from kb_service.domain.errors import StorageError
from kb_service.domain.lists import Wanted
from kb_service.domain.spans import TextSpan
from kb_service.language.units import UNIT_RULES, marked
from kb_service.storage.revisions.pieces import PIECE_CHARS, piece_sha256
from kb_service.storage.revisions.store import Revisions
from kb_service.storage.tables import revisions
from tests.storage.world import World

LINES = [
    f"第{n}条 阀门失效。It was shut 𝒂t {n}:00.\n编号：SG-{n}\n# Part {n}\n" for n in range(300)
]


@pytest.fixture
def revision_id(world: World) -> int:
    kb_id = world.catalog.bases.create("reports").id
    return world.ingest(kb_id, "long.txt", ["".join(LINES)]).id


def whole_text(world: World) -> str:
    document = world.catalog.documents.list(world.catalog.bases.list().items[0].id).items[0]
    return world.catalog.revisions.text(document.kb_id, document.id)[1]


def test_a_span_is_the_slice_of_the_text_with_the_units_that_meet_it(
    world: World, revision_id: int
) -> None:
    whole = whole_text(world)
    assert len(whole) > 2 * PIECE_CHARS
    dice = random.Random(1)  # noqa: S311  no secret
    spans = [TextSpan(0, 1), TextSpan(PIECE_CHARS - 1, PIECE_CHARS + 1)]
    spans += [TextSpan(n, n + 50) for n in dice.sample(range(len(whole) - 50), 20)]
    expected = marked(whole)
    found = world.catalog.revisions.stretches([(revision_id, span) for span in spans], margin=70)
    assert found == [expected.around(span, 70) for span in spans]


def test_the_whole_of_a_text_is_a_span_too_and_an_empty_text_is_there(world: World) -> None:
    kb_id = world.catalog.bases.create("reports").id
    world.ingest(kb_id, "long.txt", ["".join(LINES)])
    empty = world.ingest(kb_id, "empty.txt", [])
    assert world.catalog.revisions.stretches([(empty.id, TextSpan(0, 0))], 5) == [marked("")]
    whole = whole_text(world)
    [document] = world.catalog.documents.list(kb_id, wanted=Wanted("long.txt")).items
    assert document.revision
    everything = [(document.revision.id, TextSpan(0, len(whole)))]
    assert world.catalog.revisions.stretches(everything, 0) == [marked(whole)]


def test_what_is_deleted_is_not_read(world: World, revision_id: int) -> None:
    kb_id = world.catalog.bases.list().items[0].id
    [document] = world.catalog.documents.list(kb_id).items
    world.catalog.documents.delete(kb_id, document.id)
    assert world.catalog.revisions.stretches([(revision_id, TextSpan(0, 5))], 10) == [None]
    with world.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM text_pieces")).scalar_one() == 0


def mark_by_other_rules(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(update(revisions).values(unit_rules="other"))


def rules_of(world: World) -> str:
    with world.database.read() as connection:
        return connection.execute(text("SELECT unit_rules FROM revisions")).scalar_one()


def test_a_text_marked_by_other_rules_is_marked_anew_once_and_kept(
    world: World, revision_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark_by_other_rules(world)
    expected = marked(whole_text(world)).around(TextSpan(5000, 5100), 70)
    place = [(revision_id, TextSpan(5000, 5100))]
    assert world.catalog.revisions.stretches(place, 70) == [expected]
    assert rules_of(world) == UNIT_RULES
    world.assert_clean()
    monkeypatch.setattr("kb_service.storage.revisions.store.marked", None)
    assert world.catalog.revisions.stretches(place, 70) == [expected]


def test_units_that_cannot_be_kept_are_made_for_the_answer_all_the_same(
    world: World, revision_id: int
) -> None:
    mark_by_other_rules(world)
    world.database.refusal = StorageError("read only", code="storage_read_only")
    [found] = Revisions(world.database).stretches([(revision_id, TextSpan(0, 50))], 10)
    assert found == marked(whole_text(world)).around(TextSpan(0, 50), 10)
    assert rules_of(world) == "other"


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE text_pieces SET text = 'other' WHERE start = 0",
        "UPDATE text_pieces SET units = :junk WHERE start = 0",
        "DELETE FROM text_pieces WHERE start = 0",
        "DELETE FROM text_pieces WHERE start > 0",
    ],
)
def test_a_damaged_or_missing_piece_is_an_error_not_a_gap(
    world: World, revision_id: int, damage: str
) -> None:
    with world.database.write() as connection:
        connection.execute(text(damage), {"junk": b"junk"} if ":junk" in damage else {})
    with pytest.raises(StorageError) as error:
        world.catalog.revisions.stretches([(revision_id, TextSpan(10, PIECE_CHARS + 10))], 0)
    assert error.value.code == "text_damaged"


def test_a_piece_of_another_text_with_a_right_hash_is_named(world: World, revision_id: int) -> None:
    world.ingest(world.catalog.bases.create("other").id, "b.txt", ["x. " * 3000])
    copied = (
        "UPDATE text_pieces SET (units, sha256, text) = (SELECT units, sha256, text FROM"
        " text_pieces AS other WHERE other.revision_id > :mine AND other.start = 0)"
        " WHERE revision_id = :mine AND start = 0"
    )
    with world.database.write() as connection:
        connection.execute(text(copied), {"mine": revision_id})
    assert any("its text is not" in found for found in world.verifier.verify().damaged)


def test_units_of_another_text_with_a_right_hash_are_named(world: World, revision_id: int) -> None:
    statement = text("UPDATE text_pieces SET units = :units, sha256 = :sha256 WHERE start = 0")
    piece = whole_text(world)[:PIECE_CHARS]
    values = {"units": b"", "sha256": piece_sha256(piece, b"")}
    with world.database.write() as connection:
        connection.execute(statement, values)
    assert any("its units are not" in found for found in world.verifier.verify().mismatched)
