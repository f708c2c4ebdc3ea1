"""How the service is set up: models in use, what is stored, room left, names of keys.

Knows no secret and no path: what it tells may be read by whoever has a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kb_service import __version__
from kb_service.domain.errors import StorageError
from kb_service.services.readiness import ReadinessService
from kb_service.settings import Settings
from kb_service.storage.data_folder import free_bytes, total_bytes
from kb_service.storage.statistics import Statistics

SETTINGS = {
    "generator": "KB_LLM__MODEL",
    "reader": "KB_READER__MODEL",
    "embedder": "KB_EMBEDDING__MODEL",
    "reranker": "KB_RERANK__MODEL",
}
"""By which setting the model of a part is chosen."""


@dataclass(frozen=True, slots=True)
class UsedModel:
    """The model of a part: its name, "" while it is loaded or where none is used.

    `problem`: the code of why it is not there, or not the configured one; None for neither.
    """

    part: str
    name: str
    setting: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class Setup:
    """How the service is set up. `keys`: the names of the API keys, empty where none is needed."""

    version: str
    database: str
    free_bytes: int
    total_bytes: int
    num_chunks: int
    num_pages: int
    num_jobs_open: int
    models: tuple[UsedModel, ...]
    keys: tuple[str, ...]


class SetupService:
    """`names`: of the model of each part that has one; asked only of parts that are loaded."""

    def __init__(
        self,
        settings: Settings,
        names: Mapping[str, Callable[[], str]],
        readiness: ReadinessService,
        statistics: Statistics,
    ) -> None:
        self._settings, self._names = settings, names
        self._readiness, self._statistics = readiness, statistics

    def show(self) -> Setup:
        """Return how things stand. Raises StorageError."""
        jobs, folder = self._statistics.jobs_by_status(), self._settings.data_dir
        try:
            free, total = free_bytes(folder), total_bytes(folder)
        except OSError as error:
            raise StorageError.from_os_error("look at the data folder", error) from error
        is_sqlite = self._settings.effective_database_url.startswith("sqlite")
        return Setup(
            version=__version__,
            database="sqlite" if is_sqlite else "postgresql",
            free_bytes=free,
            total_bytes=total,
            num_chunks=sum(self._statistics.chunks_by_vector().values()),
            num_pages=sum(self._statistics.pages_by_kind().values()),
            num_jobs_open=jobs["queued"] + jobs["running"] + jobs["failed"],
            models=tuple(self._models()),
            keys=tuple(sorted(self._settings.api_keys)),
        )

    def _models(self) -> list[UsedModel]:
        waiting, replaced = self._readiness.waiting(), self._readiness.replaced()
        found = []
        for part, name in self._names.items():
            problem = waiting.get(part) or replaced.get(part)
            used = "" if part in waiting else name()
            code = problem.code if problem else None
            found.append(UsedModel(part, used, SETTINGS[part], code))
        return found
