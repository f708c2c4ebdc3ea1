"""Invented texts of many alike things: digests, tables, timelines, tasks, statistics.

The question names one of them. Pure functions of rng.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from training.reader.asking import asked, subject
from training.reader.papers import drawn, facts, tables
from training.reader.passages import Asked
from training.reader.writing import Paper, Text, add_prose, fields, fill

Spans = dict[str, tuple[int, int]]


def digest(language: str, rng: random.Random) -> Asked | None:
    """Several incidents in one text; the question names one of them."""
    table, gap = tables(language), "" if language == "zh" else " "
    papers, texts, at = [], list[str](), 0
    shared = [s for s in table["slots"] if s not in ("place", "date")]
    shared = [s for s in rng.sample(shared, 3) if _only_s(table, s)]
    if not shared:
        return None
    lead = "{place}发生{event}。" if language == "zh" else "There was a {event} at {place}. "
    for _ in range(rng.randint(2, 4)):
        known = facts(language, rng)
        text = Text(language, known)
        text.add(lead)
        for slot in rng.sample(shared, rng.randint(1, len(shared))):
            text.add(rng.choice(table["slots"][slot]["prose"]) + gap)
        moved = {s: (a + at, b + at) for s, (a, b) in text.stated.items()}
        papers.append((known, moved))
        texts.append(text.text() + "\n")
        at += len(texts[-1])
    known, stated = rng.choice(papers)
    name = "{place}{event}" if language == "zh" else "the {event} at {place}"
    slot = rng.choice(shared)
    whole = Paper(language, "", "".join(texts), stated, known)
    form = rng.choice([f for f in table["slots"][slot]["ask"] if fields(f) == ["s"]])
    return asked(whole, form, fill(name, known), stated.get(slot), rng)


def _only_s(table: dict[str, dict[str, dict[str, list[str]]]], slot: str) -> bool:
    return any(fields(form) == ["s"] for form in table["slots"][slot]["ask"])


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
    parts, places = list[str](), list[Spans]()
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


def _add_row(parts: list[str], row: dict[str, str], joiner: tuple[str, str | None]) -> Spans:
    found, at = Spans(), sum(map(len, parts))
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
    table = tables(language)

    def of(name: str) -> Callable[[random.Random], str]:
        return lambda rng: str(rng.choice(table["lists"][name]))

    def fact(name: str) -> Callable[[random.Random], str]:
        return lambda rng: facts(language, rng)[name]

    return {
        name: (column["ask"], of(column["list"]) if "list" in column else fact(column["fact"]))
        for name, column in table["columns"].items()
    }


def timeline(language: str, rng: random.Random) -> Asked | None:
    """What was done at which time by whom; the question is who or when."""
    table, paper = tables(language)["actions"], _begun(language, rng)
    done = rng.sample(table["done"], rng.randint(4, 7))
    asked_of = done[0]
    told = done if rng.random() < 0.8 else done[1:]
    rng.shuffle(told)
    text, minutes, places = [paper.text], rng.randint(0, 1100), Spans()
    at, line = len(paper.text), rng.choice(table["line"])
    clock = "{}时{:02}分" if language == "zh" and rng.random() < 0.5 else "{}:{:02}"
    for entry in told:
        minutes += rng.randint(1, 50)
        known = {
            "at": clock.format(minutes // 60 % 24, minutes % 60),
            "who": _person(language, rng),
            "did": entry[0],
        }
        piece = fill(line, known) + "\n"
        if entry is asked_of:
            places = {n: _place(piece, known[n], at) for n in ("who", "at")}
        text.append(piece)
        at += len(piece)
    number = rng.randint(1, 2)
    form = asked_of[number].rstrip("？?")
    about = subject(paper, tables(language)["layouts"]["subject"], rng)
    if rng.random() < 0.4:
        form = f"{about}，{form}" if language == "zh" else f"{form} in {about}"
    form += "" if language == "zh" else "?"
    whole = Paper(language, paper.title, "".join(text), {}, paper.facts)
    return asked(whole, form, about, places.get("who" if number == 1 else "at"), rng)


def tasks(language: str, rng: random.Random) -> Asked | None:
    """Measures with who does them and by when; one is asked for, or all."""
    table, paper = tables(language)["actions"], _begun(language, rng)
    measures = rng.sample(tables(language)["lists"]["measure"], rng.randint(3, 5))
    what, told = measures[0], measures if rng.random() < 0.75 else measures[1:]
    told = rng.sample(told, len(told))
    text, at, item, places = [paper.text], len(paper.text), rng.choice(table["item"]), Spans()
    mark = rng.choice(["{}. ", "（{}）" if language == "zh" else "({}) ", "- "])
    for number, measure in enumerate(told):
        other = facts(language, rng)
        known = {"what": measure, "who": _person(language, rng), "due": other["date"]}
        piece = mark.format(number + 1) + fill(item, known) + "\n"
        start = at + len(mark.format(number + 1))
        places.setdefault("all", (start, start))
        places["all"] = (places["all"][0], at + len(piece) - 1)
        if measure == what:
            places |= {n: _place(piece, known[n], at) for n in ("who", "due") if n in item}
        text.append(piece)
        at += len(piece)
    kind = rng.choice(["owner", "due", "all"])
    about = subject(paper, tables(language)["layouts"]["subject"], rng)
    whole = Paper(language, paper.title, "".join(text), {}, paper.facts)
    answer = places.get({"owner": "who"}.get(kind, kind))
    return asked(whole, rng.choice(table[kind]).replace("{what}", what), about, answer, rng)


def statistics(language: str, rng: random.Random) -> Asked | None:
    """Counts of a stretch of time by kind of place; one is asked for, or the largest."""
    table, lists = tables(language)["actions"], tables(language)["lists"]
    known = facts(language, rng)
    known["period"] = drawn(rng.choice(table["periods"]), lists, known, rng)
    names = rng.sample(lists["category"], rng.randint(3, 6))
    counts = rng.sample(range(2, 900), len(names))
    known["n"] = str(sum(counts))
    before = fill(table["count"], known) + _begun(language, rng).text
    parts, places = list[str](), Spans()
    lead, behind = table["parts"].split("{list}")
    at = len(before) + len(lead)
    for name, count in zip(names, counts, strict=True):
        piece = table["part"].format(name=name, n=count)
        number = piece.index(str(count))
        places[name] = (at + number, at + len(piece))
        if count == max(counts):
            places["most"] = (at, at + len(piece))
        piece += "，" if language == "zh" else ", "
        parts.append(piece)
        at += len(piece)
    body = f"{before}{lead}{''.join(parts).rstrip('，, ')}{behind}"
    answer, asked_known = None, dict(known)
    if rng.random() < 0.25:
        form = rng.choice(table["asked_most"])
        answer = places["most"]
    else:
        asked_known["name"] = rng.choice(lists["category"])
        form, answer = rng.choice(table["asked_count"]), places.get(asked_known["name"])
    if rng.random() < 0.2:
        asked_known["period"] = drawn(rng.choice(table["periods"]), lists, {}, rng)
        answer = None if asked_known["period"] != known["period"] else answer
    title = known["period"] if rng.random() < 0.5 else ""
    paper = Paper(language, title, body, {}, known)
    return asked(paper, fill(form, asked_known), "", answer, rng)


def _begun(language: str, rng: random.Random) -> Paper:
    """A paper of a few sentences, to which something is added."""
    known, table = facts(language, rng), tables(language)
    text = Text(language, known)
    add_prose(text, language, rng.sample(list(table["slots"]), rng.randint(0, 3)), rng)
    title = fill(rng.choice(table["layouts"]["title"]), known)
    body = f"{text.text()}\n" if text.text() else ""
    return Paper(language, title, body, text.stated, known)


def _person(language: str, rng: random.Random) -> str:
    return facts(language, rng)["lead"]


def _place(piece: str, value: str, at: int) -> tuple[int, int]:
    start = at + piece.index(value)
    return start, start + len(value)
