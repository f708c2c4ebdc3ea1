"""What belongs to the indexes of bases where these are in Milvus: collections there, files here.

Implements `domain.ports.DerivedFiles` around the files of segments, which stand by. Knows which
collection belongs to which base.
"""

import logging
from collections.abc import Callable, Collection

from kb_service.domain.ports import DerivedFiles
from retrievers.failures import IndexFailed
from retrievers.milvus.connection import MilvusConnection, named
from retrievers.milvus.library import remove

logger = logging.getLogger(__name__)

Bases = Callable[[], Collection[str]]


class MilvusFiles:
    """Implements `DerivedFiles`. `connect` is called with the first use."""

    def __init__(self, local: DerivedFiles, connect: Callable[[], MilvusConnection]) -> None:
        self._local = local
        self._connect = connect

    def orphans(self, bases: Bases) -> list[str]:
        """Return the ids that have files or collections and are no base's. Raises IndexFailed."""
        listed = self._connect().generations()
        existing = bases() if listed else ()
        away = {kb_id for kb_id in listed if kb_id not in existing}
        return sorted({*self._local.orphans(bases), *away})

    def sweep(self, bases: Bases) -> int:
        """Remove what deleted bases and killed processes left; return how many bases.

        What Milvus keeps while it is away stays until the next sweep.
        """
        num_removed = self._local.sweep(bases)
        try:
            listed = self._connect().generations()
            existing = bases() if listed else ()
            for kb_id in (one for one in listed if one not in existing):
                remove(self._connect(), kb_id)
                num_removed += 1
        except IndexFailed as error:
            logger.warning("collections of deleted bases stay: %s", error)
        return num_removed

    def drop(self, kb_id: str) -> None:
        """Remove what is kept of a deleted base; while Milvus is away, a sweep does it later.

        Raises StorageError.
        """
        self._local.drop(kb_id)
        try:
            remove(self._connect(), kb_id)
        except IndexFailed as error:
            logger.warning("the collections of a deleted base stay: %s", error)

    def traces(self, kb_id: str, document_ids: Collection[str]) -> tuple[int, list[str]]:
        """Return how many places were looked at, and which still hold one of the documents.

        Raises IndexFailed while Milvus is away: then nobody can tell.
        """
        num_places, found = self._local.traces(kb_id, document_ids)
        connection = self._connect()
        condition = named("document_id", sorted(document_ids))
        for number in connection.generations().get(kb_id, {}):
            names = connection.names(kb_id, number)
            num_places += 1
            if document_ids and connection.count(names.chunks, condition):
                found.append(f"collection {names.chunks} in Milvus")
        return num_places, found
