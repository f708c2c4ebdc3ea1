"""Random histories of a base; a table of what was done, and what did not hold.

    python -m benchmarks.histories --histories 500 --seed 2026
    python -m benchmarks.histories --histories 500 --part 1/2 --seconds 600
    python -m benchmarks.histories --only 2026-17

A history that fails is made short and told. Exit code 1 when anything did not hold.
"""

import argparse
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.histories.hand import Parsers, be_quiet
from benchmarks.histories.holding import hold_all
from benchmarks.histories.play import Broken, Play
from benchmarks.histories.shrink import shrunk
from benchmarks.histories.steps import Kind, Step, draw

NUM_STEPS = 10
TOLD_EVERY = 20


class Runner:
    """Plays histories, each in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._num_played = 0
        self.parsers = Parsers()
        self.num_asked_again = 0

    def play(self, steps: Sequence[Step]) -> str | None:
        """Return what did not hold in a history, None where all did."""
        self._num_played += 1
        place = self._folder / str(self._num_played)
        place.mkdir()
        play = Play(place, self._folder / "template.sqlite3", self.parsers)
        try:
            for number, step in enumerate(steps):
                play.do(number, step)
            hold_all(play)
        except Broken as error:
            return str(error)
        except Exception:  # noqa: BLE001  any error of the service is a finding
            return traceback.format_exc()
        finally:
            self.num_asked_again += len(play.records)
            play.close()
            shutil.rmtree(place)
        return None


def main() -> None:
    """Play as many histories as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--histories", type=int, default=500)
    parser.add_argument("--steps", type=int, default=NUM_STEPS)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--part", default="1/1", help="2/3: the second third of them")
    parser.add_argument("--seconds", type=float, default=0, help="begin none after so long")
    parser.add_argument("--only", default="", help="one history by its name")
    parser.add_argument("--folder", type=Path, help="where the data folders lie")
    options = parser.parse_args()
    part, num_parts = map(int, options.part.split("/"))
    names = [f"{options.seed}-{number}" for number in range(options.histories)]
    names = [options.only] if options.only else names[part - 1 :: num_parts]
    be_quiet()
    with tempfile.TemporaryDirectory(prefix="kb-histories-", dir=options.folder) as folder:
        sys.exit(_run(Runner(Path(folder)), names, options.steps, options.seconds))


def _run(runner: Runner, names: Sequence[str], num_steps: int, seconds: float) -> int:
    done: Counter[Kind] = Counter()
    failed: list[str] = []
    began = time.monotonic()
    num_played = 0
    for name in names:
        passed_s = time.monotonic() - began
        if seconds and passed_s > seconds:
            break
        if num_played % TOLD_EVERY == 0:
            print(f"{num_played} played after {passed_s:.0f} s", flush=True)
        num_played += 1
        steps = draw(name, num_steps)
        done.update(step.kind for step in steps)
        if told := runner.play(steps):
            failed.append(name)
            print(f"{name} failed: {told}", flush=True)
            _tell_in_short(runner, name, steps, told)
    runner.parsers.close()
    print(f"{num_played} histories, {done.total()} steps, {runner.num_asked_again} records")
    print(", ".join(f"{kind} {done[kind]}" for kind in Kind))
    print(f"{len(failed)} failed in {time.monotonic() - began:.0f} s: {', '.join(failed)}")
    return int(bool(failed))


def _tell_in_short(runner: Runner, name: str, steps: Sequence[Step], told: str) -> None:
    kind = _kind_of(told)
    short = shrunk(steps, lambda fewer: _kind_of(runner.play(fewer)) == kind)
    print(f"{name} in short: {runner.play(short)}", flush=True)
    for step in short:
        print(f"    {step}", flush=True)


def _kind_of(told: str | None) -> str | None:
    """Return what failed, without where: another failure is no shorter form of the same."""
    return told and re.sub(r"[\d']+", "", told.splitlines()[-1]).partition("[")[0]


if __name__ == "__main__":
    main()
