"""Questions in one language about texts of the other, on a few rows."""

from benchmarks.cross_language import (
    DISTRACTORS,
    cross_corpus,
    first_sentence,
    found_in_five,
    paired,
)
from tests.retrievers.memory_source import LetterEmbedder

ROWS: list[dict[str, object]] = [
    {
        "id": f"a.po#{number}",
        "zh": f"第{number}段的第一句话说的是文件。"
        + "第二句话再说一遍同样的内容，好让它足够长。" * 2,
        "en": f"Sentence one of paragraph {number} is about files. " + "More words follow it. " * 5,
    }
    for number in range(2 * (1 + DISTRACTORS))
]


def test_only_prose_of_several_sentences_in_both_languages_is_asked_for() -> None:
    short = {"id": "b", "zh": "短。", "en": "Short."}
    single = {"id": "c", "zh": "长" * 50 + "。", "en": "long " * 50}
    assert paired([*ROWS, short, single]) == ROWS


def test_the_first_sentence_ends_with_its_full_stop() -> None:
    assert first_sentence("Use os.path here. Then go.") == "Use os.path here."
    assert first_sentence("先这样。再那样。") == "先这样。"
    assert first_sentence("no end") == "no end"


def test_a_question_is_about_its_own_paragraph_in_the_other_language() -> None:
    corpus = cross_corpus(ROWS, "zh", 2, is_mixed=False)
    assert [question.text for question in corpus.questions] == [
        "第0段的第一句话说的是文件。",
        "第6段的第一句话说的是文件。",
    ]
    assert corpus.questions[1].relevant[0].document == "a.po#6"
    assert all(text.startswith("Sentence one") for _, text in corpus.documents.values())
    mixed = cross_corpus(ROWS, "zh", 2, is_mixed=True)
    assert len(mixed.documents) == len(corpus.documents) + 2 * DISTRACTORS
    assert not any(text == ROWS[6]["zh"] for _, text in mixed.documents.values())


def test_each_system_has_its_share() -> None:
    corpus = cross_corpus(ROWS, "en", 2, is_mixed=True)
    shares = dict(found_in_five(corpus, LetterEmbedder(), 0.3))
    assert list(shares) == ["words", "meaning", "both"]
    assert all(0 <= share <= 1 for share in shares.values())
