"""Every label of a form is a field, whatever it is called; speech and prose make none."""

from datetime import datetime

import pytest

from kb_service.domain.facts import OWN_COLUMN, STANDARD_FIELDS, Fact, FactMethod
from kb_service.language.stated.columns import columns_in
from kb_service.language.stated.extraction import facts_in
from kb_service.language.stated.own import MAX_OWN
from kb_service.language.units import marked


def stated(text: str, record: int = 0, **given: str) -> dict[str, Fact]:
    """The facts under names of their own, by name; each is the words of its span."""
    found = facts_in(marked(text), given)
    assert all(fact.value == fact.span.of(text) for fact in found)
    own = [f for f in found if f.record == record and f.field not in STANDARD_FIELDS]
    assert len({fact.field for fact in own}) == len(own)
    return {fact.field: fact for fact in own}


def values(text: str, record: int = 0) -> dict[str, str]:
    return {name: fact.value for name, fact in stated(text, record).items()}


FORM = """PUMP FAILURE REPORT
Report no: PF-2024-17
Date of incident: 2024-05-03 08:10
Location: Pier 4
Pump type: Centrifugal KSB
Bearing temperature: 85 °C
Wind speed (m/s): 12
Running hours: 1,250 h
Repair bill: £1,200
Next inspection: 2024-06-01
Shift: night
Remarks: -
"""
OWN = {
    "Pump type": "Centrifugal KSB",
    "Bearing temperature": "85 °C",
    "Wind speed (m/s)": "12",
    "Running hours": "1,250 h",
    "Repair bill": "£1,200",
    "Next inspection": "2024-06-01",
    "Shift": "night",
}


def test_every_label_with_a_value_is_a_field() -> None:
    assert values(FORM) == OWN


def test_values_are_numbers_with_units_days_and_words() -> None:
    found = stated(FORM)
    numbers = {n: (f.number, f.unit) for n, f in found.items() if f.number is not None}
    assert numbers == {
        "Bearing temperature": (85, "°c"),
        "Wind speed (m/s)": (12, ""),
        "Running hours": (1250, "h"),
        "Repair bill": (1200, "gbp"),
    }
    inspection = found["Next inspection"]
    assert (inspection.time_from, inspection.number) == (datetime.fromisoformat("2024-06-01"), None)
    assert found["Pump type"].text == "centrifugal ksb"
    assert {fact.method for fact in found.values()} == {FactMethod.FORM}


@pytest.mark.parametrize(
    "text",
    [
        FORM.replace("\n", "\n\n"),
        "\n".join(f"- **{line.replace(': ', ':** ')}" for line in FORM.splitlines()[1:]),
        "\n".join(f"{n}. {line}" for n, line in enumerate(FORM.splitlines()[1:], start=1)),
        FORM.replace("Pump type", "\n2. Equipment\n\nPump type"),
        FORM.replace("\nWind", "    Wind").replace("\nShift", "\tShift"),
        FORM.replace("\nWind", "; Wind"),
    ],
)
def test_the_same_is_read_in_each_layout(text: str) -> None:
    assert values(text) == OWN


def test_labels_in_columns_of_spaces_or_dots_are_read_among_understood_ones() -> None:
    lines = [line.split(": ", 1) for line in FORM.splitlines()[1:]]
    assert values("\n".join(f"{label:<24}{value}" for label, value in lines)) == OWN
    assert values("\n".join(f"{label} ...... {value}" for label, value in lines)) == OWN
    assert values("\n".join(f"{label}\t{value}" for label, value in lines)) == OWN


def test_chinese_labels_are_read_two_in_a_line_as_well() -> None:
    text = (
        "值班交接登记\n登记号：JB-2024-3\n发生时间：2024年5月3日\n楼层：3层　接班人：王伟\n"
        "轴承温度：85℃\n天 气：多云\n处理结果：已更换\n停机时长：45分钟\n涉及费用：1.2万元"
    )
    assert values(text) == {
        "楼层": "3层",
        "轴承温度": "85℃",
        "天气": "多云",
        "处理结果": "已更换",
        "涉及费用": "1.2万元",
    }
    assert (stated(text)["涉及费用"].number, stated(text)["涉及费用"].unit) == (12000, "cny")
    assert stated(text)["楼层"].number == 3


def test_a_status_that_is_none_of_a_report_is_a_field_of_its_own() -> None:
    text = "Ref: A-1\nDate: 2024-05-03\nLocation: Pier 4\nStatus: under repair"
    assert values(text) == {"Status": "under repair"}
    assert values(text.replace("under repair", "final report")) == {}
    states = enumerate(("in use", "under repair"))
    rows = [f"Ref: A-{n}; Location: Pier {n}; Status: {state}" for n, state in states]
    assert values("\n".join(rows), 2) == {"Status": "under repair"}


def test_each_record_of_several_has_its_own() -> None:
    text = "\n\n".join(
        f"Ref: A-{n}\nDate: 2024-05-0{n}\nLocation: Pier {n}\nBerth depth: {n}.5 m"
        for n in (1, 2, 3)
    )
    assert [values(text, n) for n in (1, 2, 3)] == [
        {"Berth depth": "1.5 m"},
        {"Berth depth": "2.5 m"},
        {"Berth depth": "3.5 m"},
    ]
    assert values(text) == {}


def test_a_form_of_which_no_label_is_understood_is_told_by_its_values() -> None:
    text = "Boiler card\n\nMake: Viessmann\nPressure: 6 bar\nHeating surface: 40 m2\nFuel: gas"
    assert stated(text)["Pressure"].number == 6
    assert set(values(text)) == {"Make", "Pressure", "Heating surface", "Fuel"}


CHAT = """Boone: we are here
Cole: copy
Boone: smoke on the second floor
Price: on my way
Cole: two pumps needed
Boone: understood
"""
TALK_IN_CHINESE = "王伟：我们到了\n李强：收到\n王伟：二楼有烟\n赵敏：马上到\n李强：需要两台泵\n"
EACH_ONCE = "Boone: we are here\nCole: copy\nPrice: on my way\nReyes: two pumps are needed\n"
EACH_ONCE_IN_CHINESE = "王伟：我们到了\n李强：收到\n赵敏：马上就来吧\n"
GLOSSARY = """Alarm: A signal that tells of danger.
Hydrant: A pipe in the street from which water is taken.
Ladder: What one climbs on. It is made of steel.
Hose: A pipe that bends.
Nozzle: The end of a hose.
"""
HEAD = "Incident no: A-17\nDate: 2024-05-03\nLocation: Pier 4\n"
PROSE = (
    "The pump stopped at noon. One thing is clear: it was old.\n\n"
    "Note: the valve had been changed before.\n\n"
    "We asked two people: the foreman and his wife. They said: nothing.\n"
)


@pytest.mark.parametrize("head", ["", HEAD, f"{HEAD}\nRadio traffic\n\n"])
@pytest.mark.parametrize(
    "text",
    [
        CHAT,
        CHAT.replace("\n", "\n\n"),
        "\n".join(f"[10:0{n}] {line}" for n, line in enumerate(CHAT.splitlines())),
        "\n".join(f"10:0{n} {line}" for n, line in enumerate(CHAT.splitlines())),
        EACH_ONCE,
        EACH_ONCE_IN_CHINESE,
        TALK_IN_CHINESE,
        TALK_IN_CHINESE.replace("\n", "。\n"),
        GLOSSARY,
        PROSE,
        "See http://example.org/a: it is there.\nftp://a.b: x\nhttps://c.d: y",
    ],
)
def test_talk_glossaries_and_prose_are_no_fields(head: str, text: str) -> None:
    assert values(head + text) == {}


def test_prose_with_a_word_before_each_paragraph_is_no_form() -> None:
    paragraph = "the water rose in the cellar until nobody could reach the switch any more. " * 4
    text = "".join(f"Chapter {n} begins: {paragraph}\n" for n in range(300))
    assert values(f"{HEAD}{text}") == {}


def test_a_record_keeps_no_more_than_so_many() -> None:
    text = HEAD + "".join(
        f"Reading {chr(97 + n // 26)}{chr(97 + n % 26)}: {n} bar\n" for n in range(300)
    )
    assert len(values(text)) == MAX_OWN


def test_what_is_read_of_the_line_beside_stays() -> None:
    found = facts_in(marked(f"{HEAD}Remarks: 2 people were injured, nobody died\nWeather: snow"))
    said = {fact.field: fact.text for fact in found}
    assert (said["injured"], said["dead"], said["Weather"]) == ("2", "0", "snow")


def test_a_name_that_a_query_knows_otherwise_is_told_apart() -> None:
    assert set(values(f"{HEAD}day: Friday\nmonth: May\nweather: snow")) == {
        "Day",
        "Month",
        "weather",
    }


def test_what_a_person_says_of_a_label_holds() -> None:
    found = facts_in(marked(FORM), {"Shift": "kind", "Location": OWN_COLUMN})
    said = {fact.field: fact.text for fact in found}
    assert (said["kind"], said["Location"]) == ("night", "pier 4")
    assert "place" not in said and "Shift" not in said


def test_labels_are_shown_with_what_they_stand_for() -> None:
    (form,) = columns_in(FORM, {"Shift": "kind"})
    shown = {one.name: (one.field, one.by) for one in form.columns}
    assert form.num_rows == 1
    assert shown["Location"] == ("place", "name")
    assert shown["Pump type"] == (OWN_COLUMN, "")
    assert shown["Shift"] == ("kind", "person")
    (examples,) = (one.examples for one in form.columns if one.name == "Pump type")
    assert examples == ("Centrifugal KSB",)


@pytest.mark.parametrize(
    "items",
    [
        "Follow-up work:\n1. Change the seal\n2. Check the spare pump\n",
        "Follow-up work: 1. Change the seal\n2. Check the spare pump\n",
        "Follow-up work: (1) change the seal; (2) check the spare pump\n",
        "Follow-up work: - change the seal\n- check the spare pump\n",
        "后续工作：1、更换密封 2、检查备用泵\n",
    ],
)
def test_the_first_item_of_a_list_is_no_value(items: str) -> None:
    found = values(FORM + items)
    assert not {"Follow-up work", "后续工作"} & set(found)
    assert found["Shift"] == "night"
