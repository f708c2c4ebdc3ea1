"""Commands of the reader's training.

python -m training.reader train --base E5 --data DIR --out RUN [--start READER] [--resume]
python -m training.reader export --run RUN [--run RUN …] --base E5 --data DIR --card CARD
                                 --out MODEL [--start READER] [--share S] [--words ../e5-zh-en]
python -m training.reader calibrate --model MODEL --data DIR
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from training.reader.recipe import Recipe


def _say(line: str) -> None:
    print(line, flush=True)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = Recipe(seed=options.seed)
    if options.steps:
        recipe = replace(recipe, schedule=replace(recipe.schedule, num_steps=options.steps))
    return recipe


def _train(options: argparse.Namespace) -> None:
    import torch
    from tokenizers import Tokenizer

    from training.reader.hand_written import WrittenPapers, papers
    from training.reader.network import open_network
    from training.reader.passages import Encoder
    from training.reader.reports import invent
    from training.reader.sources import makers
    from training.reader.trainer import Batches, Run
    from training.run_files import CHECKPOINT_FILE

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    recipe = _recipe(options)
    encoder = Encoder(Tokenizer.from_file(str(options.base / "tokenizer.json")))
    written = WrittenPapers(papers(held=False), recipe.mix).draw
    batches = Batches(makers(options.data, recipe.mix, invent, written), encoder, recipe)
    network = open_network(options.base, options.start, recipe.schedule)
    run = Run(options.out, network, batches, recipe, bf16=options.bf16)
    if (options.out / CHECKPOINT_FILE).exists() and not options.resume:
        sys.exit(f"{options.out} holds a run already; pass --resume to go on with it")
    if options.resume:
        _say(f"goes on from step {run.step}" if run.resume() else "no checkpoint yet: begins")
    run.train(time.time() + 60 * options.minutes if options.minutes else None, _say)


def _export(options: argparse.Namespace) -> None:
    from training.reader.export import export

    if options.share != 1 and options.start is None:
        sys.exit(f"--share {options.share} needs --start: whose weights the rest is")
    if not 0 <= options.share <= 1:
        sys.exit(f"--share {options.share} is not between 0 and 1")
    steps = export(
        options.runs, options.base, options.start, options.words, options.out,
        options.card, options.data, options.share,
    )  # fmt: skip
    _say(f"{options.out}: the average weights of step {' and '.join(map(str, steps))}")


def _calibrate(options: argparse.Namespace) -> None:
    from kb_service.generation.span_scorer import load_scorer
    from kb_service.model_parts import encoder_kernel
    from training.reader.calibration import calibrate

    scorer = load_scorer(options.model, options.threads, encoder_kernel())
    calibrate(options.model, options.data, scorer, options.each, _say)


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="training.reader", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train")
    train.add_argument("--steps", type=int)
    train.add_argument("--minutes", type=float)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--bf16", action="store_true", help="products in bfloat16")
    train.add_argument("--resume", action="store_true")
    train.set_defaults(run=_train)
    packing = commands.add_parser("export")
    packing.add_argument(
        "--run", type=Path, required=True, action="append", dest="runs",
        help="folder of a run; of several the mean of the weights",
    )  # fmt: skip
    packing.add_argument("--card", type=Path, required=True)
    packing.add_argument("--words", default="../e5-zh-en")
    packing.add_argument(
        "--share", type=float, default=1.0,
        help="of the runs' weights, 0 to 1; the rest is those of --start",
    )  # fmt: skip
    packing.set_defaults(run=_export)
    for command in (train, packing):
        command.add_argument("--base", type=Path, required=True)
        command.add_argument("--data", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
        command.add_argument("--start", type=Path)
    calibrating = commands.add_parser("calibrate")
    calibrating.add_argument("--model", type=Path, required=True)
    calibrating.add_argument("--data", type=Path, required=True)
    calibrating.add_argument("--each", type=int, default=150, help="questions of every set")
    calibrating.add_argument("--threads", type=int, default=2)
    calibrating.set_defaults(run=_calibrate)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
