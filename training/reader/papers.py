"""The invented facts of an incident: a value for every slot of its language. Pure functions of rng.

Knows the lists of reports.toml; knows no layout and no question.
"""

from __future__ import annotations

import random
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TABLES = Path(__file__).with_name("reports.toml")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_FIXES = (
    "rolled the change back", "shut the main valve", "restarted the failed node",
    "flooded the hold with foam", "switched to the standby line",
    "restored the table from a backup", "cut the power to the hall", "drained the tank",
)  # fmt: skip
_DIGITS = "零一二三四五六七八九"
_DRAWN = (
    "role", "vehicle", "injury", "hospital", "post", "team", "seized", "province", "chemical",
    "category",
)  # fmt: skip
_PLACE = re.compile(r"\{([^{}]+)\}")


@cache
def tables(language: str) -> dict[str, Any]:
    """The tables of a language: lists, slots, layouts."""
    with TABLES.open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)[language]
    return found


def facts(language: str, rng: random.Random) -> dict[str, str]:
    """A value for every slot, and the names that titles and questions use."""
    table = tables(language)
    lists = table["lists"]
    found = _chinese(lists, rng) if language == "zh" else _english(lists, rng)
    for name in _DRAWN:
        if name in lists:
            found.setdefault(name, rng.choice(lists[name]))
    for name, slot in table["slots"].items():
        if "values" in slot:
            found[name] = drawn(rng.choice(slot["values"]), lists, found, rng)
    return found


def drawn(
    pattern: str, lists: dict[str, list[str]], known: dict[str, str], rng: random.Random
) -> str:
    """A pattern with its places filled: `{low..high}`, a fact that is known, or one of a list."""

    def put(match: re.Match[str]) -> str:
        low, dots, high = match.group(1).partition("..")
        if dots and low.isdigit():
            return str(rng.randint(int(low), int(high)))
        if dots:
            return chr(rng.randint(ord(low), ord(high)))
        return known[low] if low in known else rng.choice(lists[low])

    return _PLACE.sub(put, pattern)


def date_in(language: str, iso: str) -> str:
    """A day (YYYY-MM-DD) as the other language's questions write it."""
    year, month, day = (int(part) for part in iso.split("-"))
    return f"{year}年{month}月{day}日" if language == "zh" else f"{day} {_MONTHS[month - 1]} {year}"


def _chinese(lists: dict[str, list[str]], rng: random.Random) -> dict[str, str]:
    def pick(name: str) -> str:
        return rng.choice(lists[name])

    def person() -> str:
        return pick("surname") + pick("given")

    town = pick("head") + pick("tail")
    site = pick("site")
    place = rng.choice([town + pick("area") + site, town + site])
    year, month, day = rng.randint(2010, 2026), rng.randint(1, 12), rng.randint(1, 28)
    count = rng.randint(2, 4)
    found = {
        "event": pick("event"),
        "town": town,
        "site": site,
        "place": place,
        "victim": person(),
        "iso": f"{year}-{month:02}-{day:02}",
        "date": _chinese_date(year, month, day, rng),
        "short": f"{month}·{day}",
        "clock": _chinese_clock(rng),
        "deaths": _people(rng, 9),
        "injured": _people(rng, 40),
        "loss": _yuan(rng),
        "cause": _chinese_cause(lists, rng),
        "root": "，".join(rng.sample(lists["lack"], rng.randint(1, 2))),
        "firm": pick("head") + pick("tail") + pick("firm"),
        "lead": person(),
        "rank": pick("rank"),
        "caller": person(),
        "post": pick("post"),
        "duration": _chinese_duration(rng),
        "fine": _yuan(rng),
        "rescued": rng.choice([f"{rng.randint(3, 900)}人", f"群众{rng.randint(2, 90)}户"]),
        "area_m": rng.choice([f"{rng.randint(5, 9000)}平方米", f"{rng.randint(2, 60)}亩"]),
        "hospital": town[:2] + pick("area")[:1] + pick("hospital"),
        "weather": pick("weather"),
        "number": _number(rng),
        "force": f"{rng.randint(2, 40)}辆消防车、{rng.randint(8, 300)}名指战员",
        "measures": _chinese_list(rng.sample(lists["measure"], count), rng),
    }
    found["punished"] = rng.choice(
        [
            f"{pick('post')}{person()}被刑事拘留",
            f"对{found['firm']}负责人{person()}给予撤职处分",
            f"{person()}、{person()}移送司法机关处理",
        ]
    )
    return found


def _english(lists: dict[str, list[str]], rng: random.Random) -> dict[str, str]:
    def pick(name: str) -> str:
        return rng.choice(lists[name])

    def person() -> str:
        return f"{pick('first')} {pick('last')}"

    head, tail, site = pick("head"), pick("tail"), pick("site")
    year, month, day = rng.randint(1995, 2026), rng.randint(1, 12), rng.randint(3, 28)
    date = f"{day} {_MONTHS[month - 1]} {year}"
    cause = rng.choice([f"{pick('thing')} {pick('fault')}", pick("act")])
    measures = rng.sample(lists["measure"], rng.randint(2, 3))
    currency = rng.choice(["$", "€", "£"])
    return {
        "event": pick("event"),
        "head": head,
        "tail": tail,
        "site": site,
        "place": f"{head}{tail} {site}",
        "iso": f"{year}-{month:02}-{day:02}",
        "date_before": f"{rng.randint(1, day - 1)} {_MONTHS[month - 1]}",
        "clock_end": _english_clock(rng),
        "service": pick("service"),
        "date": rng.choice([date, _american(date), _iso(date)]),
        "clock": _english_clock(rng),
        "deaths": str(rng.randint(1, 24)),
        "injured": str(rng.randint(1, 80)),
        "loss": f"{currency}{rng.randint(2, 900)}{rng.choice([',000', ' million', ',500'])}",
        "cause": cause,
        "root": pick("lack"),
        "firm": f"{pick('head')}{pick('tail')} {pick('firm')}",
        "lead": person(),
        "rank": pick("rank"),
        "caller": rng.choice(
            [person(), "a passer-by", "the night watchman", "automated monitoring"]
        ),
        "duration": _english_duration(rng),
        "fine": f"{currency}{rng.randint(5, 900)},000",
        "users": rng.choice(
            [
                f"{rng.randint(2, 90)} % of requests",
                f"{rng.randint(100, 99000):,} customers",
                f"{rng.randint(3, 400)} households",
            ]
        ),
        "weather": pick("weather"),
        "number": _number(rng),
        "measures": ", ".join(measures[:-1]) + f" and {measures[-1]}",
        "fix": rng.choice(_FIXES),
    }


def _english_clock(rng: random.Random) -> str:
    zones = ("", " UTC", " local time")
    times = [f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}{zone}" for zone in zones]
    return rng.choice(times)


def _english_duration(rng: random.Random) -> str:
    return rng.choice([
        f"{rng.randint(3, 90)} minutes", f"{rng.randint(2, 30)} hours",
        f"{rng.randint(1, 9)} h {rng.randint(1, 59)} min", f"{rng.randint(2, 12)} days",
    ])  # fmt: skip


def _number(rng: random.Random) -> str:
    letters = "".join(rng.sample("ABCDEFGHKLMNPQRSTUVWXYZ", rng.randint(2, 3)))
    year, count = rng.randint(2015, 2026), rng.randint(1, 999)
    return rng.choice(
        [f"{letters}-{year}-{count:03}", f"{letters}{year}{count:03}", f"#{count + 1000}"]
    )


def _people(rng: random.Random, most: int) -> str:
    number = rng.randint(1, most)
    written = _DIGITS[number] if number < 10 and rng.random() < 0.3 else str(number)
    return written + rng.choice(["人", "人", "名工人", "名群众"])


def _yuan(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{rng.randint(1, 9000)}万元",
            f"{rng.randint(1, 99)}.{rng.randint(1, 9)}万元",
            f"{rng.randint(1000, 99000)}元",
            f"人民币{rng.randint(2, 90)}万元",
            f"{rng.randint(1, 9)}.{rng.randint(1, 9)}亿元",
        ]
    )


def _chinese_date(year: int, month: int, day: int, rng: random.Random) -> str:
    return rng.choice(
        [
            f"{year}年{month}月{day}日",
            f"{year}年{month}月{day}日",
            f"{year}-{month:02}-{day:02}",
            f"{year}/{month}/{day}",
            f"{month}月{day}日",
        ]
    )


def _chinese_clock(rng: random.Random) -> str:
    hour, minute = rng.randint(0, 23), rng.randint(0, 59)
    return rng.choice([f"{hour}时{minute}分", f"{hour:02}:{minute:02}", f"{hour}点{minute}分许"])


def _chinese_duration(rng: random.Random) -> str:
    return rng.choice(
        [
            f"{rng.randint(1, 20)}小时{rng.randint(1, 59)}分钟",
            f"{rng.randint(10, 300)}分钟",
            f"{rng.randint(2, 30)}个小时",
            f"{rng.randint(2, 20)}天",
        ]
    )


def _chinese_cause(lists: dict[str, list[str]], rng: random.Random) -> str:
    def pick(name: str) -> str:
        return rng.choice(lists[name])

    thing = f"{pick('thing')}{pick('fault')}"
    return rng.choice([
        thing, f"{thing}，{pick('then')}", f"{pick('post')}{pick('act')}",
        f"{pick('surname')}某{pick('act')}，{pick('then')}", pick("act"),
    ])  # fmt: skip


def _chinese_list(items: list[str], rng: random.Random) -> str:
    marks = rng.choice(
        [
            [f"{_DIGITS[i + 1]}是" for i in range(len(items))],
            [f"{i + 1}." for i in range(len(items))],
            [f"（{_DIGITS[i + 1]}）" for i in range(len(items))],
            [""] * len(items),
        ]
    )
    between = "；" if marks[0] else "，"
    return between.join(mark + item for mark, item in zip(marks, items, strict=True))


def _american(date: str) -> str:
    day, month, year = date.split()
    return f"{month} {day}, {year}"


def _iso(date: str) -> str:
    day, month, year = date.split()
    return f"{year}-{_MONTHS.index(month) + 1:02}-{int(day):02}"
