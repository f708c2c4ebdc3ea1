"""Commands of the pocket reader: prepare shards, train, export a folder, draw, judge.

python -m training.reader prepare --data DIR --out SHARDS
python -m training.reader train --shards SHARDS --out RUN
python -m training.reader export --run RUN --shards SHARDS --out MODEL
python -m training.reader evaluate --model MODEL --data DIR
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from training.clock import next_time
from training.reader.recipe import RECIPES, Recipe


def _say(line: str) -> None:
    print(line, flush=True)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = RECIPES[options.recipe]
    if getattr(options, "steps", None):
        recipe = replace(recipe, schedule=replace(recipe.schedule, num_steps=options.steps))
    if getattr(options, "rows_per_batch", None):
        schedule = replace(recipe.schedule, rows_per_batch=options.rows_per_batch)
        recipe = replace(recipe, schedule=schedule)
    if getattr(options, "synthetic", None):
        recipe = replace(recipe, num_synthetic=options.synthetic)
    if getattr(options, "text_tokens", None):
        recipe = replace(recipe, num_text_tokens=options.text_tokens)
    return replace(recipe, seed=options.seed)


def _prepare(options: argparse.Namespace) -> None:
    from training.reader.prepare import prepare

    prepare(options.data, options.out, _recipe(options), _say)


def _train(options: argparse.Namespace) -> None:
    from training.reader.prepare import SHARDS
    from training.reader.shards import read_manifest, read_shard
    from training.reader.trainer import Machine, Run
    from training.run_files import CHECKPOINT_FILE

    recipe = _recipe(options)
    manifest = read_manifest(options.shards)
    if manifest["row_tokens"] != recipe.schedule.row_tokens:
        sys.exit(
            f"the shards have rows of {manifest['row_tokens']} tokens; the recipe"
            f" {recipe.name!r} needs {recipe.schedule.row_tokens}: prepare them with it"
        )
    shards = {name: read_shard(options.shards, name) for name in SHARDS}
    machine = Machine(options.device, options.threads, not options.eager)
    run = Run(options.out, shards, manifest["num_ids"], recipe, machine)
    if (options.out / CHECKPOINT_FILE).exists() and not options.resume and not options.dry_run:
        sys.exit(f"{options.out} holds a run already; pass --resume to go on with it")
    if options.resume and not options.dry_run:
        _say(f"goes on from step {run.step}" if run.resume() else "no checkpoint yet: begins")
    until = options.dry_run or recipe.schedule.num_steps
    deadline = next_time(options.stop_at) if options.stop_at else None
    run.train(until, deadline, _say, is_dry=bool(options.dry_run))


def _export(options: argparse.Namespace) -> None:
    from training.reader.export import export

    export(options.run, options.shards, options.out, _recipe(options), options.dtype, _say)


def _evaluate(options: argparse.Namespace) -> None:
    from training.reader.gate import GATE_SETS, GatePlan, evaluate

    plan = GatePlan(
        options.model,
        options.data,
        options.record,
        options.sets or GATE_SETS,
        options.limit,
        options.copy_limit,
    )
    evaluate(plan, options.out, _say)


def _plot(options: argparse.Namespace) -> None:
    from training.reader.curve_picture import curve_svg
    from training.run_files import CURVE_FILE, read_curve

    picture = curve_svg(read_curve(options.run / CURVE_FILE), "The pocket reader")
    options.out.write_text(picture, encoding="utf-8")
    _say(f"written {options.out}")


def _calibrate(options: argparse.Namespace) -> None:
    from training.reader.calibrate import calibrate

    calibrate(options.model, options.data, options.limit, _say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.reader",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--recipe", choices=sorted(RECIPES), default="cpu")
    shared.add_argument("--seed", type=int, default=0)
    shared.add_argument("--steps", type=int, help="length of the schedule, if not the recipe's")
    _add_prepare(commands.add_parser("prepare", parents=[shared], help="write token shards"))
    _add_train(commands.add_parser("train", parents=[shared], help="train, or go on with a run"))
    _add_export(commands.add_parser("export", parents=[shared], help="write a model folder"))
    _add_plot(commands.add_parser("plot", help="draw the curve of a run"))
    _add_calibrate(
        commands.add_parser("calibrate", help="weigh the rules' words on train questions")
    )
    _add_evaluate(commands.add_parser("evaluate", help="the gate against the extractive reader"))
    return parser


def _add_prepare(prepare: argparse.ArgumentParser) -> None:
    prepare.add_argument("--data", type=Path, required=True, help="folder with train/ and text/")
    prepare.add_argument("--out", type=Path, required=True, help="folder for the shards")
    prepare.add_argument("--synthetic", type=int, help="examples, if not the recipe's number")
    prepare.add_argument("--text-tokens", type=int, help="plain text, if not the recipe's amount")
    prepare.set_defaults(run_command=_prepare)


def _add_train(train: argparse.ArgumentParser) -> None:
    train.add_argument("--shards", type=Path, required=True)
    train.add_argument("--out", type=Path, required=True, help="folder for checkpoint and curve")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    train.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    train.add_argument("--threads", type=int, default=2)
    train.add_argument("--eager", action="store_true", help="do not compile the forward pass")
    train.add_argument("--stop-at", metavar="HH:MM", help="save and stop at this local time")
    train.add_argument("--dry-run", type=int, metavar="STEPS", help="some steps, nothing written")
    train.add_argument("--rows-per-batch", type=int, help="smaller batches, for a dry run")
    train.set_defaults(run_command=_train)


def _add_export(export: argparse.ArgumentParser) -> None:
    export.add_argument("--run", type=Path, required=True, help="folder of the run")
    export.add_argument("--shards", type=Path, required=True)
    export.add_argument("--out", type=Path, required=True, help="model folder to write")
    export.add_argument("--dtype", choices=("float16", "float32"), default="float16")
    export.set_defaults(run_command=_export)


def _add_plot(plot: argparse.ArgumentParser) -> None:
    plot.add_argument("--run", type=Path, required=True, help="folder of the run")
    plot.add_argument("--out", type=Path, required=True, help="SVG file to write")
    plot.set_defaults(run_command=_plot)


def _add_calibrate(calibrate: argparse.ArgumentParser) -> None:
    calibrate.add_argument("--model", type=Path, required=True)
    calibrate.add_argument("--data", type=Path, required=True, help="folder with train/")
    calibrate.add_argument("--limit", type=int, default=200, help="questions of each file")
    calibrate.set_defaults(run_command=_calibrate)


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    evaluate.add_argument("--model", type=Path, required=True)
    evaluate.add_argument("--data", type=Path, required=True, help="folder with dev/ and demo/")
    evaluate.add_argument("--record", type=Path, required=True, help="keeps what was quoted")
    evaluate.add_argument("--out", type=Path, help="folder for the report")
    evaluate.add_argument("--limit", type=int, help="items of each set, a seeded sample")
    evaluate.add_argument("--copy-limit", type=int, help="of those for the copying reader")
    evaluate.add_argument("--set", dest="sets", action="append", help="only this set; repeatable")
    evaluate.set_defaults(run_command=_evaluate)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command."""
    options = _parser().parse_args(arguments)
    options.run_command(options)


if __name__ == "__main__":
    main()
