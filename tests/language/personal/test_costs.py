"""Long texts without anything personal, of the kinds that patterns like to read again and again."""

import time
from itertools import product

import pytest

from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.language.personal.known import KnownNames
from kb_service.language.personal.masks import names_of, personal_spans

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))
KNOWN = KnownNames.of({"Ann Cole", "张三"})
LONG = 200_000
MAX_CPU_S = 30
"""Some hundred times what is needed by patterns that read each character a few times; those that
read the rest of a line from each of its characters need many minutes."""
NAMES = [
    f"证人{a}{b}{c}。" for a, b, c in product("张王李赵刘陈杨黄", "伟强磊军洋勇艳", "杰娟涛明超")
]


def cost_s(text: str) -> float:
    started = time.process_time()
    names = names_of(text, ALL)
    personal_spans(text, ALL, KNOWN, names)
    return time.process_time() - started


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "x | ", "x\t", "a b ", " ", "\t", "-", "\u00a0", "\u200b", "\n ", "+"),
        *("[ at", "Ann ", "Ann-", "a.", "@", "京", "，男，", "受害人", "witness ", "Mr. "),
        "".join(NAMES),
    ],
)
def test_a_long_line_costs_what_its_length_is(piece: str) -> None:
    text = f"1{piece * LONG}"[:LONG]
    assert cost_s(text) < MAX_CPU_S


@pytest.mark.parametrize("first", ["1", "张", "[", "13812345678"])
@pytest.mark.parametrize("gap", [" ", "\u200b", "-", "\t"])
def test_a_wide_gap_is_read_once(first: str, gap: str) -> None:
    assert cost_s(f"{first}{gap * LONG}1") < MAX_CPU_S


@pytest.mark.parametrize("piece", ["1-", "(0", "86 "])
def test_digits_apart_cost_what_their_number_is(piece: str) -> None:
    assert cost_s(piece * 10_000) < MAX_CPU_S
