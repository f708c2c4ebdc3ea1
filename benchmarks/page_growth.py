"""Steps that the same requests take when pages are taken as answers grow, and when reserved.

    python -m benchmarks.page_growth

The real scheduler without a model: a step is counted, not computed, so the figures are exact and
the same on every machine. Requests are asked all at once; no two prompts begin alike.
"""

import json
import random
import statistics
from dataclasses import dataclass

from llm.decoding import GeneratedToken, SamplingParams
from llm.engine.pages import Pages
from llm.engine.sampling import new_generator
from llm.engine.scheduler import EngineLimits, PlannedSlice, Scheduler
from llm.engine.sequence import SequenceState
from llm.models.batch import PromptLayout

NUM_REQUESTS = 200
PAGE_TOKENS = 16
STOP_ID, OTHER_ID = 2, 7
LIMITS = EngineLimits(
    page_tokens=PAGE_TOKENS, step_tokens=128, max_waiting=NUM_REQUESTS, max_draft_tokens=0
)


class ReservingScheduler(Scheduler):
    """As it was before: a sequence starts with pages for all that it announced."""

    def _start(self, sequence: SequenceState) -> bool:
        num_slots = sequence.num_prompt + sequence.max_tokens - 1
        pages = self._pages.take([], -(-num_slots // PAGE_TOKENS))
        sequence.pages = pages or []
        return pages is not None


@dataclass
class Request:
    """A sequence, and after how many tokens its answer ends by itself."""

    sequence: SequenceState
    num_wanted: int

    def next_token(self) -> GeneratedToken:
        ends = self.sequence.num_generated + 1 >= self.num_wanted
        return GeneratedToken(STOP_ID if ends else OTHER_ID)


def requests(max_tokens: int, *, whole: bool) -> list[Request]:
    """Prompts of 100 to 600 tokens; answers of 20 to 200, or as `whole` as was announced."""
    dice = random.Random(4)
    asked = []
    for _ in range(NUM_REQUESTS):
        sequence = SequenceState(
            ids=[dice.randrange(10**6) for _ in range(dice.randint(100, 600))],
            max_tokens=max_tokens,
            params=SamplingParams(max_tokens=max_tokens),
            stop_ids=frozenset({STOP_ID}),
            layout=PromptLayout(),
            tenant="",
            generator=new_generator(0),
        )
        asked.append(Request(sequence, max_tokens if whole else dice.randint(20, 200)))
    return asked


def serve(scheduler: Scheduler, asked: list[Request]) -> dict[str, object]:
    """Answer all; steps, tokens chosen a step, first tokens, and what was computed twice."""
    by_sequence = {id(each.sequence): each for each in asked}
    for each in asked:
        scheduler.submit(each.sequence)
    first_at: list[int] = []
    num_steps = num_computed = 0
    while slices := scheduler.schedule():
        num_steps += 1
        num_computed += sum(len(planned.tokens.ids) for planned in slices)
        for planned in slices:
            if planned.num_scored and not planned.sequence.num_generated:
                first_at.append(num_steps)
            take_token(scheduler, planned, by_sequence[id(planned.sequence)])
        scheduler.drop_ended()
    num_chosen = sum(each.sequence.num_generated for each in asked)
    num_needed = sum(len(each.sequence.ids) - 1 for each in asked)
    return {
        "steps": num_steps,
        "chosen_per_step": round(num_chosen / num_steps, 1),
        "median_first_token_at_step": round(statistics.median(first_at)),
        "preemptions": scheduler.num_preemptions,
        "computed_twice": f"{num_computed / num_needed - 1:.1%}",
    }


def take_token(scheduler: Scheduler, planned: PlannedSlice, request: Request) -> None:
    """What the engine does behind a computed step."""
    if planned.num_scored:
        request.sequence.append(request.next_token())
    scheduler.record(planned, 0)


def main() -> None:
    """Print one line for each cache, announced length and way."""
    cases = [(cache, announced, False) for cache in (4096, 8192, 16384) for announced in (256, 512)]
    cases += [(8192, 1500, False), (4096, 256, True), (8192, 256, True)]
    for cache_tokens, announced, whole in cases:
        for kind in (ReservingScheduler, Scheduler):
            scheduler = kind(LIMITS, Pages(cache_tokens // PAGE_TOKENS))
            figures = serve(scheduler, requests(announced, whole=whole))
            case = {"cache_tokens": cache_tokens, "max_tokens": announced, "whole": whole}
            print(json.dumps({"way": kind.__name__, **case, **figures}), flush=True)


if __name__ == "__main__":
    main()
