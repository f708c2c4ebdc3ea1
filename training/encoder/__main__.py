"""Commands of the encoder: prepare pairs, train, export a folder, draw the curve.

python -m training.encoder prepare --data DIR --tokenizer FILE --out PREPARED
python -m training.encoder train --prepared PREPARED --out RUN [--resume] [--stop-at HH:MM]
python -m training.encoder export --run RUN --prepared PREPARED --out MODEL
python -m training.encoder plot --run RUN --out CURVE.svg
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.clock import next_time
from training.encoder.recipe import EncoderRecipe


def _say(line: str) -> None:
    print(line, flush=True)


def _recipe(options: argparse.Namespace) -> EncoderRecipe:
    recipe = EncoderRecipe(seed=options.seed)
    if options.steps is None:
        return recipe
    return replace(recipe, schedule=replace(recipe.schedule, num_steps=options.steps))


def _prepare(options: argparse.Namespace) -> None:
    from training.encoder.prepared import prepare

    prepare(options.data, options.tokenizer, options.out, _recipe(options), _say)


def _train(options: argparse.Namespace) -> None:
    from training.encoder.prepared import read_prepared
    from training.encoder.trainer import Machine, Run
    from training.run_files import CHECKPOINT_FILE

    recipe = _recipe(options)
    machine = Machine(options.device, options.threads)
    if (options.out / CHECKPOINT_FILE).exists() and not options.resume:
        sys.exit(f"{options.out} holds a run already; pass --resume to go on with it")
    run = Run(options.out, read_prepared(options.prepared), recipe, machine)
    if options.resume:
        _say(f"goes on from step {run.step}" if run.resume() else "no checkpoint yet: begins")
    deadline = next_time(options.stop_at) if options.stop_at else None
    run.train(recipe.schedule.num_steps, deadline, _say)


def _export(options: argparse.Namespace) -> None:
    from training.encoder.export import export

    export(options.run, options.prepared, options.out, _recipe(options).size)


def _plot(options: argparse.Namespace) -> None:
    from training.encoder.curve_picture import curve_svg
    from training.run_files import CURVE_FILE, read_curve

    curve = read_curve(options.run / CURVE_FILE)
    options.out.write_text(curve_svg(curve), encoding="utf-8")
    _say(f"written {options.out}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.encoder",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--seed", type=int, default=0)
    shared.add_argument("--steps", type=int, help="length of the schedule, if not the recipe's")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    prepare = commands.add_parser("prepare", parents=[shared], help="write what a run reads")
    prepare.add_argument("--data", type=Path, required=True, help="folder with train/ and text/")
    prepare.add_argument("--tokenizer", type=Path, required=True, help="its tokenizer.json")
    prepare.add_argument("--out", type=Path, required=True, help="folder to write")
    prepare.set_defaults(run_command=_prepare)

    train = commands.add_parser("train", parents=[shared], help="train, or go on with a run")
    train.add_argument("--prepared", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoint and curve")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    train.add_argument("--threads", type=int, default=1)
    train.add_argument("--stop-at", metavar="HH:MM", help="save and stop at this local time")
    train.set_defaults(run_command=_train)

    export = commands.add_parser("export", parents=[shared], help="write a model folder")
    export.add_argument("--run", type=Path, required=True, help="folder of the run")
    export.add_argument("--prepared", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True, help="model folder to write")
    export.set_defaults(run_command=_export)

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
