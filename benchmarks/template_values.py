"""What is particular to an invented report: names, days, times, numbers, drawn without repetition.

Pure but for the dice. Knows how a value is written and what else would be right to say for it;
knows no template and no question.
"""

import random
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

_RANGE = re.compile(r"(\d+)\.\.(\d+)(?:/(\d+))?")
_OFFSET = re.compile(r"(\w+)([+-])([\w.]+)")
_MARKED = re.compile(r"\[(.+?)\]")
_FIRST_DAY, _NUM_DAYS = date(2017, 1, 9), 2500
# What starts by then ends on the same day, the last entry of a shift too.
_START_MINUTES = (5 * 60, 15 * 60)
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"

Forms = Mapping[str, Any]
"""The table `forms` of a language: how dates, times, money and names are written."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is written, what an answer may say for it, and what others are reckoned from.

    `answers`: any is right; of `a&b` both parts must be said.
    """

    text: str
    answers: tuple[str, ...]
    raw: date | int | None = None


def marked(text: str) -> Value:
    """Return words of which those in brackets are what an answer must say, all where none are."""
    parts = _MARKED.findall(text)
    plain = _MARKED.sub(r"\1", text)
    return Value(plain, ("&".join(parts) if parts else plain,))


def plain(text: str) -> Value:
    """Return words that are right as they stand."""
    return Value(text, (text,))


@dataclass
class Registry:
    """Names, places and firms of one base; each is handed out once."""

    names: Mapping[str, list[str]]
    forms: Forms
    dice: random.Random
    taken: set[str] = field(default_factory=set)

    def person(self, avoided: Collection[str] = ()) -> Value:
        """Return a new person; the family name alone is right where given names stand first.

        `avoided`: family names of the same report, by which alone nobody could be told apart.
        """
        while True:
            given, surname = (self.dice.choice(self.names[k]) for k in ("given", "surnames"))
            name = self.forms["name"].format(given=given, surname=surname)
            if surname not in avoided and self._is_new(name):
                return Value(name, (name, surname) if " " in name else (name,))

    def place(self) -> str:
        """Return a new place."""
        return self._joined("place_heads", self.names["place_tails"], "")

    def firm(self, trades: list[str]) -> str:
        """Return a new firm of one of these trades."""
        return self._joined("firm_heads", trades, " " if trades[0].isascii() else "")

    def code(self, pattern: str) -> str:
        """Return a new identifier: `#` stands for a digit, `?` for a letter."""
        while True:
            drawn = (self._character(letter) for letter in pattern)
            if self._is_new(code := "".join(drawn)):
                return code

    def _character(self, letter: str) -> str:
        if letter == "#":
            return str(self.dice.randint(1, 9))
        return self.dice.choice(_LETTERS) if letter == "?" else letter

    def _joined(self, heads: str, tails: list[str], joint: str) -> str:
        while True:
            name = self.dice.choice(self.names[heads]) + joint + self.dice.choice(tails)
            if self._is_new(name):
                return name

    def _is_new(self, name: str) -> bool:
        is_new = name not in self.taken
        self.taken.add(name)
        return is_new


class Drawing:
    """The values of one report; each is drawn from its specification and those before it."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._dice = registry.dice
        self._forms = registry.forms
        # A report writes all its dates, times and sums in one way.
        self._style = {
            kind: self._dice.choice(registry.forms[kind]) for kind in ("dates", "times", "money")
        }
        self.values: dict[str, Value] = {}
        self._surnames: set[str] = set()

    def draw(self, slot: str, specification: str) -> None:
        """Add a value. ValueError for a specification that is none."""
        kind, _, rest = specification.partition(" ")
        makers: dict[str, Callable[[], Value]] = {
            "person": self._person,
            "code": lambda: marked(self._registry.code(rest)),
            "day": lambda: self._day(_FIRST_DAY + timedelta(self._dice.randrange(_NUM_DAYS))),
            "time": lambda: self._time(self._dice.randrange(*_START_MINUTES)),
            "number": lambda: self._number(self._of_range(rest)),
            "count": lambda: self._count(self._of_range(rest)),
            "money": lambda: self._money(self._of_range(rest)),
        }
        offset = _OFFSET.fullmatch(specification)
        if kind not in makers and not offset:
            raise ValueError(f"{slot} is {specification!r}; expected one of {', '.join(makers)}")
        value = self._behind(*offset.groups()) if offset else makers[kind]()
        self.values[slot] = value
        if isinstance(value.raw, date):
            self.values[f"{slot}.year"] = marked(str(value.raw.year))

    def _person(self) -> Value:
        person = self._registry.person(self._surnames)
        self._surnames.add(person.answers[-1])
        return person

    def _behind(self, base: str, sign: str, distance: str) -> Value:
        known = self.values.get(distance)
        length = known.raw if known and isinstance(known.raw, int) else self._of_range(distance)
        start = self.values[base].raw
        if isinstance(start, date):
            return self._day(start + timedelta(length if sign == "+" else -length))
        if start is None:
            raise ValueError(f"{base} is neither a day nor a time")
        return self._time(start + length)

    def _of_range(self, text: str) -> int:
        found = _RANGE.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is no range; expected LOW..HIGH or LOW..HIGH/STEP")
        low, high, step = found.groups(default="1")
        return self._dice.randrange(int(low), int(high) + 1, int(step))

    def _day(self, day: date) -> Value:
        months = self._forms["months"]
        month = months[day.month - 1] if months else ""
        text = self._style["dates"].format(y=day.year, m=day.month, d=day.day, month=month)
        return Value(text, (text,), day)

    def _time(self, minute: int) -> Value:
        hour, rest = divmod(minute % (24 * 60), 60)
        half = "am" if hour < 12 else "pm"
        known = {"h": hour, "minute": rest, "h12": hour % 12 or 12, "half": half}
        text = self._style["times"].format(**known)
        return Value(text, tuple(dict.fromkeys((text, f"{hour:02}:{rest:02}"))), minute)

    def _number(self, number: int) -> Value:
        return Value(str(number), (str(number),), number)

    def _count(self, number: int) -> Value:
        words = self._forms["counts"]
        written = [str(number), *words[number : number + 1]]
        return Value(self._dice.choice(written), tuple(written), number)

    def _money(self, number: int) -> Value:
        text = self._style["money"].format(n=number, wan=number / 10_000)
        return Value(text, (text,), number)
