"""What a golden path says of us: which comparison it is for, and one line about the outcome.

Knows the three kinds of golden values: a folder with a model, an .npz of quantised weights, a
.json of token ids. Computes nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llm.errors import LlmError
from llm.parity.golden import GOLDEN_FILE

TOKENIZERS_FOLDER = "tokenizers"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether everything recorded at a path was found equal, and how to say so."""

    path: Path
    passed: bool
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {'ok' if self.passed else 'FAILED'}: {self.text}"


def golden_paths(paths: list[Path]) -> Iterator[Path]:
    """The paths, with a folder that only holds golden values replaced by what it holds."""
    for path in paths:
        inside = sorted(filter(_is_golden, path.iterdir())) if path.is_dir() else []
        if inside and not (path / GOLDEN_FILE).is_file():
            yield from inside
        else:
            yield path


def judge(path: Path, tokenizers: Path | None = None, family: str | None = None) -> Verdict:
    """Compare one path; an error is a failure that its text tells.

    `tokenizers` is the folder of tokenizer files, by default the one beside the folder that the
    golden file lies in.
    """
    try:
        if path.suffix == ".npz":
            return _quantised(path)
        if path.suffix == ".json":
            beside = path.resolve().parent.parent / TOKENIZERS_FOLDER
            return _tokens(path, tokenizers or beside)
        return _model(path, family)
    except LlmError as error:
        return Verdict(path, passed=False, text=str(error))


def _is_golden(path: Path) -> bool:
    if path.is_dir():
        return (path / GOLDEN_FILE).is_file()
    return (path.name.startswith("tokens_") and path.suffix == ".json") or path.name == "quant.npz"


def _model(path: Path, family: str | None) -> Verdict:
    from llm.parity.logits import TOLERANCE, parity

    report = parity(path, family)
    text = (
        f"{len(report.comparisons)} arrays, {report.num_values} values, largest difference"
        f" {report.largest_difference:.3g} (tolerance {TOLERANCE:g})"
    )
    if report.failed:
        text += f"; {', '.join(report.failed)} differ"
    if report.unknown:
        text += f"; not compared: {', '.join(report.unknown)}"
    return Verdict(path, report.passed, text)


def _quantised(path: Path) -> Verdict:
    from llm.parity.quantised import quant_parity

    report = quant_parity(path)
    text = f"{report.num_values} quantised values"
    if report.wrong_arrays:
        text += f"; {', '.join(report.wrong_arrays)} differ"
    return Verdict(path, report.passed, text)


def _tokens(path: Path, tokenizers: Path) -> Verdict:
    from llm.parity.tokens import token_parity

    report = token_parity(path, tokenizers)
    text = f"{report.num_checks} token checks"
    if report.num_differences:
        text += f"; {report.num_differences} differ: {'; '.join(report.differences)}"
    return Verdict(path, report.passed, text)
