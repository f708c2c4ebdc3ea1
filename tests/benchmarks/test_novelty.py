"""The measurement of verification: each change changes, each case is judged by its own words."""

import pytest

from benchmarks.novelty import Case, is_verified
from benchmarks.novelty_changes import CHANGES, REWORDINGS, Words, seeded

SENTENCES = [
    "2021年9月3日，设在华晟公司的值班员没有发现设备异常，直接造成3人受伤。",
    "On March 3, 2021, the operator Willis did not close three valves, and the tank burst.",
]
WORDS = Words(
    chinese=("发现", "设备", "爆炸", "培训"),
    english={"": ("worker", "idle", "operator")},
    names_zh=("华晟", "江南"),
    names_en=("Reno", "Willis"),
)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_of_each_kind_gives_another_sentence(kind: str) -> None:
    for sentence in SENTENCES:
        changed = [CHANGES[kind](sentence, WORDS, seeded(seed)) for seed in range(9)]
        assert any(changed)
        assert sentence not in changed


def test_a_rewording_by_rule_is_verified_and_a_change_is_not() -> None:
    for sentence in SENTENCES:
        for kind, reword in REWORDINGS.items():
            said = reword(sentence, WORDS, seeded(1))
            assert said is None or is_verified(Case(kind, said, sentence, is_seen=True)), said
        for kind, change in CHANGES.items():
            said = change(sentence, WORDS, seeded(1))
            assert said is None or not is_verified(Case(kind, said, sentence, is_seen=True)), said
