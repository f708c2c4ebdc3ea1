"""Papers and rows that name no kind of happening, and tell of one all the same, and others."""

from pathlib import Path

import pytest

from kb_service.domain.facts import HAPPENED, Fact, FactField
from kb_service.language.stated.accounts import is_called_otherwise
from kb_service.language.stated.reading import FactReader
from kb_service.language.stated.sense import LabelSense
from kb_service.language.units import marked
from retrievers.embedding import load_embedder

MODEL = Path(__file__).parents[3] / "models" / "e5-zh-en"

CALLOUT = """Two lads stuck on Sharp Edge

On 2 April 2024 we got a call from the police just after five in the afternoon. Two young men had \
wandered off the ridge and were stuck on a ledge above the tarn. Five of us walked in with ropes. \
We lowered them one at a time and walked them back to the car park. Both were cold but well."""
BELAY = """Horse in the river at Lower Farm

A mare went through the ice on the mill pond on the morning of 11 January 2024. The farmer rang us \
at ten to eight. Eight members turned out with the sledge and strops. It took three hours to get \
her onto the bank, and by noon she was on her feet."""
WRONG_PILL = """给错药的情况说明

2024年4月11日上午，护士陈静在配药时把5床与6床的口服药放反了。10时左右5床患者服下了本属于6床的降压药。\
10时30分家属发现药片颜色不对并询问，护士核对后发现给错。立即测量血压，通知医生，患者没有不适。"""
LOST_SAMPLE = """手术标本丢失的经过

2024年10月21日，普外科送检的一份标本没有到达病理科。22日上午病理科电话询问，手术室护士查找后在污物间的\
推车上找到了标本，已干。医生向患者说明了情况，并重新安排了检查。"""
MINUTES = """Minutes of the committee meeting held on 12 March 2024

The minutes of the last meeting were read and approved. The treasurer reported that the balance \
stood at 14,200 pounds. Ann said that the new radios had arrived and had been tested."""
TRAINING = """Training evening, 15 April 2024

We met at base at 19:00. Karen showed the new members how to pack the splint. We then went out to \
the quarry and practised lowering the stretcher. Everyone had a turn as casualty."""
LETTER = """Dear friends,

On 4 May 2024 my wife and I were delighted to hear that the collecting tin has been \
useful. We have lived in the valley for thirty years and have always admired the team."""
ORDERS = """Orders for call-outs

Issued on 1 January 2024. The duty leader shall answer every call within five minutes. Members \
must sign in on arrival at base. No member may go on the hill alone. Radios must be checked."""
RULES = """患者身份识别制度

本制度自2024年1月1日起施行。护士在给药、输液、采血前应当核对患者姓名和住院号。新生儿应当佩戴双手圈，\
不得摘下。违反本制度的，按照有关规定处理。"""
COURSE = """心肺复苏学习记录

2024年4月18日下午，护理部在示教室组织了培训，二十六名护士参加。讲师周红先讲解了按压要点，随后分组练习，\
每人操作了两轮。16时进行了考核，二十五人合格。"""
HISTORY = """How the team began

The team was founded in 1947 after a winter in which two men died on the fell. In 1963 it bought \
its first Land Rover. The base was built in 1981 and opened by the Duke."""
YEARS = """The ferry

On 4 May 1874 the first boat went down in a squall and four men swam ashore. A second one was lost \
in 1901. The quay was washed away in 1930. In 1962 the last boat was sold and the men went home."""
LATER = f"""The quay

{"The quay was built of stone, and boats were tied up there. " * 5}On 4 May 2024 a boat broke \
loose and drifted off. Two men went after her and brought her back."""
CALLS = """Day: 2024-01-05; Bay: Stand 4; Story: Tug caught the belt loader while it squeezed past.

Day: 2024-01-14; Bay: Stand 11; Story: Rubber strap lying right under the nose wheel.

Day: 2024-01-20; Bay: Stand 2; Story: Bag fell off the cart and split open on the road."""
ROSTER = """日期: 2024-11-01; 白班: 曾凡; 夜班: 小程

日期: 2024-11-02; 白班: 小程; 夜班: 胡素琴

日期: 2024-11-03; 白班: 胡素琴; 夜班: 曾凡"""


@pytest.fixture(scope="module")
def reader() -> FactReader:
    embedder = load_embedder(str(MODEL))
    sense = LabelSense(embedder.embed_passages, embedder.profile.fingerprint)
    return FactReader(lambda: sense)


def happened(reader: FactReader, text: str) -> list[Fact]:
    return [fact for fact in reader.facts_in(marked(text)) if fact.role == HAPPENED]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (CALLOUT, "2024-04-02"),
        (BELAY, "2024-01-11"),
        (WRONG_PILL, "2024-04-11"),
        (LOST_SAMPLE, "2024-10-21"),
    ],
)
def test_prose_on_a_day_tells_of_what_happened_then(
    reader: FactReader, text: str, day: str
) -> None:
    (time,) = happened(reader, text)
    assert time.time_from is not None
    assert f"{time.time_from:%Y-%m-%d}" == day
    assert not any(fact.field == FactField.KIND for fact in reader.facts_in(marked(text)))


@pytest.mark.parametrize(
    "text",
    [MINUTES, TRAINING, LETTER, ORDERS, RULES, COURSE, HISTORY, YEARS, LATER],
    ids=lambda t: t[:12],
)
def test_papers_of_other_sorts_tell_of_no_happening(reader: FactReader, text: str) -> None:
    assert happened(reader, text) == []


PLAN = """消防应急预案

发现火灾时，值班护士应立即按下报警按钮。医生负责疏散能行走的患者。预案于2024年2月1日修订。"""
SAFETY_MINUTES = """Minutes of the safety committee

The large spill of April was discussed once more on 4 June 2026. The fire on stand 4 was closed."""


@pytest.mark.parametrize("text", [PLAN, SAFETY_MINUTES], ids=["plan", "minutes"])
def test_what_a_paper_of_another_sort_speaks_of_is_no_happening_of_its_own(text: str) -> None:
    assert not any(fact.field == FactField.KIND for fact in FactReader().facts_in(marked(text)))


OTHERWISE = """Minutes of the safety committee|Safety committee meeting minutes|Duty roster 2026
Fire safety policy|Evacuation procedure for fires|How to report a fire|Emergency plan
安全管理规定（2025版）|施工现场管理办法|安全生产条例|值班表|会议纪要|安全例会（2026-11-18）|周例会记录|班前会0315|6月排班表|消防应急预案
停水通知|关于开展安全检查的通知|Notice to residents|Ramp notice 7/26 - airside speed
Safety committee, Thursday 4 June 2026|Team meeting"""
HAPPENINGS = """Accident report form|Incident Report Form|Man stuck in lift for 40 minutes
Fire at the training centre|Report on an injury during the inspection of a roof|Plan B pub fire
Flood in the drawing room of the minutes|Fall before the committee met|Power out 40 minutes
培训中心火灾事故报告|救援处置小结|某公司涉嫌违法|关于一起触电事故的通知|火灾事故通知|爆管事故分析会"""


@pytest.mark.parametrize("title", OTHERWISE.replace("\n", "|").split("|"))
def test_the_head_noun_of_a_title_calls_a_paper_one_of_another_sort(title: str) -> None:
    assert is_called_otherwise(title)


@pytest.mark.parametrize("title", HAPPENINGS.replace("\n", "|").split("|"))
def test_what_a_title_has_elsewhere_does_not(title: str) -> None:
    assert not is_called_otherwise(title)


def test_a_kind_stays_where_its_sentence_says_at_what_time_of_which_day() -> None:
    text = "Duty roster\n\nOn 4 May 2026 at 14:20 a fire broke out in the boiler room."
    found = FactReader().facts_in(marked(text))
    assert [fact.text for fact in found if fact.field == FactField.KIND] == ["fire"]


def test_a_title_that_names_what_happened_keeps_it() -> None:
    found = FactReader().facts_in(marked("Fire in the training room\n\nOn 4 May 2024 it burnt."))
    assert [fact.text for fact in found if fact.field == FactField.KIND] == ["fire"]


def test_dated_rows_of_running_words_each_tell_of_a_happening(reader: FactReader) -> None:
    assert [fact.record for fact in happened(reader, CALLS)] == [1, 2, 3]


def test_a_roster_tells_of_no_happening(reader: FactReader) -> None:
    assert happened(reader, ROSTER) == []


def test_without_vectors_no_paper_is_taken_for_an_account() -> None:
    assert happened(FactReader(), CALLOUT) == []
