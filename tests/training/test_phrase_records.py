"""The records written by hand for the judge of phrases, and what of them stands in a batch."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kb_service.encoder.folder import open_tokenizer
from kb_service.generation.phrase_scorer import (
    MAX_PHRASE_TOKENS,
    MAX_RECORD_TOKENS,
    phrase_ids,
    windows_of,
)
from kb_service.settings import PROJECT_ROOT
from training.phrases.recipe import Mix, Recipe, Schedule
from training.phrases.records import (
    FOLDER,
    HELD,
    WRAPS,
    Batches,
    WrittenRecord,
    read_records,
    records,
    wrapped,
)

FILES = sorted(FOLDER.glob("*.jsonl"))
RECORDS = [
    WrittenRecord(f"office {n % 3}", f"text {n}", (f"fits {n}",), (f"not {n}", "a drill"))
    for n in range(11)
]
PLAIN = Recipe(Mix(num_foreign=4, wrapped=0.0), Schedule(batch_size=3))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_of_records_is_well_formed(path: Path) -> None:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        row, at = json.loads(line), f"{path.name}:{number}"
        assert row.keys() == {"domain", "text", "fits", "not"}, at
        phrases = [*row["fits"], *row["not"]]
        assert row["fits"] and row["not"], at
        assert all(isinstance(one, str) for one in (row["domain"], row["text"], *phrases)), at
        assert row["domain"].strip() and row["text"].strip(), at
        assert all(one and one == one.strip() and "\n" not in one for one in phrases), at
        assert not {*row["fits"]} & {*row["not"]}, at
        assert len({*phrases}) == len(phrases), at


def test_held_files_are_there_and_others_are_too() -> None:
    stems = {path.stem for path in FILES}
    assert stems > HELD
    assert {stem[:2] for stem in HELD} == {stem[:2] for stem in stems - HELD} == {"zh", "en"}


def test_held_records_are_of_other_offices_and_none_is_lost_or_doubled() -> None:
    held, trained = records(held=True), records(held=False)
    assert not {one.domain for one in held} & {one.domain for one in trained}
    num_lines = sum(len(path.read_text("utf-8").splitlines()) for path in FILES)
    assert len({one.text for one in (*held, *trained)}) == num_lines == len(held) + len(trained)


def test_every_office_has_several_records_so_that_phrases_of_others_stand_beside() -> None:
    numbers = Counter(one.domain for held in (True, False) for one in records(held=held))
    assert min(numbers.values()) > 12


def test_no_record_and_no_phrase_is_cut() -> None:
    tokenizer = open_tokenizer(PROJECT_ROOT / "models" / "e5-zh-en" / "tokenizer.json")
    for one in (*records(held=True), *records(held=False)):
        assert len(list(windows_of(one.text, tokenizer))) == 1, one.text
        assert len(next(windows_of(one.text, tokenizer))) < MAX_RECORD_TOKENS, one.text
        for phrase in (*one.fits, *one.others):
            assert len(phrase_ids(phrase, tokenizer)) < MAX_PHRASE_TOKENS, phrase


def test_a_line_is_read_as_a_record(tmp_path: Path) -> None:
    line = {"domain": "d", "text": "滑倒", "fits": ["摔倒"], "not": ["盗窃", "火灾"]}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (found,) = read_records(tmp_path / "a.jsonl")
    assert found == WrittenRecord("d", "滑倒", ("摔倒",), ("盗窃", "火灾"))


def test_the_same_step_has_the_same_records_and_phrases_for_a_seed() -> None:
    wrapping = replace(PLAIN, mix=Mix(wrapped=0.5))
    one, again = (Batches(RECORDS, wrapping) for _ in range(2))
    assert [one.of_step(n) for n in range(8)] == [again.of_step(n) for n in range(8)]
    assert one.of_step(5) == Batches(RECORDS, wrapping).of_step(5)  # whatever was drawn before it
    other = Batches(RECORDS, replace(wrapping, seed=1))
    assert [one.of_step(n) for n in range(8)] != [other.of_step(n) for n in range(8)]


def test_a_record_stands_once_in_an_epoch_and_the_next_has_another_order() -> None:
    batches = Batches(RECORDS, PLAIN)
    epochs = [
        [judged.text for step in range(3 * n, 3 * n + 3) for judged in batches.of_step(step)]
        for n in range(20)
    ]
    assert all(len(texts) == len({*texts}) == 9 for texts in epochs)
    assert len({tuple(texts) for texts in epochs}) == 20
    assert {text for texts in epochs for text in texts} == {one.text for one in RECORDS}


def test_fewer_records_than_a_batch_stand_in_each_step() -> None:
    batches = Batches(RECORDS[:2], PLAIN)
    for step in range(3):
        assert {judged.text for judged in batches.of_step(step)} == {"text 0", "text 1"}


def test_beside_a_record_stand_its_phrases_and_some_of_others_that_weigh_less() -> None:
    batches, own = Batches(RECORDS, PLAIN), {one.text: one for one in RECORDS}
    foreign = set[str]()
    for judged in (one for step in range(30) for one in batches.of_step(step)):
        record = own[judged.text]
        num_own = len(record.fits) + len(record.others)
        assert judged.phrases[:num_own] == (*record.fits, *record.others)
        assert judged.fits == (1.0, *[0.0] * (len(judged.phrases) - 1))
        num_foreign = len(judged.phrases) - num_own
        assert judged.weights == (*[1.0] * num_own, *[0.5] * num_foreign)
        assert num_foreign <= 4 and len({*judged.phrases}) == len(judged.phrases)
        foreign |= {*judged.phrases[num_own:]}
    assert "a drill" not in foreign  # it is each record's own
    assert len(foreign) > 15


def test_phrases_of_the_same_office_alone_stand_beside_where_all_are_to_be() -> None:
    recipe = replace(PLAIN, mix=Mix(num_foreign=8, same_domain=1.0, wrapped=0.0))
    batches, of = Batches(RECORDS, recipe), {one.text: one for one in RECORDS}
    near = {
        office: {p for one in RECORDS if one.domain == office for p in (*one.fits, *one.others)}
        for office in ("office 0", "office 1", "office 2")
    }
    for judged in (one for step in range(12) for one in batches.of_step(step)):
        assert {*judged.phrases} <= near[of[judged.text].domain]


@pytest.mark.parametrize(("share", "number"), [(0.0, 0), (1.0, 7)])
def test_so_many_phrases_stand_in_words_of_questions(share: float, number: int) -> None:
    record = WrittenRecord("d", "t", ("跌倒", "scalds"), ("盗窃", "fires", "争吵", "abc", "停水"))
    recipe = replace(PLAIN, mix=Mix(num_foreign=0, wrapped=share))
    (judged,) = Batches([record], recipe).of_step(0)
    plain = (*record.fits, *record.others)
    assert sum(one != other for one, other in zip(judged.phrases, plain, strict=True)) == number
    assert all(one in said for one, said in zip(plain, judged.phrases, strict=True))


@pytest.mark.parametrize(("phrase", "is_chinese"), [("跌倒", True), ("falls", False)])
def test_a_phrase_is_wrapped_in_words_of_its_language(phrase: str, is_chinese: bool) -> None:
    rng = random.Random(3)  # noqa: S311 - no secret
    said = {wrapped(phrase, rng) for _ in range(300)}
    assert said == {form.format(phrase) for form in WRAPS[is_chinese]}
