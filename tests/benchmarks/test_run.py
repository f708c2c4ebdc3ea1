"""`make bench` names no measurement and means all of them."""

import pytest

from benchmarks.run import MEASUREMENTS, chosen


def test_without_names_every_measurement_runs() -> None:
    assert chosen([]) == list(MEASUREMENTS)


def test_named_measurements_run_in_the_order_given() -> None:
    assert chosen(["sync", "answers"]) == ["sync", "answers"]


def test_an_unknown_measurement_is_refused_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        chosen(["speed"])
    assert "'speed'; expected one of retrieval" in capsys.readouterr().err
