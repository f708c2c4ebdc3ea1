"""An amount of one kind is none of another."""

import pytest

from kb_service.language.amounts import lacks_amount
from kb_service.language.text import normalise


@pytest.mark.parametrize(
    ("asked", "told", "other"),
    [
        ("拖轮“东拖12”是多少马力的？", "主机功率2940千瓦。", "该轮总长189.9米，总吨32,415。"),
        ("拖轮的功率是多少？", "4000马力全回转拖轮。", "协助拖轮两艘。"),
        ("受伤的工人几岁？", "伤者李某，男，43岁。", "伤者李某，入职3年。"),
        ("值班员的月薪是多少？", "当班人员月工资5200元。", "值班员被罚款500元。"),
        ("吊物有多少公斤？", "钢梁重1.2吨。", "钢梁长12米。"),
        ("货车的车速是多少？", "行车记录仪显示时速62公里。", "货车刹车距离21米。"),
        ("值班电话是多少？", "值班电话：6621 3307。", "值班员每2小时巡查一次。"),
        ("拖船耽误了几分钟？", "重新带缆用时约5分钟。", "协助拖轮两艘,分别为“东拖12”和“东拖15”。"),
        ("封路几个小时？", "11月3日8时至12时封路。", "封路长度2公里。"),
        ("漏了多少升油？", "泄漏约30升。", "泄漏持续30分钟。"),
        ("How many minutes was it stopped?", "It was stopped for half an hour, 30 min.", "Stop 2."),
        ("How many litres were lost?", "Some 35 l were lost.", "It was lost at stand 31."),
        ("How old was the driver?", "The driver, 52, was unhurt.", "He had driven for 4 years."),
        ("What is the horsepower of the tug?", "Two 1,800 hp tugs assisted.", "Two tugs assisted."),
        ("How much does the foreman earn?", "The foreman's pay is 2,900.", "It cost 2,900 euros."),
        ("How heavy was the beam?", "The beam weighs 1.2 t.", "The beam is 12 m long."),
        ("How fast was the van going?", "It was doing 31 mph.", "It stopped after 12 m."),
        ("What is the supervisor's email address?", "Write to ops@a.example.", "Ask Kay Lund."),
        ("那辆轿车的车牌号是多少？", "肇事轿车为苏A·12345。", "轿车撞上消火栓，司机额头流血。"),
        ("推人的男子身份证号是多少？", "身份证号320101199001011234。", "男子姓樊，34岁。"),
        ("当初采购花了多少钱？", "采购价12万元。", "麻醉机停用，换备用机。"),
        ("What was the registration of the van?", "A van, AB12 CDE.", "A white van was seen."),
        ("What is the licence plate of the car?", "Plates 7KLM 221.", "The car was burnt out."),
        ("What is her passport number?", "Passport 533401118.", "She lost it on the ferry."),
        ("What did the dent cost?", "The repair was 4,200 pounds.", "Dent 6 cm across."),
        ("How much did the flights cost us?", "Each flight is $900.", "It flew at 11:38."),
    ],
)
def test_an_amount_is_stated_where_words_speak_of_its_kind(
    asked: str, told: str, other: str
) -> None:
    question = normalise(asked)
    assert not lacks_amount(question, normalise(told))
    assert lacks_amount(question, normalise(other))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("车速过快的司机是谁？", "司机王某被停职。"),
        ("航班晚了几分钟？", "航班:KD 12;延误:160;机位:22"),
        ("几年级放学早？", "低年级走东门。"),
        ("火车站建成于西元几年？", "第一个火车站建成于1854年。"),
        ("这座桥是公元几年修的？", "桥始建于1854年。"),
        ("车间是在几年投产的？", "车间1988年投产。"),
        ("来了几个人？", "两人到场。"),
        ("How many crew were there?", "Two were there."),
        ("功率下降后谁去检查？", "电工赵某到场。"),
        ("停了多少天？", "停用60日。"),
        ("工资表是谁做的？", "会计做的。"),
        ("Who weighed the load?", "The rigger did."),
        ("Who rang the phone number on the sign?", "The gate keeper did."),
        ("How fast did the crew arrive?", "They were there in 6 minutes."),
        ("车牌被挡的车是谁的？", "王某的。"),
        ("身份证丢了的有几起？", "两起。"),
        ("花了多少时间才修好？", "3小时。"),
        ("What did the delay cost the driver?", "It cost him his job."),
        ("What was the registration of the aircraft?", "A Cessna 172, N73847, landed."),
        ("Who paid the cost of the repair?", "The insurer did."),
        ("How much did the bridge cost?", "It was completed at 1.2m."),
        ("What did the repair cost?", "It was expensive; nobody told how much."),
    ],
)
def test_what_only_speaks_of_an_amount_asks_for_none(asked: str, told: str) -> None:
    assert not lacks_amount(normalise(asked), normalise(told))
