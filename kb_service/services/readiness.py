"""Whether questions can be answered now, and if not why: models, database, disk.

Knows how parts were built and how they fare; builds none but when it warms up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from kb_service.domain.answers import GeneratorInfo
from kb_service.domain.errors import KbError, StorageError
from kb_service.domain.ports import Generator, Retriever
from kb_service.services.parts import Chosen, Part
from kb_service.services.upkeep import follow, look_for_damage, refresh
from kb_service.storage.catalog import Catalog
from kb_service.storage.opening import Storage

MAX_WARM_BASES = 8
"""Bases whose indexes are opened at the start; others open with their first question."""

DAMAGED_TEXT = "the database is damaged; `kb verify` names what is hit"
"""What anybody may read: neither paths nor names."""

log = structlog.get_logger("readiness")


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What is wrong, by part: `missing` keeps questions from being answered, `impaired` does not.

    `generator`: which model answers, None while there is none. `trouble`: what keeps things from
    being stored, or soon will; None when nothing does.
    """

    missing: Mapping[str, KbError]
    impaired: Mapping[str, KbError]
    generator: GeneratorInfo | None
    trouble: KbError | None


class ReadinessService:
    """`models`: the parts that load a model of the settings. `outage`: of a model elsewhere.

    `outages`: of other machines, by part, that keep no question from being answered.
    """

    def __init__(
        self,
        models: Mapping[str, Part[Chosen[object]]],
        generator: Part[Chosen[Generator]],
        outage: Callable[[], KbError | None],
        storage: Storage,
        catalog: Catalog,
        retriever: Callable[[], Retriever],
        outages: Callable[[], Mapping[str, KbError | None]] = dict,
    ) -> None:
        self._models = models
        self._generator = generator
        self._outage = outage
        self._storage = storage
        self._catalog = catalog
        self._retriever = retriever
        self._outages = outages

    def warm_up(self, *, publishes: bool = True) -> None:
        """Load what the first question would otherwise wait for; `waiting` says what failed.

        `publishes`: indexes that are worth it are written, which one process of a service does.
        """
        for part, load in self._models.items():
            try:
                load()
            except KbError as error:
                log.error("not loaded", part=part, code=error.code, error=error.message)
        if any(part.built is None for part in self._models.values()):
            return
        look_for_damage(self._storage.database)
        bases = self._catalog.bases.list(limit=MAX_WARM_BASES).items
        if publishes:
            refresh(bases, self._retriever())
        follow(self._retriever(), [base.id for base in bases])

    def follow(self) -> None:
        """Bring what was committed into the open indexes, so that no question has to."""
        if not self.waiting():
            follow(self._retriever())

    def waiting(self) -> dict[str, KbError]:
        """Return why a part is not ready yet (`loading`, or what failed); empty when all are."""
        waiting = {
            name: part.failure or KbError("loading", code="loading")
            for name, part in self._models.items()
            if part.built is None
        }
        if problem := self._outage():
            waiting["generator"] = problem
        if self._storage.database.is_damaged:
            waiting["database"] = StorageError(DAMAGED_TEXT, code="database_damaged")
        return waiting

    def replaced(self) -> dict[str, KbError]:
        """Return why a part in use is not the configured one; empty when all are."""
        loaded = {name: part.built for name, part in self._models.items()}
        return {name: it.problem for name, it in loaded.items() if it and it.problem}

    def generator_info(self) -> GeneratorInfo:
        """Return which model answers; loads it."""
        return self._generator().model.info

    def status(self) -> ServiceStatus:
        """Return how the service fares, after a look at the database."""
        missing = self.waiting()
        try:
            self._catalog.bases.list(None, 1)
        except KbError as error:
            missing["database"] = error
        trouble = None if "database" in missing else self._storage.trouble()
        parts = {**self._outages(), "storage": trouble}
        impaired = self.replaced() | {part: error for part, error in parts.items() if error}
        info = None if "generator" in missing else self.generator_info()
        return ServiceStatus(missing, impaired, info, trouble)
