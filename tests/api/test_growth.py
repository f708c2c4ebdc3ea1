"""What a request costs does not grow with its base: no statements, rows or steps of SQLite."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from api.app import create_app
from benchmarks.ask_costs import IDENTIFIED, PLAIN, REPAIRED, counted, fill, opened
from kb_service.storage.database import Database
from tests.api.conftest import BASE_URL

SMALL, LARGE = 12, 120
STEPS = 20
"""Steps of SQLite's machine between two looks."""
MORE_STEPS = 1.2
"""A list of the same length is not in the same places of a larger tree."""

Send = Callable[[TestClient, str], object]


@dataclass
class Spent:
    """What one request asked of the database."""

    num_statements: int = 0
    num_rows: int = 0
    num_steps: int = 0


@contextmanager
def spending(database: Database) -> Iterator[Spent]:
    """Count what is asked meanwhile."""
    spent = Spent()

    def step() -> int:
        spent.num_steps += STEPS
        return 0

    def look(connection: Any, *_: object) -> None:  # noqa: ANN401  a driver's connection
        connection.set_progress_handler(step, STEPS)

    def look_away(connection: Any, *_: object) -> None:  # noqa: ANN401
        connection.set_progress_handler(None, STEPS)

    event.listen(database.engine, "checkout", look)
    event.listen(database.engine, "checkin", look_away)
    with counted(database, "") as costs:
        yield spent
    spent.num_statements, spent.num_rows = costs.num_queries, costs.num_rows
    event.remove(database.engine, "checkout", look)
    event.remove(database.engine, "checkin", look_away)


def report(number: int) -> str:
    """A short report; the first one has the number that is asked for."""
    name = f"Incident QX-{7731 if number == 1 else 100000 + number}."
    return f"{name} The valve began to leak on 17 August 2024.{REPAIRED}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Database]]:
    """A server over a small base and one ten times as large."""
    folder: Path = tmp_path_factory.mktemp("growth")
    with opened(folder) as (parts, services):
        for name, size in (("small", SMALL), ("large", LARGE)):
            kb_id = services.bases.create(name).id
            fill(parts, kb_id, {f"{n:04}.txt": report(n) for n in range(1, size + 1)})
        with TestClient(create_app(services), base_url=BASE_URL) as client:
            yield client, parts.storage().database


def ask(question: str, **more: object) -> Send:
    return lambda client, kb: client.post(
        f"/kb/{kb}/ask", json={"question": question, "top_k": 5, **more}
    )


def search(**more: object) -> Send:
    return lambda client, kb: client.post(
        f"/kb/{kb}/search", json={"query": PLAIN, "top_k": 5, **more}
    )


REQUESTS: dict[str, Send] = {
    "a base": lambda client, kb: client.get(f"/kb/{kb}"),
    "a list of documents": lambda client, kb: client.get(f"/kb/{kb}/documents?limit=5"),
    "its next part": lambda client, kb: client.get(
        f"/kb/{kb}/documents?limit=5&cursor={next_cursor(client, kb)}"
    ),
    "a document by its name": lambda client, kb: client.get(f"/kb/{kb}/documents?name=0003.txt"),
    "a search": search(),
    "an answer": ask(PLAIN),
    "an answer about a named incident": ask(IDENTIFIED),
}


def next_cursor(client: TestClient, kb: str) -> str:
    return str(client.get(f"/kb/{kb}/documents?limit=5").json()["next_cursor"])


def cost(server: tuple[TestClient, Database], send: Callable[[], Any]) -> Spent:
    """What a request asks of the database, when everything is open."""
    _, database = server
    assert send().status_code == 200
    with spending(database) as spent:
        send()
    return spent


@pytest.mark.parametrize("what", REQUESTS)
def test_a_request_costs_the_same_in_a_base_of_ten_times_the_size(
    server: tuple[TestClient, Database], what: str
) -> None:
    client, _ = server
    small, large = (
        cost(server, lambda kb=kb: REQUESTS[what](client, kb)) for kb in ("small", "large")
    )
    assert (large.num_statements, large.num_rows) == (small.num_statements, small.num_rows)
    assert large.num_steps <= MORE_STEPS * small.num_steps, (small, large)


@pytest.mark.parametrize("path", ["/readyz", "/metrics", "/kb"])
def test_what_tells_of_all_bases_does_not_look_at_their_documents(
    server: tuple[TestClient, Database], path: str
) -> None:
    client, _ = server
    spent = cost(server, lambda: client.get(path))
    assert spent.num_rows <= 4 * 10
    assert spent.num_steps <= 100 * 20, spent
