"""The extractive reader: it quotes what was read, marked with its passage, and nothing else."""

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.reading import Reading
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.asked import parse_question
from tests.generation.passages import passage, reading

PUMP = passage("The pump failed on 3 March 2021. It was old.", number=2)
LIST = passage("整改：\n1. 更换线路。\n2. 增设报警器。\n3. 每月演练。")


def generated(question: str, *readings: Reading) -> tuple[str, Generation]:
    passages = tuple(r.passage for r in readings)
    request = GenerationRequest(parse_question(question), passages, (), readings=readings)
    pieces, stream = [], ExtractiveReader().generate(request)
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return "".join(pieces), end.value


def test_the_sentence_is_quoted_with_the_mark_of_its_passage_before_the_end_mark() -> None:
    text, generation = generated("When did the pump fail?", reading(PUMP, "3 March 2021"))
    assert text == "The pump failed on 3 March 2021[2]."
    assert generation.text == text
    assert generation.answer_words == "3 March 2021"


def test_nothing_is_written_when_nothing_was_read() -> None:
    text, generation = generated("When did the pump fail?")
    assert (text, generation.answer_words) == ("", "")


def test_a_question_for_a_list_gets_all_of_it() -> None:
    text, generation = generated("有哪些整改措施？", reading(LIST, "增设报警器"))
    assert text == "整改： 1. 更换线路[1]。\n2. 增设报警器[1]。\n3. 每月演练[1]。"
    assert generation.answer_words == ""


def test_every_reading_is_quoted_in_order() -> None:
    other = passage("The valve was shut after 40 minutes.", number=3)
    text, _ = generated("What happened?", reading(other, "40 minutes"), reading(PUMP, "old"))
    assert text == "The valve was shut after 40 minutes[3]. It was old[2]."


def test_it_says_what_it_is_in_both_languages() -> None:
    info = ExtractiveReader().info
    assert info.kind == "extractive"
    assert "KB_LLM__MODEL" in info.notice_en and "KB_LLM__MODEL" in info.notice_zh
