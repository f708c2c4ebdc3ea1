"""How a sentence agrees with its sources: marks, edges, words that count."""

from kb_service.language.wording import share_of_words, split_markers, telling_words


def test_marks_are_taken_off_and_read() -> None:
    assert split_markers("历时215分钟[1]。") == ("历时215分钟。", (1,))
    assert split_markers("It failed [2, 3].") == ("It failed.", (2, 3))
    assert split_markers("断裂【1】【2】。") == ("断裂。", (1, 2))
    assert split_markers("数组 a[0:1] 不是标记") == ("数组 a[0:1] 不是标记", ())


def test_words_that_any_two_sentences_share_do_not_count() -> None:
    assert telling_words("It was the pump") == {"pump"}
    assert telling_words("泵") == frozenset()
    assert telling_words("水泵") == {"水泵"}


def test_the_share_of_words_is_of_the_sentence() -> None:
    assert share_of_words("pumps failed", "The pump is old.") == 0.5
    assert share_of_words("的", "的") == 0.0
