"""A typo sounds like what was meant; another name does not."""

import pytest

from kb_service.language.homophones import same_sound


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("遂道", "隧道"),
        ("建国路", "建国路"),
        ("发生货灾", "发生火灾"),
        ("定金", "订金"),
        ("長度", "常度"),
        ("重庆", "虫庆"),
        ("女工", "钕工"),
        ("SG隧道", "SG遂道"),
    ],
)
def test_a_typo_sounds_the_same(typed: str, meant: str) -> None:
    assert same_sound(typed, meant)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("黑石岭", "青石岭"),
        ("隧道", "隧道口"),
        ("三号", "四号"),
        ("SG隧道", "SX隧道"),
        ("道1", "道2"),
        ("", ""),
    ],
)
def test_another_name_does_not(one: str, other: str) -> None:
    assert not same_sound(one, other)
