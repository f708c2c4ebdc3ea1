"""What the kernel benchmark computes beside its timings."""

import pytest

from benchmarks.cpu_kernels import bytes_per_token, quarters, shapes, spread
from llm.models.config import chatglm3_6b


def test_a_decoded_token_reads_every_weight_but_the_embedding() -> None:
    config = chatglm3_6b()
    vectors = 28 * (4608 + 2 * 4096) + 4096  # biases and norms, which the figure leaves out
    embedding = config.vocab_size * config.hidden_size
    assert bytes_per_token("bf16", 28) == 2 * (config.num_parameters - embedding - vectors)


def test_int4_reads_four_and_a_quarter_bits_and_an_int8_head() -> None:
    head = shapes(chatglm3_6b())["head"]
    difference = bytes_per_token("int4", 2) - bytes_per_token("int4", 1)
    assert bytes_per_token("int4", 1) == pytest.approx(difference + head[0] * head[1])
    assert difference == pytest.approx(
        (bytes_per_token("bf16", 2) - bytes_per_token("bf16", 1)) * 4.25 / 16
    )


def test_a_spread_is_the_median_with_its_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00-3.00)"


def test_each_round_is_in_one_quarter_also_where_rounds_are_equal() -> None:
    bandwidths = [5.0, 1.0, 9.0, 5.0, 2.0, 8.0, 5.0, 3.0, 7.0, 5.0, 6.0]
    found = quarters(bandwidths)
    assert [len(rounds) for rounds in found] == [2, 3, 3, 3]
    assert sorted(number for rounds in found for number in rounds) == list(range(11))
    assert [bandwidths[number] for rounds in found for number in rounds] == sorted(bandwidths)
