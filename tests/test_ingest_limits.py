"""How many files are read at a time follows from the cores, unless somebody says it."""

from kb_service.ingest_limits import lane_limits, num_cores, slow_lanes
from kb_service.settings import IngestSettings


def test_lanes_follow_the_cores_and_leave_one() -> None:
    assert [slow_lanes(cores) for cores in (1, 2, 3, 5, 64)] == [1, 1, 2, 4, 4]
    assert lane_limits(IngestSettings()).max_slow == slow_lanes(num_cores())


def test_a_number_of_lanes_that_is_set_holds() -> None:
    assert lane_limits(IngestSettings(slow_lanes=7)).max_slow == 7
