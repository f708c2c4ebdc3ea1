"""The connection to Milvus: collections by base and generation, rows, searches, bounded waits.

Knows pymilvus and how collections are named. Knows nothing of what rows mean. Filters are made of
field names of ours and of ids that are checked here; no text of anybody is part of one. Whatever
the client raises is IndexFailed. Thread-safe.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.extras import extra_needed
from retrievers.failures import index_failures

SETTING = "KB_INDEX__URL"

MAX_HITS = 16_384
"""Hits of one search that Milvus gives at most."""

ROWS_AT_ONCE = 512
"""Rows of one request: 1 to 2 MB of words and vectors."""

IDS_AT_ONCE = 4096
KINDS = ("chunks", "terms")

Row = dict[str, Any]
Item = TypeVar("Item")

_BASE_ID = re.compile(r"[A-Za-z0-9_]{1,128}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Field:
    """A column. `kind`: a name of pymilvus' DataType. `options`: as `add_field` takes them."""

    name: str
    kind: str
    options: Mapping[str, object]
    index: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The collections of one generation of a base."""

    kb_id: str
    generation: int
    chunks: str
    terms: str


class _Client:
    """What all that use one connection share."""

    def __init__(self) -> None:
        self.opened: Any = None
        self.lock = threading.Lock()
        self.loaded: set[str] = set()


class MilvusConnection:
    """Talks to one Milvus; connects with its first use, and anew after `close`."""

    def __init__(self, url: str, token: str, prefix: str, timeout_s: float) -> None:
        """`prefix`: what the names of all collections begin with. Raises ConfigurationError where
        the client is not installed.
        """
        with extra_needed("milvus", SETTING), _environment_kept():
            self._library: Any = import_module("pymilvus")
        # Every failure is raised, and logged with it as a whole trace besides.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        self.url = url
        self._token = token
        self._prefix = prefix
        self.timeout_s = timeout_s
        self._named = re.compile(
            rf"{re.escape(prefix)}_([A-Za-z0-9_]+)_(\d{{8}})_({'|'.join(KINDS)})"
        )
        self._client = _Client()
        self.check_turn: Callable[[], None] | None = None

    def writing_while(self, check: Callable[[], None]) -> "MilvusConnection":
        """Return this connection for one turn of writing: it asks `check` before each write.

        What `check` raises passes; nothing is written then.
        """
        own = copy(self)
        own.check_turn = check
        return own

    def version(self) -> str:
        """Return the version of the server, after asking it."""
        with self._used("ask for the version") as client:
            return str(client.get_server_version(timeout=self.timeout_s))

    def names(self, kb_id: str, generation: int) -> Names:
        """Return the collections of a generation. Raises InvalidRequest for no plain id."""
        if not _BASE_ID.fullmatch(kb_id):
            raise InvalidRequest(f"knowledge base id {kb_id!r} is not letters, digits and '_'")
        stem = f"{self._prefix}_{kb_id}_{generation:08d}"
        return Names(kb_id, generation, *(f"{stem}_{kind}" for kind in KINDS))

    def generations(self) -> dict[str, dict[int, frozenset[str]]]:
        """Return the generations of each base, and which kinds of collections each has."""
        with self._used("list collections") as client:
            listed = client.list_collections(timeout=self.timeout_s)
        found: dict[str, dict[int, frozenset[str]]] = {}
        for name in listed:
            if match := self._named.fullmatch(name):
                base = found.setdefault(match[1], {})
                number = int(match[2])
                base[number] = base.get(number, frozenset()) | {match[3]}
        return found

    def create(self, name: str, fields: Sequence[Field]) -> None:
        """Make a collection whose searches see what was written; the first field is its key."""
        types = self._library.DataType
        with self._writing(f"create {name}") as client:
            schema = client.create_schema(auto_id=False, enable_dynamic_field=False)
            indexes = client.prepare_index_params()
            for position, field in enumerate(fields):
                options = {**field.options, "is_primary": position == 0}
                schema.add_field(field.name, getattr(types, field.kind), **options)
                if field.index:
                    indexes.add_index(field.name, **field.index)
            client.create_collection(
                name,
                schema=schema,
                index_params=indexes,
                consistency_level="Strong",
                timeout=self.timeout_s,
            )

    def drop(self, names: Names) -> None:
        """Remove the collections of a generation; absent ones are no error."""
        for name in (names.terms, names.chunks):
            self._client.loaded.discard(name)
            with self._writing(f"drop {name}") as client:
                client.drop_collection(name, timeout=self.timeout_s)

    def upsert(self, name: str, rows: Iterable[Row]) -> None:
        """Put rows in the place of those with the same keys."""
        for batch in in_batches(rows, ROWS_AT_ONCE):
            with self._writing(f"write into {name}", name) as client:
                client.upsert(name, batch, timeout=self.timeout_s)

    def delete(self, name: str, field: str, ids: Iterable[int]) -> None:
        """Remove the rows with one of these numbers in a field."""
        for batch in in_batches(ids, IDS_AT_ONCE):
            with self._writing(f"remove rows of {name}", name) as client:
                client.delete(name, filter=numbered(field, batch), timeout=self.timeout_s)

    def rows(self, name: str, condition: str, fields: Sequence[str]) -> list[Row]:
        """Return every row that meets a condition."""
        with self._used(f"read {name}", name) as client:
            found = client.query(
                name, filter=condition, output_fields=list(fields), timeout=self.timeout_s
            )
            return [dict(row) for row in found]

    def count(self, name: str, condition: str = "") -> int:
        """Return how many rows meet a condition."""
        [counted] = self.rows(name, condition, ["count(*)"])
        return int(counted["count(*)"])

    def search(
        self,
        name: str,
        field: str,
        vector: object,
        limit: int,
        *,
        condition: str = "",
        fields: Sequence[str] = (),
    ) -> list[tuple[float, Row]]:
        """Return the rows of the greatest inner products, with these, best first."""
        with self._used(f"search {name}", name) as client:
            [hits] = client.search(
                name,
                data=[vector],
                anns_field=field,
                limit=min(limit, MAX_HITS),
                filter=condition,
                output_fields=list(fields),
                search_params={"metric_type": "IP"},
                timeout=self.timeout_s,
            )
            return [(float(hit["distance"]), _row_of(hit)) for hit in hits]

    def close(self) -> None:
        """Give up the connection; the next use connects anew."""
        with self._client.lock:
            client, self._client.opened = self._client.opened, None
            self._client.loaded.clear()
        if client is not None:
            with suppress(Exception):  # it is given up because it may be broken
                client.close()

    @contextmanager
    def _writing(self, action: str, name: str | None = None) -> Iterator[Any]:
        with self._used(action, name) as client:
            if self.check_turn is not None:
                self.check_turn()
            yield client

    @contextmanager
    def _used(self, action: str, name: str | None = None) -> Iterator[Any]:
        with index_failures(f"{action} in Milvus at {self.url}"):
            client = self._connected()
            if name is not None and name not in self._client.loaded:
                client.load_collection(name, timeout=self.timeout_s)
                self._client.loaded.add(name)
            yield client

    def _connected(self) -> Any:  # noqa: ANN401 - its stubs do not say what it returns
        with self._client.lock:
            if self._client.opened is None:
                self._client.opened = self._library.MilvusClient(
                    uri=self.url, token=self._token, timeout=self.timeout_s
                )
            return self._client.opened


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Take back what an import adds to the environment: this one reads any `.env` it comes upon."""
    known = set(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - known:
            del os.environ[name]


def numbered(field: str, numbers: Iterable[int]) -> str:
    """Return the condition that a number is one of these."""
    return f"{field} in [{', '.join(str(int(number)) for number in numbers)}]"


def named(field: str, ids: Iterable[str]) -> str:
    """Return the condition that an id is one of these. Raises InvalidRequest for no plain id."""
    listed = list(ids)
    for one in listed:
        if not _ID.fullmatch(one):
            raise InvalidRequest(f"{one[:200]!r} is not an id of letters, digits, '_' and '-'")
    quoted = ", ".join(f'"{one}"' for one in listed)
    return f"{field} in [{quoted}]"


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items, so many at a time."""
    coming = iter(items)
    while batch := list(islice(coming, size)):
        yield batch


def _row_of(hit: Mapping[str, Any]) -> Row:
    return dict(hit["entity"])
