"""Writes what must stand beside the weights of a model folder: licence notice and checksums.

Does not know weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from training.corpus import Source

CHECKSUMS_FILE = "SHA256SUMS.json"


def write_checksums(folder: Path) -> None:
    """SHA-256 of every other file of the folder, by its path."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != CHECKSUMS_FILE)
    sums = {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }
    text = json.dumps(sums, indent=2, ensure_ascii=False) + "\n"
    (folder / CHECKSUMS_FILE).write_text(text, encoding="utf-8")


def licence_text(sources: Sequence[Source], articles: Sequence[str] = ()) -> str:
    """The notice that must stay with the weights, with the single articles it credits."""
    lines = [
        "The weights in this folder are licensed under the Creative Commons",
        "Attribution-ShareAlike 4.0 International licence (CC BY-SA 4.0):",
        "creativecommons.org/licenses/by-sa/4.0/legalcode",
        "",
        "They were trained on the following data. Keep this notice with the weights.",
        "",
    ]
    for source in sources:
        lines += [f"- {source.attribution}", f"  Licence: {source.licence}"]
    if articles:
        lines += ["", "Articles quoted by COVID-QA under CC BY or CC0, by their authors:", ""]
        lines += [f"- {title}" for title in articles]
    return "\n".join(lines) + "\n"
