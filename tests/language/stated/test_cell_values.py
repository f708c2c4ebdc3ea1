"""What a cell of a form says: nothing, none, or not known, in two languages too."""

import time

import pytest

from kb_service.language.stated.values import says_unknown, says_zero


@pytest.mark.parametrize("cell", ["无 none", "none", "无（none）"])
def test_none_may_be_said_in_two_languages(cell: str) -> None:
    assert says_zero(cell)


def test_a_long_cell_costs_its_length_not_its_square() -> None:
    def cpu_s(times: int) -> float:
        began = time.process_time()
        says_unknown("过程 描述" * times)
        return time.process_time() - began

    cpu_s(10)
    short = min(cpu_s(2_000) for _ in range(3))
    assert cpu_s(16_000) < 24 * max(short, 1e-4)
