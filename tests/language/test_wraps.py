"""Hard-wrapped prose: lines that are one sentence are one unit; lists, logs and tables are not."""

import textwrap

import pytest

from kb_service.domain.texts import UnitKind
from kb_service.language.text import normalise
from kb_service.language.units import quotable_units, reflow

PROSE = (
    "The barge Ottoline took the ground off Marrow Point at half past four in the morning, when "
    "the ebb had run for two hours and the leading light could not be seen for rain. Her master "
    "sounded round the hull, found no water in the hold and waited for the flood, which lifted "
    "her at ten."
)
LABELLED = (
    "Crew: three hands were on board. Two of them, the mate and a boy of 17, were taken off by "
    "the Larkhaven lifeboat at 06:20, and the third stayed with the master until noon. Doctor "
    "Imrie saw both the same day. 40 bags of seed were thrown over the side to lighten the barge."
)
CHINESE = (
    "当日凌晨四时许，沥青运输船“海顺”号在马洛角外搁浅，当时已经落潮两个小时，因为下雨看不见导航灯，"
    "船长检查了船体四周，没有发现货舱进水，于是等到上午十点涨潮以后才重新浮起，没有造成其他损失。"
)
CHINESE_LABELLED = (
    "船员：船上共有三名船员，其中大副和一名十七岁的学徒于六时二十分由救生艇接走，另外一名"
    "船员与船长一起留到中午。两人当天由医生检查，均无大碍。为减轻船重，抛弃种子40袋。"
)


def _cut(text: str) -> list[str]:
    return [reflow(unit.span.of(text)) for unit in quotable_units(text)]


def _filled(words: str, width: int) -> str:
    """Break Chinese words as a printer does: no mark begins a line, no number is broken."""
    lines = []
    while len(words) > width:
        end = width + (words[width] in "，。；")
        while words[end - 1 : end + 1].isdigit():
            end -= 1
        lines.append(words[:end])
        words = words[end:]
    return "\n".join([*lines, words])


@pytest.mark.parametrize("width", [56, 64, 72, 78, 95, 110])
def test_words_behind_a_label_go_on_over_every_wrap(width: int) -> None:
    text = "\n\n".join(textwrap.fill(part, width) for part in (PROSE, LABELLED))
    assert _cut(text)[-1] == LABELLED


@pytest.mark.parametrize("width", [22, 30, 36, 40])
def test_chinese_words_behind_a_label_go_on_over_every_wrap(width: int) -> None:
    text = "\n\n".join(_filled(part, width) for part in (CHINESE, CHINESE_LABELLED))
    assert _cut(text) == _cut(f"{CHINESE}\n\n{CHINESE_LABELLED}")


def test_a_sentence_too_long_for_one_is_cut_at_no_wrap() -> None:
    long = PROSE.replace(". Her", ", and her").replace(".", "") + ", and " + LABELLED[6:].lower()
    long = long.replace(".", ",")
    text = textwrap.fill(long, 76)
    assert len(text) > 400
    assert _cut(text) == [reflow(text)]


@pytest.mark.parametrize(
    "lines",
    [
        ["Berth: 7", "Draught: 4.1 m", "Cargo: seed in bags, as it was loaded at Larkhaven"],
        ["- the pump of the forward hold was found to be worn and was replaced by a new one"] * 3,
        ["11:10 the harbour office was told by radio that the barge Ottoline lay quite well."] * 3,
        ["Names:", "Ada Imrie, mate", "Tom Oake, boy", "Cy Rood, hand"],
    ],
)
def test_lists_logs_and_forms_are_cut_at_their_lines(lines: list[str]) -> None:
    text = textwrap.fill(PROSE, 78) + "\n\n" + "\n".join(lines)
    assert _cut(text)[-2:] == _cut("\n".join(lines))[-2:]


def test_a_table_of_text_goes_on_with_nothing() -> None:
    rows = [
        "Crew: Ada Imrie    mate     taken off by the lifeboat of Larkhaven at 06:20",
        "Tom Oake           boy      taken off by the lifeboat of Larkhaven at 06:20",
    ]
    text = textwrap.fill(PROSE, 78) + "\n\n" + "\n".join(rows)
    first = next(u for u in quotable_units(text) if u.kind is UnitKind.FIELD)
    assert first.span.of(text) == rows[0]


def test_a_label_below_a_full_line_begins_a_field_of_its_own() -> None:
    first = "Cause: the leading light of Marrow Point could not be seen, as it rained that night"
    text = f"{textwrap.fill(PROSE, 84)}\n\n{first}\nDamage: none"
    assert _cut(text)[-2:] == [first, "Damage: none"]


def test_a_short_line_ends_what_a_label_says() -> None:
    text = f"{textwrap.fill(PROSE, 84)}\n\nCause: rain\nOttoline was afloat again at ten o'clock."
    assert normalise("Cause: rain") in map(normalise, _cut(text))
