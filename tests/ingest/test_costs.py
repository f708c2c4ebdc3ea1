"""What a small file may cost: it ends within a budget that depends on its size, by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import media_types as types
from ingest.limits import MIB, ParseLimits
from ingest.sandbox import SandboxedLoader
from kb_service.domain.errors import DocumentError, ParseAccident, ParseInterrupted
from tests.ingest import costly_files as costly

SMALL_BUDGET = ParseLimits(
    base_cpu_s=1, cpu_s_per_mib=0, base_memory_bytes=400 * MIB, timeout_s=120
)


def test_the_budget_of_a_file_grows_with_its_size_up_to_the_limits() -> None:
    limits = ParseLimits()
    assert limits.cpu_budget_s(2_400) < 40
    assert limits.cpu_budget_s(MIB) == 90
    assert limits.cpu_budget_s(100 * MIB) == limits.timeout_s
    assert limits.memory_budget_bytes(2_400) < 1100 * MIB
    assert limits.memory_budget_bytes(100 * MIB) == limits.memory_bytes


def nested_forms(path: Path) -> Path:
    return costly.nested_forms(path, 9)


@pytest.mark.parametrize(
    ("make", "media_type"),
    [(costly.brackets, types.MARKDOWN), (nested_forms, types.PDF), (costly.flate_bomb, types.PDF)],
)
def test_a_small_file_that_costs_much_ends_with_its_budget(
    tmp_path: Path, make: Callable[[Path], Path], media_type: str
) -> None:
    path = make(tmp_path / "a")
    with SandboxedLoader(SMALL_BUDGET) as loader, pytest.raises(ParseInterrupted) as caught:
        list(loader.load(path, "a", media_type))
    assert caught.value.code in ("parse_timeout", "parse_memory")
    assert not isinstance(caught.value, ParseAccident)  # it is the file: there is no second try


def test_a_parser_that_aborts_for_want_of_memory_is_reported_so(tmp_path: Path) -> None:
    limits = ParseLimits(base_memory_bytes=320 * MIB, timeout_s=120)
    with SandboxedLoader(limits) as loader, pytest.raises(ParseInterrupted) as caught:
        list(loader.load(nested_forms(tmp_path / "a"), "a", types.PDF))
    assert caught.value.code == "parse_memory"


@pytest.mark.parametrize(
    ("make", "media_type"),
    [
        (costly.vast_sheet, types.XLSX),
        (costly.growing_entities, types.DOCX),
        (costly.many_page_objects, types.PDF),
        (costly.nested_page, types.HTML),
    ],
)
def test_other_files_that_ask_for_too_much_cost_little(
    tmp_path: Path, make: Callable[[Path], Path], media_type: str
) -> None:
    limits = ParseLimits(base_cpu_s=5, cpu_s_per_mib=0, base_memory_bytes=600 * MIB, timeout_s=120)
    path = make(tmp_path / "a")
    with SandboxedLoader(limits) as loader:
        try:
            *_, document = loader.load(path, "a", media_type)
        except DocumentError as error:
            assert error.code in ("corrupt_document", "too_many_pages")
        else:
            assert getattr(document, "text", "")
