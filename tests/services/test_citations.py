"""Citations: what supports a sentence, and what never does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
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
    assert 0.6 <= found.quotes[0].score < 1


def test_a_date_may_be_written_in_another_way() -> None:
    found = support("On 2021-03-03 the valve failed.", ENGLISH)
    assert found.status is SupportStatus.VERIFIED


def test_a_wrong_number_date_time_name_or_identifier_is_never_supported() -> None:
    for sentence, source in (
        ("三号机房发生一起泄漏事故，造成6人受伤。", REPORT),
        ("2024年8月18日三号机房发生一起泄漏事故。", REPORT),
        ("18时13分三号机房发生一起泄漏事故。", REPORT),
        ("三号机房异常，随即报告值班负责人孙某。", REPORT),
        ("直接经济损失约560元。", REPORT),
        ("The valve V-17 failed on 3 March 2021.", ENGLISH),
        ("The valve failed and Mr Jones closed it.", ENGLISH),
    ):
        assert support(sentence, source).status is SupportStatus.UNSUPPORTED, sentence


def test_a_number_inside_a_longer_number_is_no_match() -> None:
    assert support("损失60万元。", "直接经济损失约560万元。").status is SupportStatus.UNSUPPORTED
    assert find_verbatim("60万元", "约560万元") is None
    assert find_verbatim("5 hours", "it took 1.5 hours") is None


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
def test_no_sentence_with_a_number_that_the_source_lacks_is_cited(number: int, text: str) -> None:
    if str(number) not in "".join(text.split()):
        found = support(f"事故造成{number}人受伤。", text, "事故造成99人受伤。")
        assert found.status is SupportStatus.UNSUPPORTED
