"""An answer that cannot be stored is given, says so, goes on in its conversation, and is stored
once that is possible."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from kb_service.domain.answers import Answer, AnswerAudit, AnswerStatus, Understood
from kb_service.domain.chats import Usage
from kb_service.domain.errors import NotFound, StorageError
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.storage import data_folder
from kb_service.storage.answers import buffered
from kb_service.storage.answers.buffered import BufferedAnswers
from kb_service.storage.database import Database
from tests.storage.world import World

AUDIT = AnswerAudit("m" * 64, "t" * 64, (1, 2, 3), {"seed": None}, 7, "raw output")
WORDS = "the pump failed"


@pytest.fixture
def answers(world: World) -> BufferedAnswers:
    return BufferedAnswers(world.database, world.clock)


@pytest.fixture
def answer(world: World) -> Answer:
    """An answer that was shown the one document there is."""
    kb_id = world.catalog.bases.create("reports").id
    shown = world.ingest(kb_id, "a.txt", [WORDS])
    span = TextSpan(0, len(WORDS))
    passage = Passage(1, 1, shown.document_id, shown.id, shown.sha256, "a", span, WORDS, 0.5)
    return Answer(
        id="ans_1",
        kb_id=kb_id,
        question="What failed?",
        status=AnswerStatus.ANSWERED,
        answer=WORDS,
        reason=None,
        citations=(),
        passages=(passage,),
        conversation_id="conv_1",
        model="extractive",
        usage=Usage(1, 2, 3),
        timings={},
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        understood=Understood("What failed?"),
    )


ON_POSTGRES = {
    "SQLITE_FULL": ("DiskFull", "could not extend file: No space left on device"),
    "SQLITE_READONLY": (
        "ReadOnlySqlTransaction",
        "cannot execute INSERT in a read-only transaction",
    ),
    "SQLITE_CANTOPEN": ("OperationalError", "server closed the connection unexpectedly"),
    "SQLITE_IOERR_WRITE": ("IoError", "could not write block: Input/output error"),
    "SQLITE_IOERR_SHMSIZE": ("DiskFull", "could not write: Disk quota exceeded"),
    "SQLITE_CORRUPT": ("DataCorrupted", "invalid page in block 7"),
}


def driver_error(database: Database, name: str) -> Exception:
    """Return what the driver raises for a failure of the disk, by SQLite's name of it."""
    if not database.is_sqlite:
        kind, message = ON_POSTGRES[name]
        found: Exception = getattr(pytest.importorskip("psycopg").errors, kind)(message)
        return found
    error = sqlite3.OperationalError(name)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, name), name
    return error


@contextmanager
def refusing(database: Database, name: str = "SQLITE_FULL") -> Iterator[None]:
    """Let every INSERT fail as the driver lets it fail."""

    def refuse(_cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT"):
            raise driver_error(database, name)

    event.listen(database.engine, "do_execute", refuse)
    try:
        yield
    finally:
        event.remove(database.engine, "do_execute", refuse)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("SQLITE_FULL", "disk_full"),
        ("SQLITE_READONLY", "storage_read_only"),
        ("SQLITE_CANTOPEN", "storage_unavailable"),
        ("SQLITE_IOERR_WRITE", "storage_failed"),
        ("SQLITE_IOERR_SHMSIZE", "disk_full"),
        ("SQLITE_CORRUPT", "database_damaged"),
    ],
)
def test_an_answer_is_given_whatever_the_disk_says(
    answers: BufferedAnswers, answer: Answer, world: World, name: str, code: str
) -> None:
    with refusing(world.database, name):
        given = answers.save_turn(answer, AUDIT)
        assert given.not_stored is not None
        assert given.not_stored.code == code
        assert replace(given, not_stored=None) == answer
        assert answers.get("ans_1") == (given, AUDIT)
    assert answers.get("ans_1") == (answer, AUDIT), "and is stored once that works"
    assert world.answers.get("ans_1")[0] == answer
    world.assert_clean()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EDQUOT, "disk_full"),
        (errno.ENOSPC, "disk_full"),
        (errno.EROFS, "storage_read_only"),
        (errno.EACCES, "storage_read_only"),
        (errno.EIO, "storage_failed"),
    ],
)
def test_what_sqlite_calls_an_io_error_is_asked_of_the_disk(
    answers: BufferedAnswers,
    answer: Answer,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    code: str,
) -> None:
    if not world.database.is_sqlite:
        pytest.skip("PostgreSQL says itself what its disk said")

    def refuse(_path: Path, _data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(data_folder.Path, "write_bytes", refuse)
    with refusing(world.database, "SQLITE_IOERR_WRITE"):
        given = answers.save_turn(answer, AUDIT)
    assert given.not_stored is not None
    assert given.not_stored.code == code


def test_a_conversation_goes_on_in_memory_and_is_stored_in_order(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    answers.save_turn(answer, AUDIT)
    with refusing(world.database):
        answers.save_turn(replace(answer, id="ans_2", question="And then?"), AUDIT)
        answers.save_turn(replace(answer, id="ans_3", question="And why?"), AUDIT)
        found = answers.get_conversation("conv_1")
        assert found.title == "What failed?"
        assert [m.answer_id for m in found.messages if m.answer_id] == ["ans_1", "ans_2", "ans_3"]
        assert len(world.answers.get_conversation("conv_1").messages) == 2
        latest = [item.id for item in answers.latest_answers("conv_1", 9)]
        assert latest == ["ans_3", "ans_2", "ans_1"]
    answers.save_turn(replace(answer, id="ans_4", question="Who?"), AUDIT)
    stored = world.answers.get_conversation("conv_1").messages
    assert [m.content for m in stored if m.role == "user"] == [
        "What failed?", "And then?", "And why?", "Who?",
    ]  # fmt: skip


def test_a_conversation_can_begin_in_memory_and_be_deleted_there(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    with refusing(world.database):
        answers.save_turn(answer, AUDIT)
        assert [m.content for m in answers.get_conversation("conv_1").messages] == [
            "What failed?", WORDS,
        ]  # fmt: skip
        answers.delete_conversation("conv_1")
        for read in (answers.get_conversation, answers.delete_conversation):
            with pytest.raises(NotFound):
                read("conv_1")


def test_a_kept_answer_loses_its_words_when_its_document_is_deleted(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    with refusing(world.database):
        answers.save_turn(answer, AUDIT)
    world.catalog.documents.delete(answer.kb_id, answer.passages[0].document_id)
    with refusing(world.database):
        found, audit = answers.get("ans_1")
        assert (found.answer, found.passages, found.reason) == ("", (), "document_deleted")
        assert audit.raw_output == ""
        assert WORDS not in repr(answers.get_conversation("conv_1"))
        late = answers.save_turn(replace(answer, id="ans_2"), AUDIT)
        assert (late.answer, late.passages) == ("", ()), "nor is one that was not ready yet"
    assert answers.get("ans_1")[0].answer == ""
    world.assert_clean()


def test_kept_answers_of_a_deleted_base_are_forgotten(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    with refusing(world.database):
        answers.save_turn(answer, AUDIT)
    world.catalog.bases.delete(answer.kb_id)
    with refusing(world.database), pytest.raises(NotFound):
        answers.get("ans_1")
    answers.close()
    with pytest.raises(NotFound):
        answers.get("ans_1")
    world.assert_clean()


def test_feedback_on_an_answer_that_cannot_be_stored_is_refused_by_the_disk(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    with refusing(world.database):
        answers.save_turn(answer, AUDIT)
        with pytest.raises(StorageError) as error:
            answers.feedback("ans_1", "up")
        assert error.value.code == "disk_full"
    answers.feedback("ans_1", "up")
    assert answers.get_feedback("ans_1") == ("up", "")


def test_closing_stores_what_is_kept_and_only_so_many_are(
    answers: BufferedAnswers, answer: Answer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffered, "MAX_KEPT", 2)
    with refusing(world.database):
        for number in range(3):
            answers.save_turn(replace(answer, id=f"ans_{number}"), AUDIT)
        answers.close()
    answers.close()
    with pytest.raises(NotFound):
        world.answers.get("ans_0")
    assert [world.answers.get(f"ans_{number}")[0].id for number in (1, 2)] == ["ans_1", "ans_2"]


def test_an_answer_waits_a_moment_for_another_writer_and_is_given(
    answers: BufferedAnswers, answer: Answer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buffered, "ANSWER_WAIT_S", 0.1)
    other = Database(world.database.engine)
    with other.write():
        given = answers.save_turn(answer, AUDIT, wait_s=None)
    assert given.not_stored is not None
    assert given.not_stored.code == "database_locked"
    assert answers.get("ans_1")[0].not_stored is None


def test_a_database_that_is_gone_gives_no_answer_whose_sources_nobody_can_look_up(
    answers: BufferedAnswers, answer: Answer, world: World
) -> None:
    def gone(_cursor: object, _statement: str, *_rest: object) -> None:
        raise driver_error(world.database, "SQLITE_CANTOPEN")

    event.listen(world.database.engine, "do_execute", gone)
    with pytest.raises(StorageError) as error:
        answers.save_turn(answer, AUDIT)
    event.remove(world.database.engine, "do_execute", gone)
    assert error.value.code == "storage_unavailable"
