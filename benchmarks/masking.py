"""How much personal data masking finds, and how much else it hides, in papers of other forms.

    python -m benchmarks.masking [--papers 2000] [--seed 7]

Fills the papers of `masking.toml` with values written in several ways (parted, in full width, with
a country's code), masks all kinds and roles, and counts: found, whole values none of whose hidden
characters is shown; false, characters hidden that belong to no value; decoys that were touched.
"""

import argparse
import random
import re
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.language.personal.masks import names_of, personal_spans

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))
_SLOT = re.compile(r"\{(\w+)\}|\[([^\]]+)\]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀兰霞平刚桂英文华建国玉梅志红雪琴鹏飞晨曦梓涵浩宇"
_FIRST = ("Ann", "Robert", "Maria", "Wei", "Priya", "Tomasz", "Olivia", "José", "Mary Ann", "Li")
_LAST = ("Keller", "O'Neil", "Garcia", "Novak", "Singh", "Brandt", "Lee", "de Souza", "Okafor")


@dataclass(frozen=True, slots=True)
class Paper:
    """A text with where each value stands, by kind, and where the decoys do."""

    text: str
    values: tuple[tuple[str, int, int], ...]
    decoys: tuple[tuple[int, int], ...]


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _luhn(rng: random.Random, prefix: str, length: int) -> str:
    body = prefix + _digits(rng, length - len(prefix) - 1)
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(reversed(body))]
    return body + str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def _grouped(number: str, groups: tuple[int, ...], mark: str) -> str:
    parts, place = [], 0
    for group in groups:
        parts.append(number[place : place + group])
        place += group
    return mark.join(part for part in (*parts, number[place:]) if part)


def _wide(written: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in written)


def phone_zh(rng: random.Random) -> str:
    """A mobile or landline number, as somebody writes it."""
    number = f"1{rng.choice('3456789')}{_digits(rng, 9)}"
    return (
        rng.choice(
            (
                *(number, number, _grouped(number, (3, 4), " "), _grouped(number, (3, 4), "-")),
                *(
                    f"+86 {number}",
                    f"0{rng.choice((10, 21, 755, 571))}-8{_digits(rng, 7)}",
                ),
                *(_wide(number), _grouped(number, (5,), "\n")),
            )
        )
        .replace("-0", "-6")
        .replace("-1", "-8")
    )


def phone_en(rng: random.Random) -> str:
    """A number of the United States or Britain, as somebody writes it."""
    area, mid, last = f"{rng.randint(201, 989)}", f"{rng.randint(201, 989)}", _digits(rng, 4)
    return rng.choice(
        (
            *(f"({area}) {mid}-{last}", f"{area}-{mid}-{last}", f"{area}.{mid}.{last}"),
            *(f"+1 {area} {mid} {last}", f"+44 20 7{_digits(rng, 3)} {_digits(rng, 4)}"),
        )
    )


def identity(rng: random.Random) -> str:
    """A resident's number with its check digit."""
    region = rng.choice(("110105", "310112", "440306", "510104", "330106"))
    day = f"{rng.randint(1945, 2005)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = region + day + _digits(rng, 3)
    total = sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True))
    number = body + "10X98765432"[total % 11]
    return rng.choice(
        (number, number, number.lower(), _grouped(number, (6, 8), " "), _wide(number))
    )


def identity_en(rng: random.Random) -> str:
    """A social security or passport number; the papers say which."""
    return f"{rng.randint(101, 665)}-{rng.randint(10, 99)}-{_digits(rng, 4)}"


def card(rng: random.Random) -> str:
    """A bank card."""
    prefix, length = rng.choice((("622202", 19), ("621700", 19), ("4", 16), ("51", 16), ("37", 15)))
    number = _luhn(rng, prefix, length)
    return rng.choice(
        (number, _grouped(number, (4, 4, 4, 4), " "), _grouped(number, (4, 4, 4), "-"))
    )


def plate_zh(rng: random.Random) -> str:
    """A plate, also of a car without fuel."""
    tail = rng.choice(
        (f"{rng.choice('ABDFKN')}{_digits(rng, 4)}", _digits(rng, 5), f"D{_digits(rng, 5)}")
    )
    return f"{rng.choice(_PROVINCES)}{rng.choice('ABCDE')}{rng.choice(('', '', '·', ' '))}{tail}"


def plate_en(rng: random.Random) -> str:
    """A plate that only the word before it tells."""
    letters = "".join(rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(3))
    return rng.choice(
        (f"{letters} {_digits(rng, 4)}", f"{rng.randint(1, 9)}{letters}{_digits(rng, 3)}")
    )


def email(rng: random.Random) -> str:
    """An address."""
    user = rng.choice(("wei.zhang", "a_keller", "ops+desk", "lily2024", "j.novak88"))
    return f"{user}@{rng.choice(('example.com', 'mail.example.org', 'example.com.cn'))}"


def name_zh(rng: random.Random) -> str:
    """A name of two or three characters."""
    return rng.choice(_SURNAMES) + "".join(rng.sample(_GIVEN, rng.choice((1, 2, 2))))


def name_en(rng: random.Random) -> str:
    """A name of two or more words."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


_MAKERS: dict[str, dict[str, Callable[[random.Random], str]]] = {
    "zh": {"phone": phone_zh, "id_number": identity, "plate": plate_zh, "who": name_zh},
    "en": {"phone": phone_en, "id_number": identity_en, "plate": plate_en, "who": name_en},
}


def paper_of(template: str, language: str, rng: random.Random) -> Paper:
    """Return a paper filled in."""
    text, last, who = "", 0, ""
    values: list[tuple[str, int, int]] = []
    decoys: list[tuple[int, int]] = []
    makers = {"bank_card": card, "email": email, **_MAKERS[language]}
    for match in _SLOT.finditer(template):
        text += template[last : match.start()]
        last = match.end()
        if match[2]:
            decoys.append((len(text), len(text) + len(match[2])))
            text += match[2]
            continue
        kind = match[1]
        value = who if kind == "again" else makers[kind](rng)
        who = value if kind == "who" else who
        values.append(
            ("name" if kind in {"who", "again"} else kind, len(text), len(text) + len(value))
        )
        text += value
    return Paper(text + template[last:], tuple(values), tuple(decoys))


def measure(num_papers: int, seed: int) -> dict[str, Counter[str]]:
    """Return by language what was found, missed and hidden by mistake."""
    rng = random.Random(seed)
    with (Path(__file__).parent / "masking.toml").open("rb") as file:
        templates = tomllib.load(file)
    counts = {language: Counter[str]() for language in templates}
    for number in range(num_papers):
        language = ("zh", "en")[number % 2]
        paper = paper_of(rng.choice(templates[language]), language, rng)
        _count(paper, counts[language])
    return counts


def _count(paper: Paper, told: Counter[str]) -> None:
    spans = personal_spans(paper.text, ALL, names_of(paper.text, ALL))
    hidden = {place for one in spans for place in range(one.span.start, one.span.end)}
    personal = {place for _, start, end in paper.values for place in range(start, end)}
    for kind, start, end in paper.values:
        own = {place for place in range(start, end) if paper.text[place].isalnum()}
        told[f"{kind} of"] += 1
        told[f"{kind} found"] += own <= hidden
    for start, end in paper.decoys:
        told["decoys of"] += 1
        told["decoys hidden"] += any(place in hidden for place in range(start, end))
    others = {place for place in hidden - personal if paper.text[place].isalnum()}
    told["hidden"] += len(hidden)
    told["hidden by mistake"] += len(others)


def main() -> None:
    """Measure and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--papers", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    for language, told in measure(given.papers, given.seed).items():
        for kind in sorted({key.removesuffix(" of") for key in told if key.endswith(" of")}):
            word = "hidden" if kind == "decoys" else "found"
            print(f"{language} {kind:<10} {told[f'{kind} {word}']} of {told[f'{kind} of']} {word}")
        share = told["hidden by mistake"] / max(told["hidden"], 1)
        print(f"{language} characters hidden by mistake: {share:.2%}")


if __name__ == "__main__":
    main()
