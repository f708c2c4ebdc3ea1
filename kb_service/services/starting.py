"""What a server and a worker do before their first request and job.

Knows that a disk or a database that refuses keeps nobody from being served.
"""

import threading
from collections.abc import Callable

import structlog

from kb_service.domain.errors import StorageError
from kb_service.services.demo import load_demo
from kb_service.services.keeping import INGESTING, step_back
from kb_service.services.upkeep import UpkeepService
from kb_service.services.uploads import UploadService
from kb_service.services.webhooks import BodyOf
from kb_service.services.worker import IngestWorker, release_dead_workers
from kb_service.storage.catalog import Catalog
from kb_service.storage.jobs.queue import JobQueue
from kb_service.storage.opening import Storage

Poster = Callable[[BodyOf, Callable[[], bool]], None]
log = structlog.get_logger("serve")


class StartService:
    """Starts to serve, and works.

    `worker` makes an ingest worker of this process, `warm_up` loads what its files need, `post`
    posts changes of answers, put in JSON, until it is told to stop, `keep_indexes` has them kept
    by a thread of its own.
    """

    def __init__(
        self,
        storage: Storage,
        upkeep: UpkeepService,
        catalog: Catalog,
        uploads: UploadService,
        jobs: JobQueue,
        worker: Callable[[], IngestWorker],
        warm_up: Callable[[], None],
        post: Poster,
        keep_indexes: Callable[[], None],
    ) -> None:
        self._storage = storage
        self._upkeep = upkeep
        self._catalog = catalog
        self._uploads = uploads
        self._jobs = jobs
        self.worker = worker
        self._warm_up = warm_up
        self._post = post
        self._keep_indexes = keep_indexes

    def can_write(self) -> bool:
        """True when the database is open for writing; one that was not is tried again."""
        return self._storage.can_write()

    def prepare(self, *, with_demo: bool) -> bool:
        """Tidy up, then load the demo base when there is no base; True when it was loaded."""
        if not self._storage.can_write():
            return False
        try:
            self._storage.reserve.restore()
            self._upkeep.sweep()
            return with_demo and load_demo(self._catalog, self._uploads)
        except StorageError as error:
            if not error.is_outage:
                raise
            log.warning("not tidied up", code=error.code, error=error.message)
            return False

    def work_until(self, is_stopped: Callable[[], bool], body_of: BodyOf) -> None:
        """Ingest queued documents until stopped. `body_of` puts a change of an answer in JSON.

        Raises StorageError where none can be written.
        """
        if refusal := self._storage.database.refusal:
            raise refusal
        step_back(INGESTING)  # before there are threads and children that inherit it
        release_dead_workers(self._jobs)
        threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        posting = (body_of, is_stopped)
        threading.Thread(target=self._post, args=posting, name="post", daemon=True).start()
        self._keep_indexes()
        self.worker().run_until(is_stopped)
