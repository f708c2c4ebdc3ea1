"""Which connections stay: bounds, time limits, and who gives way to a newer one."""

from collections.abc import Iterator

import pytest

from api.connections import (
    BODY_WINDOW_S,
    DRAIN_S,
    HEAD_TIMEOUT_S,
    MIN_WINDOW_BYTES,
    STALL_S,
    Connection,
    ConnectionGate,
    ConnectionPhase,
    client_of,
)


class Crowd:
    """A gate with a clock of its own, and the names of those it dropped, in order."""

    def __init__(self, most: int = 4, of_one: int = 4, shared: str = "") -> None:
        self.now = 0.0
        self.gone: list[tuple[str, bool]] = []
        self.gate = ConnectionGate(most, of_one, lambda address: address == shared, self.clock)

    def clock(self) -> float:
        return self.now

    def come(self, name: str, address: str = "10.0.0.1") -> Connection | None:
        self.now += 0.001
        places: list[Connection] = []

        def drop(gives_way: bool) -> None:
            self.gone.append((name, gives_way))
            self.gate.leave(places[0])

        connection = self.gate.admit(address, drop)
        places += [connection] if connection else []
        return connection

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, dropping as a server does every second; return who went."""
        before = len(self.gone)
        for _ in range(int(seconds)):
            self.now += 1
            self.gate.drop_overdue()
        return [name for name, _ in self.gone[before:]]


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    yield Crowd()


def test_the_oldest_that_sent_no_whole_head_gives_way(crowd: Crowd) -> None:
    for number in range(10):
        assert crowd.come(f"half {number}") is not None
    assert crowd.gone == [(f"half {number}", True) for number in range(6)]
    assert len(crowd.gate) == 4
    assert crowd.gate.num_gave_way == 6


def test_idle_connections_give_way_after_half_sent_heads_and_requests_never(crowd: Crowd) -> None:
    places = {
        name: crowd.come(name) for name in ("asks", "idles first", "idles later", "sends a head")
    }
    for name, phase in (
        ("asks", ConnectionPhase.ANSWER),
        ("idles first", ConnectionPhase.IDLE),
        ("idles later", ConnectionPhase.IDLE),
    ):
        connection = places[name]
        assert connection is not None
        crowd.gate.enter(connection, phase)
        crowd.now += 1
    for name in "abc":
        connection = crowd.come(name)
        assert connection is not None
        crowd.gate.enter(connection, ConnectionPhase.ANSWER)
    assert [name for name, _ in crowd.gone] == ["sends a head", "idles first", "idles later"]
    assert crowd.come("one too many") is None
    assert crowd.gate.num_refused == 1


def test_one_address_takes_its_share_and_no_more() -> None:
    crowd = Crowd(most=10, of_one=3)
    others = [crowd.come(f"other {number}", f"10.0.1.{number}") for number in range(3)]
    for number in range(50):
        crowd.come(f"flood {number}")
    assert len(crowd.gate) == 6
    assert not any("other" in name for name, _ in crowd.gone)
    assert all(other is not None for other in others)


def test_an_address_full_of_requests_is_refused_while_others_come_in() -> None:
    crowd = Crowd(most=10, of_one=2)
    for name in "ab":
        connection = crowd.come(name)
        assert connection is not None
        crowd.gate.enter(connection, ConnectionPhase.ANSWER)
    assert crowd.come("a third") is None
    assert crowd.come("another", "10.0.0.2") is not None


def test_a_trusted_proxy_stands_for_many_clients() -> None:
    crowd = Crowd(most=10, of_one=2, shared="10.0.0.1")
    assert all(crowd.come(str(number)) is not None for number in range(8))
    assert crowd.gone == []


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "/run/kb.sock", False),
    ],
)
def test_what_is_one_client(one: str, other: str, is_same: bool) -> None:
    assert (client_of(one) == client_of(other)) is is_same


def test_a_head_has_ten_seconds_however_it_trickles(crowd: Crowd) -> None:
    connection = crowd.come("trickles")
    assert connection is not None
    for _ in range(int(HEAD_TIMEOUT_S)):
        crowd.gate.received(connection, 1)
        assert crowd.wait(1) == []
    assert crowd.wait(1) == ["trickles"]


def test_a_body_may_take_long_and_not_be_slow(crowd: Crowd) -> None:
    brisk, idle = crowd.come("brisk"), crowd.come("idle")
    assert brisk is not None
    assert idle is not None
    for connection in (brisk, idle):
        crowd.gate.enter(connection, ConnectionPhase.BODY)
        crowd.gate.received(connection, 10**9)
    gone = []
    for _ in range(10):
        crowd.gate.received(brisk, MIN_WINDOW_BYTES)
        gone += crowd.wait(BODY_WINDOW_S - 1)
    assert gone == ["idle"], "what came fast at first does not pay for silence later"


def test_a_body_that_the_service_does_not_take_is_not_slow(crowd: Crowd) -> None:
    connection = crowd.come("held up")
    assert connection is not None
    crowd.gate.enter(connection, ConnectionPhase.BODY)
    for _ in range(100):
        connection.was_held_up = True
        assert crowd.wait(1) == []
    assert crowd.wait(2 * BODY_WINDOW_S + 2) == ["held up"]


def test_what_was_answered_before_its_body_came_is_soon_closed(crowd: Crowd) -> None:
    connection = crowd.come("goes on sending")
    assert connection is not None
    crowd.gate.enter(connection, ConnectionPhase.DRAIN)
    crowd.gate.received(connection, 10**9)
    assert crowd.wait(DRAIN_S) == []
    assert crowd.wait(1) == ["goes on sending"]


def test_a_client_that_takes_nothing_of_its_answer_is_dropped(crowd: Crowd) -> None:
    connection, reader = crowd.come("takes nothing"), crowd.come("reads")
    assert connection is not None
    assert reader is not None
    for place in (connection, reader):
        crowd.gate.enter(place, ConnectionPhase.ANSWER)
    connection.stalled_since = crowd.now
    assert crowd.wait(STALL_S) == []
    assert crowd.wait(1) == ["takes nothing"]
    assert crowd.wait(3600) == []


def test_where_all_are_under_way_the_slowest_sender_gives_way() -> None:
    crowd = Crowd(most=3)
    for name, num_bytes in (("fast", 10**8), ("slow", 10**5), ("slower", 10**3)):
        connection = crowd.come(name)
        assert connection is not None
        crowd.gate.enter(connection, ConnectionPhase.BODY)
        crowd.gate.received(connection, num_bytes)
    assert crowd.come("at once") is None
    crowd.now += 10
    assert [crowd.come(name) is not None for name in "abc"] == [True, True, True]
    assert [name for name, _ in crowd.gone] == ["slower", "a", "b"]


def test_a_place_is_given_back_once(crowd: Crowd) -> None:
    connection = crowd.come("leaves")
    assert connection is not None
    crowd.gate.leave(connection)
    crowd.gate.leave(connection)
    crowd.gate.enter(connection, ConnectionPhase.IDLE)
    assert len(crowd.gate) == 0
    assert list(crowd.gate) == []
