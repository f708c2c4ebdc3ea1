"""Drafts from earlier text: what is proposed, and how the record of success steers it."""

from hypothesis import given
from hypothesis import strategies as st

from llm.engine.speculation import FIRST_DRAFT_TOKENS, MAX_PAUSE_TOKENS, NGRAM_TOKENS, PromptLookup


def test_what_followed_the_last_tokens_earlier_is_proposed() -> None:
    assert PromptLookup(8).draft([1, 2, 3, 4, 5, 6, 9, 1, 2, 3], 10) == [4, 5, 6, 9]


def test_the_latest_of_several_places_wins() -> None:
    ids = [1, 2, 3, 4, 4, 4, 1, 2, 3, 5, 5, 5, 1, 2, 3]
    assert PromptLookup(2).draft(ids, 10) == [5, 5]


def test_text_without_repetition_gets_no_draft() -> None:
    assert PromptLookup(8).draft(list(range(50)), 10) == []
    assert PromptLookup(8).draft([1, 2], 10) == []


def test_a_repeated_token_is_continued_up_to_the_end_of_the_text() -> None:
    assert PromptLookup(8).draft([7, 7, 7, 7], 10) == [7]


def test_the_limit_shortens_a_draft_down_to_nothing() -> None:
    ids = [1, 2, 3, 4, 5, 6, 1, 2, 3]
    assert [PromptLookup(8).draft(ids, limit) for limit in (3, 1, 0, -1)] == [
        [4, 5, 6],
        [4],
        [],
        [],
    ]


def test_tokens_that_come_later_are_found_too() -> None:
    lookup, ids = PromptLookup(8), [1, 2, 3]
    assert lookup.draft(ids, 10) == []
    ids += [4, 5]
    assert lookup.draft(ids, 10) == []
    ids += [1, 2, 3]
    assert lookup.draft(ids, 10) == [4, 5, 1, 2]


def test_full_success_doubles_the_draft_and_failure_halves_it() -> None:
    lookup = PromptLookup(16)
    ids = [*range(40), 0, 1, 2]
    assert len(lookup.draft(ids, 99)) == FIRST_DRAFT_TOKENS
    lookup.record(ids, 4, 4)
    assert len(lookup.draft(ids, 99)) == 8
    lookup.record(ids, 8, 8)
    lookup.record(ids, 16, 16)
    assert len(lookup.draft(ids, 99)) == 16
    lookup.record(ids, 16, 8)
    assert len(lookup.draft(ids, 99)) == 8
    lookup.record(ids, 8, 5)
    assert len(lookup.draft(ids, 99)) == 8


def test_failures_in_a_row_pause_ever_longer_and_one_success_forgets_them() -> None:
    lookup = PromptLookup(8)
    ids = [1, 2, 3] * 10
    pauses = []
    for _ in range(7):
        lookup.record(ids, 4, 0)
        pause = 0
        while not lookup.draft([*ids, *[1, 2, 3] * 20][: len(ids) + pause], 99):
            pause += 1
        pauses.append(pause)
    assert pauses == [0, 4, 8, 16, 32, 32, 32]
    assert max(pauses) == MAX_PAUSE_TOKENS
    late = [1, 2, 3] * 30
    lookup.record(late, 2, 1)
    lookup.record(late, 2, 0)
    assert lookup.draft(late, 99)


def test_a_step_without_a_draft_teaches_nothing() -> None:
    lookup, ids = PromptLookup(8), [1, 2, 3] * 4
    for _ in range(9):
        lookup.record(ids, 0, 0)
    assert len(lookup.draft(ids, 99)) == 3


@given(
    ids=st.lists(st.integers(0, 3), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    longest=st.integers(1, 12),
    limit=st.integers(-1, 12),
)
def test_any_draft_stood_behind_the_same_tokens_before(
    ids: list[int], cuts: list[int], longest: int, limit: int
) -> None:
    lookup = PromptLookup(longest)
    for cut in sorted(cuts):
        lookup.draft(ids[:cut], limit)
    draft = lookup.draft(ids, limit)
    assert len(draft) <= max(min(longest, limit), 0)
    if draft:
        end = ids[-NGRAM_TOKENS:]
        assert any(
            ids[at : at + NGRAM_TOKENS] == end and ids[at + NGRAM_TOKENS :][: len(draft)] == draft
            for at in range(len(ids) - NGRAM_TOKENS)
        )
