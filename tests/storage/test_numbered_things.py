"""What happens twice to one lift, bed or train is two incidents, whatever number rows share."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.services.querying import QueryRunner
from kb_service.storage.facts.store import Facts
from kb_service.storage.records.store import RecordStore
from tests.storage.world import World

LIFTS = [
    "序号: 1; 日期: 2025-01-15; 时间: 07:55; 地点: 望江大厦; 电梯编号: DT-2007; 故障原因: 超载",
    "序号: 2; 日期: 2025-02-21; 时间: 09:05; 地点: 枫林苑7栋; 电梯编号: DT-5017; 故障原因: 停电",
    "序号: 3; 日期: 2025-03-19; 时间: 13:34; 地点: 望江大厦; 电梯编号: DT-2007; 故障原因: 停电",
    "序号: 4; 日期: 2025-03-20; 时间: 08:10; 地点: 天成公寓; 电梯编号: DT-6001; 故障原因: 停电",
]
BEDS = [
    "Date: 2025-01-04; Ward: 3; Bed no.: B-12; Cause: wet floor",
    "Date: 2025-01-04; Ward: 3; Bed no.: B-12; Cause: low rail",
    "Date: 2025-01-09; Ward: 4; Bed no.: B-31; Cause: wet floor",
    "Date: 2025-02-11; Ward: 4; Bed no.: B-40; Cause: wet floor",
]
CODES = [
    "Date: 2025-01-04; Site code: Q-1; Cause: wet floor",
    "Date: 2025-02-04; Site code: Q-2; Cause: low rail",
    "Date: 2025-03-04; Site code: Q-1; Cause: ice",
]
NUMBERED = [
    "No.: 1; Date: 2025-01-04; Location: Elm Court 2; Type: fire",
    "No.: 2; Date: 2025-01-08; Location: Mill Lane 7; Type: theft",
    "No.: 1; Date: 2025-02-04; Location: Mill Lane 9; Type: fire",
]
LATER = [
    "No.: 1; Date: 2025-03-04; Location: Oak Street 1; Type: leak",
    "No.: 2; Date: 2025-03-05; Location: Oak Street 8; Type: leak",
]


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("registers").id


@pytest.fixture
def stored(world: World) -> Facts:
    return Facts(world.database, world.clock)


def incidents(stored: Facts, kb_id: str) -> list[set[tuple[str, int]]]:
    """Return the records of each incident."""
    return [
        {(one.document_name, one.fact.record) for one in stored.of_incidents(kb_id, [number])}
        for number in stored.incidents(kb_id).items
    ]


VALVES = [
    "阀门编号: F-011; 路名: 人民路邮局; 口径: DN400; 安装年份: 1988; 上次启闭: 2026-03-09",
    "阀门编号: F-027; 路名: 解放路桥; 口径: DN300; 安装年份: 1997; 上次启闭: 2026-04-27",
    "阀门编号: F-033; 路名: 滨河路28号; 口径: DN300; 安装年份: 2005; 上次启闭: 2026-09-12",
]
PUMPS = [
    "Pump no.: P-1; Date: 2025-01-04; Location: Mill Lane",
    "Pump no.: P-2; Date: 2025-02-04; Location: Oak Street",
]
MINUTES = ["Minutes of the safety committee", "Number: SC-7", "Date: 2025-03-04"]


@pytest.mark.parametrize("lines", [VALVES, PUMPS, MINUTES])
def test_the_number_of_a_thing_or_of_the_paper_tells_of_no_incident(
    world: World, kb_id: str, stored: Facts, lines: list[str]
) -> None:
    """A list of valves with the day of the last turn was counted as bursts."""
    world.ingest(kb_id, "list", lines)
    assert incidents(stored, kb_id) == []


@pytest.mark.parametrize("rows", [LIFTS, BEDS, CODES, NUMBERED])
def test_each_row_of_a_register_tells_of_an_incident_of_its_own(
    world: World, kb_id: str, stored: Facts, rows: list[str]
) -> None:
    """A lift that stuck twice was one incident, and 25 rows counted as 20."""
    world.ingest(kb_id, "register", rows)
    assert incidents(stored, kb_id) == [{("register", n)} for n in range(1, len(rows) + 1)]


def test_rows_of_two_ledgers_that_share_no_more_than_a_row_number_are_apart(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "january", NUMBERED[:2])
    world.ingest(kb_id, "march", LATER)
    assert len(incidents(stored, kb_id)) == 4


def test_a_report_on_a_lift_is_of_the_incident_of_its_time(
    world: World, kb_id: str, stored: Facts
) -> None:
    world.ingest(kb_id, "register", LIFTS)
    rows = [row.replace("13:34", "13:40") for row in LIFTS[1:3]]
    world.ingest(kb_id, "copy", rows)
    assert incidents(stored, kb_id) == [
        {("register", 1)},
        {("register", 2), ("copy", 1)},
        {("register", 3), ("copy", 2)},
        {("register", 4)},
    ]


def test_rows_of_one_time_and_reports_on_one_number_are_one_incident(
    world: World, kb_id: str, stored: Facts
) -> None:
    crews = [
        "Incident No.: F-7; Date: 2025-01-04 10:00; Unit: Engine 1; Type: fire",
        "Incident No.: F-7; Date: 2025-01-04 10:05; Unit: Ladder 3; Type: fire",
        "Incident No.: F-8; Date: 2025-01-06 10:00; Unit: Engine 1; Type: fire",
    ]
    reports = [
        "Incident No.: R-7; Date: 2025-01-04; Report type: initial; Type: leak",
        "Incident No.: R-7; Date: 2025-01-05; Report type: follow-up; Type: leak",
    ]
    world.ingest(kb_id, "crews", crews)
    world.ingest(kb_id, "reports", reports)
    world.ingest(kb_id, "notice", ["Incident No.: F-8", "Time: 2025-01-07 09:00", "Type: fire"])
    assert incidents(stored, kb_id) == [
        {("crews", 1), ("crews", 2)},
        {("crews", 3), ("notice", 0)},
        {("reports", 1), ("reports", 2)},
    ]


def test_rows_of_one_incident_number_are_one_incident_at_whatever_time(
    world: World, kb_id: str, stored: Facts
) -> None:
    """Updates of an incident stand in rows of their own, hours or days apart."""
    updates = [
        "Incident No.: ML-2024-4261; Date: 2025-01-04 10:00; Unit: Engine 1; Type: fire",
        "Incident No.: ML-2024-4261; Date: 2025-01-04 10:45; Unit: Ladder 3; Type: fire",
    ]
    orders = [
        "工单号: GD-20250104-7; 日期: 2025-01-04; 地点: 望江大厦; 类型: 火灾",
        "工单号: GD-20250104-7; 日期: 2025-01-06; 地点: 望江大厦; 类型: 火灾",
        "工单号: GD-20250104-8; 日期: 2025-01-06; 地点: 枫林苑7栋; 类型: 火灾",
    ]
    world.ingest(kb_id, "updates", updates)
    world.ingest(kb_id, "orders", orders)
    assert incidents(stored, kb_id) == [
        {("updates", 1), ("updates", 2)},
        {("orders", 1), ("orders", 2)},
        {("orders", 3)},
    ]


def test_the_number_of_a_thing_says_of_what(world: World, kb_id: str, stored: Facts) -> None:
    world.ingest(kb_id, "register", LIFTS)
    told = stored.listed(kb_id, FactField.NUMBER).items
    assert {(one.fact.value, one.fact.role) for one in told} == {
        ("DT-2007", "电梯编号"),
        ("DT-5017", "电梯编号"),
        ("DT-6001", "电梯编号"),
    }


def test_registers_are_found_by_what_they_are_called(world: World, kb_id: str) -> None:
    lifts = world.ingest(kb_id, "Lift Entrapments 2025", ["\n".join(LIFTS)])
    world.ingest(kb_id, "Note on lift entrapments", ["The lift at Mill Lane stood still."])
    store = RecordStore(world.database)
    assert store.registers(kb_id, lambda title: "lift entrapment" in title) == (lifts.document_id,)
    assert store.registers(kb_id, lambda title: "bed" in title) == ()


BAYS = [
    "Date: 2025-01-04; Type: fire; Location: stand 4; Bay no.: 7; Ward: 3",
    "Date: 2025-01-08; Type: leak; Location: stand 40; Bay no.: 4; Ward: 13",
    "Date: 2025-02-04; Type: leak; Location: 14号机位 [a*?]; Bay no.: 17; Ward: 30",
]


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        (Filters(place=("stand 4",)), 1),
        (Filters(place=("stand",)), 2),
        (Filters(place=("4号机位",)), 0),
        (Filters(place=("14号机位",)), 1),
        (Filters(place=("14号机位 [a*?]",)), 1),
        (Filters(text=("stand 4",)), 1),
        (Filters(text=("bay 7",)), 1),
        (Filters(fields=(FieldFilter("Ward", text="3"),)), 1),
        (Filters(fields=(FieldFilter("Bay no.", text="7"),)), 1),
        (Filters(fields=(FieldFilter("kind", text="fire"),)), 1),
    ],
)
def test_a_number_is_found_where_it_does_not_go_on(
    world: World, kb_id: str, filters: Filters, number: int
) -> None:
    """Stand 40 was counted for stand 4."""
    world.ingest(kb_id, "register", BAYS)
    query = RecordQuery(Operation.COUNT, filters)
    assert QueryRunner(RecordStore(world.database)).run(kb_id, query).tally.matched == number
