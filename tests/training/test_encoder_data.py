"""What a run of the encoder reads: pairs, their neighbours, held-out questions, the bag."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.fold_data import write_fold_data
from training.contrastive import TrainingSettings
from training.encoder.__main__ import main
from training.encoder.prepared import TOKENIZER_FILE, near_groups, prepare, read_prepared
from training.encoder.recipe import EncoderRecipe, kind_of
from training.fold import HELD_PERCENT, held_fold
from training.pairs import Pair
from training.recipe import mixture
from training.vocabulary import build_tokenizer, choose_pieces

BAG = TrainingSettings(dimension=16, batch_size=16, num_steps=3, num_threads=1)
RECIPE = replace(EncoderRecipe(), bag=BAG)


def quiet(_: str) -> None:
    """A log that nobody reads."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fold_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("prepared")
    texts = mixture(data, 0).texts
    build_tokenizer(choose_pieces(texts, 400)).save(str(out / "pieces.json"))
    prepare(data, out / "pieces.json", out, RECIPE, quiet)
    return out


def test_a_prepared_folder_holds_every_pair_that_is_not_held_out(data: Path, folder: Path) -> None:
    prepared = read_prepared(folder)
    mixed = mixture(data, 0, also_held=held_fold(data).leaks)
    chosen = [pair for pair in mixed.pairs if pair.source in set(prepared.sources)]
    assert len(prepared.pairs) == len(chosen) > 0
    assert [prepared.sources[p.source] for p in prepared.pairs] == [p.source for p in chosen]
    assert prepared.table.shape[1] == BAG.dimension
    assert (folder / TOKENIZER_FILE).is_file()
    assert any(pair.near for pair in prepared.pairs)
    assert all(pair.group not in pair.near for pair in prepared.pairs)


def test_the_probes_ask_held_out_questions_whose_passages_are_there(folder: Path) -> None:
    probes = read_prepared(folder).probes
    assert [probe.name for probe in probes] == list(HELD_PERCENT)
    for probe in probes:
        assert len(probe.questions) == len(probe.right) > 0
        assert set(probe.right.tolist()) == set(range(len(probe.passages)))
        assert all(text.dtype == np.int32 for text in probe.questions)


def test_passages_near_a_question_share_its_words_and_are_not_its_own() -> None:
    texts = {"a": "红色的苹果", "b": "红色的山楂", "c": "蓝色的大海", "d": "绿色的森林"}
    pairs = [Pair("zh_drcd/window", f"{text}在哪里？", text, name) for name, text in texts.items()]
    near = near_groups(pairs, 1)
    assert near[pairs[0]] == ["b"]
    assert near[pairs[1]] == ["a"]
    assert near_groups([replace(p, source="zh_drcd/cloze") for p in pairs], 1) == {}


def test_every_source_of_the_mixture_has_a_kind_with_a_share(data: Path) -> None:
    kinds = {kind_of(source) for source in mixture(data, 0).counts()}
    assert kinds <= set(dict(RECIPE.shares))
    names = ("zh_cybersec/first", "zh_laws/title", "pydocs/en-zh", "en_squad", "zh_wiki/cloze")
    assert [kind_of(n) for n in names] == ["advice", "title", "parallel", "question", "cloze"]


def test_the_commands_train_export_and_draw(folder: Path, tmp_path: Path) -> None:
    run, model, picture = tmp_path / "run", tmp_path / "model", tmp_path / "curve.svg"
    main(["train", "--prepared", str(folder), "--out", str(run), "--steps", "1"])
    with pytest.raises(SystemExit, match="--resume"):
        main(["train", "--prepared", str(folder), "--out", str(run), "--steps", "1"])
    main(["export", "--run", str(run), "--prepared", str(folder), "--out", str(model)])
    main(["plot", "--run", str(run), "--out", str(picture)])
    assert (model / "SHA256SUMS.json").is_file()
    assert picture.read_text(encoding="utf-8").startswith("<svg")
