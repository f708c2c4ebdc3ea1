"""The book of pages: a state machine of random holders, and what may be found."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from llm.engine.pages import Pages, page_key

ROOT = page_key(b"", [])
# Two ids and short chains, so that chains often begin alike.
CHAINS = st.lists(st.integers(0, 1), max_size=5)


def keys_of(ids: list[int]) -> list[bytes]:
    """Keys of a chain of pages that hold one id each."""
    keys, parent = [], ROOT
    for token_id in ids:
        parent = page_key(parent, [token_id])
        keys.append(parent)
    return keys


class Holder:
    """A sequence as the book sees it: its pages, and the chain of ids they are to hold."""

    def __init__(self, ids: list[int], pages: list[int], num_found: int) -> None:
        self.keys = keys_of(ids)
        self.pages = pages
        self.num_full = num_found


class PagesMachine(RuleBasedStateMachine):
    """Holders come, fill and publish their pages, and leave; `written` is the memory."""

    holders = Bundle("holders")

    @initialize(num_pages=st.integers(1, 12))
    def start(self, num_pages: int) -> None:
        self.book = Pages(num_pages)
        self.written: dict[int, bytes] = {}
        self.present: list[Holder] = []

    @rule(
        target=holders, ids=CHAINS, num_more=st.integers(0, 3), num_spare=st.sampled_from([0, 0, 2])
    )
    def arrive(self, ids: list[int], num_more: int, num_spare: int) -> object:
        found = self.book.find(keys_of(ids))
        num_free = self.book.num_free
        num_idle = sum(page not in self.held() for page in found)
        pages = self.book.take(found, len(ids) + num_more, num_spare)
        if pages is None:
            assert len(ids) + num_more - len(found) + num_spare > num_free - num_idle
            assert self.book.num_free == num_free
            return multiple()
        assert self.book.num_free >= num_spare
        assert len(set(pages)) == len(pages) == len(ids) + num_more
        assert pages[: len(found)] == found
        assert not self.held() & set(pages[len(found) :])
        holder = Holder(ids, pages, len(found))
        self.present.append(holder)
        for page in pages[len(found) :]:
            self.written[page] = b""  # the last owner's content is gone from now on
        return holder

    @rule(holder=holders)
    def fill_and_publish_a_page(self, holder: Holder) -> None:
        if holder.num_full < len(holder.keys):
            page, key = holder.pages[holder.num_full], holder.keys[holder.num_full]
            self.written[page] = key
            self.book.publish(page, key)
            holder.num_full += 1
            assert self.book.find(holder.keys)[: holder.num_full]

    @rule(holder=consumes(holders))
    def leave(self, holder: Holder) -> None:
        self.present.remove(holder)
        self.book.release(holder.pages)

    @rule(ids=CHAINS)
    def whatever_is_found_was_written_by_an_equal_chain(self, ids: list[int]) -> None:
        keys = keys_of(ids)
        for page, key in zip(self.book.find(keys), keys, strict=False):
            assert self.written[page] == key

    @invariant()
    def every_page_is_held_or_idle_or_blank(self) -> None:
        if not hasattr(self, "book"):
            return
        held, idle, blank = self.held(), set(self.book._idle), self.book._blank
        assert len(blank) == len(set(blank))
        assert not held & idle
        assert not (held | idle) & set(blank)
        assert len(held) + len(idle) + len(blank) == self.book.num_pages
        assert self.book.num_free == self.book.num_pages - len(held)
        assert idle <= set(self.book._key_of)

    def held(self) -> set[int]:
        return {page for holder in self.present for page in holder.pages}


TestPages = PagesMachine.TestCase
TestPages.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_keys_depend_on_every_id_before_and_on_the_root() -> None:
    assert page_key(ROOT, [1, 2]) == page_key(ROOT, [1, 2])
    assert page_key(ROOT, [1, 2]) != page_key(ROOT, [2, 1])
    assert page_key(page_key(ROOT, [1]), [2]) != page_key(page_key(ROOT, [3]), [2])
    assert page_key(page_key(b"other", []), [1]) != page_key(ROOT, [1])


def test_only_an_unbroken_beginning_is_found() -> None:
    book, keys = Pages(4), keys_of([0, 1, 0])
    pages = book.take([], 3)
    assert pages is not None
    book.publish(pages[0], keys[0])
    book.publish(pages[2], keys[2])
    assert book.find(keys) == pages[:1]
    assert book.find(keys[1:]) == []


def test_the_page_idle_for_longest_is_recycled_first_and_ends_before_beginnings() -> None:
    book, keys = Pages(4), keys_of([0, 0])
    other = page_key(ROOT, [9])
    chain, single = book.take([], 2), book.take([], 1)
    assert chain is not None
    assert single is not None
    for page, key in zip([*chain, *single], [*keys, other], strict=True):
        book.publish(page, key)
    book.release(chain)
    book.release(single)
    assert book.take([], 2) is not None  # the blank one, and the end of the chain
    assert book.find(keys) == chain[:1]
    assert book.find([other]) == single
    assert book.take([], 1) == chain[:1]
    assert book.find([other]) == single


def test_a_second_page_of_the_same_content_is_blank_once_released() -> None:
    book, key = Pages(2), page_key(ROOT, [1])
    first, second = book.take([], 1), book.take([], 1)
    assert first is not None
    assert second is not None
    book.publish(first[0], key)
    book.publish(second[0], key)
    book.release(second)
    assert book.find([key]) == first
    assert book.take([], 1) == second
    assert book.find([key]) == first


def test_found_pages_that_are_idle_are_not_counted_as_room() -> None:
    book, key = Pages(2), page_key(ROOT, [1])
    pages = book.take([], 1)
    assert pages is not None
    book.publish(pages[0], key)
    book.release(pages)
    assert book.num_free == 2
    assert book.take(pages, 3) is None
    assert book.num_free == 2
    held = book.take(pages, 2)
    assert held is not None
    assert held[0] == pages[0]
    assert book.num_free == 0
