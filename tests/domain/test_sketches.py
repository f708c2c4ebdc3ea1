"""Sketches tell about how much of two texts is common, whatever their case and spaces."""

import random

from kb_service.domain.sketches import ALIKE, WINDOW, likeness, marks_of, sketch_of


def windows(text: str) -> set[str]:
    letters = "".join(char for char in text.casefold() if char.isalnum())
    return {letters[at : at + WINDOW] for at in range(len(letters) - WINDOW + 1)}


def test_a_sketch_tells_the_share_that_all_windows_tell() -> None:
    chance = random.Random(7)  # noqa: S311  no secret
    words = ["".join(chance.choices("abcdefghijklmnop", k=6)) for _ in range(400)]
    for num_changed in (0, 2, 8, 40, 200, 400):
        changed = list(words)
        for at in chance.sample(range(400), num_changed):
            changed[at] = "".join(chance.choices("qrstuvwxyz", k=6))
        one, other = " ".join(words), "\n".join(changed).upper()
        mine, theirs = windows(one), windows(other)
        exact = len(mine & theirs) / len(mine | theirs)
        assert abs(likeness(sketch_of(one), sketch_of(other)) - exact) < 0.12
        if exact >= ALIKE:
            assert set(marks_of(sketch_of(one))) & set(marks_of(sketch_of(other)))


def test_a_text_of_a_line_has_no_sketch() -> None:
    assert sketch_of("Page 1 of 2, left empty.") == b""
    assert likeness(b"", b"") == 0.0
