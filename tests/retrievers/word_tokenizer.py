"""A tokenizer of whole words and single Chinese characters, made from the texts of a test."""

from collections.abc import Sequence

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"


def word_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """A piece for each word; an unknown one is 0."""
    normalizer, cutter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    normal = [normalizer.normalize_str(text) for text in texts]
    words = sorted({word for text in normal for word, _ in cutter.pre_tokenize_str(text)})
    pieces = {word: number for number, word in enumerate([UNKNOWN, *words])}
    tokenizer = Tokenizer(models.WordLevel(pieces, unk_token=UNKNOWN))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, cutter
    return tokenizer
