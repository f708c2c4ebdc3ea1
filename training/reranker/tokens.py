"""The reranker's tokenizer: pieces that stand for themselves and BERT's control tokens after them.

It encodes pairs as [CLS] question [SEP] passage [SEP]. Knows no data and no weights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer

from training.reranker.recipe import MAX_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

UNKNOWN, PAD, CLS, SEP = "[UNK]", "[PAD]", "[CLS]", "[SEP]"


def released(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer as transformers writes it into a model folder."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # transformers leaves it so
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        pad_token=PAD,
        cls_token=CLS,
        sep_token=SEP,
        model_max_length=MAX_TOKENS,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
