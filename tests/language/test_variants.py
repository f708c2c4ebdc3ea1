"""Traditional characters meet simplified ones, each in its place."""

import pytest

from kb_service.language.text import index_terms, normalise
from kb_service.language.values import stated_values
from kb_service.language.variants import simplified


@pytest.mark.parametrize(
    ("traditional", "plain"),
    [
        ("隧道發生火災", "隧道发生火灾"),
        ("後來裏面裡面", "后来里面里面"),
        ("國慶節 100 號", "国庆节 100 号"),
        ("頭髮乾燥", "头发干燥"),
        ("苧與薴", "苎与苎"),
        ("already plain", "already plain"),
        ("已是简体", "已是简体"),
    ],
)
def test_traditional_characters_become_simplified_ones(traditional: str, plain: str) -> None:
    assert simplified(traditional) == plain


def test_every_character_keeps_its_place_and_none_changes_twice() -> None:
    every = "".join(map(chr, range(0x3400, 0xA000)))
    folded = simplified(every)
    assert len(folded) == len(every)
    assert simplified(folded) == folded
    assert normalise(normalise(every)) == normalise(every)


def test_either_script_gives_the_same_terms_and_values() -> None:
    assert index_terms("廣州東站損失") == index_terms("广州东站损失")
    assert stated_values("損失五百萬元，負責人錢某") == stated_values("损失五百万元，负责人钱某")
