"""Citations: what supports a sentence, and what never does."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import UnitKind
from kb_service.language.clauses import clauses_in
from kb_service.language.units import marked
from kb_service.services.citations import (
    Support,
    SupportStatus,
    find_support,
    find_verbatim,
)

REPORT = (
    "2024年8月17日18时12分，中环数据中心三号机房发生一起泄漏事故，造成5人受伤，直接经济损失约560万元。\n"
    "当班人员褚某丽发现三号机房异常，随即报告值班负责人钱某。现场处置完毕，历时215\n分钟。"
)
ENGLISH = "The valve failed on 3 March 2021. Mr Willis Forman closed it after 40 minutes."


NOT_CONTACTED = "The crew left, the pilot did not contact the tower."


def passage(text: str, number: int = 1, start: int = 7) -> Passage:
    span = TextSpan(start, start + len(text))
    return Passage(
        number,
        number,
        f"doc_{number}",
        number,
        "ab" * 32,
        "报告",
        span,
        text,
        1.0,
        tuple(marked(text).quotable()),
    )


def support(sentence: str, *texts: str, hinted: tuple[int, ...] = ()) -> Support:
    return find_support(sentence, [passage(t, n) for n, t in enumerate(texts, 1)], hinted)


def test_a_sentence_copied_from_a_passage_is_verified_and_cited_where_it_stands() -> None:
    found = support("当班人员褚某丽发现三号机房异常，随即报告值班负责人钱某。", REPORT)
    assert found.status is SupportStatus.VERIFIED
    (quote,) = found.quotes
    start = REPORT.index("当班")
    assert quote.source == TextSpan(7 + start, 7 + start + len(quote.text))
    assert (quote.text, quote.score) == (
        "当班人员褚某丽发现三号机房异常，随即报告值班负责人钱某。",
        1.0,
    )


def test_line_ends_of_the_source_do_not_matter_and_stay_in_the_cited_text() -> None:
    found = support("现场处置完毕，历时215分钟。", REPORT)
    assert found.status is SupportStatus.VERIFIED
    assert found.quotes[0].text == "现场处置完毕，历时215\n分钟。"


def test_a_short_exact_match_is_cited_with_its_whole_sentence() -> None:
    found = support("560万元。", REPORT)
    assert found.quotes[0].text.startswith("2024年8月17日")
    assert found.quotes[0].text.endswith("560万元。")


def test_an_exact_match_that_drops_the_negation_is_not_verified() -> None:
    found = support("造成人员伤亡。", "事故未造成人员伤亡，损失不大。")
    assert found.status is SupportStatus.UNVERIFIED


def test_a_reworded_sentence_with_all_its_values_is_verified() -> None:
    found = support("三号机房发生泄漏事故，造成5人受伤，经济损失约560万元。", REPORT)
    assert found.status is SupportStatus.VERIFIED
    assert found.quotes[0].score == 1.0


def test_a_date_may_be_written_in_another_way() -> None:
    found = support("On 2021-03-03 the valve failed.", ENGLISH)
    assert found.status is SupportStatus.VERIFIED


@pytest.mark.parametrize(
    ("sentence", "source", "new"),
    [
        ("三号机房发生一起泄漏事故，造成6人受伤。", REPORT, ["6"]),
        ("2024年8月18日三号机房发生一起泄漏事故。", REPORT, ["2024年8月18日"]),
        ("18时13分三号机房发生一起泄漏事故。", REPORT, ["18时13分"]),
        ("三号机房异常，随即报告值班负责人孙某。", REPORT, ["孙某"]),
        ("直接经济损失约560元。", REPORT, ["560元"]),
        ("三号机房发生一起爆炸事故。", REPORT, ["爆炸"]),
        ("The valve V-17 failed on 3 March 2021.", ENGLISH, ["V-17"]),
        ("The valve failed and Mr Jones closed it after 40 minutes.", ENGLISH, ["Jones"]),
        ("Mr Willis Forman closed it after 40 hours.", ENGLISH, ["40 hours"]),
        ("Mr Willis Forman opened it before 40 minutes.", ENGLISH, ["opened", "before"]),
        ("The valve failed not on 3 March 2021.", ENGLISH, ["not"]),
    ],
)
def test_what_the_cited_words_do_not_say_is_told_by_its_place(
    sentence: str, source: str, new: list[str]
) -> None:
    found = support(sentence, source)
    assert found.status is SupportStatus.UNVERIFIED
    assert [span.of(sentence) for span in found.new] == new


def test_places_count_in_the_sentence_as_it_is_written() -> None:
    sentence = "４０ ﬁre­men Café closed 😀 valves."
    found = support(sentence, "Mr Forman closed the valves of the café.")
    assert [span.of(sentence) for span in found.new] == ["４０ ﬁre­men"]


def test_a_number_inside_a_longer_number_is_no_match() -> None:
    assert support("损失60万元。", "直接经济损失约560万元。").status is SupportStatus.UNVERIFIED
    assert find_verbatim("60万元", "约560万元") is None
    assert find_verbatim("5 hours", "it took 1.5 hours") is None


def test_a_clause_that_leaves_out_a_denial_is_marked_whole() -> None:
    found = support("The crew left, the pilot contacted the tower.", NOT_CONTACTED)
    assert found.status is SupportStatus.UNVERIFIED
    (span,) = found.new
    assert span == TextSpan(15, 44)


def test_a_denial_in_another_clause_of_the_source_says_nothing_of_this_one() -> None:
    assert support("The crew left.", NOT_CONTACTED).status is SupportStatus.VERIFIED


def test_what_is_denied_of_a_list_is_denied_of_each_item() -> None:
    source = "There were no injuries, fuel leaks, or structural damage."
    assert support("There were fuel leaks.", source).status is SupportStatus.UNVERIFIED
    assert support("有人员伤亡。", "未发现设备损坏、人员伤亡。").status is SupportStatus.UNVERIFIED


def test_a_sentence_may_take_each_clause_from_another_unit_of_one_document() -> None:
    sentence = "The valve failed on 3 March 2021, Mr Forman closed it after 40 minutes."
    assert support(sentence, ENGLISH).status is SupportStatus.VERIFIED
    first, second = ENGLISH.split(". ", 1)
    assert support(sentence, f"{first}.", second).status is SupportStatus.UNVERIFIED


def test_a_clause_whose_subject_a_source_has_must_agree_with_it_in_every_value() -> None:
    source = "The valve failed on 3 March 2021. The pump failed on 5 May 2022."
    found = support("The valve failed on 5 May 2022.", source)
    assert found.status is SupportStatus.UNVERIFIED


TABLE = "Name\tInjured\tCity\nLi\t6\tWuhan\nZhang\t5\tHarbin"


def test_each_cell_of_a_row_is_held_against_the_row_it_cites() -> None:
    assert support("| Zhang | 5 | Harbin |", TABLE).status is SupportStatus.VERIFIED
    row = "| Zhang | 6 | Harbin |"
    found = support(row, TABLE)
    assert (found.status, found.quotes[0].text) == (SupportStatus.UNVERIFIED, "Zhang\t5\tHarbin")
    assert [span.of(row) for span in found.new] == ["6"]


def test_the_lines_of_a_form_may_stand_in_one_row() -> None:
    found = support("| Zhang | 5 |", "Name: Zhang\nInjured: 5\n")
    assert found.status is SupportStatus.VERIFIED
    assert [quote.text for quote in found.quotes] == ["Name: Zhang", "Injured: 5"]


def test_a_number_that_stands_alone_is_quoted() -> None:
    assert support("2.", "1. The old valve failed.\n2.").status is SupportStatus.VERIFIED
    assert support("3.", "1. The old valve failed.\n2.").status is SupportStatus.UNSUPPORTED


def test_words_that_claim_nothing_are_supported_by_nothing() -> None:
    assert support("是。", "水泵是坏的。").status is SupportStatus.UNSUPPORTED
    assert support("It is.", "It is.").status is SupportStatus.UNSUPPORTED


def test_the_number_of_a_list_item_claims_nothing() -> None:
    assert support("2. The valve failed on 3 March 2021.", ENGLISH).status is SupportStatus.VERIFIED
    assert support("- The valve failed on 3 March 2021.", ENGLISH).status is SupportStatus.VERIFIED


def test_a_sentence_with_half_of_its_words_in_the_source_is_unverified() -> None:
    found = support(
        "The valve failed on 3 March 2021 while the night crew slept.",
        "The valve failed on 3 March 2021.",
    )
    assert found.status is SupportStatus.UNVERIFIED


def test_a_sentence_about_something_else_is_unsupported_and_has_no_quotes() -> None:
    assert support("保险公司已经赔付。", REPORT) == Support(SupportStatus.UNSUPPORTED, ())
    assert support("……", REPORT).status is SupportStatus.UNSUPPORTED


def test_values_may_come_from_several_source_sentences() -> None:
    found = support(
        "The valve failed on 3 March 2021 and Forman closed it after 40 minutes.", ENGLISH
    )
    assert found.status is SupportStatus.VERIFIED
    assert len(found.quotes) == 2


def test_a_hint_decides_between_equal_passages_and_supports_nothing_by_itself() -> None:
    same = "现场处置完毕，历时215分钟。"
    assert support(same, same, same).quotes[0].passage.number == 1
    assert support(same, same, same, hinted=(2,)).quotes[0].passage.number == 2
    assert support("保险公司已经赔付。", REPORT, hinted=(1,)).status is SupportStatus.UNSUPPORTED


TEXTS = st.text(alphabet="事故机房损失人万元5 63.，。\nab", max_size=60)


@settings(deadline=None)  # a shared machine pauses at will
@given(sentence=TEXTS, texts=st.lists(TEXTS, max_size=3))
def test_cited_text_is_always_the_slice_of_the_passage(sentence: str, texts: list[str]) -> None:
    for quote in support(sentence, *texts).quotes:
        inside = quote.source.shifted(-quote.passage.span.start)
        assert inside.of(quote.passage.text) == quote.text
        assert quote.passage.span.covers(quote.source)
        assert 0 <= quote.score <= 1


@settings(deadline=None)  # a shared machine pauses at will
@given(number=st.integers(100, 10**6), text=st.text(alphabet="事故造成人受伤，。\n12", max_size=80))
def test_no_sentence_with_a_number_that_the_source_lacks_is_verified(
    number: int, text: str
) -> None:
    if str(number) not in "".join(text.split()):
        found = support(f"事故造成{number}人受伤。", text, "事故造成99人受伤。")
        assert found.status is not SupportStatus.VERIFIED


@settings(deadline=None)  # a shared machine pauses at will
@given(sentence=TEXTS, text=TEXTS)
def test_new_words_stand_in_the_sentence_in_order_and_only_where_it_is_not_verified(
    sentence: str, text: str
) -> None:
    found = support(sentence, text)
    assert (found.status is SupportStatus.UNVERIFIED) == bool(found.new)
    for before, after in pairwise(found.new):
        assert before.end <= after.start
    for span in found.new:
        assert span.of(sentence).strip()


@settings(deadline=None)  # a shared machine pauses at will
@given(text=TEXTS)
def test_every_unit_of_a_text_that_claims_something_is_verified_by_it(text: str) -> None:
    for unit in marked(text).quotable():
        words = unit.span.of(text)
        if unit.kind is not UnitKind.HEADING and any(c.claims for c in clauses_in(words)):
            assert support(words, text).status is SupportStatus.VERIFIED
