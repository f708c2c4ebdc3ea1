"""The simple readers quote one unit of the passages: any, or that with most of the question."""

from kb_service.domain.answers import Generation, GenerationRequest
from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.baselines import LexicalSentence, RandomSentence
from kb_service.language.asked import parse_question
from kb_service.language.units import marked

TEXT = "The pump leaked at 14:20. Nobody was hurt. The valve\nwas closed by Ann."


def request(question: str, *texts: str) -> GenerationRequest:
    passages = (
        Passage(
            n,
            n,
            "d",
            1,
            "ab",
            "t",
            TextSpan(0, len(text)),
            text,
            1.0,
            tuple(marked(text).quotable()),
        )
        for n, text in enumerate(texts, 1)
    )
    return GenerationRequest(parse_question(question), tuple(passages), ())


def quoted(reader: RandomSentence | LexicalSentence, asked: GenerationRequest) -> str:
    pieces = reader.generate(asked)
    said = ""
    while True:
        try:
            said += next(pieces)
        except StopIteration as end:
            assert isinstance(end.value, Generation)
            assert end.value.text == said
            return said


def test_the_lexical_reader_quotes_the_sentence_with_most_of_the_question() -> None:
    asked = request("Who closed the valve?", "Nothing here.", TEXT)
    assert quoted(LexicalSentence(), asked) == "The valve was closed by Ann."


def test_of_equal_sentences_the_first_is_quoted() -> None:
    assert quoted(LexicalSentence(), request("Why?", TEXT)) == "The pump leaked at 14:20."


def test_the_random_reader_draws_by_seed_and_question() -> None:
    questions = [f"Question {n}?" for n in range(40)]
    first, again, other = (
        [quoted(RandomSentence(seed), request(question, TEXT)) for question in questions]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert len(set(first)) == 3


def test_without_passages_nothing_is_quoted() -> None:
    for reader in (RandomSentence(1), LexicalSentence()):
        assert quoted(reader, request("Why?")) == ""
