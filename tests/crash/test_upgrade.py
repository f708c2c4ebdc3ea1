"""A data folder of the first release opened by this one, also where the upgrade is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kb_service.bootstrap import open_services
from kb_service.domain.errors import NotFound
from kb_service.domain.people import OPERATOR
from kb_service.operations import Services
from kb_service.services.asking import AskRequest
from kb_service.services.searching import SearchRequest
from kb_service.settings import Settings
from kb_service.storage.migration import newest_version
from tests.storage import old_folder
from tests.storage.old_folder import make_old_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")

SMALL = {"KB_RETRIEVAL__DENSE_WEIGHT": "0", "KB_READER__MODEL": "", "KB_RERANK__MODEL": ""}
UPGRADE = """
import os, signal, sys
from sqlalchemy import Engine, event
from kb_service.bootstrap import open_services

num_left, num_done = int(sys.argv[1]), 0

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global num_done
    num_done += 1
    if num_done == num_left:
        os.kill(os.getpid(), signal.SIGKILL)

services = open_services()
services.starting.prepare(with_demo=False)
jobs = [state.job for state in services.documents.every("reports")]
services.intake.ingest([job.id for job in jobs if job.finished_at is None and job.status != "dead"])
while services.facts.step():
    pass
services.close()
print(num_done)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    make_old_folder(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def services(folder: Path) -> Iterator[Services]:
    opened = open_services(Settings(data_dir=folder))
    yield opened
    opened.close()


def upgrade(folder: Path, kill_at: int) -> subprocess.CompletedProcess[str]:
    """Upgrade in a process of its own, killed at that statement; 0: not killed."""
    environment = {**os.environ, "KB_DATA_DIR": str(folder)}
    command = [sys.executable, "-c", UPGRADE, str(kill_at)]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def work(services: Services) -> None:
    """Do what a worker does after a start."""
    states = services.documents.every("reports")
    services.intake.ingest([s.job.id for s in states if s.job and s.job.status == "queued"])
    while services.facts.step():
        pass


def assert_whole(services: Services) -> None:
    """Everything that the folder had is there."""
    documents = {s.document.name: s.document for s in services.documents.every("reports")}
    status = {name: item.status.value for name, item in documents.items()}
    assert status == {
        "boiler.txt": "ready",
        "crane.txt": "ready",
        "m.eml": "failed",
        "pump.txt": "ready",
    }
    pump = documents["pump.txt"]
    assert (pump.id, pump.tags) == (old_folder.PUMP, ("pumps",))
    assert [item.state.value for item in pump.versions] == ["searchable", "kept"]
    first = pump.versions[1].sha256
    assert services.documents.text(pump.kb_id, pump.id, first)[1] == old_folder.FIRST
    path, _ = services.documents.content(pump.kb_id, pump.id, first)
    assert path.read_text("utf-8") == old_folder.FIRST
    assert documents["m.eml"].error == old_folder.ERROR
    report = services.upkeep.verify()
    assert report["is_clean"], report


def assert_talks(services: Services) -> None:
    """Answers, conversations and ratings say what they said."""
    talk = services.history.conversation(OPERATOR, old_folder.TALK)
    assert [message.content for message in talk.messages] == [old_folder.QUESTION, old_folder.SAID]
    assert [
        item.id for item in services.history.conversations(OPERATOR, "reports", None, 10).items
    ] == [old_folder.TALK]
    found = services.history.answer(OPERATOR, old_folder.ANSWER)
    assert (found.answer.answer, found.feedback) == (old_folder.SAID, ("up", "right"))
    cited = found.answer.citations[0]
    _, text = services.documents.text(found.answer.kb_id, cited.document_id, cited.sha256)
    assert cited.source.of(text) == cited.cited_text


def test_a_folder_of_the_first_release_has_all_documents_answers_and_conversations(
    services: Services,
) -> None:
    work(services)
    assert_whole(services)
    assert_talks(services)
    found = services.searching.search(SearchRequest("reports", "crane fell")).items
    assert found[0].chunk.draft.text == old_folder.FALL
    again = AskRequest("reports", old_folder.QUESTION, conversation_id=old_folder.TALK)
    assert "Schmidt" in services.answering().ask(again).answer
    assert len(services.history.conversation(OPERATOR, old_folder.TALK).messages) == 4


def test_what_is_deleted_after_the_upgrade_goes_with_its_old_answers(services: Services) -> None:
    base = services.bases.show("reports")
    services.documents.delete(base.id, old_folder.PUMP)
    services.erasing.erase(base.id)
    assert services.erasing.check(old_folder.PUMP).is_complete
    assert services.history.answer(OPERATOR, old_folder.ANSWER).answer.answer == ""
    with pytest.raises(NotFound):
        services.documents.show(base.id, old_folder.PUMP)


def test_a_kill_during_the_upgrade_loses_nothing(folder: Path, tmp_path: Path) -> None:
    whole = upgrade(folder, 0)
    assert whole.returncode == 0, whole.stderr
    num_statements = int(whole.stdout.split()[-1])
    assert num_statements > 100
    versions = set()
    for part in (0.05, 0.4, 0.9):
        place = tmp_path / f"killed-{part}"
        make_old_folder(place)
        killed = upgrade(place, max(1, round(part * num_statements)))
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        with closing(sqlite3.connect(place / "kb.sqlite3")) as connection:
            versions |= set(connection.execute("SELECT version_num FROM alembic_version"))
        assert upgrade(place, 0).returncode == 0
        services = open_services(Settings(data_dir=place))
        try:
            assert_whole(services)
            assert_talks(services)
        finally:
            services.close()
    assert versions == {("0001",), (newest_version(),)}
