"""A sync tries again what failed through no fault of the file, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kb_service.domain.documents import ParsedDocument
from kb_service.domain.errors import (
    ConfigurationError,
    DocumentError,
    KbError,
    ParseAccident,
    ParseInterrupted,
    ParserFailed,
    StorageError,
)
from kb_service.domain.jobs import Progress
from kb_service.services.folders import LocalFolder
from kb_service.services.ingest_run import IngestRun
from kb_service.services.sync import SyncReport
from tests.services.conftest import Desk
from tests.services.fakes import TextLoader

NUM_FILES = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "reports"
    place.mkdir()
    for number in range(NUM_FILES):
        (place / f"{number}.txt").write_text(f"report {number}")
    return place


def sync(desk: Desk, folder: Path) -> tuple[SyncReport, IngestRun]:
    report = desk.sync.run(desk.base.id, LocalFolder(folder, folder.parent), prune=False)
    return report, desk.run(*(item for _, item in report.uploads))


class FailingLoader:
    """Fails on every file with one error until it is mended."""

    def __init__(self, error: KbError) -> None:
        self.error: KbError | None = error

    def load(self, path: Path, name: str, media_type: str) -> Iterator[Progress | ParsedDocument]:
        if self.error:
            raise self.error
        yield from TextLoader().load(path, name, media_type)


@pytest.mark.parametrize(
    "error",
    [
        ParserFailed("our own fault"),
        StorageError("no space", code="storage_failed"),
        ConfigurationError("no such model", code="model_missing"),
    ],
    ids=lambda error: error.code,
)
def test_what_failed_through_no_fault_of_its_own_is_tried_again_by_the_next_run(
    desk: Desk, folder: Path, error: KbError
) -> None:
    loader = FailingLoader(error)
    desk.worker._ingestion._loader = loader
    _, run = sync(desk, folder)
    assert {failure["code"] for failure in run.failures} == {error.code}
    assert len(desk.sync.plan(desk.base.id, LocalFolder(folder, folder.parent)).again) == NUM_FILES
    report, run = sync(desk, folder)
    assert (report.plan.unchanged, len(run.failures)) == ((), NUM_FILES)
    loader.error = None
    _, run = sync(desk, folder)
    assert (run.num_succeeded, run.failures) == (NUM_FILES, [])
    assert sync(desk, folder)[0].plan.is_empty


@pytest.mark.parametrize(
    "error",
    [DocumentError("torn"), ParseInterrupted("slow"), ParseAccident("died")],
    ids=lambda error: error.code,
)
def test_a_bad_file_and_poison_are_not_tried_again(
    desk: Desk, folder: Path, error: KbError
) -> None:
    desk.worker._ingestion._loader = FailingLoader(error)
    sync(desk, folder)
    plan = desk.sync.plan(desk.base.id, LocalFolder(folder, folder.parent))
    assert (plan.is_empty, len(plan.unchanged)) == (True, NUM_FILES)
