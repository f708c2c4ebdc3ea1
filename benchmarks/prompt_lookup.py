"""Prompt lookup on and off, on answers whose words are known: seconds, steps and their ratio.

The weights are random and the answers are forced token by token (teacher forcing), so the text of
every run is a reference answer and its speed that of a model that would say just this. Grounded
answers repeat evidence of their passages; ungrounded ones answer a question without any.
On and off are interleaved answer by answer; the prompt is cached before the clock starts.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import mean
from typing import Any

import torch

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.services.prompting import build_messages
from llm.chats.chat import ModelMessage, prompt_ids
from llm.chats.chat_formats import chatglm3_format
from llm.constraints import Restriction
from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.scheduler import EngineLimits
from llm.kernels.quantized_linear import quantize_model
from llm.models.build import random_model
from llm.models.config import chatglm3_6b
from llm.tokenizers.sentence_pieces import ChatGLM3Tokenizer

DISTRACTORS = 3


@dataclass(frozen=True, slots=True)
class Reference:
    """A prompt and the answer that is to be said."""

    kind: str
    prompt: list[int]
    answer: list[int]


class Forced:
    """The constraint that leaves one id at every place."""

    def __init__(self, ids: Sequence[int]) -> None:
        self._ids = ids

    def restriction(self, generated: Sequence[int]) -> Restriction:
        """The next id of the reference."""
        return Restriction(self._ids[len(generated) : len(generated) + 1])


def main() -> None:
    """Print one row for each kind of answer."""
    options = _options()
    torch.set_num_threads(options.threads)
    references = list(references_of(options.data, options.tokenizer, options.answers))
    config = replace(chatglm3_6b(), num_layers=options.layers)
    model = random_model(config, dtype=torch.bfloat16)
    if options.weights != "bf16":
        quantize_model(model, bits={"int8": 8, "int4": 4}[options.weights])
    engines = [
        Engine(model, limits=EngineLimits(max_draft_tokens=drafts))
        for drafts in (0, options.drafts)
    ]
    for kind in dict.fromkeys(reference.kind for reference in references):
        rows = [_compare(engines, each) for each in references if each.kind == kind]
        _print(kind, rows)


def _compare(engines: Sequence[Engine], reference: Reference) -> tuple[float, float, int, int]:
    """Seconds off, seconds on, tokens, steps on."""
    (off_s, num_tokens), (on_s, num_steps) = (_say(engine, reference) for engine in engines)
    return off_s, on_s, num_tokens, num_steps


def _say(engine: Engine, reference: Reference) -> tuple[float, int]:
    """Seconds from the first token to the last, and the number of steps between."""
    params = SamplingParams(temperature=0, max_tokens=len(reference.answer))
    stream = engine.generate(reference.prompt, params, constraint=Forced(reference.answer))
    said, num_steps = [next(stream).id], 0
    step = engine._step  # noqa: SLF001 -- the benchmark counts forward passes

    def counted() -> None:
        nonlocal num_steps
        num_steps += 1
        step()

    engine._step = counted  # type: ignore[method-assign] # noqa: SLF001 -- undone below
    start = time.perf_counter()
    said += [token.id for token in stream]
    elapsed_s = time.perf_counter() - start
    engine._step = step  # type: ignore[method-assign] # noqa: SLF001 -- as it was
    if said != reference.answer:
        raise SystemExit(f"said {said}; expected {reference.answer}")
    return elapsed_s, num_steps


def _print(kind: str, rows: Sequence[tuple[float, float, int, int]]) -> None:
    off_s, on_s = sum(row[0] for row in rows), sum(row[1] for row in rows)
    tokens, steps = sum(row[2] for row in rows), sum(row[3] for row in rows)
    worst = min(row[0] / row[1] for row in rows)
    print(
        f"{kind:<22} {len(rows):>4} answers {tokens / len(rows):6.1f} tokens each"
        f"  off {tokens / off_s:6.2f} tok/s  on {tokens / on_s:6.2f} tok/s"
        f"  ratio {off_s / on_s:5.2f} (mean of answers {mean(r[0] / r[1] for r in rows):5.2f},"
        f" worst {worst:4.2f})  {tokens / steps:4.2f} tokens a step",
        flush=True,
    )


def references_of(data: Path, tokenizer_file: Path, num_answers: int) -> Iterator[Reference]:
    """So many answers of each kind, drawn from the data sets."""
    tokenizer = ChatGLM3Tokenizer(tokenizer_file)
    chats = chatglm3_format(tokenizer)
    rng = random.Random(7)

    def reference(kind: str, messages: Sequence[Any], answer: str) -> Reference:
        turns = [ModelMessage(message.role, message.content) for message in messages]
        said = [*tokenizer.encode("\n"), *tokenizer.encode(answer), tokenizer.eos_id]
        return Reference(kind, prompt_ids(chats.segments(turns)), said)

    for kind, file in (
        ("evidence, Chinese", "train/zh_expmrc_evidence"),
        ("evidence, English", "dev/en_expmrc_evidence"),
    ):
        rows = list(islice(_rows(data / f"{file}.jsonl.gz"), 3000))
        for row in rng.sample(rows, num_answers):
            contexts = [row, *rng.sample(rows, DISTRACTORS)]
            messages = build_messages(parse_question(row["question"]), _passages(contexts))
            yield reference(kind, messages, f"{row['evidence'][0]}[1]")
            short = f"{row['answers'][0]['text']}[1]"
            yield reference(kind.replace("evidence", "short answer"), messages, short)
    rows = list(islice(_rows(data / "text/zh_cybersec_sft.jsonl.gz"), 3000))
    for row in rng.sample(rows, num_answers):
        yield reference(
            "ungrounded, Chinese", [ModelMessage("user", row["instruction"])], row["output"]
        )


def _passages(rows: Sequence[dict[str, Any]]) -> list[Passage]:
    return [
        Passage(
            number=number,
            chunk_id=number,
            document_id=row["id"],
            revision_id=number,
            sha256="",
            title=row["title"],
            span=TextSpan(0, len(row["context"])),
            text=row["context"],
            score=1.0,
        )
        for number, row in enumerate(rows, start=1)
    ]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the data sets")
    parser.add_argument("--tokenizer", type=Path, required=True, help="a ChatGLM3 tokenizer.model")
    parser.add_argument("--answers", type=int, default=8, help="of each kind")
    parser.add_argument("--layers", type=int, default=28)
    parser.add_argument("--weights", choices=("bf16", "int8", "int4"), default="int4")
    parser.add_argument("--drafts", type=int, default=EngineLimits().max_draft_tokens)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
