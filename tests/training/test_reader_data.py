"""What the pocket reader learns from: examples, their ids and the rows that hold them."""

import json
from pathlib import Path

import numpy as np
import pytest

from kb_service.domain.text import normalise
from kb_service.generation.pocket_prompt import MARKS, ReaderTokenizer, prompt_of
from llm.chats.chat import ChatMessage, prompt_ids
from llm.chats.chat_formats import chatglm3_format
from llm.tokenizers.sentence_pieces import TOKENIZER_FILE
from tests.training.reader_data import EN, LEAKED, ZH, write_reader_data
from training.reader.batches import Order, rows_of
from training.reader.cloze import cloze_examples
from training.reader.encoding import (
    ANSWER_START,
    IN_ANSWER,
    NUMBER_SHIFT,
    SAME_TOKEN,
    Part,
    encode_example,
    encode_text,
)
from training.reader.evidence import rarities, sentences_of
from training.reader.examples import Example, question_examples
from training.reader.prepare import SHARDS, Corpus, prepare
from training.reader.recipe import TINY
from training.reader.shards import pack, positions_of, read_shard, thinned_parts
from training.reader.sources import read_material, used_sources
from training.reader.tokens import train_tokenizer
from training.seeding import seeded

TEXTS = [("题", text) for text in (*ZH, *EN)]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ReaderTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / TOKENIZER_FILE
    return ReaderTokenizer(train_tokenizer([*ZH, *EN] * 4, path, TINY.tokenizer))


@pytest.fixture(scope="module")
def idf() -> dict[str, float]:
    return rarities([*ZH, *EN])


def some_examples(idf: dict[str, float], num: int = 60) -> list[Example]:
    made = (e for _ in range(9) for e in cloze_examples(TEXTS, idf, 5, seeded(num)))
    return [example for _, example in zip(range(num), made, strict=False)]


def test_every_sentence_is_a_stretch_of_its_text_word_for_word() -> None:
    for text in (*ZH, *EN, "很长" * 200, "a\u2581b\tc. " * 80):
        for sentence in sentences_of(text):
            stretch = sentence.span.of(text)
            assert len(stretch) == len(sentence.text)
            assert stretch.split() == sentence.text.split() or "\u2581" in stretch


def test_a_cloze_has_its_answer_word_for_word_in_the_sentence_it_names(
    idf: dict[str, float],
) -> None:
    examples = some_examples(idf)
    answered = [example for example in examples if example.gold]
    assert len(answered) > 30
    whole = "".join(text.replace(" ", "") for _, text in TEXTS)
    for example in answered:
        assert example.answer in example.sentences[example.gold - 1]
        assert all(s.replace(" ", "") in whole for s in example.sentences)
    asked = [normalise(e.question) for e in answered]
    copies = [a for a, e in zip(asked, answered, strict=True) if normalise(e.answer) in a]
    assert len(copies) < len(answered) / 4


def test_question_rows_keep_their_gold_answers(tmp_path: Path, idf: dict[str, float]) -> None:
    material = read_material(write_reader_data(tmp_path))
    rows = [row for rows in material.questions.values() for row in rows]
    golds = {row["question"]: row["answers"] for row in rows}
    examples = list(question_examples(rows, idf, 3, seeded(0)))
    assert len(examples) > 2 * len(rows)
    for example in examples:
        texts = [answer["text"] for answer in golds[example.question]]
        assert not example.gold or example.answer in texts
        if not example.gold:
            assert not any(text in s for s in example.sentences for text in texts)


def test_nothing_of_a_held_out_set_is_learnt_from(tmp_path: Path) -> None:
    material = read_material(write_reader_data(tmp_path))
    assert material.num_leaked > 1
    corpus = Corpus.of(material, seed=0)
    assert not any(LEAKED[:50] in text for _, text in corpus.texts)
    rows = [row for rows in material.questions.values() for row in rows]
    assert all(row["context"] != LEAKED for row in rows)


def test_only_sources_with_a_stated_licence_and_attribution_are_used() -> None:
    assert len(used_sources()) == 7
    for source in used_sources():
        assert source.attribution
        assert "NC" not in source.licence


def test_pieces_stand_where_their_characters_do(tokenizer: ReaderTokenizer) -> None:
    text = "谁？\n[1] 长江Bridge于1957年😀 opened.\n谁？"
    pieces = tokenizer.pieces(text)
    assert pieces.ids == tokenizer.plain.encode(text)
    for token, start, end in zip(pieces.ids, pieces.starts, pieces.ends, strict=True):
        spelled = tokenizer.plain.token_bytes(token)
        assert spelled.strip() in text[start:end].encode() or not spelled.strip()
    with pytest.raises(ValueError, match="do not spell"):
        tokenizer.pieces("a\u2581b")


def test_the_prompt_is_what_llm_writes_for_one_user_message(tokenizer: ReaderTokenizer) -> None:
    prompt = prompt_of("何时建成？", ["建成于1957年。", "It opened in 1914."], tokenizer)
    chat = chatglm3_format(tokenizer.plain).segments([ChatMessage("user", prompt.message)])
    assert list(prompt.ids) == prompt_ids(chat)


def test_the_answer_is_learnt_as_the_ids_it_has_in_its_sentence(
    tokenizer: ReaderTokenizer, idf: dict[str, float]
) -> None:
    for example in some_examples(idf):
        encoded = encode_example(example, tokenizer)
        ids = encoded.ids.tolist()
        reply = ids[ids.index(tokenizer.reply_id) + 1 : -1]
        assert reply[0] == tokenizer.mark_ids[example.gold]
        inside = np.flatnonzero(encoded.labels & IN_ANSWER)
        assert encoded.ids[inside].tolist() == reply[1:]
        assert (encoded.labels & ANSWER_START > 0).sum() == bool(example.gold)
        assert example.answer in tokenizer.plain.decode(reply[1:]) or not example.gold
        assert set((encoded.labels[inside] >> NUMBER_SHIFT).tolist()) <= {example.gold}
        scored = np.flatnonzero(encoded.parts == Part.CITATION)
        assert ids[scored[0] + 1] == reply[0]
        assert encoded.parts[-1] == Part.UNSCORED


def test_labels_say_which_pieces_the_question_has(tokenizer: ReaderTokenizer) -> None:
    example = Example("大桥何时建成？", ("大桥建成于1957年。",), 1, 5, 10)
    encoded = encode_example(example, tokenizer)
    same = [
        tokenizer.plain.token_name(int(i))
        for i, label in zip(encoded.ids, encoded.labels, strict=True)
        if label & SAME_TOKEN
    ]
    assert {"大", "桥", "建", "成"} <= set(same)
    assert "年" not in same


def test_an_example_refuses_an_answer_outside_its_sentence() -> None:
    with pytest.raises(ValueError, match="is not in sentence 1"):
        Example("q", ("short",), 1, 3, 9)
    with pytest.raises(ValueError, match="expected 1 to 4"):
        Example("q", (), 0)


def test_packing_keeps_every_example_whole_and_in_one_row(
    tokenizer: ReaderTokenizer, idf: dict[str, float]
) -> None:
    encoded = [encode_example(example, tokenizer) for example in some_examples(idf)]
    shard, facts = pack(encoded, 320)
    found = []
    for row in range(len(shard)):
        for number in range(1, int(shard.examples[row].max()) + 1):
            place = shard.examples[row] == number
            found.append(tuple(shard.ids[row][place].tolist()))
            positions = positions_of(shard.examples)[row][place]
            assert positions.tolist() == list(range(len(positions)))
    fitting = [tuple(each.ids.tolist()) for each in encoded if len(each.ids) <= 320]
    assert sorted(found) == sorted(fitting)
    assert facts.num_tokens == sum(map(len, fitting))
    assert facts.num_too_long == len(encoded) - len(fitting)


def test_thinning_keeps_replies_and_questions(tokenizer: ReaderTokenizer) -> None:
    example = Example("大桥何时建成？", ("大桥建成于1957年。",), 1, 5, 10)
    parts = np.stack([encode_example(example, tokenizer).parts] * 20)
    thin = thinned_parts(parts, 0.5, np.random.default_rng(0))
    kept = (parts > Part.UNSCORED) & (parts < Part.EVIDENCE)
    assert (thin[kept] == parts[kept]).all()
    assert (thin > 0).sum() < (parts > 0).sum()


def test_text_is_scored_to_its_last_token_but_one(tokenizer: ReaderTokenizer) -> None:
    encoded = encode_text(EN[0], tokenizer)
    assert (encoded.parts[:-1] == Part.TEXT).all()
    assert encoded.parts[-1] == Part.UNSCORED


def test_marks_are_single_pieces(tokenizer: ReaderTokenizer) -> None:
    assert len(set(tokenizer.mark_ids)) == len(MARKS)
    names = [tokenizer.plain.token_name(token) for token in tokenizer.mark_ids]
    assert names == list(MARKS)


def test_preparing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    data = write_reader_data(tmp_path / "data")
    for name in ("a", "b"):
        prepare(data, tmp_path / name, TINY, lambda _: None)
    files = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert len(files) == 2 + 4 * len(SHARDS)
    for name in files:
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("a", "b"))
        if name.endswith(".json"):
            manifests = [json.loads(content) | {"seconds": 0} for content in (first, second)]
            assert manifests[0] == manifests[1]
        else:
            assert first == second, name


def test_a_step_sees_the_same_rows_whenever_it_is_asked_for(tmp_path: Path) -> None:
    prepare(write_reader_data(tmp_path / "data"), tmp_path / "shards", TINY, lambda _: None)
    shards = {name: read_shard(tmp_path / "shards", name) for name in SHARDS}
    sizes = {name: len(shard) for name, shard in shards.items()}
    ordered = [Order(sizes, TINY).picks(step) for step in range(TINY.schedule.num_steps)]
    again = Order(sizes, TINY)
    backwards = [again.picks(step) for step in reversed(range(TINY.schedule.num_steps))]
    assert ordered == backwards[::-1]
    for name in SHARDS:
        rows = [pick.row for picks in ordered for pick in picks if pick.source == name]
        first_round = rows[: sizes[name]]
        assert len(set(first_round)) == len(first_round)


def test_a_batch_scores_each_token_by_the_one_behind_it_in_its_example(tmp_path: Path) -> None:
    import torch

    prepare(write_reader_data(tmp_path / "data"), tmp_path / "shards", TINY, lambda _: None)
    shards = {name: read_shard(tmp_path / "shards", name) for name in SHARDS}
    order = Order({name: len(shard) for name, shard in shards.items()}, TINY)
    for step in range(TINY.schedule.num_steps):
        rows = rows_of(order.picks(step), shards, step, TINY, torch.device("cpu"))
        ids, examples = rows.ids.flatten(), rows.examples.flatten()
        counted = rows.parts != Part.UNSCORED
        places = rows.scored[counted]
        assert (ids[places + 1] == rows.targets[counted]).all()
        assert (examples[places + 1] == examples[places]).all()
        assert (examples[places] > 0).all()


def test_a_folder_that_was_not_prepared_says_how_to(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"training\.reader prepare"):
        read_shard(tmp_path, "text")
