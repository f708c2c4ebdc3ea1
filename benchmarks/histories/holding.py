"""What must hold at the end of a history; each raises Broken with what does not."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.histories import views
from benchmarks.histories.hand import Hand, new_folder
from benchmarks.histories.past import Record, Searchable
from benchmarks.histories.play import Broken, Play
from benchmarks.histories.scratch import Entry, Scratch

NUM_TOUCHED = 2
"""Records of which something is gone that are compared with a base of what is left."""

NUM_ELSEWHERE = 3
"""Records that are asked again where the base was imported."""


def hold_all(play: Play) -> None:
    """Bring a history to rest and compare it with everything that it must equal."""
    play.hand.work(play.kb_id)
    play.hand.rest()
    play.look()
    _clean(play.hand)
    _grown_equals_scratch(play)
    _same_change_same_answers(play.records)
    last = {then.change: place for place, then in enumerate(play.records)}
    for place in last.values():
        play.hold(place)
    _past_lacks_only_what_went(play)
    _imported_equals(play)
    _nothing_of_deleted(play)


def _clean(hand: Hand) -> None:
    report = hand.services.upkeep.verify()
    told = {key: value for key, value in report.items() if isinstance(value, tuple) and value}
    if told:
        raise Broken(f"verify: {told}")


def _require(expected: object, got: object, what: str) -> None:
    if told := views.difference(expected, got, what):
        raise Broken(told)


def _grown_equals_scratch(play: Play) -> None:
    entries = []
    documents = {play.labels[item.id]: item for item in play.documents()}
    searchable = play.searchable()
    waiting = [
        Searchable(label, item.name, "", 0, item.encoding, None, 1 << 60)
        for label, item in documents.items()
        if item.revision is None and item.container is None
    ]
    for one in (*searchable, *waiting):
        item = documents[one.label]
        if one.container is None:
            shas = dict.fromkeys((one.sha256, item.versions[0].sha256))
            contents = tuple(play.bytes[sha256] for sha256 in shas if sha256)
            inside = _inside(searchable, one.label)
            entries.append(Entry(one.label, one.name, contents, item.tags, item.encoding, inside))
    scratch = Scratch(play.another_place(), play.template, play.parsers, entries)
    try:
        here, there = (play.hand, play.kb_id), (scratch.hand, scratch.kb_id)
        _require(views.held(*there), views.held(*here), "documents")
        has_members = any(one.container for one in searchable)
        _same_answers(
            has_members,
            (views.found(*there, scratch.name_of), views.found(*here, play.name_of)),
            (views.said(*there, scratch.name_of), views.said(*here, play.name_of)),
        )
        _clean(scratch.hand)
    finally:
        scratch.close()


def _inside(searchable: Sequence[Searchable], label: str) -> tuple[tuple[str, str], ...]:
    """Return the names and labels of what is inside a document, at any depth."""
    direct = [one for one in searchable if one.container == label]
    deeper = (pair for one in direct for pair in _inside(searchable, one.label))
    return (*((one.name, one.label) for one in direct), *deeper)


def _same_answers(
    has_members: bool,
    found: tuple[views.View, views.View],
    said: tuple[views.View, views.View],
) -> None:
    """Compare; files inside others come in their own order, by which equal scores are ranked."""
    if has_members:
        expected, got = map(views.without_order, found)
        _require(expected, got, "found in any order")
    else:
        _require(*found, "found")
        for question, answer in views.of_one(said[0]).items():
            _require(answer, said[1][question], f"said to {question!r}")


def _same_change_same_answers(records: Sequence[Record]) -> None:
    """Of two steps between which no change lies the second one changes no answer."""
    for before, after in pairwise(records):
        if before.change == after.change:
            _require(before.found, after.found, f"found after step {after.step}")


def _past_lacks_only_what_went(play: Play) -> None:
    """Ask as of moments of which something is gone: the rest is found as if it had been alone."""
    dice = random.Random(len(play.records))
    touched = [
        then
        for place, then in enumerate(play.records)
        if place >= play.purged_after and not play.is_whole(then)
    ]
    play.close()
    play.open_again()  # no index of then is open
    for then in dice.sample(touched, min(NUM_TOUCHED, len(touched))):
        _past_equals_scratch(play, then)


def _past_equals_scratch(play: Play, then: Record) -> None:
    labels = {play.labels[item.id] for item in play.documents()}
    left = [one for one in then.documents if one.label in labels]
    entries = [
        Entry(
            one.label,
            one.name,
            (play.bytes[one.sha256],),
            encoding=play.readings[one.label, one.sha256][-1],
            members=_inside(left, one.label),
        )
        for one in left
        if one.container is None
    ]
    scratch = Scratch(play.another_place(), play.template, play.parsers, entries)
    try:
        there = (scratch.hand, scratch.kb_id)
        here = (play.hand, play.kb_id)
        has_members = any(one.container for one in left)
        _same_answers(
            has_members,
            (
                views.found(*there, scratch.name_of),
                views.found(*here, play.name_of, then.change),
            ),
            (views.said(*there, scratch.name_of), views.said(*here, play.name_of, then.change)),
        )
    finally:
        scratch.close()


def _imported_equals(play: Play) -> None:
    """Export the base, import it into an empty folder, and compare both."""
    place = play.another_place()
    archive = place.with_suffix(".last.kbz")
    play.hand.services.transfer.export(play.kb_id, archive)
    other = Hand(new_folder(place, play.template), play.parsers)
    try:
        kb_id = other.services.transfer.bring_back(archive).kb_id
        other.work(kb_id)
        other.rest()
        here = (play.hand, play.kb_id)
        _require(views.held(*here), views.held(other, kb_id), "imported documents")
        _require(views.versions(*here), views.versions(other, kb_id), "imported versions")
        labels = {item.name: play.labels[item.id] for item in play.documents()}
        names = {
            state.document.id: labels[state.document.name]
            for state in other.services.documents.every(kb_id)
        }

        def name_of(document_id: str) -> str:
            return names[document_id]

        found = views.found(*here, play.name_of)
        _require(found, views.found(other, kb_id, name_of), "imported, found")
        _require(
            views.said(*here, play.name_of), views.said(other, kb_id, name_of), "imported, said"
        )
        dice = random.Random(len(play.records))
        for then in dice.sample(play.records, min(NUM_ELSEWHERE, len(play.records))):
            if then.step >= play.purged_after and play.is_whole(then):
                _require(
                    then.found, views.found(other, kb_id, name_of, then.change), "imported, then"
                )
        _clean(other)
    finally:
        other.close()


def _nothing_of_deleted(play: Play) -> None:
    """Look for what was deleted, as `kb verify --deleted` does, and for its letters in any file."""
    erasing = play.hand.services.erasing
    for base in tuple(play.hand.services.bases.every()):
        erasing.erase(base.id)
    for document_id in play.deleted:
        found = erasing.check(document_id)
        if not found.is_complete:
            raise Broken(f"left of deleted {play.labels[document_id]}: {found.places}")
    kept: set[str] = set()
    for base in tuple(play.hand.services.bases.every()):
        for state in play.hand.services.documents.every(base.id):
            for version in state.document.versions:
                kept |= play.marks.get(version.sha256, frozenset())
    play.close()
    gone = frozenset().union(*play.marks.values()) - kept
    for mark, path in _marks_in(play.folder, gone):
        raise Broken(f"{mark} of a deleted document is in {path.relative_to(play.folder)}")
    play.open_again()


def _marks_in(folder: Path, marks: frozenset[str]) -> list[tuple[str, Path]]:
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found += [(mark, path) for mark in marks if mark.encode() in data]
    return found
