"""Invented incident papers: a text of a layout, and where each of its facts stands in it.

Pure functions of rng. Knows the tables and facts; knows no question.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass

from training.reader.papers import facts, tables

LAYOUTS = ("form", "prose", "sections", "mail", "report")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Paper:
    """A text with the offsets of the slots that it states."""

    language: str
    title: str
    text: str
    stated: dict[str, tuple[int, int]]
    facts: dict[str, str]


def field(slot: str) -> str:
    """The fact that is a slot's value."""
    return "area_m" if slot == "area" else slot


def fields(template: str) -> list[str]:
    """The names of the facts that a template uses."""
    return _SLOT.findall(template)


def fill(template: str, known: dict[str, str]) -> str:
    """A template with its facts."""
    return _SLOT.sub(lambda match: known[match.group(1)], template)


class Text:
    """Joins pieces and notes where the slots of its language stand first."""

    def __init__(self, language: str, known: dict[str, str]) -> None:
        slots = tables(language)["slots"]
        self._slot_of = {field(slot): slot for slot in slots}
        self._known, self._parts, self._length = known, list[str](), 0
        self.stated: dict[str, tuple[int, int]] = {}

    def add(self, template: str) -> None:
        """Append a template with its values."""
        at = 0
        for match in _SLOT.finditer(template):
            self._put(template[at : match.start()])
            value, slot = self._known[match.group(1)], self._slot_of.get(match.group(1))
            if slot and slot not in self.stated:
                self.stated[slot] = (self._length, self._length + len(value))
            self._put(value)
            at = match.end()
        self._put(template[at:])

    def _put(self, piece: str) -> None:
        self._parts.append(piece)
        self._length += len(piece)

    def text(self) -> str:
        """The whole text."""
        return "".join(self._parts)


def paper(language: str, layout: str, rng: random.Random) -> Paper:
    """One paper of a layout."""
    known, table = facts(language, rng), tables(language)
    slots = rng.sample(list(table["slots"]), rng.randint(4, 11))
    text = Text(language, known)
    if layout == "mail":
        before, after = rng.choice(table["layouts"]["mail"]).split("{body}")
        text.add(before)
        add_prose(text, language, slots, rng)
        text.add(after)
    else:
        {"form": _form, "prose": add_prose, "sections": _sections, "report": _report}[layout](
            text, language, slots, rng
        )
    title = fill(rng.choice(table["layouts"]["title"]), known)
    return Paper(language, title, text.text(), text.stated, known)


def _form(text: Text, language: str, slots: list[str], rng: random.Random) -> None:
    table = tables(language)
    between = rng.choice(["\n", "\n", " | ", "；" if language == "zh" else "; "])
    for slot in slots:
        text.add(rng.choice(table["slots"][slot]["form"]))
        text.add(between)


def add_prose(text: Text, language: str, slots: Iterable[str], rng: random.Random) -> None:
    """A sentence for every slot, some filling ones between."""
    table = tables(language)
    gap = "" if language == "zh" else " "
    for slot in slots:
        if rng.random() < 0.25:
            text.add(rng.choice(table["layouts"]["filler"]) + gap)
        text.add(rng.choice(table["slots"][slot]["prose"]) + gap)


def _sections(text: Text, language: str, slots: list[str], rng: random.Random) -> None:
    headings = tables(language)["layouts"]["headings"]
    size = max(1, len(slots) // 3)
    for number, start in enumerate(range(0, len(slots), size)):
        text.add(headings[number % len(headings)] + "\n")
        add_prose(text, language, slots[start : start + size], rng)
        text.add("\n")


def _report(text: Text, language: str, slots: list[str], rng: random.Random) -> None:
    """Sentences that state several slots at once, single ones between, in paragraphs."""
    gap = "" if language == "zh" else " "
    several = rng.sample(tables(language)["layouts"]["sentences"], rng.randint(2, 5))
    for sentence in several:
        text.add(sentence + gap)
        alone = [slot for slot in slots if slot not in text.stated]
        add_prose(text, language, alone[: rng.randint(0, 2)], rng)
        if rng.random() < 0.4:
            text.add("\n")
