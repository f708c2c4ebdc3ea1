"""Invented incident papers with a question each, of a layout that may be trained on.

`HELD` layouts are never trained on: the gap to them is what is reported.
"""

from __future__ import annotations

import random

from training.reader.asking import ask
from training.reader.listed import digest, row_of_table, statistics, tasks, timeline
from training.reader.passages import Asked
from training.reader.writing import LAYOUTS, paper

HELD = {("zh", "mail"), ("en", "sections")}
LISTED = ((row_of_table, 0.13), (digest, 0.1), (timeline, 0.07), (tasks, 0.07), (statistics, 0.06))


def invent(rng: random.Random) -> Asked | None:
    """One question of one invented text."""
    language = "zh" if rng.random() < 0.55 else "en"
    kind = rng.random()
    for make, share in LISTED:
        if kind < share:
            return make(language, rng)
        kind -= share
    layouts = [k for k in (*LAYOUTS, "report", "report") if (language, k) not in HELD]
    return ask(paper(language, rng.choice(layouts), rng), rng)
