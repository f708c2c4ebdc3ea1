"""Invented reports in five templates and two languages, and questions about them. Seeded.

The words are in templates_en.toml and templates_zh.toml. Some values of a report are left out of
it; a question for one of these, or for another person, place or year, has no answer. Knows no
service and no file format.
"""

import random
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.template_values import Drawing, Registry, Value, marked, plain
from kb_service.language.text import normalise
from kb_service.language.values import missing_values, stated_values

LANGUAGES = ("en", "zh")
TEMPLATES = ("ruling", "interview", "log", "postmortem", "letter")
SEEN = ("ruling", "interview")
"""On these a reader may be developed; on the others it is only measured."""

NUM_PLAIN, NUM_OTHER, NUM_SPARED = 3, 3, 2
_SLOT = re.compile(r"\{(\w[\w.]*)\}")
_ANCHORS = ("place", "firm", "person", "year")
"""What a near miss changes, by turns."""

Template = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report and what it is: title, heading, para, number, item, entry or row.

    Columns of an entry and a row are parted by `|`.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `wording`: plain or other (both have an answer), spared or swapped (none).

    `answers`: any is right, of `a&b` both parts. `absent`: of a question without an answer, what
    the report does not say.
    """

    text: str
    wording: str
    slot: str
    answers: tuple[str, ...] = ()
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """An invented report and its questions."""

    template: str
    language: str
    lines: tuple[Line, ...]
    questions: tuple[Asked, ...]

    @property
    def text(self) -> str:
        """Everything that the report says."""
        return "\n".join(line.text for line in self.lines)


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """Return the words of a language."""
    path = Path(__file__).with_name(f"templates_{language}.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def invented(seed: int, num_each: int = 8) -> list[Report]:
    """Return `num_each` reports a template and language; names are unique in all of them."""
    return [
        report
        for language in LANGUAGES
        for registry in [_registry(language, seed)]
        for template in TEMPLATES
        for report in _of_template(template, language, registry, num_each)
    ]


def says(text: str, answers: tuple[str, ...]) -> bool:
    """True when a text says one of the answers in whole words; values in any way of writing."""
    return any(all(_says_part(text, part) for part in answer.split("&")) for answer in answers)


def _says_part(text: str, part: str) -> bool:
    said, wanted = (" ".join(normalise(words).split()) for words in (text, part))
    if re.search(_whole(wanted), said):
        return True
    is_value = any(letter.isdigit() for letter in wanted) and bool(stated_values(part))
    if not is_value or missing_values(part, text):
        return False
    is_moment = bool({value.partition(":")[0] for value in stated_values(part)} & {"date", "time"})
    return is_moment or all(unit in said for unit in re.findall(r"[^\W\d_]+", wanted))


def _whole(wanted: str) -> str:
    # 3 stands neither in 23 nor in 3.5 nor in 3,500; a Latin word stands in no longer one.
    before = r"(?<![a-z0-9])(?<!\d[.,])" if wanted[0].isdigit() else r"(?<![a-z])"
    behind = r"(?![a-z0-9])(?![.,]\d)" if wanted[-1].isdigit() else r"(?![a-z])"
    is_latin_first, is_latin_last = wanted[0].isascii(), wanted[-1].isascii()
    return (
        (before if is_latin_first else "") + re.escape(wanted) + (behind if is_latin_last else "")
    )


def _registry(language: str, seed: int) -> Registry:
    words = words_of(language)
    return Registry(words["names"], words["forms"], random.Random(f"{seed} {language}"))


def _of_template(name: str, language: str, registry: Registry, num: int) -> Iterator[Report]:
    template = words_of(language)[name]
    scenes = registry.dice.sample(template["scenes"], len(template["scenes"]))
    for number in range(num):
        scene, turn = scenes[number % len(scenes)], number // len(scenes)
        values = _values(template, scene, turn, registry)
        writing = _Writing(template, values, registry)
        yield Report(name, language, *writing.written(_ANCHORS[number % len(_ANCHORS)]))


def _values(
    template: Template, scene: Mapping[str, Any], turn: int, registry: Registry
) -> dict[str, Value]:
    drawing, dice = Drawing(registry), registry.dice
    for slot, specification in template["values"].items():
        drawing.draw(slot, specification)
    values = drawing.values
    values["place"] = marked(registry.place())
    values["firm"] = marked(registry.firm(template["trades"]))
    if "sites" in template:
        values["site"] = marked(dice.choice(template["sites"]))
    for slot, told in scene.items():
        # The turn, not the dice: reports of one scene differ in cause and remedy.
        values[slot] = marked(told if isinstance(told, str) else told[turn % len(told)])
    habits = template.get("habits", {})
    habit = dice.randrange(len(next(iter(habits.values())))) if habits else 0
    return values | {slot: marked(filled(told[habit], values)) for slot, told in habits.items()}


def filled(text: str, values: Mapping[str, Value]) -> str:
    """Return a text with values in place of its slots; {Slot} begins with a capital."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        told = values[name[0].lower() + name[1:]].text
        return told[0].upper() + told[1:] if name[0].isupper() else told

    return _SLOT.sub(value, text)


class _Writing:
    """One report in the making: which values are left out, how it is worded, what is asked."""

    def __init__(self, template: Template, values: Mapping[str, Value], registry: Registry) -> None:
        self._template, self._values = template, values
        self._registry, self._dice = registry, registry.dice

    def written(self, anchor: str) -> tuple[tuple[Line, ...], tuple[Asked, ...]]:
        """Return lines and questions; `anchor`: what the near miss changes."""
        spares = [block["tells"] for block in self._template["blocks"] if "tells" in block]
        left_out = self._dice.sample(spares, NUM_SPARED)
        lines = self._lines(left_out)
        text = "\n".join(line.text for line in lines)
        questions = self._template["questions"]
        told = [q for q in questions if not {q["slot"], q.get("needs")} & set(left_out)]
        self._dice.shuffle(told)
        spared = self._spared([q for s in left_out for q in questions if q["slot"] == s], text)
        asked = [*self._answerable(told), *islice(spared, 1), self._swapped(told, anchor)]
        return lines, tuple(asked)

    def _lines(self, spared: list[str]) -> tuple[Line, ...]:
        return tuple(
            Line(block["kind"], filled(self._dice.choice(block["texts"]), self._values))
            for block in self._template["blocks"]
            if block.get("tells") not in spared
        )

    def _answers(self, question: Template) -> tuple[str, ...]:
        slot, form = question["slot"], question.get("answer", f"{{{question['slot']}}}")
        said = self._values[slot].answers
        return tuple(filled(form, {**self._values, slot: plain(words)}) for words in said)

    def _answerable(self, questions: list[Template]) -> Iterator[Asked]:
        wordings = ["plain"] * NUM_PLAIN + ["other"] * NUM_OTHER
        for question, wording in zip(questions, wordings, strict=False):
            text = filled(self._dice.choice(question[wording]), self._values)
            yield Asked(text, wording, question["slot"], self._answers(question))

    def _spared(self, questions: list[Template], text: str) -> Iterator[Asked]:
        for question in questions:
            answers = self._answers(question)
            # Where chance has put the same value into the report, nothing is asked.
            if not says(text, answers):
                asked = filled(self._dice.choice(question["plain"]), self._values)
                yield Asked(asked, "spared", question["slot"], absent=answers[0])

    def _swapped(self, questions: list[Template], anchor: str) -> Asked:
        wordings = [(q["slot"], text) for q in questions for text in (*q["plain"], *q["other"])]
        for kind in (anchor, "place", "person"):
            fitting = [
                (slot, text, name)
                for slot, text in wordings
                for name in _SLOT.findall(text)
                if _kind_of(name) == kind
            ]
            if fitting:
                slot, text, name = self._dice.choice(fitting)
                other = self._others()[kind]()
                asked = filled(text, {**self._values, name: marked(other)})
                return Asked(asked, "swapped", slot, absent=other)
        raise ValueError("no question names a place or a person")

    def _others(self) -> Mapping[str, Callable[[], str]]:
        year = int(self._values["day.year"].text)
        return {
            "place": self._registry.place,
            "firm": lambda: self._registry.firm(self._template["trades"]),
            "person": lambda: self._registry.person().text,
            "year": lambda: str(self._dice.choice([year - 3, year - 2, year + 2, year + 3])),
        }


def _kind_of(slot: str) -> str:
    if slot.endswith(".year"):
        return "year"
    return "person" if re.fullmatch(r"p\d", slot) else slot
