"""Where it happened, however a sentence says it; and who is named as hurt, of whom no number is."""

import pytest

from kb_service.domain.facts import FactField
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def stated(text: str, field: str) -> list[str]:
    found = facts_in(marked(text))
    assert all(fact.value == fact.span.of(text) for fact in found)
    return [fact.text for fact in found if fact.field == field]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("云栖巷60号这边着火了！", ["云栖巷60号"]),
        ("罗文斌说，西侧基坑边坡塌了一块。", ["西侧基坑边坡"]),
        ("沪昆高速K57处发生追尾。", ["沪昆高速k57处"]),
        ("群众在路口起火。", ["路口"]),
        ("我们车间着火了。", []),
        ("Crash reported, 210 Mill Street, two cars.", ["210 mill street"]),
        ("Fire in the baghouse of Kiln 2, put out.", ["baghouse of kiln 2"]),
        ("A leak in the hose was mended.", []),
        ("Mr Cole of 12 Mill Street is the owner.", []),
    ],
)
def test_a_place_stands_by_what_happened_there(text: str, places: list[str]) -> None:
    assert stated(text, FactField.PLACE) == places


def test_our_county_has_the_name_that_the_paper_says() -> None:
    text = "通报\n永宁县人民政府办公室\n\n2024年6月27日11时52分，我县南关镇建设路58号饭店发生闪爆。"
    assert stated(text, FactField.PLACE) == ["永宁县南关镇建设路58号饭店"]
    unnamed = text.replace("永宁县人民政府办公室", "办公室")
    assert stated(unnamed, FactField.PLACE) == ["我县南关镇建设路58号饭店"]


@pytest.mark.parametrize(
    ("text", "dead", "injured"),
    [
        ("两车相撞，造成段启明当场死亡、乘坐人段小雨受伤。", ["1"], ["1"]),
        ("两车相撞，造成3人死亡。段启明当场死亡。", ["3"], []),
        ("It fell. Alan Frost, 52, died at the scene.", ["1"], []),
        ("A second worker, Piotr Zielinski, was injured.", [], ["1"]),
        ("造成人员死亡。", [], []),
    ],
)
def test_who_is_named_as_dead_is_one(text: str, dead: list[str], injured: list[str]) -> None:
    assert stated(text, FactField.DEAD) == dead
    assert stated(text, FactField.INJURED) == injured


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Small fire, put out with a hand extinguisher by P. Sorensen.", ["p. sorensen"]),
        ("It was phoned in by Greta Lindqvist (01628 555190).", ["greta lindqvist"]),
        ("Fire at the quay was attended by Marlow Police.", []),
    ],
)
def test_who_did_what_is_named_behind_it(text: str, names: list[str]) -> None:
    assert stated(text, FactField.PERSON) == names
