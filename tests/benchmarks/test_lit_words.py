"""The lit words are scored, not the sentence around them; a refusal scores nothing."""

from dataclasses import replace

from benchmarks.lit_words import Outcome, row
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.questions import LabelledQuestion
from tests.evaluation.test_judging import reply

ASKED = LabelledQuestion("q", "When did the valve leak?", ("3 March 2021",))


def lit(words: str) -> Outcome:
    said = reply("The valve leaked on 3 March 2021.")
    start = said.answer.index(words)
    return Outcome(ASKED, replace(said, highlight=TextSpan(start, start + len(words))))


def test_the_lit_words_alone_are_scored() -> None:
    assert lit("3 March 2021").f1 == 1.0
    assert 0 < lit("2021").f1 < 1
    assert Outcome(ASKED, reply("The valve leaked on 3 March 2021.")).f1 == 0.0


def test_what_the_texts_do_not_answer_is_counted_apart() -> None:
    unsaid = LabelledQuestion("u", "Who welded the valve?", is_answerable=False)
    refusal = reply("", status="refused")
    of = [lit("3 March 2021"), Outcome(ASKED, refusal), Outcome(unsaid, refusal)]
    assert row("s", of) == "| s | 2 | 50.0 | 1 | 0 | 1 | 1 | 1 |"
    assert Outcome(unsaid, reply("A welder did.")).verdict == "wrong"
