"""Steps of fixed shapes against the plain pass: equal numbers, or left aside with a warning."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from llm.decoding import SamplingParams
from llm.engine.engine import Engine
from llm.engine.runner import PlainRunner, Rows, Run, StaticRunner, new_runner
from llm.engine.scheduler import EngineLimits
from llm.kernels.paged_attention import gathered
from llm.models import naive
from llm.models.batch import PromptLayout, TokenSlice
from llm.models.build import random_model
from llm.models.chatglm1 import MaskedLayout
from llm.models.config import PromptMarks
from llm.models.kv_cache import KVCache
from llm.models.model import ChatGLM

PAGE = 4
PAGES_EACH = 4


class FakeGraphs:
    """Records a run as a GPU would: the output buffer stays, only replays fill it."""

    def __init__(self) -> None:
        self.recorded: list[int] = []
        self.replays = 0

    def __call__(self, run: Run) -> Run:
        output = run().clone()
        self.recorded.append(len(output))

        def replay() -> Tensor:
            self.replays += 1
            return output.copy_(run())

        return replay


class Setting:
    """A cache in which sequences of given lengths are cached, and their next slices."""

    def __init__(self, model: ChatGLM, num_cached: Sequence[int], seed: int = 0) -> None:
        self.model = model
        self.cache = KVCache(model.config, len(num_cached) * PAGES_EACH + 1, PAGE)
        for cached in self.cache.layer(0):
            cached.fill_(torch.nan)
        self.plain = PlainRunner(model, self.cache)
        order = torch.randperm(self.cache.num_pages - 1, generator=torch.manual_seed(seed))
        self.pages = [part.tolist() for part in torch.split(order, PAGES_EACH)]
        self.num_cached = list(num_cached)
        self.layout = PromptLayout()
        if model.config.prompt_marks:
            self.layout = MaskedLayout(num_bidirectional=3, frozen_at=1, num_axes=2)
        for row, num in enumerate(num_cached):
            if num:
                self.plain.run([TokenSlice([3 + row] * num, 0, self.pages[row], self.layout)], [1])

    def part(self, row: int, ids: Sequence[int]) -> TokenSlice:
        return TokenSlice(ids, self.num_cached[row], self.pages[row], self.layout)

    def static(
        self, capture: Callable[[Run], Run], max_rows: int = 16, **kind: int
    ) -> StaticRunner:
        rows = Rows(self.model, self.cache, max_rows, PAGE * PAGES_EACH)
        return StaticRunner(self.model, self.cache, rows, gathered, capture, **kind)


news = st.lists(
    st.tuples(st.integers(0, 8), st.lists(st.integers(0, 95), min_size=1, max_size=4)),
    min_size=1,
    max_size=5,
)


@given(news, st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
@torch.inference_mode()
def test_replayed_steps_equal_the_plain_pass(
    tiny_model: ChatGLM, sequences: list[tuple[int, list[int]]], seed: int
) -> None:
    setting = Setting(tiny_model, [num for num, _ in sequences], seed)
    slices = [setting.part(row, ids) for row, (_, ids) in enumerate(sequences)]
    nums = [len(part.ids) for part in slices]
    graphs = FakeGraphs()
    static = setting.static(graphs, max_rows=32)
    for _ in range(2):
        torch.testing.assert_close(
            static.run(slices, nums).scores,
            setting.plain.run(slices, nums).scores,
            atol=1e-5,
            rtol=1e-5,
        )
    assert (len(graphs.recorded), graphs.replays) == (1, 2)


@torch.inference_mode()
def test_prompts_beside_decoding_sequences_keep_their_places(tiny_model: ChatGLM) -> None:
    setting = Setting(tiny_model, [5, 0, 7, 2])
    slices = [
        setting.part(0, [9]), setting.part(1, [4, 5, 6]), setting.part(2, [7, 8]),
        setting.part(3, [1, 2, 3]),
    ]  # fmt: skip
    nums = [1, 1, 2, 0]  # the second prompt ends here, the fourth does not
    graphs = FakeGraphs()
    static = setting.static(graphs)
    expected = setting.plain.run(slices, nums).scores
    for _ in range(2):
        torch.testing.assert_close(static.run(slices, nums).scores, expected, atol=1e-5, rtol=1e-5)
    assert graphs.recorded == [4]


@torch.inference_mode()
def test_a_state_that_is_no_number_is_told_of_its_own_chunk_only(tiny_model: ChatGLM) -> None:
    model = copy.deepcopy(tiny_model)
    model.embedding.weight[90] = torch.nan
    setting = Setting(model, [5, 0, 2, 0])
    slices = [
        setting.part(0, [9]), setting.part(1, [4, 90, 6]), setting.part(2, [90]),
        setting.part(3, [4, 5, 6]),
    ]  # fmt: skip
    computed = setting.static(FakeGraphs()).run(slices, [1, 1, 1, 1])
    assert computed.sound == [True, False, True, True]
    assert computed.scores.isfinite().all(dim=1).tolist() == [True, False, False, True]


@torch.inference_mode()
def test_a_failing_sequence_does_not_decide_how_others_are_computed(tiny_model: ChatGLM) -> None:
    model = copy.deepcopy(tiny_model)
    model.embedding.weight[90] = torch.nan
    setting = Setting(model, [5])
    graphs = FakeGraphs()
    static = setting.static(graphs)
    static.run([setting.part(0, [90])], [1])
    assert graphs.recorded == []
    static.run([setting.part(0, [9])], [1])
    assert graphs.recorded == [1]


@torch.inference_mode()
def test_the_first_generation_decodes_behind_its_two_sided_prompt() -> None:
    model = first_generation()
    setting = Setting(model, [4, 6])
    slices = [setting.part(0, [9]), setting.part(1, [7, 8])]
    static = setting.static(FakeGraphs())
    expected = setting.plain.run(slices, [1, 2]).scores
    for _ in range(2):
        torch.testing.assert_close(
            static.run(slices, [1, 2]).scores, expected, atol=1e-5, rtol=1e-5
        )


def first_generation() -> ChatGLM:
    from llm.models.config import chatglm3_6b

    config = replace(
        chatglm3_6b(), num_layers=2, hidden_size=32, num_heads=2, num_kv_groups=2, head_dim=16,
        ffn_size=64, vocab_size=96, rope_dim=16, rope_axes=2, norm="layer", activation="gelu",
        linear_bias=True, residual_from_norm=True, residual_scale=2.0,
        prompt_marks=PromptMarks(1, 2, (3,), gmask_freezes=True),
    )  # fmt: skip
    return random_model(config)


@pytest.mark.parametrize(
    ("num_rows", "min_rows", "recorded"),
    [(1, 1, 1), (3, 1, 4), (1, 9, 16), (5, 9, 16), (20, 1, 20)],
)
@torch.inference_mode()
def test_steps_are_padded_to_powers_of_two(
    tiny_model: ChatGLM, num_rows: int, min_rows: int, recorded: int
) -> None:
    setting = Setting(tiny_model, [2] * num_rows)
    graphs = FakeGraphs()
    static = setting.static(graphs, max_rows=20, min_rows=min_rows)
    slices = [setting.part(row, [5]) for row in range(num_rows)]
    assert len(static.run(slices, [1] * num_rows).scores) == num_rows
    assert graphs.recorded == [recorded]


@torch.inference_mode()
def test_more_rows_than_there_are_go_the_plain_way(tiny_model: ChatGLM) -> None:
    setting = Setting(tiny_model, [2] * 5)
    graphs = FakeGraphs()
    slices = [setting.part(row, [5]) for row in range(5)]
    assert len(setting.static(graphs, max_rows=4).run(slices, [1] * 5).scores) == 5
    assert graphs.recorded == []


def stuck(run: Run) -> Run:
    """Replays what it saw when it was recorded, as a graph does that read the host."""
    output = run().clone()
    return lambda: output


def cannot_record(run: Run) -> Run:
    raise RuntimeError("operation not permitted when stream is capturing")


@pytest.mark.parametrize(
    ("capture", "complaint"),
    [(stuck, "the recorded step of 2 rows is wrong by"), (cannot_record, "cannot be recorded")],
)
@torch.inference_mode()
def test_a_wrong_recording_is_left_aside_with_a_warning(
    tiny_model: ChatGLM,
    capture: Callable[[Run], Run],
    complaint: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    setting = Setting(tiny_model, [3, 6])
    slices = [setting.part(0, [5]), setting.part(1, [8])]
    static = setting.static(capture)
    static.run(slices, [1, 1])
    assert complaint in caplog.text
    others = [setting.part(0, [6]), setting.part(1, [7])]
    expected = setting.plain.run(others, [1, 1]).scores
    torch.testing.assert_close(static.run(others, [1, 1]).scores, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("failure", [None, MemoryError("none left")])
@torch.inference_mode()
def test_a_wrong_step_is_left_aside_with_a_warning(
    tiny_model: ChatGLM, failure: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    def attend(
        query: Tensor, keys: Tensor, values: Tensor, tables: Tensor, lengths: Tensor
    ) -> Tensor:
        if failure:
            raise failure
        return query

    setting = Setting(tiny_model, [3])
    graphs = FakeGraphs()
    rows = Rows(tiny_model, setting.cache, 4, PAGE * PAGES_EACH)
    static = StaticRunner(tiny_model, setting.cache, rows, attend, graphs)
    slices = [setting.part(0, [5])]
    expected = setting.plain.run(slices, [1]).scores
    for _ in range(2):
        torch.testing.assert_close(static.run(slices, [1]).scores, expected)
    assert graphs.recorded == []
    assert "the step of 1 rows " in caplog.text


@torch.inference_mode()
def test_padding_writes_to_the_last_page_only(tiny_model: ChatGLM) -> None:
    setting = Setting(tiny_model, [3])
    static = setting.static(FakeGraphs(), min_rows=8)
    static.run([setting.part(0, [5])], [1])
    keys, _ = setting.cache.layer(0)
    written = keys.isfinite().all(dim=(2, 3)).nonzero().tolist()
    own, spare = setting.pages[0][0], setting.cache.num_pages - 1
    assert sorted(written) == sorted([*([own, slot] for slot in range(4)), [spare, 0]])


def test_without_a_gpu_every_step_goes_the_plain_way(tiny_model: ChatGLM) -> None:
    cache = tiny_model.new_cache(3, 4)
    assert isinstance(new_runner(tiny_model, cache, EngineLimits(), 8), PlainRunner)


@pytest.mark.parametrize("drafts", [0, 3])
def test_an_engine_of_fixed_shapes_equals_the_naive_loop(
    tiny_model: ChatGLM, drafts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs = FakeGraphs()

    def fixed(
        model: ChatGLM, cache: KVCache, limits: EngineLimits, max_context: int
    ) -> StaticRunner:
        return StaticRunner(model, cache, Rows(model, cache, 8, max_context), gathered, graphs)

    monkeypatch.setattr("llm.engine.engine.new_runner", fixed)
    limits = EngineLimits(page_tokens=4, step_tokens=6, max_draft_tokens=drafts)
    engine = Engine(tiny_model, limits=limits)
    prompts = [[5, 6, 7, 5, 6, 7, 5, 6], [9], [40, 41, 42, 43, 44, 40, 41, 42, 43, 44, 40]]
    params = SamplingParams(temperature=0, max_tokens=12)
    streams = [engine.generate(prompt, params) for prompt in prompts]
    steps = list(zip(*streams, strict=True))
    for row, prompt in enumerate(prompts):
        assert [step[row].id for step in steps] == naive.greedy(tiny_model, prompt, 12)
    assert graphs.replays > 10
