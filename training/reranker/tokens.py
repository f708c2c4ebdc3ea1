"""The reranker's tokenizer: the pieces of the static embedding model with BERT's control tokens.

Knows tokenizers and their files. Knows no data and no weights.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from training.reranker.recipe import MAX_TOKENS
from training.vocabulary import UNKNOWN

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

PAD, CLS, SEP = "[PAD]", "[CLS]", "[SEP]"


def pair_tokenizer(static_file: Path) -> Tokenizer:
    """The static model's tokenizer, which encodes pairs as [CLS] question [SEP] passage [SEP]."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(static_file))
    tokenizer.add_special_tokens([PAD, CLS, SEP])
    tokenizer.post_processor = TemplateProcessing(
        single=f"{CLS}:0 $A:0 {SEP}:0",
        pair=f"{CLS}:0 $A:0 {SEP}:0 $B:1 {SEP}:1",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in (CLS, SEP)],
    )
    return tokenizer


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
