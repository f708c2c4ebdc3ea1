"""Tiny random checkpoints in the released ChatGLM3-6B layout, for tests of any package.

The folder has what a release has: config.json, tokenizer.model, shards and their index. Its
weights are random, so its replies are noise; everything around them is real.
"""

import io
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

from llm.checkpoints.weight_plan import CHATGLM2
from llm.models.build import random_model
from llm.models.config import ModelConfig
from llm.models.model import ChatGLM
from llm.tokenizers import TOKENIZER_FILE, ChatGLM3Tokenizer

_CORPUS = (
    "The pilot reported a loss of engine power shortly after takeoff from runway two seven.",
    "At 14:05 the database primary stopped answering; traffic was moved to the replica.",
    "You are a careful assistant. Answer only from the numbered passages and cite them [1].",
    "二〇二三年五月，某化工厂发生泄漏事故，造成三人受伤，直接经济损失约一百二十万元。",
    "调查组认定，事故的直接原因是阀门老化，间接原因是安全检查制度没有落实。",
    "请根据下面的材料回答问题，并在每句话后面注明出处。问：事故发生在什么时候？答：",
    "def retry(times: int) -> None:\n    for attempt in range(times):\n        connect()\n",
)


def train_tiny_tokenizer(path: Path, num_pieces: int = 512) -> Path:
    """Train a small SentencePiece model with the settings of the released tokenizer."""
    import sentencepiece

    content = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_CORPUS * 3),
        model_writer=content,
        model_type="bpe",
        vocab_size=num_pieces,
        hard_vocab_limit=False,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=True,
        remove_extra_whitespaces=False,
        num_threads=1,
        minloglevel=2,
    )
    path.write_bytes(content.getvalue())
    return path


def tiny_config_json(vocab_size: int, **changes: object) -> dict[str, object]:
    """A config.json with every key of the release, at tiny sizes."""
    config: dict[str, object] = {
        "_name_or_path": "THUDM/chatglm3-6b",
        "model_type": "chatglm",
        "architectures": ["ChatGLMModel"],
        "add_bias_linear": False,
        "add_qkv_bias": True,
        "apply_query_key_layer_scaling": True,
        "apply_residual_connection_post_layernorm": False,
        "attention_dropout": 0.0,
        "attention_softmax_in_fp32": True,
        "bias_dropout_fusion": True,
        "ffn_hidden_size": 48,
        "fp32_residual_connection": False,
        "hidden_dropout": 0.0,
        "hidden_size": 32,
        "kv_channels": 8,
        "layernorm_epsilon": 1e-05,
        "multi_query_attention": True,
        "multi_query_group_num": 2,
        "num_attention_heads": 4,
        "num_layers": 2,
        "original_rope": True,
        "padded_vocab_size": vocab_size,
        "post_layer_norm": True,
        "rmsnorm": True,
        "seq_length": 4096,
        "use_cache": True,
        "torch_dtype": "float32",
        "tie_word_embeddings": False,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    return config | changes


def released_state(model: ChatGLM) -> dict[str, torch.Tensor]:
    """The model's weights under the keys of a release, with the buffer that releases store."""
    state = {
        CHATGLM2.checkpoint_key(name): value.detach().clone()
        for name, value in model.named_parameters()
    }
    state["transformer.rotary_pos_emb.inv_freq"] = torch.ones(model.config.rope_dim // 2)
    return state


def write_tiny_checkpoint(folder: Path, tokenizer_model: Path, seed: int = 0) -> Path:
    """Write a tiny random model of two shards around the given tokenizer; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer_file = folder / TOKENIZER_FILE
    shutil.copyfile(tokenizer_model, tokenizer_file)
    # Releases pad the vocabulary; the rows behind the last id must never be sampled.
    vocab_size = ChatGLM3Tokenizer(tokenizer_file).num_ids + 7
    config = tiny_config_json(vocab_size)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    model = random_model(ModelConfig.from_json(config), seed)
    # Louder than at a training's start, so that greedy replies are not one token repeated.
    state = {key: value * 8 for key, value in released_state(model).items()}
    keys = sorted(state)
    shards = {"model-00001-of-00002.safetensors": keys[::2]}
    shards["model-00002-of-00002.safetensors"] = keys[1::2]
    for name, names in shards.items():
        save_file({key: state[key] for key in names}, folder / name, metadata={"format": "pt"})
    index = {
        "metadata": {"total_size": sum(value.nbytes for value in state.values())},
        "weight_map": {key: name for name, names in shards.items() for key in names},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return folder
