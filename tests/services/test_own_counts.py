"""What is counted over ledgers in words of their own: the same as somebody would count by hand."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from ingest.tables import row_texts
from kb_service.domain.queries import Filters
from kb_service.language.asked import parse_question
from kb_service.services.across import AcrossDocuments
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from kb_service.services.querying import QueryResult
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from tests.storage.world import build_world

TODAY = date(2025, 6, 1)
Row = dict[str, str]
NUM_ROWS = 48
DESK = (
    ("Ticket", "T{0}", ()),
    ("Date", "2025-0{1}-1{2}", ()),
    ("Service", "", ("payroll", "webmail", "vpn")),
    ("Priority", "", ("P1", "P2", "P10")),
    ("Outcome", "", ("solved", "unsolved", "passed on", "report written")),
    ("Users affected", "{0}0", ()),
    ("Customer told", "", ("yes", "no", "yes", "yes")),
)
WATER = (
    ("工单号", "T{0}", ()),
    ("发生时间", "2025-0{1}-1{2}", ()),
    ("片区", "", ("河东片", "老城片", "开发区")),
    ("管材", "", ("铸铁管", "钢管")),
    ("完成情况", "", ("已修复", "待复查", "转外协")),
    ("影响户数", "{0}0", ()),
    ("是否停水", "", ("是", "否", "否")),
)
Asked = tuple[str, Callable[[Row], bool]]
COUNTED: dict[str, list[Asked]] = {
    "desk": [
        ("how many tickets are solved", lambda row: row["Outcome"] == "solved"),
        ("how many P1s", lambda row: row["Priority"] == "P1"),
        ("how many tickets were not solved", lambda row: row["Outcome"] != "solved"),
        ("how many vpn tickets are P1 or P2",
         lambda row: row["Service"] == "vpn" and row["Priority"] in ("P1", "P2")),
        ("how many tickets with more than 200 users affected",
         lambda row: int(row["Users affected"]) > 200),
        ("how many payroll tickets with at least 100 users affected",
         lambda row: row["Service"] == "payroll" and int(row["Users affected"]) >= 100),
        ("how many tickets without the customer told", lambda row: row["Customer told"] == "no"),
        ("how many tickets had a report written", lambda row: row["Outcome"] == "report written"),
        ("list the unsolved tickets in February 2025",
         lambda row: row["Outcome"] == "unsolved" and row["Date"].startswith("2025-02")),
    ],
    "water": [
        ("老城片一共几单", lambda row: row["片区"] == "老城片"),
        ("铸铁管坏了多少回", lambda row: row["管材"] == "铸铁管"),
        ("没修复的有几起", lambda row: row["完成情况"] != "已修复"),
        ("开发区还没复查的有几起",
         lambda row: row["片区"] == "开发区" and row["完成情况"] == "待复查"),
        ("影响超过两百户的工单有几起", lambda row: int(row["影响户数"]) > 200),
        ("停水的有几起", lambda row: row["是否停水"] == "是"),
        ("没停水的有几起", lambda row: row["是否停水"] == "否"),
        ("除了钢管还有几起", lambda row: row["管材"] != "钢管"),
    ],
}  # fmt: skip


def rows_of(columns: Sequence[tuple[str, str, tuple[str, ...]]]) -> list[Row]:
    """Rows in which no two columns go together."""
    return [
        {
            name: (values[number // (at + 1) % len(values)])
            if values
            else written.format(number + 1, number % 4 + 1, number % 9)
            for at, (name, written, values) in enumerate(columns)
        }
        for number in range(NUM_ROWS)
    ]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], QueryResult | None]:
    """Ask a base of one ledger, as the service plans and runs it."""
    folder: Path = tmp_path_factory.mktemp("ledgers")
    database = open_database(f"sqlite:///{folder / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, folder)
    bases = {}
    for name, columns in (("desk", DESK), ("water", WATER)):
        bases[name] = world.catalog.bases.create(name).id
        cells = [[*row.values()] for row in rows_of(columns)]
        text = row_texts([[one for one, *_ in columns], *cells], is_header_sure=True)
        world.ingest(bases[name], "ledger.csv", list(text))
    store = RecordStore(database)

    def ask(base: str, text: str) -> QueryResult | None:
        question = parse_question(text)
        named = named_in(question, TODAY)
        planned = planned_for(question, named, Filters(), bases[base], store, TODAY)
        if planned is None or planned.query is None:
            return None
        return AcrossDocuments(store, world.catalog.revisions).found(bases[base], planned.query)

    return ask


@pytest.mark.parametrize(
    ("base", "text", "passes"),
    [(base, *one) for base, several in COUNTED.items() for one in several],
    ids=[text for several in COUNTED.values() for text, _ in several],
)
def test_those_are_counted_that_are_meant(
    asked: Callable[[str, str], QueryResult | None],
    base: str,
    text: str,
    passes: Callable[[Row], bool],
) -> None:
    rows = rows_of(DESK if base == "desk" else WATER)
    meant = {number for number, row in enumerate(rows, start=1) if passes(row)}
    assert 0 < len(meant) < NUM_ROWS
    result = asked(base, text)
    assert result is not None
    assert {row.record for unit in result.units for row in unit.records} == meant


@pytest.mark.parametrize(
    ("base", "text", "column", "number"),
    [
        ("desk", "tickets per service", "Service", None),
        ("desk", "which service has the most tickets", "Service", None),
        ("desk", "average users affected per service", "Service", "Users affected"),
        ("water", "各片区分别多少", "片区", None),
        ("water", "哪种管材出的问题最多", "管材", None),
    ],
)
def test_groups_are_those_of_the_column(
    asked: Callable[[str, str], QueryResult | None],
    base: str,
    text: str,
    column: str,
    number: str | None,
) -> None:
    rows = rows_of(DESK if base == "desk" else WATER)
    sizes = Counter(row[column].casefold() for row in rows)
    wanted: dict[str, float] = {label: float(size) for label, size in sizes.items()}
    if number:
        sums = Counter[str]()
        for row in rows:
            sums[row[column].casefold()] += int(row[number])
        wanted = {label: sums[label] / size for label, size in sizes.items()}
    result = asked(base, text)
    assert result is not None
    assert {group.label.casefold(): group.number for group in result.groups} == wanted


@pytest.mark.parametrize(
    ("base", "text"),
    [
        ("desk", "how many solved tickets involved a printer"),
        ("desk", "how many tickets had users"),
        ("desk", "how many tickets per warehouse"),
        ("water", "老城片电缆坏了几起"),
        ("water", "有几起是挖断的"),
    ],
)
def test_a_condition_that_nothing_explains_gets_no_number(
    asked: Callable[[str, str], QueryResult | None], base: str, text: str
) -> None:
    assert asked(base, text) is None
