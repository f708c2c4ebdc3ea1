"""Readers of one engine who arrive, read and leave in a random order, and what each must get."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from llm.constraints import Constraint, Restriction
from llm.decoding import SamplingParams
from llm.engine.engine import Engine, TokenStream
from llm.engine.sampling import new_generator, sample
from llm.models import naive
from llm.models.model import ChatGLM
from tests.llm.loud_model import VOCAB_SIZE, expected

GREEDY = SamplingParams(temperature=0)
SAMPLED = SamplingParams(
    temperature=1.2, top_p=0.9, top_k=30, repetition_penalty=1.3, seed=5, top_logprobs=2
)
LONGEST_OUTPUT = 24

DOCUMENT = [5 + number * number % 91 for number in range(40)]
# Beginnings in common at, before and behind the edges of pages, and tails that repeat them.
PROMPTS = [
    [*DOCUMENT[:shared], *tail]
    for shared in (0, 7, 16, 17, 33, 40)
    for tail in ([], [11], DOCUMENT[3:12], [7] * 9)
    if shared or tail
]


class Alternating:
    """No id may follow one that leaves the same rest; counts on seeing every id once, in order."""

    def __init__(self) -> None:
        self._seen: list[int] = []

    def restriction(self, generated: Sequence[int]) -> Restriction | None:
        if list(generated[: len(self._seen)]) != self._seen:
            raise ValueError(f"{self._seen} was generated before, now {generated}")
        self._seen = list(generated)
        if not generated:
            return None
        rest = generated[-1] % 3
        return Restriction([each for each in range(VOCAB_SIZE) if each % 3 == rest], forbids=True)


@dataclass
class Visit:
    """One request of a schedule: whose it is, how much it wants and when its reader leaves."""

    prompt: list[int]
    num_wanted: int
    tenant: str
    leaves_after: int | None
    params: SamplingParams = GREEDY
    ruled: bool = False

    def new_rule(self) -> Constraint | None:
        return Alternating() if self.ruled else None


def play(engine: Engine, visits: Sequence[Visit], dice: random.Random) -> list[list[int]]:
    """Let readers arrive, read and leave in a random order; what each of them got."""
    arriving = list(enumerate(visits))
    present: dict[int, TokenStream] = {}
    outputs: list[list[int]] = [[] for _ in visits]
    while arriving or present:
        if arriving and (not present or dice.random() < 0.3):
            number, visit = arriving.pop(0)
            params = replace(visit.params, max_tokens=visit.num_wanted)
            present[number] = engine.generate(
                visit.prompt, params, tenant=visit.tenant, constraint=visit.new_rule()
            )
            continue
        number = dice.choice(list(present))
        token = None
        if len(outputs[number]) != visits[number].leaves_after:
            token = next(present[number], None)
        if token is None:
            present.pop(number).close()
        else:
            outputs[number].append(token.id)
    return outputs


def require_naive_outputs(
    engine: Engine, visits: Sequence[Visit], outputs: Sequence[list[int]]
) -> None:
    for visit, output in zip(visits, outputs, strict=True):
        num_tokens = min(visit.num_wanted, engine.max_context - len(visit.prompt))
        if visit.leaves_after is not None:
            num_tokens = min(num_tokens, visit.leaves_after)
        if visit.ruled:
            said = expected_under_rule(engine.model, tuple(visit.prompt), visit.params)
        else:
            said = expected(engine.model, tuple(visit.prompt), visit.params, LONGEST_OUTPUT)
        assert output == said[:num_tokens]


@cache
def expected_under_rule(
    model: ChatGLM, prompt: tuple[int, ...], params: SamplingParams
) -> list[int]:
    """LONGEST_OUTPUT tokens under the alternating rule, each computed from nothing."""
    ids, generator, rule = list(prompt), new_generator(params.seed), Alternating()
    for _ in range(LONGEST_OUTPUT):
        scores = naive.logits(model, [ids])[0][-1].float()
        restriction = rule.restriction(ids[len(prompt) :])
        ids.append(sample(scores, params, ids, generator, restriction).id)
    return ids[len(prompt) :]
