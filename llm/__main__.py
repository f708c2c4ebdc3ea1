"""`python -m llm generate | parity | bench`: the model alone, without the service.

Parses arguments and prints; all work is in the modules it calls, loaded when a command needs it.
Exit codes: 0 done, 1 a parity check failed or nothing could be run, 2 bad arguments or folder.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

from llm.checkpoints.checkpoint import DEVICES, DTYPES, QUANTIZATIONS
from llm.errors import LlmError
from llm.models.config_files import FAMILIES

INSTALL = 'pip install "kb-service[llm]"'


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as Python does for standard error
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except BrokenPipeError:
        # Nobody reads on. What is still buffered must go nowhere, or the exit complains of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except LlmError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("llm"):
            raise
        print(f"error: {error.name} is not installed: {INSTALL}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def generate(options: argparse.Namespace) -> int:
    """Stream one reply to standard output."""
    from llm.chats.chat import ModelMessage
    from llm.chats.chat_model import ChatModel
    from llm.decoding import SamplingParams

    params = SamplingParams(
        temperature=options.temperature,
        top_p=options.top_p,
        top_k=options.top_k,
        max_tokens=options.max_tokens,
        seed=options.seed,
    )
    model = ChatModel.load(
        options.model,
        device=options.device,
        dtype=options.dtype,
        quantize=options.quantize,
        device_map="auto" if options.spread else None,
        lora=options.lora,
        prefix=options.prefix,
        family=options.family,
        rope_theta=options.rope_theta,
    )
    reply = model.chat([ModelMessage("user", options.prompt)], params)
    for piece in reply:
        print(piece, end="", flush=True)
    print()
    usage = reply.usage
    print(
        f"[{reply.finish_reason}: {usage.prompt_tokens} prompt tokens,"
        f" {usage.completion_tokens} completion tokens]",
        file=sys.stderr,
    )
    return 0


def parity(options: argparse.Namespace) -> int:
    """Print for each golden path whether everything recorded there is found equal."""
    from llm.parity.verdicts import golden_paths, judge

    verdicts = []
    for path in golden_paths(options.paths):
        verdicts.append(judge(path, options.tokenizers, options.family))
        print(verdicts[-1], flush=True)
    num_passed = sum(verdict.passed for verdict in verdicts)
    print(f"{num_passed} passed, {len(verdicts) - num_passed} failed")
    return 0 if num_passed == len(verdicts) else 1


def bench(options: argparse.Namespace) -> int:
    """Print prefill and decode speed."""
    from llm.bench import measure, random_subject
    from llm.checkpoints.checkpoint import load_model
    from llm.engine.engine import Engine
    from llm.kernels.quantized_linear import quantize_model

    where = {"device": options.device, "dtype": options.dtype}
    if options.model:
        model = load_model(options.model, quantize=options.quantize, **where)
    else:
        model = random_subject(options.random, options.layers, **where)
        if options.quantize:
            quantize_model(model, QUANTIZATIONS[options.quantize])
    report = measure(Engine(model), options.prompt_tokens, options.new_tokens, options.runs)
    print(
        f"{options.model or f'random {options.random}'}: {model.config.num_layers} layers,"
        f" {report.num_parameters / 1e9:.3f} billion weights,"
        f" {report.weight_bytes / 1e9:.2f} GB as"
        f" {options.quantize or str(model.dtype).removeprefix('torch.')} on {model.device}"
    )
    print(
        f"prefill {report.prefill_tokens_per_s:.2f} tokens/s"
        f" ({report.prompt_tokens} tokens, first token after {report.first_token_s:.3f} s)"
    )
    print(f"decode {report.decode_tokens_per_s:.2f} tokens/s ({report.new_tokens} tokens)")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m llm", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="generate | parity | bench")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--device", default="auto", help=f"one of {', '.join(DEVICES)}")
    where.add_argument("--dtype", default="auto", choices=DTYPES)

    one = commands.add_parser("generate", parents=[where], help="answer one question")
    one.add_argument("--model", type=Path, required=True, metavar="DIR")
    one.add_argument("--prompt", required=True)
    one.add_argument("--max-tokens", type=int, default=1024)
    one.add_argument("--temperature", type=float, default=0.8, help="0 is greedy")
    one.add_argument("--top-p", type=float, default=0.8)
    one.add_argument("--top-k", type=int, default=50, help="0 keeps every token")
    one.add_argument("--seed", type=int)
    _add_changes(one)
    one.set_defaults(run=generate)

    _add_parity(commands.add_parser("parity", help="compare with golden values"))

    _add_bench(commands.add_parser("bench", parents=[where], help="measure tokens per second"))
    return parser


def _add_changes(parser: argparse.ArgumentParser) -> None:
    """What may be done to a checkpoint while it is loaded."""
    parser.add_argument("--quantize", choices=QUANTIZATIONS, help="round the weights at load")
    parser.add_argument("--lora", type=Path, metavar="DIR", help="LoRA adapter in peft's format")
    parser.add_argument("--prefix", type=Path, metavar="DIR", help="P-tuning prefix encoder")
    parser.add_argument("--spread", action="store_true", help="layers over every CUDA device")
    parser.add_argument("--rope-theta", type=float, help="for configs that state a wrong base")
    parser.add_argument(
        "--generation", dest="family", choices=FAMILIES, help="what config.json cannot tell"
    )


def _add_parity(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="golden model folder, quant.npz, tokens_*.json, or a folder of these",
    )
    parser.add_argument(
        "--tokenizers", type=Path, metavar="DIR", help="default: beside the folder of the file"
    )
    parser.add_argument(
        "--generation",
        dest="family",
        choices=FAMILIES,
        help="what config.json of a model cannot tell",
    )
    parser.set_defaults(run=parity)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    from llm.bench import RANDOM_SHAPES

    subject = parser.add_mutually_exclusive_group(required=True)
    subject.add_argument("--model", type=Path, metavar="DIR")
    subject.add_argument("--random", choices=RANDOM_SHAPES, help="random weights of a shape")
    parser.add_argument("--layers", type=int, help="cut a random model to so many layers")
    parser.add_argument("--quantize", choices=QUANTIZATIONS, help="round the weights first")
    parser.add_argument("--prompt-tokens", type=_at_least(1), default=128)
    parser.add_argument("--new-tokens", type=_at_least(2), default=16)
    parser.add_argument("--runs", type=_at_least(1), default=3)
    parser.set_defaults(run=bench)


def _at_least(lowest: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"{value} is below {lowest}")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())
