"""Which words of a text are a record's own, and which units are of what phrases call."""

from collections.abc import Iterable

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import DOCUMENT_RECORD
from kb_service.domain.judged import Fit
from kb_service.domain.record_sets import RecordRow, Unit
from kb_service.domain.texts import MarkedText
from kb_service.services.meant_records import MAX_JUDGED, MeantRecords, words_of
from tests.services.answer_fakes import FakeLibrary, WordJudge

LEDGER = "编号: 1; 经过: 病人滑倒\n编号: 2; 经过: 发错药\n编号: 3; 经过: 家属争吵\n"
LOG = (
    "四月日志\n4月2日 08:10 病人滑倒。\n护士扶起，无伤。\n\n"
    "4月3日 食堂停水。\n4月5日 家属争吵。\n保安劝开。\n"
)
ON_ONE_LINE = "| 1 | 病人滑倒 | 2 | 发错药 |\n| 3 | 家属争吵 |\n"
JUDGE = WordJudge(
    {
        "摔倒": {"滑倒": Fit.FITS, "站不稳": Fit.OPEN},
        "夜里": {"深夜": Fit.FITS, "傍晚": Fit.OPEN},
    }
)


def row(number: int, start: int = 0, end: int | None = None, revision: int = 1) -> RecordRow:
    return RecordRow(None, revision, number, f"doc_{revision}", start, end or start + 1)


def words(text: str, number: int, *records: str, cut: slice = slice(None)) -> str:
    """What one of the records tells that begin with some words; `cut`: the text at hand."""
    starts = [text.index(one) for one in records]
    at = starts[number - 1]
    shown = MarkedText(cut.start or 0, text[cut], ())
    return words_of(row(number, at, at + len(records[number - 1])), shown, starts)


def test_a_row_is_its_line() -> None:
    cells = ("1;", "2;", "3;")
    assert words(LEDGER, 1, *cells) == "编号: 1; 经过: 病人滑倒"
    assert words(LEDGER, 2, *cells) == "编号: 2; 经过: 发错药"
    assert words(LEDGER, 3, *cells) == "编号: 3; 经过: 家属争吵"


def test_a_row_ends_before_the_line_of_the_next_one_wherever_in_it_that_begins() -> None:
    assert words(LEDGER, 1, "滑倒", "发错药") == "编号: 1; 经过: 病人滑倒"


def test_an_entry_of_a_log_goes_on_until_the_next_one() -> None:
    days = ("4月2日", "4月3日", "4月5日")
    assert words(LOG, 1, *days) == "4月2日 08:10 病人滑倒。\n护士扶起，无伤。"
    assert words(LOG, 2, *days) == "4月3日 食堂停水。"
    assert words(LOG, 3, *days) == "4月5日 家属争吵。\n保安劝开。"


def test_records_on_one_line_tell_each_their_own() -> None:
    cells = ("1 | 病", "2 | 发", "3 | 家")
    first, second, third = (words(ON_ONE_LINE, n, *cells) for n in (1, 2, 3))
    assert "滑倒" in first and "发错药" not in first
    assert "发错药" in second and "滑倒" not in second and "争吵" not in second
    assert third == "| 3 | 家属争吵 |"


def test_a_document_that_is_a_record_tells_all_it_says() -> None:
    at = LOG.index("4月3日")
    whole = words_of(row(DOCUMENT_RECORD, at), MarkedText(0, LOG, ()), [at, at + 5])
    assert whole == LOG


def test_a_record_whose_text_is_cut_tells_what_is_left_of_it() -> None:
    days = ("4月2日", "4月3日", "4月5日")
    at, end = LOG.index("月3日"), LOG.index("吵。")
    assert words(LOG, 2, "4月2日", "3日", "4月5日", cut=slice(at, end)) == "月3日 食堂停水。"
    assert words(LOG, 3, *days, cut=slice(LOG.index("4月5日"), end)) == "4月5日 家属争"
    assert words(LOG, 1, *days, cut=slice(0, LOG.index("扶起"))) == "4月2日 08:10 病人滑倒。\n护士"


class Beginnings:
    """Where the records of texts begin: at the words of each."""

    def __init__(self, texts: dict[str, str], *records: str) -> None:
        self._starts = {
            number: sorted(text.index(one) for one in records if one in text)
            for number, text in enumerate(texts.values(), 1)
        }

    def starts(self, revision_ids: Iterable[int]) -> dict[int, list[int]]:
        return {number: self._starts[number] for number in {*revision_ids}}


def meant(
    units: list[Unit], phrases: list[str], *texts: str, judge: WordJudge | None = JUDGE
) -> tuple[list[Unit], list[Unit]]:
    named = {str(number): text for number, text in enumerate(texts, 1)}
    records = MeantRecords(FakeLibrary(named), Beginnings(named, "1;", "2;", "3;"), lambda: judge)
    return records.sorted(units, phrases)


def of_texts(*units: tuple[int, ...]) -> list[Unit]:
    """Units of documents that are records, by their numbers."""
    return [Unit([row(DOCUMENT_RECORD, revision=n) for n in numbers]) for numbers in units]


def test_each_record_is_judged_by_its_own_words() -> None:
    judge = WordJudge({"摔倒": {"滑倒": Fit.FITS}})
    units = [Unit([row(n, LEDGER.index(f"{n};"))]) for n in (1, 2, 3)]
    assert meant(units, ["摔倒"], LEDGER, judge=judge) == (units[:1], [])
    assert judge.read == LEDGER.splitlines()


def test_units_keep_their_order_and_open_ones_are_apart() -> None:
    units = of_texts((1,), (2,), (3,), (4,))
    texts = ("傍晚滑倒", "站不稳", "停水", "深夜滑倒")
    assert meant(units, ["摔倒"], *texts) == ([units[0], units[3]], [units[1]])


def test_of_several_records_of_a_unit_the_one_that_fits_best_counts() -> None:
    units = of_texts((1, 2, 3), (3, 2), (3,))
    assert meant(units, ["摔倒"], "滑倒", "站不稳", "停水") == (units[:1], [units[1]])


def test_two_phrases_are_both_needed_and_may_stand_in_two_records_of_a_unit() -> None:
    texts = ("滑倒", "深夜滑倒", "傍晚滑倒", "深夜停水", "深夜站不稳")
    units = of_texts((1,), (2,), (3,), (4,), (1, 4), (5,))
    fitting = meant(units, ["摔倒", "夜里"], *texts)
    assert fitting == ([units[1], units[4]], [units[2], units[5]])


def test_a_record_whose_text_is_gone_tells_nothing() -> None:
    class Empty(FakeLibrary):
        def stretches(self, places: object, margin: int) -> list[MarkedText | None]:
            return [None]

    judge = WordJudge({"摔倒": {"": Fit.OPEN}})
    unit = of_texts((1,))
    library = Empty({"1": LEDGER})
    records = MeantRecords(library, Beginnings({"1": LEDGER}), lambda: judge)
    assert records.sorted(unit, ["摔倒"]) == ([], unit)
    assert judge.read == [""]


def test_as_many_records_as_are_read_are_judged_and_no_more() -> None:
    texts = ("滑倒", "停水")
    most = [Unit([row(DOCUMENT_RECORD, end=n)]) for n in range(1, MAX_JUDGED + 1)]
    assert len(meant(most, ["摔倒"], *texts)[0]) == MAX_JUDGED
    judge = WordJudge({})
    with pytest.raises(
        InvalidRequest, match=f"{MAX_JUDGED + 1} records .* at most {MAX_JUDGED}"
    ) as caught:
        meant([*most, *of_texts((2,))], ["摔倒"], *texts, judge=judge)
    assert caught.value.code == "invalid_query"
    assert judge.read == []


def test_without_a_judge_the_phrases_are_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"'摔倒, 夜里'; .*KB_JUDGE__MODEL") as caught:
        meant(of_texts((1,)), ["摔倒", "夜里"], "滑倒", judge=None)
    assert caught.value.code == "invalid_query"


@pytest.mark.parametrize("judge", [JUDGE, None])
def test_whether_there_is_a_judge_can_be_asked(judge: WordJudge | None) -> None:
    records = MeantRecords(FakeLibrary({}), Beginnings({}), lambda: judge)
    assert records.is_there is (judge is not None)
