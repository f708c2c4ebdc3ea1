"""Invented incident papers with a question each: forms, prose, sections, mails, tables, digests.

What a paper does not say is asked on purpose too: of another incident, or of what it leaves out.
`HELD` layouts are never trained on: the gap to them is what is reported.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from training.reader.papers import facts, tables
from training.reader.passages import Asked
from training.reader.sources import said_otherwise

HELD = {("zh", "mail"), ("en", "sections")}
OTHERWISE = 0.35
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A text with the offsets of the slots that it states."""

    language: str
    title: str
    text: str
    stated: dict[str, tuple[int, int]]
    facts: dict[str, str]


class _Text:
    """Joins pieces and notes where the slots stand."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known, self._parts, self._length = known, list[str](), 0
        self.stated: dict[str, tuple[int, int]] = {}

    def add(self, template: str, slot: str | None = None) -> None:
        """Append a template with its values; note where the value of `slot` stands."""
        at = 0
        for match in _SLOT.finditer(template):
            self._put(template[at : match.start()])
            value = self._known[match.group(1)]
            if slot and match.group(1) == _field(slot):
                self.stated[slot] = (self._length, self._length + len(value))
            self._put(value)
            at = match.end()
        self._put(template[at:])

    def _put(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)

    def text(self) -> str:
        return "".join(self._parts)


def _field(slot: str) -> str:
    return "area_m" if slot == "area" else slot


def _fill(template: str, known: dict[str, str]) -> str:
    return _SLOT.sub(lambda match: known[match.group(1)], template)


def paper(language: str, layout: str, rng: random.Random) -> Paper:
    """One paper of a layout: form, prose, sections or mail."""
    known, table = facts(language, rng), tables(language)
    slots = rng.sample(list(table["slots"]), rng.randint(4, 11))
    known["body"] = ""
    writer = _Text(known)
    if layout == "mail":
        before, after = rng.choice(table["layouts"]["mail"]).split("{body}")
        writer.add(before)
        _prose(writer, language, slots, rng)
        writer.add(after)
    else:
        {"form": _form, "prose": _prose, "sections": _sections}[layout](
            writer, language, slots, rng
        )
    title = _fill(rng.choice(table["layouts"]["title"]), known)
    return Paper(language, title, writer.text(), writer.stated, known)


def _form(writer: _Text, language: str, slots: list[str], rng: random.Random) -> None:
    table = tables(language)
    between = rng.choice(["\n", "\n", " | ", "；" if language == "zh" else "; "])
    for slot in slots:
        writer.add(rng.choice(table["slots"][slot]["form"]), slot)
        writer.add(between)


def _prose(writer: _Text, language: str, slots: list[str], rng: random.Random) -> None:
    table = tables(language)
    gap = "" if language == "zh" else " "
    for slot in slots:
        if rng.random() < 0.25:
            writer.add(rng.choice(table["layouts"]["filler"]) + gap)
        writer.add(rng.choice(table["slots"][slot]["prose"]), slot)
        writer.add(gap)


def _sections(writer: _Text, language: str, slots: list[str], rng: random.Random) -> None:
    table = tables(language)
    headings = table["layouts"]["headings"]
    size = max(1, len(slots) // 3)
    for number, start in enumerate(range(0, len(slots), size)):
        writer.add(headings[number % len(headings)] + "\n")
        _prose(writer, language, slots[start : start + size], rng)
        writer.add("\n")


def ask(of: Paper, rng: random.Random) -> Asked | None:
    """A question of the paper: of what it states, leaves out, or of another incident."""
    if rng.random() < 0.2:
        of = replace(of, title="")
    table, draw = tables(of.language), rng.random()
    names = table["layouts"]["subject"]
    if draw < 0.16:
        slot, about = rng.choice(list(of.stated)), _fill(rng.choice(names), facts(of.language, rng))
        return _asked(of, slot, about, None, rng)
    about = _subject(of, names if rng.random() < 0.6 else table["layouts"]["vague"], rng)
    if draw < 0.34:
        left_out = [slot for slot in table["slots"] if slot not in of.stated]
        slot = rng.choice(left_out)
        return None if of.facts[_field(slot)] in of.text else _asked(of, slot, about, None, rng)
    slot = rng.choice(list(of.stated))
    return _asked(of, slot, about, of.stated[slot], rng)


def _subject(of: Paper, choices: list[str], rng: random.Random) -> str:
    """A name of the incident that the paper or its title bears out."""
    shown = f"{of.title}\n{of.text}"
    fitting = [c for c in choices if all(of.facts[n] in shown for n in _SLOT.findall(c))]
    vague = tables(of.language)["layouts"]["vague"]
    return _fill(rng.choice(fitting or vague), of.facts)


def _asked(
    of: Paper, slot: str, about: str, answer: tuple[int, int] | None, rng: random.Random
) -> Asked:
    question = rng.choice(tables(of.language)["slots"][slot]["ask"]).replace("{s}", about)
    if of.language == "zh":
        question = f"{question.removeprefix('的')}？"
    if rng.random() < OTHERWISE:
        question = said_otherwise(question, rng)
    return Asked(question, of.title, of.text, answer)


def digest(language: str, rng: random.Random) -> Asked | None:
    """Several incidents in one text; the question names one of them."""
    table, gap = tables(language), "" if language == "zh" else " "
    papers, texts, at = [], list[str](), 0
    shared = rng.sample(list(table["slots"]), 3)
    lead = "{place}发生{event}。" if language == "zh" else "There was a {event} at {place}. "
    for _ in range(rng.randint(2, 4)):
        known = facts(language, rng)
        writer = _Text(known)
        writer.add(lead)
        for slot in rng.sample(shared, rng.randint(2, 3)):
            writer.add(rng.choice(table["slots"][slot]["prose"]) + gap, slot)
        moved = {s: (a + at, b + at) for s, (a, b) in writer.stated.items()}
        papers.append((known, moved))
        texts.append(writer.text() + "\n")
        at += len(texts[-1])
    known, stated = rng.choice(papers)
    name = "{place}{event}" if language == "zh" else "the {event} at {place}"
    slot = rng.choice(shared)
    whole = Paper(language, "", "".join(texts), stated, known)
    return _asked(whole, slot, _fill(name, known), stated.get(slot), rng)


def row_of_table(language: str, rng: random.Random) -> Asked | None:
    """A table written as text, by rows; the question names one row and one column."""
    columns = _columns(language)
    kept = rng.sample(list(columns)[1:], rng.randint(2, min(4, len(columns) - 1)))
    key = next(iter(columns))
    rows = [
        {name: columns[name][1](rng) for name in (key, *kept)} for _ in range(rng.randint(3, 9))
    ]
    if len({row[key] for row in rows}) < len(rows):
        return None
    is_chinese = language == "zh"
    joiner = rng.choice([(" | ", None), (("；", "：") if is_chinese else (" ; ", ": "))])
    parts, places = list[str](), list[dict[str, tuple[int, int]]]()
    if joiner[1] is None:
        parts.append(" | ".join((key, *kept)) + "\n")
    for row in rows:
        places.append(_add_row(parts, row, joiner))
    chosen, column = rng.randrange(len(rows)), rng.choice(kept)
    about, answer = rows[chosen][key], places[chosen].get(column)
    if rng.random() < 0.25:
        about, answer = columns[key][1](rng), None
        if about in "".join(parts):
            return None
    question = rng.choice(columns[column][0]).replace("{s}", about)
    title = "人员名单" if is_chinese and rng.random() < 0.3 else ""
    return Asked(question, title, "".join(parts), answer)


def _add_row(
    parts: list[str], row: dict[str, str], joiner: tuple[str, str | None]
) -> dict[str, tuple[int, int]]:
    found, at = dict[str, tuple[int, int]](), sum(map(len, parts))
    for number, (name, value) in enumerate(row.items()):
        piece = joiner[0] if number else ""
        piece += f"{name}{joiner[1]}" if joiner[1] else ""
        found[name] = (at + len(piece), at + len(piece) + len(value))
        parts.append(piece + value)
        at += len(piece) + len(value)
    parts.append("\n")
    return found


def _columns(language: str) -> dict[str, tuple[list[str], Callable[[random.Random], str]]]:
    """The columns of an invented table, the key first: how they are asked, and a value."""
    lists = tables(language)["lists"]

    def of(name: str) -> Callable[[random.Random], str]:
        return lambda rng: str(rng.choice(lists[name]))

    def fact(name: str) -> Callable[[random.Random], str]:
        return lambda rng: facts(language, rng)[name]

    if language == "zh":
        return {
            "姓名": (["{s}"], fact("lead")),
            "职务": (["{s}的职务是什么", "{s}是干什么的", "{s}担任什么职务？"], of("post")),
            "伤情": (["{s}伤情如何", "{s}受了什么伤？", "{s}伤得怎么样"], of("injury")),
            "收治医院": (["{s}送到哪家医院？", "{s}在哪里治疗"], fact("hospital")),
            "赔偿": (["{s}赔了多少钱？", "{s}的赔偿金额是多少"], fact("loss")),
            "入职日期": (["{s}什么时候入职的？", "{s}的入职日期"], fact("date")),
            "单位": (["{s}是哪个单位的？", "{s}在哪家公司"], fact("firm")),
        }
    return {
        "Name": (["{s}"], fact("lead")),
        "Role": (["What is the role of {s}?", "What does {s} do?", "role of {s}"], of("rank")),
        "Site": (["Where does {s} work?", "What is the site of {s}?"], fact("place")),
        "Cost": (["What is the cost for {s}?", "How much was paid to {s}?"], fact("loss")),
        "Start": (["When did {s} start?", "What is the start date of {s}?"], fact("date")),
        "Hours": (["How long was {s} on duty?", "What are the hours of {s}?"], fact("duration")),
    }


def invent(rng: random.Random) -> Asked | None:
    """One question of one invented text of a layout that may be trained on."""
    language = "zh" if rng.random() < 0.6 else "en"
    kind = rng.random()
    if kind < 0.15:
        return row_of_table(language, rng)
    if kind < 0.3:
        return digest(language, rng)
    layouts = [k for k in ("form", "prose", "sections", "mail") if (language, k) not in HELD]
    return ask(paper(language, rng.choice(layouts), rng), rng)
