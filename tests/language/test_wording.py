"""Marks of sources in a reply."""

from kb_service.language.wording import split_markers


def test_marks_are_taken_off_and_read() -> None:
    assert split_markers("历时215分钟[1]。") == ("历时215分钟。", (1,))
    assert split_markers("It failed [2, 3].") == ("It failed.", (2, 3))
    assert split_markers("断裂【1】【2】。") == ("断裂。", (1, 2))
    assert split_markers("数组 a[0:1] 不是标记") == ("数组 a[0:1] 不是标记", ())
