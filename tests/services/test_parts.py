"""Parts: built once, on first use; what went wrong is kept until it went well."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb_service.domain.errors import ConfigurationError, StorageError
from kb_service.services.parts import Chosen, Part


def test_threads_that_ask_first_at_the_same_time_share_one_part() -> None:
    built: list[object] = []
    both_ask = threading.Barrier(2)

    def slow() -> object:
        time.sleep(0.05)
        built.append(object())
        return built[-1]

    def ask(part: Part[object]) -> object:
        both_ask.wait(5)
        return part()

    part = Part(slow)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, [part, part])
    assert [first] == [second] == built


def test_a_part_that_failed_says_why_until_it_is_built() -> None:
    problems = [StorageError("full", code="disk_full")]

    def build() -> str:
        if problems:
            raise problems[0]
        return "built"

    part = Part(build)
    assert (part.built, part.failure) == (None, None)
    with pytest.raises(StorageError):
        part()
    assert (part.built, part.failure) == (None, problems[0])
    problems.clear()
    assert (part(), part.built, part.failure) == ("built", "built", None)


def test_what_was_taken_is_built_anew() -> None:
    part = Part(object)
    assert part.take() is None
    first = part()
    assert part.take() is first
    assert part.built is None
    assert part() is not first


def test_a_model_that_took_anothers_place_is_not_taken_for_it() -> None:
    problem = ConfigurationError("missing", code="model_missing")
    with pytest.raises(ConfigurationError):
        Chosen("next best", problem).configured()
    assert Chosen("the one").configured() == "the one"
