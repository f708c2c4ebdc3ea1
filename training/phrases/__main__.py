"""Commands of the training of the judge of phrases.

python -m training.phrases train --words models/e5-zh-en --reader models/reader-zh-en --out RUN
                                 [--resume]
python -m training.phrases export --run RUN --words models/e5-zh-en --reader models/reader-zh-en
                                  --card CARD --out MODEL
python -m training.phrases calibrate --model MODEL
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from training.phrases.recipe import Recipe


def _say(line: str) -> None:
    print(line, flush=True)


def _train(options: argparse.Namespace) -> None:
    import torch

    from kb_service.encoder.folder import TOKENIZER_FILE, open_tokenizer
    from training.phrases.network import open_network
    from training.phrases.records import Batches, records
    from training.phrases.trainer import PhraseRun
    from training.run_files import CHECKPOINT_FILE

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    recipe = Recipe(seed=options.seed)
    if options.steps:
        recipe = replace(recipe, schedule=replace(recipe.schedule, num_steps=options.steps))
    batches = Batches(records(held=False), recipe)
    network = open_network(options.words, options.reader, recipe.schedule)
    tokenizer = open_tokenizer(options.words / TOKENIZER_FILE)
    run = PhraseRun(options.out, network, batches, tokenizer, recipe, bf16=options.bf16)
    if (options.out / CHECKPOINT_FILE).exists() and not options.resume:
        sys.exit(f"{options.out} holds a run already; pass --resume to go on with it")
    if options.resume:
        _say(f"goes on from step {run.step}" if run.resume() else "no checkpoint yet: begins")
    run.train(time.time() + 60 * options.minutes if options.minutes else None, _say)


def _export(options: argparse.Namespace) -> None:
    from training.phrases.export import export

    step = export(options.run_folder, options.words, options.reader, options.out, options.card)
    _say(f"{options.out}: the average weights of step {step}")


def _calibrate(options: argparse.Namespace) -> None:
    from kb_service.generation.phrase_scorer import load_phrase_scorer
    from kb_service.model_parts import encoder_kernel
    from training.phrases.calibration import calibrate

    scorer = load_phrase_scorer(options.model, options.threads, encoder_kernel())
    calibrate(options.model, scorer, _say)


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="training.phrases", description=__doc__)
    commands = parser.add_subparsers(required=True)
    train = commands.add_parser("train")
    train.add_argument("--steps", type=int)
    train.add_argument("--minutes", type=float)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--bf16", action="store_true", help="products in bfloat16")
    train.add_argument("--resume", action="store_true")
    train.set_defaults(run=_train)
    packing = commands.add_parser("export")
    packing.add_argument("--run", type=Path, required=True, dest="run_folder")
    packing.add_argument("--card", type=Path, required=True)
    packing.set_defaults(run=_export)
    for command in (train, packing):
        command.add_argument("--words", type=Path, required=True)
        command.add_argument("--reader", type=Path, required=True)
        command.add_argument("--out", type=Path, required=True)
    calibrating = commands.add_parser("calibrate")
    calibrating.add_argument("--model", type=Path, required=True)
    calibrating.set_defaults(run=_calibrate)
    for command in (train, calibrating):
        command.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
