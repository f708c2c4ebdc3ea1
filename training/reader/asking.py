"""Questions of an invented paper: of what it says, leaves out, or of another incident.

Pure functions of rng. Knows papers and how people ask; knows no layout.
"""

from __future__ import annotations

import random
from dataclasses import replace

from pypinyin import lazy_pinyin

from training.reader.papers import date_in, facts, tables
from training.reader.passages import Asked
from training.reader.sources import said_otherwise
from training.reader.writing import Paper, field, fields, fill

OTHERWISE = 0.35
ACROSS = 0.16
"""So many papers are asked in the other language."""

TOLD = 0.12
"""So often only the title says what the paper is about, as the service's titles do."""

ALSO_KNOWN = 0.35
UNSTATED = 0.07


def ask(of: Paper, rng: random.Random) -> Asked | None:
    """A question of a paper; None when this draw gives nothing."""
    if rng.random() < 0.2:
        of = replace(of, title="")
    draw = rng.random()
    if rng.random() < ACROSS:
        return _ask_across(of, draw, rng)
    names = tables(of.language)["layouts"]["subject"]
    if draw < 0.14:
        other = facts(of.language, rng)
        about = fill(rng.choice(names), other)
        form = _form_of(of, rng.choice(list(of.stated)), other, rng, is_stated=False)
        return asked(of, form, about, None, rng)
    vague = tables(of.language)["layouts"]["vague"]
    about = subject(of, names if rng.random() < 0.6 else vague, rng)
    if rng.random() < TOLD:
        about = fill(rng.choice(names), of.facts)
        of = replace(of, title=f"{of.title} {about}".strip())
    if draw < 0.14 + UNSTATED:
        unstated = rng.choice(tables(of.language)["layouts"]["unstated"]["ask"])
        return asked(of, fill(unstated, of.facts | {"s": "{s}"}), about, None, rng)
    if draw < 0.34:
        slot = left_out(of, rng)
        form = _form_of(of, slot, of.facts, rng, is_stated=False) if slot else None
        return asked(of, form, about, None, rng)
    stated = rng.choice(list(of.stated))
    form = _form_of(of, stated, of.facts, rng, is_stated=True)
    return asked(of, form, about, of.stated[stated], rng)


def left_out(of: Paper, rng: random.Random) -> str | None:
    """A slot that a paper does not state, nor another that answers the same question."""
    told = set(of.stated)
    for group in tables(of.language)["layouts"]["akin"]:
        told |= set(group) if told & set(group) else set()
    silent = [s for s in tables(of.language)["slots"] if s not in told]
    slot = rng.choice(silent) if silent else None
    return slot if slot and of.facts[field(slot)] not in of.text else None


def subject(of: Paper, choices: list[str], rng: random.Random) -> str:
    """A name of the incident that the paper or its title bears out."""
    shown = f"{of.title}\n{of.text}"
    fitting = [c for c in choices if all(of.facts[n] in shown for n in fields(c))]
    table = tables(of.language)["layouts"]
    known = of.facts
    if rng.random() < ALSO_KNOWN:
        known = known | {"event": rng.choice(table["aka"].get(known["event"], [known["event"]]))}
    return fill(rng.choice(fitting or table["vague"]), known)


def asked(
    of: Paper, form: str | None, about: str, answer: tuple[int, int] | None, rng: random.Random
) -> Asked | None:
    """A question of a form, said in one way or another."""
    if form is None:
        return None
    question = form.replace("{s}", about)
    if any(character > "\u3000" for character in question):
        question = f"{question.removeprefix('的')}？"
    if rng.random() < OTHERWISE:
        question = said_otherwise(question, rng)
    return Asked(question, of.title, of.text, answer)


def _form_of(
    of: Paper, slot: str, known: dict[str, str], rng: random.Random, *, is_stated: bool
) -> str | None:
    """A form of a slot, its names filled in; they stand in the paper where it is to answer."""
    shown = f"{of.title}\n{of.text}"
    forms = tables(of.language)["slots"][slot]["ask"]
    fitting = [
        form
        for form in forms
        if not is_stated or all(known[n] in shown for n in fields(form) if n != "s")
    ]
    if not fitting:
        return None
    return fill(rng.choice(fitting), known | {"s": "{s}"})


def _ask_across(of: Paper, draw: float, rng: random.Random) -> Asked | None:
    language = "en" if of.language == "zh" else "zh"
    is_other, is_left_out = draw < 0.14, draw < 0.34
    known = facts(of.language, rng) if is_other else of.facts
    slot = left_out(of, rng) if is_left_out and not is_other else rng.choice(list(of.stated))
    forms = tables(language)["slots"].get(slot, {}).get("ask", []) if slot else []
    forms = [form for form in forms if fields(form) == ["s"]]
    if not forms or slot is None:
        return None
    about = _subject_across(of, known, rng, is_other=is_other)
    return asked(of, rng.choice(forms), about, None if is_left_out else of.stated[slot], rng)


def _subject_across(of: Paper, known: dict[str, str], rng: random.Random, *, is_other: bool) -> str:
    """A name of the incident in the other language."""
    across = tables(of.language)["across"]
    if of.language == "zh":
        town = "".join(lazy_pinyin(known["town"])).capitalize()
        place, language = f"{town} {across['site'][known['site']]}", "en"
    else:
        sound = across["sound"]
        place = sound[known["head"]] + sound[known["tail"]] + across["site"][known["site"]]
        language = "zh"
    said = {
        "event": across["event"][known["event"]],
        "place": place,
        "date": date_in(language, known["iso"]),
        "number": known["number"],
    }
    shown = f"{of.title}\n{of.text}"
    names = across["subject"][:4] if is_other else across["subject"]
    needed = {"place": "place", "date": "date", "number": "number"}
    fitting = [
        name
        for name in names
        if is_other or all(known[needed[n]] in shown for n in fields(name) if n in needed)
    ]
    return fill(rng.choice(fitting or names), said)
