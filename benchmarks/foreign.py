"""How exactly are facts read from papers of shapes that were written before any pattern was read?

    python -m benchmarks.foreign [--records 60] [--show "chat export, zh"] [--aside]

Digests, chats, exports, forms with labels above their values, statements, quoted mails, pivots,
minutes and call logs, each read by the loader of its format. `--aside`: the half that was kept
aside while the reader was developed. A field is right, wrong (another value), or missed.
"""

import argparse
import random
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.facts import COUNTED, STATES, Made, drawing
from benchmarks.foreign_files import read, written_to
from benchmarks.made_up_base import fact_reader
from kb_service.domain.facts import UNKNOWN, Record, records_of
from kb_service.language.across import without_title
from kb_service.language.numerals import NUMERALS
from kb_service.language.stated.plain import plain
from kb_service.language.units import marked

HERE = Path(__file__).parent
_STATED = (*COUNTED, "missing")
_PEOPLE = ("reporter", "handler")
_SEVERAL = {"reporter": "person", "handler": "person", "organisation": "organisation"}
_WORDS = (
    *("one", "two", "three", "four", "five", "six", "seven"),
    *("eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen"),
)
_FIRST_DAY = "2024-01-01"
_FIVES = ("", "five", "ten", "quarter", "twenty", "twenty-five", "half")
_ORDINALS = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
_OF_DAY = ((5, "凌晨"), (11, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))


def made_record(
    draw: random.Random, shape: Mapping[str, Any], content: Mapping[str, Any], moment: datetime
) -> Made:
    """Return a drawn record in the words of a shape."""
    values, ways = content[shape["language"]], content["ways"][shape["ways"]]
    kind = draw.choice(sorted(shape.get("kinds", values["kinds"])))
    said = f"{shape.get('head', '')}{shape['record']}"
    letters = draw.choice("CKMR") + draw.choice("BDLY")
    truth = {
        "number": f"{letters}-{moment.year}-{draw.randrange(9999):04}",
        "kind": draw.choice(values["kinds"][kind]),
        "place": draw.choice(values["places"]).format(n=draw.randint(2, 90)),
        "organisation": draw.choice(values["organisations"]),
        "vehicle": draw.choice(values["vehicles"]).format(n=draw.randint(10, 99)),
        "phone": _phone(draw, values),
        "measure": draw.choice(values["measures"]),
        "cause": draw.choice(values["causes"]),
        "noise": draw.choice(values["noise"]),
    }
    truth["reporter"], truth["other"] = draw.sample(values["people"], 2)
    truth["handler"] = draw.choice(values["handlers"])
    written = dict(truth)
    for field in ("reporter", "vehicle", "measure", "cause"):
        if field not in _PEOPLE:
            written[field] = draw.choice(ways[field]).format(v=truth[field], c=truth[field])
    written |= {"reporter": truth["reporter"], "item": truth["measure"]}
    if draw.random() < 0.2:
        written["cause"], truth["cause"] = draw.choice(ways["cause_unknown"]), UNKNOWN
    _times(draw, shape, moment, written)
    for field in _STATED:
        _count(draw, ways, field, written, truth, shape["language"])
    _corrected(draw, shape, ways, written, truth)
    truth |= {"kind": kind, "time": moment.isoformat(timespec="minutes")}
    written["Kind"] = written["kind"].capitalize()
    fields = [f for f in truth if f"{{{f}}}" in said or f"{{{f}_said}}" in said]
    fields += ["measure"] if "{item}" in said else []
    truth["reported"] = truth["time"]
    if told := shape.get("told_time"):
        fields = [*(f for f in fields if f != "time"), told]
    return Made(written, {f: truth[f] for f in fields if f not in ("noise", "other")})


def _phone(draw: random.Random, values: Mapping[str, Any]) -> str:
    a, b = draw.randrange(1000, 10000), draw.randrange(1000, 10000)
    template: str = draw.choice(values["phones"])
    return template.format(a=a, b=b, c=draw.randrange(10**6, 10**7), e=draw.randrange(1000, 10000))


def _count(
    draw: random.Random,
    ways: Mapping[str, Any],
    field: str,
    written: dict[str, str],
    truth: dict[str, str],
    language: str,
) -> None:
    """Draw a state: a number, none, not known, not said."""
    state = draw.choices(STATES, (5, 2, 1, 2))[0]
    written[field] = ""
    if state == "absent":
        return
    number = draw.choice((1, 1, 2, 3, 4, 5, 7, 9, 12))
    way = field if state == "n" else f"{field}_{state}"
    if number == 1 and state == "n":
        way = f"{field}_one" if f"{field}_one" in ways else field
    written[field] = _numbered(draw.choice(ways[way]), number)
    amount = number
    if field == "loss":
        amount = number * (10_000 if language == "zh" else 1000)
    truth[field] = {"n": f"{amount}", "zero": "0", "unknown": UNKNOWN}[state]


def _numbered(way: str, number: int) -> str:
    told = way.format(
        n=number, h=NUMERALS.written(number).replace("二", "两", number == 2), w=_WORDS[number - 1]
    )
    return told[:1].upper() + told[1:] if way.startswith("{w} ") else told


def _corrected(
    draw: random.Random,
    shape: Mapping[str, Any],
    ways: Mapping[str, Any],
    written: dict[str, str],
    truth: dict[str, str],
) -> None:
    """Say another number of injured first and set it right later, in half of what has one."""
    written["injured_said"], written["correction"] = written["injured"], ""
    number = truth.get("injured", "")
    if not number.isdigit() or number == "0" or draw.random() < 0.5:
        return
    before = int(number) + draw.choice((1, 2))
    written["injured_said"] = _numbered(draw.choice(ways["injured"]), before)
    zh = (f"更正一下，受伤的是{number}人，不是{before}人。", f"刚才说错了，受伤{number}人。")
    people = "person was" if number == "1" else "people were"
    en = (
        f"Correction: {number} {people} injured, not {before}.",
        f"I have to correct the number of injured: it is {number}, not {before}.",
    )
    written["correction"] = draw.choice(zh if shape["language"] == "zh" else en)


def _times(
    draw: random.Random, shape: Mapping[str, Any], moment: datetime, written: dict[str, str]
) -> None:
    is_zh = shape["language"] == "zh"
    names = {name: moment.strftime(f"%{name}") for name in "YHMBbIp"}
    names |= {"m": f"{moment.month:02}", "d": f"{moment.day:02}"}
    if is_zh and "年" in "".join(shape["times"]):
        names |= {"m": f"{moment.month}", "d": f"{moment.day}", "H": f"{moment.hour}"}
    names["spoken_clock"] = _clock_zh(moment) if is_zh else _clock_en(moment)
    way = draw.choice(shape["times"])
    names["time"] = _spoken(moment, is_zh=is_zh) if way == "spoken" else way.format(**names)
    for n in range(1, 6):
        names[f"M{n}"] = f"{moment.minute + 2 * (n - 1):02}"
    later = moment + timedelta(days=1 + draw.randrange(5))
    names["later"] = f"{later.month}月{later.day}日上午9时"
    names["later_en"] = later.strftime("%d %B %Y, 09:30")
    names["mail_date"] = later.strftime("%a, %d %b %Y 09:12:00 +0000")
    names["issue"] = f"{draw.randint(11, 300)}"
    written |= names


def _clock_zh(moment: datetime) -> str:
    part = next(word for until, word in _OF_DAY if moment.hour < until)
    hour = NUMERALS.written((moment.hour - 1) % 12 + 1).replace("二", "两", moment.hour % 12 == 2)
    minute = {0: "整", 30: "半"}.get(moment.minute, f"{NUMERALS.written(moment.minute)}分")
    return f"{part}{hour}点{minute}"


def _clock_en(moment: datetime) -> str:
    minute, hour = moment.minute, moment.hour
    if minute > 30:
        minute, hour, joint = 60 - minute, hour + 1, "to"
    else:
        joint = "past"
    part = "in the morning" if moment.hour < 12 else "in the afternoon"
    part = "in the evening" if moment.hour >= 18 else part
    name = _WORDS[(hour - 1) % 12]
    return f"{name} {part}" if not minute else f"{_FIVES[minute // 5]} {joint} {name} {part}"


def _spoken(moment: datetime, *, is_zh: bool) -> str:
    if is_zh:
        return f"{moment.year}年{moment.month}月{moment.day}日{_clock_zh(moment)}许"
    day = f"{moment.day}{_ORDINALS.get(moment.day, 'th')}"
    return f"the {day} of {moment.strftime('%B %Y')} at about {_clock_en(moment)}"


def papers(
    shape: Mapping[str, Any], content: Mapping[str, Any], seed: object, number: int
) -> Iterator[tuple[str, list[Made]]]:
    """Yield the texts of made-up papers, as loaders read them, with what they hold."""
    draw = drawing(f"{seed} {shape['name']}")
    entries = shape.get("entries", 1)
    with tempfile.TemporaryDirectory() as folder:
        for n in range(number // entries):
            path = Path(folder) / f"paper-{n}{shape['suffix']}"
            moments = _moments(draw, shape, entries)
            held = [made_record(draw, shape, content, moment) for moment in moments]
            written_to(path, shape, held, draw)
            yield read(path), held


def _moments(draw: random.Random, shape: Mapping[str, Any], number: int) -> list[datetime]:
    day = datetime.fromisoformat(_FIRST_DAY) + timedelta(days=draw.randrange(500))
    times = []
    for _ in range(number):
        one = day if shape.get("same_day") else day + timedelta(days=draw.randrange(40))
        minute = 5 * draw.randrange(9 if "{M5}" in shape["record"] else 12)
        times.append(one + timedelta(hours=draw.randrange(6, 23), minutes=minute))
    return sorted(times)


def tallied(text: str, held: Sequence[Made]) -> Iterator[tuple[str, str, str]]:
    """Yield field, what was to be read ("": nothing), and what was read."""
    found = records_of(fact_reader().facts_in(marked(text)))
    told = (
        [one for one in found if one.number]
        if len(held) > 1
        else [one for one in found if not one.number]
    )
    for one in found:
        for fact in one.facts:
            if fact.span.of(text) != fact.value:
                raise ValueError(f"{fact} is not in its text")
    for n, made in enumerate(held):
        record = told[n] if n < len(told) else None
        for field in dict.fromkeys((*made.truth, *_STATED)):
            expected = made.truth.get(field, "")
            yield field, expected, _found(record, field, expected)
    if len(held) > 1 and len(told) > len(held):
        yield "records", f"{len(held)}", f"{len(told)}"


def _found(record: Record | None, field: str, expected: str) -> str:
    if record is None:
        return ""
    stated = _SEVERAL.get(field, field)
    same = [fact.text for fact in record.facts if fact.field == stated]
    if field in _SEVERAL or field in ("measure", "vehicle", "phone"):
        if any(_same(one, expected) for one in same):
            return expected
        return " | ".join(same)
    first = record.first(stated)
    if first is None:
        return ""
    return expected if _same(first.text, expected) else first.text


def _same(found: str, expected: str) -> bool:
    return bool(expected) and _squashed(found) == _squashed(expected)


def _squashed(text: str) -> str:
    low = without_title(plain(text)).removeprefix("the ").removeprefix("a ").removeprefix("an ")
    return "".join(c for c in low if c not in " \n()-.·")


def _state(text: str) -> str:
    return text if text in ("", "0", UNKNOWN) else "n"


def tally_one(tally: Counter[str], field: str, expected: str, found: str) -> None:
    """Count a field as right, wrong or missed, and its state as told apart."""
    if expected:
        tally["fields"] += 1
        name = "right" if expected == found else "wrong" if found else "missed"
        tally[name] += 1
        tally[f"field {field}"] += 1
        tally[f"right {field}"] += name == "right"
    elif found:
        tally["invented"] += 1
    if field in _STATED:
        tally["states"] += 1
        tally["told apart"] += _state(expected) == _state(found)


def line_of(name: str, tally: Mapping[str, int]) -> str:
    """Return a row: shares of fields right, wrong and missed, of states; invented; the weakest."""
    parts = [f"{100 * tally[of] / tally['fields']:.1f}" for of in ("right", "wrong", "missed")]
    parts.append(f"{100 * tally['told apart'] / tally['states']:.1f}")
    fields = [of.removeprefix("field ") for of in tally if of.startswith("field ")]
    share = {of: 100 * tally[f"right {of}"] / tally[f"field {of}"] for of in fields}
    weakest = [of for of in sorted(fields, key=share.__getitem__) if share[of] < 99][:7]
    told = ", ".join(f"{of} {share[of]:.0f}" for of in weakest)
    return f"| {name} | {' | '.join(parts)} | {tally['invented']} | {told} |"


def main() -> int:
    """Print the shares. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=60, help="of each shape")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", help="print what was read wrong of this shape")
    parser.add_argument("--aside", action="store_true", help="what was kept aside")
    options = parser.parse_args()
    name = "foreign_aside.toml" if options.aside else "foreign_developed.toml"
    shapes = tomllib.loads((HERE / name).read_text(encoding="utf-8"))["shape"]
    content = tomllib.loads((HERE / "foreign_values.toml").read_text(encoding="utf-8"))
    every: Counter[str] = Counter()
    for shape in shapes:
        if options.show not in (None, shape["name"]):
            continue
        tally: Counter[str] = Counter()
        for text, held in papers(shape, content, options.seed, options.records):
            for field, expected, found in tallied(text, held):
                tally_one(tally, field, expected, found)
                if options.show and expected != found:
                    sys.stdout.write(f"{field}: {expected!r} {found!r}\n")
            if options.show:
                sys.stdout.write(f"{text}\n=====\n")
        every += tally
        sys.stdout.write(f"{line_of(shape['name'], tally)}\n")
    sys.stdout.write(f"{line_of('all', every)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
