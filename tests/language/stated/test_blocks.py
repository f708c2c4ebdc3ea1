"""Records that stand one below the other are told by labels that come again; a form is one."""

import pytest

from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def records(text: str) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for fact in facts_in(marked(text)):
        assert fact.value == fact.span.of(text)
        found.setdefault(fact.record, {})[fact.field] = fact.text
    return found


BEHIND_EMPTY_LINES = """Ref. No: K-2024-0001
Occurred: 2024-05-01 10:00
Location: Pier 4
Injured: 3

Ref. No: K-2024-0002
Location: Mill Lane
Dead: 0

Occurred: 2024-05-03 12:00
Location: Dock 9
Injured: none
"""
EACH_LINE_ALONE = """occurrence id: K-2024-0001

location: Pier 4

injured: 3

occurrence id: K-2024-0002

location: Mill Lane

dead: 0

occurrence id: K-2024-0003

location: Dock 9

injured: 0
"""
NUMBERED_KEYS = """export.by: desk
export.items.1.refNo: K-2024-0001
export.items.1.where.address: Pier 4
export.items.1.harm.injured: 3
export.items.2.refNo: K-2024-0002
export.items.2.where.address: Mill Lane
export.items.2.harm.dead: 0
export.items.3.refNo: K-2024-0003
export.items.3.where.address: Dock 9
export.items.3.harm.injured: 0
"""
SPACES_ALONE = """单号 K-2024-0001
事发地点 Pier 4
受伤人数 3

单号 K-2024-0002
事发地点 Mill Lane
死亡人数 0

单号 K-2024-0003
事发地点 Dock 9
受伤人数 0
"""


@pytest.mark.parametrize("text", [BEHIND_EMPTY_LINES, EACH_LINE_ALONE, NUMBERED_KEYS, SPACES_ALONE])
def test_each_block_is_a_record_of_its_own(text: str) -> None:
    found = records(text)
    places = [found[n]["place"] for n in (1, 2, 3)]
    assert places == ["pier 4", "mill lane", "dock 9"]
    assert found[1]["injured"] == "3" and "dead" not in found[1]
    assert found[2]["dead"] == "0" and "injured" not in found[2]
    assert found[3]["injured"] == "0"
    assert max(found) == 3


def test_what_stands_above_the_blocks_is_of_the_document() -> None:
    found = records(f"Prepared by: Ann Cole\n\n{BEHIND_EMPTY_LINES}")
    assert found[0] == {"person": "ann cole"}
    assert found[1]["number"] == "k-2024-0001"


PEOPLE_LISTED = """Case no: K-1
Location: Pier 4
Name: Ann Cole
Phone: 020 7946 1234

Name: Bob Roe
Phone: 020 7946 4321

Name: Cy Dent
Phone: 020 7946 5678
"""
TWO_PHONES = """Caller: Ann Cole
Phone: 020 7946 1234
Location: Pier 4
Date: 2024-05-01
Officer: Bob Roe
Phone: 020 7946 4321
Case no: K-17
Type of incident: fire
"""


@pytest.mark.parametrize("text", [PEOPLE_LISTED, TWO_PHONES])
def test_people_of_one_incident_are_no_records(text: str) -> None:
    assert set(records(text)) == {0}


def test_who_attended_is_an_organisation_where_its_name_says_so() -> None:
    found = facts_in(marked("Location: Pier 4\nAttended by: Harbour Police"))
    assert [(f.field, f.text, f.role) for f in found if f.record == 0 and f.role] == [
        ("organisation", "harbour police", "Attended by")
    ]


def test_a_column_that_one_row_alone_has_is_a_column() -> None:
    text = (
        "Ref; Location; Killed\n\nRef: K-2024-1; Location: Pier 4\n\n"
        "Ref: K-2024-2; Location: Mill Lane; Killed: 7\n"
    )
    found = records(text)
    assert (found[2]["place"], found[2]["dead"]) == ("mill lane", "7")
