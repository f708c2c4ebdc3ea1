"""What a unit states of a field: the one value that holds, or all where it may have several."""

from datetime import datetime, timedelta

from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_filters import passing
from kb_service.domain.record_sets import RecordRow, Unit, Value


def on_duty(name: str, start: int, role: str) -> Value:
    return Value(
        revision_id=1,
        record=0,
        field="officer on duty",
        text=name,
        value=name,
        number=None,
        number_to=None,
        unit="",
        time_from=None,
        time_to=None,
        precision=None,
        confidence=0.9,
        start=start,
        end=start + len(name),
        role=role,
    )


def unit_of(*values: Value) -> Unit:
    row = RecordRow(1, 1, 0, "doc_1", 0, 10)
    return Unit([row], {"officer on duty": list(values)})


def test_people_under_one_label_are_several() -> None:
    unit = unit_of(on_duty("voss", 0, "officer on duty"), on_duty("boone", 5, "officer on duty"))
    assert [value.text for value in unit.all("officer on duty")] == ["voss", "boone"]
    assert not unit.is_disputed("officer on duty")
    for name in ("voss", "boone"):
        asked = Filters(fields=(FieldFilter("officer on duty", text=name),))
        assert passing([unit], asked) == [unit]


def test_of_a_column_of_other_things_one_value_holds() -> None:
    unit = unit_of(on_duty("night", 0, ""), on_duty("day", 5, ""))
    assert len(unit.all("officer on duty")) == 1


def told_by(revision: int, field: str, text: str, status: str, **given: object) -> list[Value]:
    values = {"time_from": None, "time_to": None, "precision": None, **given}
    common = {"number": None, "number_to": None, "unit": "", "start": 0, "end": len(text)}
    return [
        Value(revision, 0, name, said, said, confidence=0.7, **common, **values)  # type: ignore[arg-type]
        for name, said in ((field, text), ("status", status))
    ]


def unit_told_by(*values: list[Value]) -> Unit:
    unit = Unit([RecordRow(1, n, 0, f"doc_{n}", 0, 10) for n in range(1, len(values) + 1)])
    for value in (one for told in values for one in told):
        unit.values.setdefault(value.field, []).append(value)
    return unit


def test_a_follow_up_that_names_less_of_the_place_does_not_replace_it() -> None:
    first = told_by(1, "place", "榆河区鼎盛木业有限公司二车间", "initial")
    later = told_by(2, "place", "鼎盛木业", "follow-up")
    held = unit_told_by(first, later).settled("place")
    assert held and held.text == "榆河区鼎盛木业有限公司二车间"


def test_a_correction_that_names_another_place_replaces_it() -> None:
    first = told_by(1, "place", "榆河区鼎盛木业有限公司二车间", "initial")
    later = told_by(2, "place", "榆河区鼎盛木业有限公司一车间", "corrected")
    held = unit_told_by(first, later).settled("place")
    assert held and held.text == "榆河区鼎盛木业有限公司一车间"


def test_a_time_of_day_is_kept_where_a_follow_up_names_the_day() -> None:
    def at(begins: str, precision: str) -> dict[str, object]:
        since = datetime.fromisoformat(begins)
        return {"time_from": since, "time_to": since + timedelta(days=1), "precision": precision}

    minute, day = at("2027-02-16T23:05", "minute"), at("2027-02-16", "day")
    other = at("2027-02-17", "day")
    for later, expected in ((day, "23:05"), (other, "2027-02-17")):
        unit = unit_told_by(
            told_by(1, "time", "23:05", "initial", **minute),
            told_by(2, "time", str(later["time_from"])[:10], "follow-up", **later),
        )
        held = unit.settled("time")
        assert held and held.text == expected
