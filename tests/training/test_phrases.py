"""The judge's network and its run: packing, losses, export, and that the scorer reads alike."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from kb_service.checksums import verify_checksums
from kb_service.encoder.bert import Bert, BertShape
from kb_service.encoder.folder import WORDS, Encoder, open_encoder, open_tokenizer
from kb_service.encoder.tensors import open_tensors
from kb_service.generation.phrase_scorer import (
    RECORD_AT,
    Likelihood,
    PhraseScorer,
    load_phrase_scorer,
    phrase_ids,
    record_ids,
)
from tests.encoder.tiny_bert import tiny_tensors, write_tiny_encoder
from training.encoder.package import Papers, package_beside
from training.phrases import calibration
from training.phrases.calibration import calibrate, thresholds
from training.phrases.export import UNFITTED, export
from training.phrases.network import PhraseNetwork, loss_of, open_network, pack
from training.phrases.recipe import HIDDEN_SIZE, Mix, Recipe, Schedule
from training.phrases.records import Batches, Judged, WrittenRecord
from training.phrases.trainer import PhraseRun, packed_of
from training.run_files import CHECKPOINT_FILE

SIZE = {"num_channels": HIDDEN_SIZE, "max_tokens": RECORD_AT + 192}
SCHEDULE = Schedule(num_steps=4, batch_size=2, warmup_steps=1, dropout=0.0, frozen_layers=1,
                    report_every=1, checkpoint_every=2)  # fmt: skip
RECIPE = Recipe(Mix(num_foreign=2), SCHEDULE)
RECORDS = [
    WrittenRecord("a", "fire in b", ("fire", "burns"), ("a leak",)),
    WrittenRecord("a", "oil ran out", ("a leak",), ("fire", "theft", "noise")),
    WrittenRecord("b", "火灾 原因", ("火灾",), ("泄漏",)),
    WrittenRecord("b", "人员 泄漏", ("泄漏", "人员"), ("爆炸",)),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of `words`, and `reader` that shares them."""
    place = tmp_path_factory.mktemp("models")
    words = write_tiny_encoder(place / "words", **SIZE)
    config = json.loads((words / "config.json").read_text("utf-8")) | {"num_attention_heads": 12}
    (words / "config.json").write_text(json.dumps(config), "utf-8")
    rng = np.random.default_rng(4)
    sizes = {"span.weight": (2, HIDDEN_SIZE), "span.bias": (2,)}
    sizes |= {"answerable.weight": (1, HIDDEN_SIZE), "answerable.bias": (1,)}
    heads = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    package_beside(tiny_tensors(seed=5, **SIZE), heads, place / "reader", "../words",
                   Papers("card", "licence of the reader"))  # fmt: skip
    return place


def network_of(models: Path) -> PhraseNetwork:
    return open_network(models / "words", models / "reader", SCHEDULE)


def run_in(models: Path, folder: Path) -> PhraseRun:
    tokenizer = open_tokenizer(models / "words" / "tokenizer.json")
    batches = Batches(RECORDS, RECIPE)
    return PhraseRun(folder, network_of(models), batches, tokenizer, RECIPE, bf16=False)


def test_tokens_are_numbered_and_seen_as_if_each_phrase_were_alone_with_the_record() -> None:
    packed = pack([([5, 6, 2], [[0, 7, 2, 2], [0, 2, 2]]), ([8, 2], [[0, 9, 9, 2]])])
    assert packed.ids.shape == (2, 16)
    assert packed.ids[0].tolist() == [5, 6, 2, 0, 7, 2, 2, 0, 2, 2, *[1] * 6]
    assert packed.positions[0, :10].tolist() == [24, 25, 26, 0, 1, 2, 3, 0, 1, 2]
    assert packed.positions[1, :6].tolist() == [24, 25, 0, 1, 2, 3]
    assert packed.firsts[0].tolist() == [3, 7] and packed.firsts[1, 0] == 2
    assert packed.is_phrase.tolist() == [[True, True], [True, False]]
    of = [0] * 3 + [1] * 4 + [2] * 3
    for one in range(16):
        for other in range(16):
            is_padding = max(one, other) > 9
            both = one == other if is_padding else of[other] in (0, of[one])
            assert bool(packed.sees[0, one, other]) is both, (one, other)


def test_a_batch_is_as_wide_as_its_longest_record_with_its_phrases() -> None:
    packed = pack([([5] * 9, [[0] * 8]), ([5], [[0]] * 3)])
    assert packed.ids.shape == (2, 32) and packed.sees.shape == (2, 32, 32)
    assert packed.firsts.shape == packed.is_phrase.shape == (2, 3)


@torch.no_grad()
def logits_of(network: PhraseNetwork, *rows: tuple[list[int], list[list[int]]]) -> torch.Tensor:
    packed = pack(rows)
    return network(packed.ids, packed.positions, packed.sees, packed.firsts)


def test_a_phrase_has_the_logit_that_it_has_alone(models: Path) -> None:
    network = network_of(models).eval()
    rows = ([5, 6, 7, 2], [[0, 7, 2, 2], [0, *range(4, 20), 2, 2]]), ([8] * 40, [[0, 9, 2, 2]])
    together = logits_of(network, *rows)
    for number, (text, phrases) in enumerate(rows):
        for place, phrase in enumerate(phrases):
            alone = logits_of(network, (text, [phrase]))
            assert together[number, place].item() == pytest.approx(alone.item(), abs=1e-4)


def test_the_network_and_the_scorer_give_the_same_logits(models: Path) -> None:
    network, shared = network_of(models).eval(), open_encoder(models / "words")
    state = {name: value.numpy() for name, value in network.encoder.state_dict().items()}
    heads = {f"fits.{name}": v.detach().numpy() for name, v in network.fits.named_parameters()}
    bert = Bert(state, BertShape(num_layers=2, num_heads=12))
    scorer = PhraseScorer(Encoder(bert, shared.tokenizer, heads), "tiny", UNFITTED)
    record = RECORDS[1]
    asked = [*record.fits, *record.others]
    texts = [record.text, "oil ran out " * 10, ""]
    ids = [phrase_ids(phrase, shared.tokenizer) for phrase in asked]
    expected = logits_of(network, *((record_ids(text, shared.tokenizer), ids) for text in texts))
    assert scorer.logits(asked, texts) == pytest.approx(expected.numpy(), abs=1e-3)


def test_it_begins_as_the_reader_does_over_the_shared_words(models: Path) -> None:
    network, reader = network_of(models), open_encoder(models / "reader")
    assert np.array_equal(network.fits.weight.detach(), reader.heads["answerable.weight"])
    assert np.array_equal(network.fits.bias.detach(), reader.heads["answerable.bias"])
    ids = [0, *range(4, 20), 2]
    states = network.eval().encoder(input_ids=torch.tensor([ids])).last_hidden_state[0]
    assert reader.bert.hidden([ids])[0] == pytest.approx(states.detach().numpy(), abs=1e-3)


def test_the_words_and_the_first_layers_are_left_alone(models: Path) -> None:
    learning = {name for name, p in network_of(models).named_parameters() if p.requires_grad}
    assert {name.rsplit(".layer.")[-1][0] for name in learning if ".layer." in name} == {"1"}
    assert {name for name in learning if ".layer." not in name} == {"fits.weight", "fits.bias"}


def test_what_is_no_phrase_loses_nothing_and_others_lose_as_they_weigh() -> None:
    logits, fits = torch.tensor([[2.0, -1.0], [0.5, 9.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    weights = torch.tensor([[1.0, 0.5], [1.0, 0.0]])
    each = [float(np.log1p(np.exp(-x))) for x in (2.0, 1.0, 0.5)]
    expected = (each[0] + 0.5 * each[1] + each[2]) / 2.5
    assert loss_of(logits, fits, weights).item() == pytest.approx(expected, abs=1e-6)
    logits[1, 1] = -50.0
    assert loss_of(logits, fits, weights).item() == pytest.approx(expected, abs=1e-6)


def test_the_loss_of_a_step_is_that_of_its_phrases_one_by_one(models: Path, tmp_path: Path) -> None:
    run = run_in(models, tmp_path)
    tokenizer = open_tokenizer(models / "words" / "tokenizer.json")
    lost, weighed, right = 0.0, 0.0, dict[float, list[bool]]()
    for judged in Batches(RECORDS, RECIPE).of_step(1):
        told = zip(judged.phrases, judged.fits, judged.weights, strict=True)
        for phrase, fits, weight in told:
            alone = packed_of([Judged(judged.text, (phrase,), (fits,), (weight,))], tokenizer)
            with torch.no_grad():
                logit = run.network(alone.ids, alone.positions, alone.sees, alone.firsts).item()
            lost += weight * float(np.log1p(np.exp(-logit if fits else logit)))
            weighed += weight
            right.setdefault(fits, []).append((logit > 0) == (fits > 0))
    loss, numbers = run.loss(1)
    assert loss.item() == pytest.approx(lost / weighed, abs=1e-4)
    shares = [sum(right[fits]) / len(right[fits]) for fits in (1.0, 0.0)]
    assert numbers == pytest.approx((loss.item(), *shares))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(models: Path, tmp_path: Path) -> None:
    whole, begun = (run_in(models, tmp_path / name) for name in ("whole", "parts"))
    before = {name: value.clone() for name, value in whole.network.state_dict().items()}
    whole.train(None, lambda _: None)
    begun.train(0.0, lambda _: None)  # a deadline that has passed: it stops behind one step
    assert begun.step == 1 and (tmp_path / "parts" / CHECKPOINT_FILE).is_file()
    later = run_in(models, tmp_path / "parts")
    assert later.resume()
    later.train(None, lambda _: None)
    lines = [json.loads(line) for line in (tmp_path / "parts" / "curve.jsonl").open()]
    assert [line["step"] for line in lines] == [1, 2, 3, 4]
    assert {"loss", "fits_right", "others_right"} < lines[0].keys()
    changed = set[str]()
    for name, value in whole.network.state_dict().items():
        assert torch.allclose(value, later.network.state_dict()[name], atol=1e-6), name
        changed |= set() if torch.equal(value, before[name]) else {name}
    learning = {name for name, p in whole.network.named_parameters() if p.requires_grad}
    assert "fits.weight" in changed and changed <= learning


def test_without_a_checkpoint_a_run_begins(models: Path, tmp_path: Path) -> None:
    run = run_in(models, tmp_path)
    assert not run.resume() and run.step == 0


@pytest.fixture(scope="module")
def exported(models: Path) -> tuple[Path, PhraseNetwork]:
    """The folder of a run's judge beside the others, and the network with the average weights."""
    run = run_in(models, models / "run")
    run.train(None, lambda _: None)
    (models / "card").write_text("# A judge\n", "utf-8")
    step = export(
        models / "run", models / "words", models / "reader", models / "judge", models / "card"
    )
    assert step == 4
    return models / "judge", run.averaged()


def test_what_is_exported_is_the_average_of_the_run_in_bytes(
    exported: tuple[Path, PhraseNetwork],
) -> None:
    folder, network = exported
    stored = open_tensors(folder / "model.safetensors")
    live = dict(network.named_parameters())
    names = {name: f"head.{name}" if name.startswith("fits.") else name.removeprefix("encoder.")
             for name in live if name != f"encoder.{WORDS}"}  # fmt: skip
    assert {*names.values()} == {*stored}
    for name, kept in names.items():
        average = live[name].detach().numpy()
        largest = np.abs(average).max(axis=-1, keepdims=True)
        assert (np.abs(stored[kept] - average) <= largest / 254 + 1e-6).all(), name


def test_an_exported_judge_reads_as_the_network_with_its_weights(
    models: Path, exported: tuple[Path, PhraseNetwork]
) -> None:
    folder, scorer = exported[0], load_phrase_scorer(exported[0], 1)
    stored = open_tensors(folder / "model.safetensors")
    network = network_of(models).eval()
    with torch.no_grad():
        for name, value in network.named_parameters():
            kept = f"head.{name}" if name.startswith("fits.") else name.removeprefix("encoder.")
            if kept != WORDS:
                value.copy_(torch.tensor(stored[kept]))
    tokenizer = open_tokenizer(models / "words" / "tokenizer.json")
    for record in RECORDS:
        asked = [*record.fits, *record.others]
        ids = [phrase_ids(phrase, tokenizer) for phrase in asked]
        expected = logits_of(network, (record_ids(record.text, tokenizer), ids))
        assert scorer.logits(asked, [record.text]) == pytest.approx(expected.numpy(), abs=1e-3)


def test_an_exported_folder_has_its_papers_and_no_words_of_its_own(
    exported: tuple[Path, PhraseNetwork],
) -> None:
    folder, _ = exported
    assert set(verify_checksums(folder)) == {"LICENSE", "MODEL_CARD.md", "config.json",
                                             "model.safetensors"}  # fmt: skip
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["words_from"] == "../words" and config["prompts"] == {"query": "query: "}
    assert load_phrase_scorer(folder, 1).likelihood == UNFITTED
    licence = (folder / "LICENSE").read_text("utf-8")
    assert "licence of the reader" in licence and "written_records" in licence
    assert (folder / "MODEL_CARD.md").read_text("utf-8") == "# A judge\n"


def test_a_folder_gets_its_own_likelihood_and_stays_intact(
    exported: tuple[Path, PhraseNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(exported[0], exported[0].with_name("fitted")))
    monkeypatch.setattr(calibration, "records", lambda *, held: RECORDS if held else ())
    lines: list[str] = []
    fitted = calibrate(folder, load_phrase_scorer(folder, 1), lines.append)
    found = load_phrase_scorer(folder, 1).likelihood
    assert found != UNFITTED
    numbers = [(getattr(found, n), getattr(fitted, n)) for n in Likelihood.__slots__]
    assert all(one == pytest.approx(other, abs=1e-4) for one, other in numbers)
    assert 0 <= found.open_at <= found.fits_at <= 1
    assert verify_checksums(folder)
    assert len(lines) == 6


def test_trials_are_of_a_records_phrases_and_of_some_of_its_office(
    models: Path, exported: tuple[Path, PhraseNetwork]
) -> None:
    trials = calibration.read(RECORDS, load_phrase_scorer(exported[0], 1))
    num_own = sum(len(one.fits) + len(one.others) for one in RECORDS)
    assert int((~trials.is_foreign).sum()) == num_own
    assert trials.fits.sum() == sum(len(one.fits) for one in RECORDS)
    assert not trials.fits[trials.is_foreign].any()
    assert len(trials.logits) == len(trials.fits) > num_own


@pytest.mark.parametrize(
    ("likely", "fits", "fits_at", "open_at"),
    [
        # Sure down to 0.8; the one at 0.6 is needed so that few are missed.
        ([0.9, 0.8, 0.7, 0.6, 0.1], [1, 1, 0, 1, 0], 0.8, 0.6),
        # In any order.
        ([0.6, 0.9, 0.1, 0.8, 0.7], [1, 1, 0, 1, 0], 0.8, 0.6),
        # One that does not fit among many that do is borne.
        ([n / 100 for n in range(99, 79, -1)], [1] * 5 + [0] + [1] * 14, 0.8, 0.81),
        # All that fit are sure: nothing below is open.
        ([0.9, 0.8, 0.2], [1, 1, 0], 0.8, 0.8),
        # Nothing is sure.
        ([0.9, 0.8], [0, 1], 1.0, 0.8),
    ],
)
def test_thresholds_leave_few_wrong_ones_and_few_missed(
    likely: list[float], fits: list[int], fits_at: float, open_at: float
) -> None:
    found = thresholds(np.array(likely), np.array(fits, dtype=float))
    assert found == pytest.approx((fits_at, min(open_at, fits_at)))
