"""Which index is searched, by settings: segments in the data folder, or collections in Milvus.

Part of the composition root. Nothing connects before an index is first asked for.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kb_service.domain.ports import DerivedFiles, EmbeddingProfile, IndexSource
from kb_service.language.plurals import num_of
from kb_service.settings import Settings
from kb_service.storage.database import Database
from kb_service.storage.turns import PostgresTurns
from retrievers.upkeep import IndexFiles

if TYPE_CHECKING:
    from retrievers.index import Indexes
    from retrievers.milvus.connection import MilvusConnection


def index_root(settings: Settings) -> Path:
    """Return the folder of the segments."""
    return settings.data_dir.resolve() / "index"


def index_files(settings: Settings) -> DerivedFiles:
    """Return what belongs to the indexes of all bases, wherever it is."""
    local = IndexFiles(index_root(settings))
    if not settings.index.url:
        return local
    from retrievers.milvus.files import MilvusFiles

    return MilvusFiles(local, partial(connect, settings))


def open_indexes(
    settings: Settings, source: IndexSource, profile: EmbeddingProfile, database: Database
) -> "Indexes | None":
    """Return the indexes in Milvus, None where none is named: then segments are searched.

    Raises ConfigurationError where its client is not installed.
    """
    if not settings.index.url:
        return None
    from retrievers.absent import NO_VECTORS
    from retrievers.library import IndexLibrary
    from retrievers.milvus.library import MilvusLibrary
    from retrievers.turns import FileTurns

    root = index_root(settings)
    turns = (
        FileTurns(root.with_name("index-turns")) if database.is_sqlite else PostgresTurns(database)
    )
    standby = IndexLibrary(source, NO_VECTORS, root)
    return MilvusLibrary(source, profile, connect(settings), turns, standby)


def told(settings: Settings) -> str:
    """Say which index is in force, after asking it. Raises IndexFailed, ConfigurationError."""
    if not settings.index.url:
        return f"segments in {index_root(settings)}"
    connection = connect(settings)
    try:
        bases = f"{num_of(len(connection.generations()), 'base')}"
        return (
            f"Milvus {connection.version()} at {connection.url}, {bases}; while it is away words "
            f"alone are searched, in {index_root(settings)}"
        )
    finally:
        connection.close()


def connect(settings: Settings) -> "MilvusConnection":
    """Return the connection that the settings name. Raises ConfigurationError."""
    from retrievers.milvus.connection import MilvusConnection

    index = settings.index
    return MilvusConnection(
        index.url, index.token.get_secret_value(), index.prefix, index.timeout_s
    )
