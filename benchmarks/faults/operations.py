"""What is done while the disk fails: the kinds of work of the service, each in a few lines.

Knows the bases and documents of the template that every point starts from.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.faults.session import Session

KEPT, QUOTED, REVISED = "kept.txt", "quoted.txt", "revised.txt"
MARKERS = {
    KEPT: "zqkept",
    QUOTED: "zqquoted",
    REVISED: "zqrevised",
    "same.txt": "zqsame",
    "changed.txt": "zqchanged",
    "removed.txt": "zqremoved",
}
SYNCED = ("same.txt", "changed.txt", "removed.txt")
BASE, DOOMED = "reports", "doomed"

Work = Callable[[Session], None]


@dataclass(frozen=True)
class Operation:
    """`run` meets the faults. `elsewhere` is done by another process where `run` pauses.

    With `is_served` another process reads all the time, and must read on.
    """

    name: str
    run: Callable[[Session, Callable[[], None]], None]
    elsewhere: Work | None = None
    is_served: bool = False
    is_first: bool = False


def fill(session: Session) -> None:
    """The state that every point starts from, but the first start."""
    session.start()
    session.create(BASE)
    session.create(DOOMED)
    for name in (KEPT, QUOTED, REVISED):
        session.put(BASE, name, MARKERS[name])
    session.put(DOOMED, "doomed.txt")
    session.sync(BASE, {name: MARKERS[name] for name in SYNCED})
    session.work()
    session.ask(BASE, MARKERS[QUOTED])
    session.reindex(BASE)
    session.reindex(DOOMED)


def read(session: Session) -> None:
    """Read what no operation changes."""
    session.read(BASE, KEPT, MARKERS[KEPT])


def _upload(session: Session, _: Callable[[], None]) -> None:
    session.put(BASE, "new-one.txt")
    session.put(BASE, "new-two.txt")
    session.work()
    read(session)


def _revise(session: Session, _: Callable[[], None]) -> None:
    session.put(BASE, REVISED)
    session.work()
    session.put(BASE, QUOTED)
    session.work()
    read(session)


def _delete(session: Session, _: Callable[[], None]) -> None:
    session.delete(BASE, QUOTED)
    session.delete(BASE, REVISED)
    read(session)


def _sync(session: Session, _: Callable[[], None]) -> None:
    markers = {
        "same.txt": MARKERS["same.txt"],
        "changed.txt": "zqchangedagain",
        "added.txt": "zqadded",
    }
    session.sync(BASE, markers)
    session.work()
    read(session)


def _reindex(session: Session, _: Callable[[], None]) -> None:
    session.reindex(BASE)
    session.reindex(BASE)


def _follow(session: Session, pause: Callable[[], None]) -> None:
    """A server that reads while another process has revised and reindexed what it had open."""
    read(session)
    pause()
    read(session)


def _renew(session: Session) -> None:
    session.put(BASE, REVISED)
    session.work()
    session.reindex(BASE)


def _drop(session: Session, _: Callable[[], None]) -> None:
    session.drop(DOOMED)
    session.create("another")


def _first(session: Session, _: Callable[[], None]) -> None:
    session.start()
    session.create(BASE)
    session.put(BASE, "first.txt")
    session.work()


def _ask(session: Session, _: Callable[[], None]) -> None:
    conversation = session.ask(BASE, MARKERS[KEPT])
    session.ask(BASE, MARKERS[REVISED], conversation)
    if conversation:
        session.forget(conversation)


def _restart(session: Session, _: Callable[[], None]) -> None:
    session.start()
    read(session)
    session.work()


OPERATIONS = (
    Operation("upload", _upload),
    Operation("revise", _revise),
    Operation("delete", _delete),
    Operation("sync --prune", _sync),
    Operation("reindex beside a server", _reindex, is_served=True),
    Operation("a server beside reindex", _follow, elsewhere=_renew),
    Operation("delete a base", _drop, is_served=True),
    Operation("first start", _first, is_first=True),
    Operation("ask", _ask),
    Operation("restart and read", _restart),
)
