"""Phones, numbers of persons, bank cards, plates and e-mails are found however they are written."""

import pytest

from kb_service.domain.masking import PersonalKind
from kb_service.language.personal.checks import is_card, is_identity, is_luhn
from kb_service.language.personal.numbers import personal_numbers

PHONE, IDENTITY, CARD, PLATE, EMAIL = (
    PersonalKind.PHONE,
    PersonalKind.ID_NUMBER,
    PersonalKind.BANK_CARD,
    PersonalKind.PLATE,
    PersonalKind.EMAIL,
)


def found_in(text: str) -> list[tuple[PersonalKind | None, str]]:
    return [(one.kind, one.span.of(text)) for one in personal_numbers(text, list(PersonalKind))]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("报警人电话13812345678。", "13812345678"),
        ("联系138 1234 5678即可", "138 1234 5678"),
        ("联系138-1234-5678即可", "138-1234-5678"),
        ("手机：１３８１２３４５６７８", "１３８１２３４５６７８"),
        ("打一三八一二三四五六七八", "一三八一二三四五六七八"),
        ("手机号幺三八一二三四五六七八", "幺三八一二三四五六七八"),
        ("来电1 3 8 1 2 3 4 5 6 7 8", "1 3 8 1 2 3 4 5 6 7 8"),
        ("来电138\u200b1234\u200b5678", "138\u200b1234\u200b5678"),
        ("他的号码138123\n45678有效", "138123\n45678"),
        ("致电+86 138-1234-5678", "+86 138-1234-5678"),
        ("致电008613812345678", "008613812345678"),
        ("座机010-87654321转2", "010-87654321"),
        ("座机（021）5765 4321", "（021）5765 4321"),
        ("0755 8765 4321接听", "0755 8765 4321"),
        ("电话：87654321", "87654321"),
        ("投诉热线400-820-8820", "400-820-8820"),
        ("called from (212) 555-0188 twice", "(212) 555-0188"),
        ("reach 212.555.0188.", "212.555.0188"),
        ("mobile: 5550188", "5550188"),
        ("Tel. 555-0188", "555-0188"),
        ("call +44 20 7946 0958 now", "+44 20 7946 0958"),
        ("ring 020 7946 0958", "020 7946 0958"),
        ("phone number is 2125550188", "2125550188"),
        ("+1 (415) 555-2671", "+1 (415) 555-2671"),
    ],
)
def test_phones_are_found(text: str, number: str) -> None:
    assert found_in(text) == [(PHONE, number)]


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("身份证11010519491231002X", IDENTITY, "11010519491231002X"),
        ("证号110105 19491231 002x。", IDENTITY, "110105 19491231 002x"),
        (
            "证件１１０１０５１９４９１２３１００２Ｘ",
            IDENTITY,
            "１１０１０５１９４９１２３１００２Ｘ",
        ),
        ("老证110105491231002", IDENTITY, "110105491231002"),
        ("身份证号：110105194912310021", IDENTITY, "110105194912310021"),
        ("护照号：E12345678", IDENTITY, "E12345678"),
        ("Passport No. G 1234567", IDENTITY, "G 1234567"),
        ("SSN 219-09-9999", IDENTITY, "219-09-9999"),
        ("driver's license D1234567", IDENTITY, "D1234567"),
        ("卡号4111 1111 1111 1111", CARD, "4111 1111 1111 1111"),
        ("转入6222021001116245702。", CARD, "6222021001116245702"),
        ("账号：110906012345678901", CARD, "110906012345678901"),
        ("paid by 5555-5555-5555-4444", CARD, "5555-5555-5555-4444"),
        ("account number 123456789012", CARD, "123456789012"),
        ("京A12345驶离", PLATE, "京A12345"),
        ("沪A·D12345左转", PLATE, "沪A·D12345"),
        ("川Ａ１２３４５", PLATE, "川Ａ１２３４５"),
        ("粤B 1234警", PLATE, "粤B 1234警"),
        ("车牌号：KL 53 ABC", PLATE, "KL 53 ABC"),
        ("a car, license plate 7ABC123, left", PLATE, "7ABC123"),
        ("邮箱zhang.wei@example.com。", EMAIL, "zhang.wei@example.com"),
        ("write to a_b@mail.example.co.uk, please", EMAIL, "a_b@mail.example.co.uk"),
        ("ann＠example．com", EMAIL, "ann＠example．com"),
        ("ann [at] example [dot] com", EMAIL, "ann [at] example [dot] com"),
    ],
)
def test_other_kinds_are_found(text: str, kind: PersonalKind, number: str) -> None:
    assert found_in(text) == [(kind, number)]


@pytest.mark.parametrize(
    "text",
    [
        "警情编号：20240817123456",
        "案号（2024）沪0105民初12345号",
        "工单号13812345678",
        "损失13812345678元",
        "共计13812345678",
        "2024-08-17 18:12:33至2024年8月18日9时",
        "坐标31.230416,121.473701",
        "经度121.47370112345",
        "错误码 0x80070005，退出码 137",
        "订单号4111111111111111",
        "incident 13812345678 was closed",
        "tracking no. 4111 1111 1111 1111",
        "error 1800555012",
        "SG-2024-001-13812345678",
        "db1042.eqiad.wmnet 10.64.32.180",
        "550e8400-e29b-41d4-a716-446655440000",
        "1.35 2.47 3.88 4.19 5.20",
        "between 12:00 and 13:45 UTC, 1,234,567,890 requests",
        "lasted 138 1234 567 and 12 units",
        "aircraft registration N5921D",
        "version 2.12.555.0188",
        "拨打110、119报警",
        "ISBN 978-7-302-12345-1",
    ],
)
def test_other_numbers_stay_readable(text: str) -> None:
    assert found_in(text) == []


def test_only_the_wanted_kinds_are_told_and_one_is_not_taken_for_another() -> None:
    text = "身份证11010519491231002X，电话13812345678"
    assert [one.span.of(text) for one in personal_numbers(text, [PHONE])] == ["13812345678"]
    assert [one.span.of(text) for one in personal_numbers(text, [CARD])] == []


def test_numbers_on_lines_of_their_own_are_numbers_of_their_own() -> None:
    text = "13812345678\n13987654321\n13700001111"
    assert [words for _, words in found_in(text)] == text.split("\n")


def test_a_check_digit_that_is_wrong_is_seen() -> None:
    assert is_identity("11010519491231002x")
    assert not is_identity("110105194912310021")
    assert not is_identity("110105194913310020")
    assert is_luhn("4111111111111111")
    assert not is_luhn("4111111111111112")
    assert not is_card("1111111111111117")
