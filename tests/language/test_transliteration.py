"""Names of one script are met in the other; names that only resemble them are not."""

import pytest

from kb_service.language.transliteration import (
    MAX_DISTANCE,
    distance,
    is_pinyin_in,
    is_rendered,
    sounds_of_han,
    sounds_of_latin,
    spellings,
)

CHOSEN_ON = """
华盛顿 Washington; 都灵 Turin; 波士顿 Boston; 渥太华 Ottawa; 马丁 Martin; 格雷 Gray;
爱德华兹 Edwards; 考文垂 Coventry; 阿根廷 Argentina; 埃文斯 Evans; 南安普顿 Southampton;
哈维奇 Harwich; 加拿大 Canada; 里德 Reed; 肯尼亚 Kenya; 哥本哈根 Copenhagen; 达拉斯 Dallas;
斯图尔特 Stewart; 乌克兰 Ukraine; 罗杰斯 Rogers; 布拉德福德 Bradford; 柏林 Berlin; 丹麦 Denmark;
布鲁克斯 Brooks; 克拉克 Clark; 菲利普斯 Phillips; 挪威 Norway; 威廉姆斯 Williams; 彼得森 Peterson;
桑德斯 Sanders; 戴维斯 Davis; 巴西 Brazil; 巴恩斯 Barnes; 马德里 Madrid; 斯托克 Stoke;
杰克逊 Jackson; 韦伯 Weber; 莫斯科 Moscow; 慕尼黑 Munich; 爱丁堡 Edinburgh; 利兹 Leeds;
蒙特利尔 Montreal; 普莱斯 Price; 理查森 Richardson; 智利 Chile; 墨尔本 Melbourne; 霍华德 Howard;
布兰特 Brandt; 坎贝尔 Campbell; 贝克 Baker; 弗洛雷斯 Flores; 曼谷 Bangkok; 莫里斯 Morris;
里斯本 Lisbon; 布达佩斯 Budapest; 琼斯 Jones; 莱斯特 Leicester; 巴基斯坦 Pakistan; 沃德 Ward;
费尔霍尔特 Fairholt; 休斯 Hughes; 曼彻斯特 Manchester; 沃森 Watson; 巴塞罗那 Barcelona; 凯利 Kelly;
布里斯班 Brisbane; 瑞典 Sweden; 穆勒 Muller; 兰开斯特 Lancaster; 史密斯 Smith; 法兰克福 Frankfurt;
柯林斯 Collins; 西雅图 Seattle; 霍尔 Hall; 秘鲁 Peru; 多伦多 Toronto; 普利茅斯 Plymouth;
格拉斯哥 Glasgow; 路易斯 Lewis; 贝尔 Bell; 里昂 Lyon; 芝加哥 Chicago; 摩根 Morgan; 伍德 Wood;
泰勒 Taylor; 朴茨茅斯 Portsmouth
"""
HELD_OUT = """
汉密尔顿 Hamilton; 特纳 Turner; 内罗毕 Nairobi; 惠灵顿 Wellington; 布里斯托尔 Bristol; 墨菲 Murphy;
帕特森 Patterson; 诺丁汉 Nottingham; 古巴 Cuba; 温哥华 Vancouver; 雷丁 Reading; 布拉格 Prague;
巴黎 Paris; 约翰逊 Johnson; 马尼拉 Manila; 马赛 Marseille; 霍夫曼 Hoffmann; 亚当斯 Adams;
米勒 Miller; 帕克 Parker; 考德威尔 Caldwell; 布朗 Brown; 艾伦 Allen; 谢菲尔德 Sheffield;
伦敦 London;
洛杉矶 Los Angeles; 罗马 Roma; 丹佛 Denver; 哈尔登 Halden; 尼尔森 Nelson; 贝利 Bailey;
邓莫尔 Dunmore; 马洛 Marlow; 斯德哥尔摩 Stockholm; 鲍威尔 Powell; 墨西哥 Mexico; 瓦格纳 Wagner;
孟买 Mumbai; 休斯敦 Houston; 波兰 Poland; 桑德尔 Sandell; 亨德森 Henderson; 赫尔辛基 Helsinki;
库珀 Cooper; 托马斯 Thomas; 米切尔 Mitchell; 佩里 Perry; 利物浦 Liverpool; 新德里 New Delhi;
伯明翰 Birmingham; 威尔逊 Wilson; 罗伯茨 Roberts; 基辅 Kiev; 库克 Cook; 安德森 Anderson; 伊朗 Iran;
土耳其 Turkey; 格兰特 Grant; 贝内特 Bennett; 詹金斯 Jenkins; 布莱顿 Brighton; 罗斯 Ross;
阿什格罗夫 Ashgrove; 沃克 Walker; 富兰克林 Franklin; 悉尼 Sydney; 埃及 Egypt; 华沙 Warsaw;
奥克兰 Auckland; 哈洛 Harlow; 汉堡 Hamburg; 米兰 Milan; 德比 Derby; 奥斯陆 Oslo; 卡特 Carter;
林登 Linden; 沃什本 Washburn; 科尔曼 Coleman; 桑德兰 Sunderland; 罗宾逊 Robinson; 维也纳 Vienna;
雅加达 Jakarta; 诺伍德 Norwood; 施密特 Schmidt; 开罗 Cairo
"""


def pairs(text: str) -> list[tuple[str, str]]:
    both = (pair.strip().partition(" ") for pair in text.replace("\n", " ").split(";"))
    return [(name, latin) for name, _, latin in both]


def is_near(name: str, latin: str) -> bool:
    return distance(sounds_of_han(name), sounds_of_latin(latin)) <= MAX_DISTANCE


@pytest.mark.parametrize("text", [CHOSEN_ON, HELD_OUT])
def test_most_usual_renderings_are_met_and_few_of_other_names(text: str) -> None:
    names = pairs(text)
    met = [is_near(name, latin) for name, latin in names]
    others = [is_near(name, o) for name, own in names for _, o in names if o != own]
    assert sum(met) / len(met) >= 0.85
    assert sum(others) / len(others) <= 0.02


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("青石岭", "The Qingshiling tunnel was closed."),
        ("青石岭", "a fire in Qing Shi Ling depot"),
        ("宏岳隧道工程", "Hongyue Tunnel Engineering was fined"),
        ("哈洛", "The Harlow Road fire"),
        ("邓莫尔木材", "its owner, Dunmore Timber, was fined"),
        ("诺伍德", "At the Norwood Square site a crane fell."),
        ("洛杉矶", "It began in Los Angeles."),
    ],
)
def test_a_chinese_name_is_met_in_latin_letters(name: str, text: str) -> None:
    assert is_rendered(name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("青石岭", "The Heishiling tunnel was closed."),
        ("青石岭", "The Qingshan tunnel was closed."),
        ("贝尔福特", "The Harlow Road fire of Dunmore Timber"),
        ("泰勒", "the tyre of the bus"),
        ("哈洛", ""),
    ],
)
def test_another_name_is_not(name: str, text: str) -> None:
    assert not is_rendered(name, text)


def test_pinyin_is_met_in_characters_that_are_read_so() -> None:
    assert is_pinyin_in("qingshiling", "在青石岭隧道")
    assert is_pinyin_in("chongqing", "重庆火锅店")
    assert not is_pinyin_in("qingshiling", "在青山岭隧道")
    assert not is_pinyin_in("an", "安全")


def test_the_usual_spelling_is_told_of_what_is_all_in_characters() -> None:
    assert spellings(("青石岭隧道", "青石岭", "a3楼", "和")) == ("qingshilingsuidao", "qingshiling")
