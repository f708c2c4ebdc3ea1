"""Which pieces are chosen, and how text falls into them."""

from training.vocabulary import (
    UNKNOWN,
    build_tokenizer,
    choose_pieces,
    component_names,
    shared_components,
)

TEXTS = [
    "事故调查报告：起重机事故的调查。",
    "起重机倒塌，事故调查组到达现场。",
    "The crane collapsed; crane operators and the crane driver were unhurt in 2023.",
    "A crane operator reported 12 cracks in 2023.",
] * 3
UNRELATED = "".join(chr(0x7000 + i) for i in range(200))


def test_frequent_chinese_words_and_all_their_characters_are_pieces() -> None:
    pieces = choose_pieces([*TEXTS, UNRELATED], 600)
    assert {"事故", "调查", "起重机"} <= set(pieces)
    assert set("事故调查起重机") <= set(pieces)


def test_latin_words_and_short_numbers_are_whole() -> None:
    tokenizer = build_tokenizer(choose_pieces(TEXTS, 600))
    assert tokenizer.encode("Crane operator 2023").tokens == ["crane", "operator", "2023"]


def test_an_unseen_word_falls_into_parts_and_not_into_nothing() -> None:
    tokens = build_tokenizer(choose_pieces(TEXTS, 600)).encode("cranes").tokens
    assert "".join(tokens) == "cranes"


def test_the_vocabulary_never_exceeds_its_size_and_is_the_same_each_time() -> None:
    pieces = choose_pieces(TEXTS, 150)
    assert len(pieces) < 150
    assert list(pieces.items()) == list(choose_pieces(TEXTS, 150).items())
    first, second = build_tokenizer(pieces), build_tokenizer(pieces)
    assert first.to_str() == second.to_str()


def test_full_width_and_case_make_no_difference() -> None:
    tokenizer = build_tokenizer(choose_pieces(TEXTS, 600))
    assert tokenizer.encode("ＣＲＡＮＥ　２０２３").ids == tokenizer.encode("crane 2023").ids


def test_an_unseen_character_is_the_unknown_piece() -> None:
    assert build_tokenizer(choose_pieces(TEXTS, 600)).encode("龘").ids == [0]


def test_components_are_characters_and_pairs_or_letter_ngrams() -> None:
    assert component_names("起重机") == ["起", "重", "机", "起重", "重机"]
    assert component_names("car") == ["<ca", "car", "ar>", "<car", "car>", "<car>"]
    assert component_names("2023") == component_names(UNKNOWN) == component_names("a") == []


def test_only_components_of_two_pieces_are_shared() -> None:
    names, rows = shared_components(["起", "起重", "重"])
    assert names == ["起", "重"]
    assert rows == [[0], [0, 1], [1]]
