"""Notices on one incident are one: by its name, by what they correct, by day, kind and place."""

from kb_service.storage.facts.store import Facts
from tests.language.stated.test_notices import FINDINGS, FIRST, LATER, WRONG
from tests.storage.test_incidents import members
from tests.storage.world import World

SAME_DAY = """榆河区应急管理局值班快报

榆应急〔2027〕3号

2月16日14时20分，榆河区汇泉纸业有限公司原料库发生爆炸，造成1人受伤。

2027年2月16日
"""
SHORT = """柏川县突发事件快报

柏应急〔2027〕3号

1月21日19时10分，柏川县北门街张记早点铺发生起火，造成3人受伤。

2027年1月21日
"""


BEGAN = """关于榆河区鼎盛木业有限公司“2·16”火灾事故的调查通报

青安委〔2027〕31号

2027年2月16日，榆河区鼎盛木业有限公司发生一起火灾事故，造成2人死亡。
"""


def test_a_paper_that_goes_on_may_call_what_happened_otherwise(world: World) -> None:
    kb_id = world.catalog.bases.create("notices").id
    for name, paper in {"a": FIRST, "b": BEGAN, "c": SAME_DAY}.items():
        world.ingest(kb_id, name, paper.split("\n"))
    assert sorted(members(Facts(world.database, world.clock), kb_id)) == [["a", "b"], ["c"]]


def test_what_is_told_of_one_incident_is_linked_and_another_of_its_day_is_not(
    world: World,
) -> None:
    kb_id = world.catalog.bases.create("notices").id
    stored = Facts(world.database, world.clock)
    papers = {"a": LATER, "b": SAME_DAY, "c": FIRST, "d": FINDINGS, "e": WRONG, "f": SHORT}
    for name, paper in papers.items():
        world.ingest(kb_id, name, paper.split("\n"))
    assert sorted(members(stored, kb_id)) == [["a", "c", "d"], ["b"], ["e", "f"]]
