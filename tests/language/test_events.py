"""Happenings are told by their kind, however people write them, the longest word at its place."""

import pytest

from kb_service.language.events import event_kinds, event_places, speaks_of_event


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("哪个工地发生了塌方", "基坑发生土方坍塌"),
        ("哪个工地发生了坍塌", "边坡垮塌"),
        ("仓库着火的原因", "库房失火，火势很大"),
        ("仓库是怎么烧起来的", "凌晨发生火灾"),
        ("两车追尾", "货车与客车相撞"),
        ("撞车的原因", "两车发生碰撞"),
        ("翻船了几个人", "渔船侧翻"),
        ("断电多久", "全区停电三小时"),
        ("机房停电", "供电中断"),
        ("漏气的是哪里", "天然气泄漏"),
        ("她被骗了多少钱", "电信诈骗案"),
        ("谁被抢了", "入室抢劫案"),
        ("谁吃坏肚子了", "食物中毒事件"),
        ("谁触电了", "配电箱漏电，一人遭电击"),
        ("火车出轨", "列车脱轨"),
        ("what caused the blaze", "the depot burned down"),
        ("who was in the hold-up", "an armed robbery at the bank"),
        ("what did the scam cost", "she was a victim of fraud"),
        ("what caused the blackout", "the power outage lasted an hour"),
        ("why did the server crash", "the host went down"),
        ("where did the boat capsize", "the ferry overturned and sank"),
        ("what spilled", "a leak of diesel"),
        ("who got food poisoning", "guests fell ill after the meal"),
        ("who was in the collision", "two lorries crashed"),
        ("what caused the fire", "仓库失火"),
        ("停电的原因", "a blackout in the whole town"),
        ("诈骗金额", "the phishing scam"),
    ],
)
def test_a_kind_of_happening_is_met_in_other_words(question: str, text: str) -> None:
    kinds = event_kinds(question)
    assert kinds
    assert all(speaks_of_event(text, kind) for kind in kinds)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("谁被抢了", "队员赶到现场抢救伤员"),
        ("列车脱轨", "伤者已脱离危险"),
        ("内涝的损失", "用消防水带灭火"),
        ("火灾的原因", "货运火车在山区脱轨"),
        ("what caused the flood", "the lorry hit a car"),
    ],
)
def test_another_kind_of_happening_does_not_meet_it(question: str, text: str) -> None:
    assert not any(speaks_of_event(text, kind) for kind in event_kinds(question))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("城东区多少起火灾", ["火灾"]),
        ("几起火灾和爆炸", ["火灾", "爆炸"]),
        ("哪里起火", ["起火"]),
        ("the power failure and the fire", ["power failure", "fire"]),
        ("fires", ["fires"]),
        ("the firewall", []),
    ],
)
def test_a_happening_is_the_longest_word_at_its_place(text: str, words: list[str]) -> None:
    found = sorted(place for _, *place in event_places(text))
    assert [text[start:end] for start, end in found] == words


@pytest.mark.parametrize(
    ("chinese", "english"),
    [
        ("火灾", "fire"),
        ("爆炸", "explosion"),
        ("坍塌", "collapse"),
        ("泄漏", "leak"),
        ("相撞", "collision"),
        ("侧翻", "capsized"),
        ("触电", "electric shock"),
        ("中毒", "poisoning"),
        ("溺水", "drowned"),
        ("诈骗", "fraud"),
        ("盗窃", "theft"),
        ("抢劫", "robbery"),
        ("停电", "blackout"),
        ("洪水", "flood"),
        ("地震", "earthquake"),
        ("滑坡", "landslide"),
        ("脱轨", "derailment"),
    ],
)
def test_a_kind_is_one_in_both_languages(chinese: str, english: str) -> None:
    assert event_kinds(chinese) == event_kinds(english)
    assert len(event_kinds(chinese)) == 1
