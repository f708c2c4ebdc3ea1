"""Names are found by the words for the role beside them, in both languages."""

import pytest

from kb_service.domain.masking import PersonRole
from kb_service.language.personal.people import people_in, people_of, role_meant
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def roles_in(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in people_in(text):
        assert one.span.of(text) == one.name
        found.setdefault(one.name, set()).add(str(one.role))
    return found


@pytest.mark.parametrize(
    ("text", "name", "role"),
    [
        ("报警人张伟称其店铺被盗。", "张伟", "reporter"),
        ("受害人王小明骑电动车回家。", "王小明", "victim"),
        ("受害人：温如玉", "温如玉", "victim"),
        ("死者为李秀英，女，62岁。", "李秀英", "victim"),
        ("据目击者赵敏介绍，当时有浓烟。", "赵敏", "witness"),
        ("犯罪嫌疑人周通（男，35岁）被抓获。", "周通", "suspect"),
        ("司机欧阳建国酒后驾车。", "欧阳建国", "party"),
        ("紧急联系人 陈静", "陈静", "contact"),
        ("民警刘洋到场处置。", "刘洋", "handler"),
        ("孙丽（报警人）在场。", "孙丽", "reporter"),
        ("黄磊系本案当事人。", "黄磊", "party"),
        ("阿卜杜拉·买买提，男，维吾尔族。", "阿卜杜拉·买买提", "other"),
        ("姓名：司马青；性别：男", "司马青", "other"),
        ("報警人張偉稱其店鋪被盜。", "張偉", "reporter"),
        ("The victim, John Smith, was taken to hospital.", "John Smith", "victim"),
        ("Witness Mary Ann Lee saw the car.", "Mary Ann Lee", "witness"),
        ("Reported by: jane doe\nTime: 12:00", "jane doe", "reporter"),
        ("The caller was identified as Bob O'Neil.", "Bob O'Neil", "reporter"),
        ("DRIVER: JOHN Q. PUBLIC", "JOHN Q. PUBLIC", "party"),
        ("Tom Brady (witness) left early.", "Tom Brady", "witness"),
        ("Ana de la Cruz, the driver, was unhurt.", "Ana de la Cruz", "party"),
        ("Emergency contact: Li Na", "Li Na", "contact"),
        ("Mr. Peter Parker complained.", "Peter Parker", "other"),
        ("Sarah Connor, 29, was found.", "Sarah Connor", "other"),
        ("suspect Jean-Luc Picard ran", "Jean-Luc Picard", "suspect"),
        ("受伤员工杨梅刚（男）", "杨梅刚", "victim"),
        ("受害人王丽称：我没看见。", "王丽", "victim"),
        ("Statement of Ann Keller, taken at 14:20.", "Ann Keller", "other"),
        ("I, Ann Keller, saw it.", "Ann Keller", "other"),
    ],
)
def test_a_name_has_the_role_beside_it(text: str, name: str, role: str) -> None:
    assert role in roles_in(text).get(name, set())


def test_names_that_are_joined_are_of_one_role() -> None:
    found = roles_in("证人赵敏、钱学和孙丽均称看到车辆。")
    assert {name for name, roles in found.items() if "witness" in roles} == {"赵敏", "钱学", "孙丽"}
    found = roles_in("The victims, Ann Cole, Bob Dale and Cy Eaton, recovered.")
    assert {name for name, roles in found.items() if "victim" in roles} >= {"Ann Cole", "Bob Dale"}


@pytest.mark.parametrize("mark", [" | ", "\t"])
def test_names_stand_under_the_heads_of_columns(mark: str) -> None:
    rows = [
        ["序号", "报警人", "电话"],
        ["---"] * 3,
        ["1", "董浩", "13812345678"],
        ["2", "Li Na", "-"],
    ]
    found = roles_in("\n".join(mark.join(row) for row in rows))
    assert found == {"董浩": {"reporter"}, "Li Na": {"reporter"}}


@pytest.mark.parametrize(
    "text",
    [
        "报警人方面称已于今日上午解除。",
        "受害人家属到场，当事人不详。",
        "死者张某，男，56岁。",
        "联系人：不详",
        "Witness Statement\nThe driver was not injured.",
        "Victim: unknown\nCaller: none",
        "The driver of the vehicle fled. Police arrived.",
        "The pilot reported an Engine Failure.",
    ],
)
def test_what_is_no_name_is_none(text: str) -> None:
    assert roles_in(text) == {}


def test_people_of_facts_come_with_what_their_label_means() -> None:
    text = "处警民警：高远\n当事人：石磊\n"
    found = {one.name: one.role for one in people_of(facts_in(marked(text)))}
    assert found == {"高远": PersonRole.HANDLER, "石磊": PersonRole.PARTY}


def test_an_unknown_label_means_no_particular_role() -> None:
    assert role_meant("Victim") is PersonRole.VICTIM
    assert role_meant("接待") is PersonRole.OTHER
