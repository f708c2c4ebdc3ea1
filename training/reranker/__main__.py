"""Commands of the reranker: prepare lists, train, export a folder, calibrate its weight, draw.

python -m training.reranker prepare --data DIR --out LISTS.npz
python -m training.reranker train --lists LISTS.npz --out RUN [--resume]
python -m training.reranker export --run RUN --lists LISTS.npz --data DIR --out MODEL
python -m training.reranker calibrate --model MODEL --lists LISTS.npz
python -m training.reranker plot --run RUN --out CURVE.svg
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kb_service.settings import PROJECT_ROOT
from training.reranker.recipe import Recipe


def _say(line: str) -> None:
    print(line, flush=True)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = Recipe(seed=options.seed)
    if options.steps:
        recipe = replace(recipe, schedule=replace(recipe.schedule, num_steps=options.steps))
    return recipe


def _prepare(options: argparse.Namespace) -> None:
    from training.reranker.lists import prepare
    from training.reranker.start import words_of

    prepare(options.data, words_of(options.words_from).tokenizer, options.out, _say)


def _train(options: argparse.Namespace) -> None:
    from training.reranker.start import open_run
    from training.run_files import CHECKPOINT_FILE

    run = open_run(
        options.out,
        options.lists,
        options.words_from,
        _recipe(options),
        device=options.device,
        num_threads=options.threads,
    )
    if (options.out / CHECKPOINT_FILE).exists() and not options.resume:
        sys.exit(f"{options.out} holds a run already; pass --resume to go on with it")
    if options.resume:
        _say(f"goes on from step {run.step}" if run.resume() else "no checkpoint yet: begins")
    minutes = options.minutes
    run.train(run.recipe.schedule.num_steps, time.time() + 60 * minutes if minutes else None, _say)


def _export(options: argparse.Namespace) -> None:
    from training.corpus import free_article_titles
    from training.reranker.export import Card, write_reranker
    from training.reranker.start import open_run, words_of

    recipe = _recipe(options)
    run = open_run(
        options.run, options.lists, options.words_from, recipe, device="cpu", num_threads=1
    )
    if not run.resume():
        sys.exit(f"{options.run} holds no checkpoint")
    size, schedule, model = recipe.size, recipe.schedule, run.averaged()
    num_weights = sum(parameter.numel() for parameter in model.parameters())
    shape = f"{size.num_layers} layers, {size.hidden_size} channels, {size.num_heads} heads"
    facts = (
        f"{shape}, feed-forward {size.ffn_size}: {num_weights / 1e6:.1f} M weights, float16",
        f"seed {recipe.seed}, {run.step} of {schedule.num_steps} steps",
        f"a step: {schedule.lists_per_step} lists of {1 + schedule.negatives} candidates",
        f"{run.seconds / 60:.0f} minutes, one thread beside other work",
        f"weight of its own lexical score in training {run.blend:.2f}",
    )
    articles = free_article_titles(options.data)
    tokenizer = words_of(options.words_from).tokenizer
    card = Card(options.out.name, options.words_from.name, facts, articles)
    write_reranker(options.out, model, tokenizer, card)
    _say(f"written {options.out}, {num_weights} weights, step {run.step}")


def _calibrate(options: argparse.Namespace) -> None:
    from training.reranker.lists import read_lists
    from training.reranker.start import words_of
    from training.reranker.weighing import calibrate

    tokens = words_of(options.words_from).tokens
    calibrate(options.model, read_lists(options.lists), tokens, options.limit, _say)


def _plot(options: argparse.Namespace) -> None:
    from training.reranker.picture import picture_of
    from training.run_files import CURVE_FILE, read_curve

    options.out.write_text(picture_of(read_curve(options.run / CURVE_FILE)), encoding="utf-8")
    _say(f"written {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.reranker",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--words-from",
        type=Path,
        default=PROJECT_ROOT / "models" / "cross-zh-en",
        help="reranker whose pieces and word vectors it begins with",
    )
    trained = argparse.ArgumentParser(add_help=False, parents=[shared])
    trained.add_argument("--lists", type=Path, required=True)
    trained.add_argument("--seed", type=int, default=0)
    trained.add_argument("--steps", type=int, help="length of the schedule, if not the recipe's")
    prepare = commands.add_parser("prepare", parents=[shared], help="ask the training questions")
    prepare.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    prepare.add_argument("--out", type=Path, required=True, help="file for the lists")
    prepare.set_defaults(run_command=_prepare)
    train = commands.add_parser("train", parents=[trained], help="train, or go on with a run")
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoint and curve")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--minutes", type=float, help="save and stop after so long")
    train.set_defaults(run_command=_train)
    export = commands.add_parser("export", parents=[trained], help="write a model folder")
    export.add_argument("--run", type=Path, required=True, help="folder of the run")
    export.add_argument("--data", type=Path, required=True, help="for the credits of its notice")
    export.add_argument("--out", type=Path, required=True, help="model folder to write")
    export.set_defaults(run_command=_export)
    calibrate = commands.add_parser(
        "calibrate", parents=[shared], help="weigh it on held-out lists"
    )
    calibrate.add_argument("--model", type=Path, required=True)
    calibrate.add_argument("--lists", type=Path, required=True)
    calibrate.add_argument("--limit", type=int, default=400, help="questions of each file")
    calibrate.set_defaults(run_command=_calibrate)
    plot = commands.add_parser("plot", help="draw the curve of a run")
    plot.add_argument("--run", type=Path, required=True, help="folder of the run")
    plot.add_argument("--out", type=Path, required=True, help="SVG file to write")
    plot.set_defaults(run_command=_plot)
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    options = _parser().parse_args(arguments)
    options.run_command(options)


if __name__ == "__main__":
    main()
