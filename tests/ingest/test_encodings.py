"""Encodings: the right characters, or a guess that says it is one."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.encodings import MAX_ODDNESS, SURE, UNSURE, decode, encodings_of
from kb_service.domain.errors import DocumentError
from kb_service.language.mojibake import oddness_of
from tests.ingest.growth import growth

TEXTS = {
    "simplified": "三号码头的起重机于凌晨倒塌，两名工人受伤，调查组认定钢缆断裂是直接原因。\n",
    "traditional": "臺北港三號碼頭起重機倒塌，兩名工人受傷，調查組認定鋼纜斷裂是直接原因。\n",
    "japanese": "第三埠頭のクレーンが倒れ、作業員二名がけがをしました。原因はロープの切断です。\n",
    "korean": "부두의 크레인이 무너져 두 명이 다쳤습니다. 로프가 끊어진 것이 원인입니다.\n",
    "russian": "Портовый кран упал, двое рабочих получили травмы. Причина аварии: обрыв троса.\n",
    "german": "Der Kran stürzte um zwölf über die Brüstung; zwei Männer wurden verletzt.\n",
    "french": "La grue s’est effondrée à l’aube ; deux ouvriers blessés, câble rompu : « usé ».\n",
    "spanish": "La grúa cayó en el muelle número tres. ¿La causa? Un cable dañado.\n",
}
WRITTEN_IN = [
    ("simplified", "gb18030"), ("traditional", "big5"), ("traditional", "big5hkscs"),
    ("japanese", "cp932"), ("japanese", "euc_jp"), ("korean", "cp949"), ("russian", "cp1251"),
    ("russian", "koi8_r"), ("german", "cp1252"), ("french", "cp1252"), ("spanish", "cp1252"),
]  # fmt: skip
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]


@pytest.mark.parametrize(("language", "encoding"), WRITTEN_IN)
def test_a_text_that_declares_nothing_is_read_in_its_own_encoding(
    language: str, encoding: str
) -> None:
    found = decode((TEXTS[language] * 3).encode(encoding), "a.txt")
    assert found.text == TEXTS[language] * 3
    assert found.confidence <= SURE
    assert found.metadata["encoding"] == found.encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("## können\n\nkönnen\n", "cp1252"), ("## können\n\nkönnen\n\näöüß\n", "cp1252"),
        ("für", "cp1252"), ("São Paulo", "cp1252"),
        ("Die Tür war zu.", "cp1252"), ("The pump ran at 85 °C.", "cp1252"), ("señor", "cp1252"),
        ("三号码头", "gb18030"), ("起重机", "gb18030"), ("王翀", "gb18030"), ("A栋", "gb18030"),
        ("臺北", "big5"), ("王小明", "big5"), ("碼頭", "big5"), ("クレーン", "cp932"),
    ],
)  # fmt: skip
def test_a_few_words_are_read_in_their_own_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize(
    ("odd", "usual"),
    [
        ("k霵nen 噈晧", "können dürfen"),  # Latin with accents, as Big5
        ("순땍즈탬傑챈쨉", "鉴定令牌锁忙碌"),  # Chinese, as Korean
        ("ﾐﾁﾐﾘﾑﾍﾅﾎﾔﾏ", "ｸﾚｰﾝ ﾄﾞｳｻ"),  # Russian, as half-width kana
        ("フリ〖ズ", "フリーズ"),
        ("runs at 85 蚓", "runs at 85 度です"),
        ("黵黵黵王小明", "王翀和王小明"),
    ],
)
def test_characters_where_no_language_has_them_are_odd(odd: str, usual: str) -> None:
    assert oddness_of(odd) > MAX_ODDNESS >= oddness_of(usual)


@pytest.mark.parametrize(("language", "encoding"), WRITTEN_IN)
def test_the_characters_after_a_long_run_of_ascii_count(language: str, encoding: str) -> None:
    text = "2026-03-05 08:30 INFO pump seven is running\n" * 3000 + TEXTS[language] * 3
    assert decode(text.encode(encoding), "a.log").text == text


@pytest.mark.parametrize("encoding", UNICODE)
@pytest.mark.parametrize("language", TEXTS)
def test_a_mark_or_utf8_is_beyond_doubt(language: str, encoding: str) -> None:
    found = decode(TEXTS[language].encode(encoding), "a.txt")
    assert (found.text, found.metadata) == (TEXTS[language], {})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", TEXTS)
def test_utf16_without_a_mark_is_known_by_its_zeros(language: str, encoding: str) -> None:
    assert decode(TEXTS[language].encode(encoding), "a.txt").text == TEXTS[language]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["simplified", "traditional"])
def test_utf16_of_characters_alone_is_known_without_zeros(language: str, encoding: str) -> None:
    text = TEXTS[language].strip()
    assert decode(text.encode(encoding), "a.txt").text == text


@pytest.mark.parametrize("language", ["simplified", "traditional"])
@pytest.mark.parametrize("encoding", ["gb18030", "big5hkscs"])
def test_no_chinese_of_two_bytes_is_taken_for_utf16(language: str, encoding: str) -> None:
    text = TEXTS["simplified" if encoding == "gb18030" else "traditional"].strip()
    assert not decode(text.encode(encoding), "a.txt").encoding.startswith("utf-16")


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("<meta charset=big5>", "big5"),
        ("<META http-equiv='content-type' content='text/html; charset=Big5'>", "big5"),
        ("<meta charset='x-sjis'>", "cp932"),
        ("<?xml version='1.0' encoding='EUC-JP'?>", "euc_jp"),
        ("<meta charset=iso-8859-1>", "cp1252"),
        ("<meta charset=gb2312>", "gb18030"),
        ("# -*- coding: koi8-r -*-", "koi8_r"),
        ("\n/* vim: set fileencoding=cp1251 : */", "cp1251"),
    ],
)
@pytest.mark.parametrize("before", ["", "<!-- " + "x" * 5000 + " -->"])
def test_a_declaration_is_followed_in_the_sense_of_browsers(
    head: str, encoding: str, before: str
) -> None:
    if before and not head.startswith("<"):
        pytest.skip("a comment declares in the first two lines only")
    words = {"cp1252": "€500 – “half”", "gb18030": "朱镕基路", "koi8_r": "трос", "cp1251": "трос"}
    text = f"{before}{head} {words.get(encoding, '三丁目一番')}"
    found = decode(text.encode(encoding), "a.html")
    assert (found.text, found.confidence) == (text, 1.0)


@pytest.mark.parametrize(
    "line",
    [
        "config encoding: unicode_escape, path C:\\new\\x41", "reader encoding: undefined",
        "charset=utf-16 was asked for", "coding: hex", "encoding = rot13", "charset: no-such-name",
        "# coding: utf-16", "<p>write <code>charset=big5</code> in the head</p>",
    ],
)  # fmt: skip
def test_prose_that_speaks_of_an_encoding_declares_none(line: str) -> None:
    assert decode(line.encode(), "a.log").text == line


def test_a_declaration_that_the_bytes_contradict_is_not_followed() -> None:
    text = "<meta charset=big5>" + TEXTS["simplified"]
    assert decode(text.encode("utf-8"), "a.html").text == text


def test_a_few_bad_bytes_cost_those_bytes_only_and_are_counted() -> None:
    line = TEXTS["simplified"].encode()
    found = decode(line * 10 + b"\xff\xfe\xff" + line * 10, "a.txt")
    assert found.encoding == "utf-8"
    assert found.text.count("\ufffd") == found.num_replaced == 3
    assert found.metadata["bytes_replaced"] == "3"
    assert found.text.count("钢缆断裂") == 20


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 3, b"\0" * 4096])
def test_zeros_at_the_end_are_a_programs_leftovers(tail: bytes) -> None:
    assert decode(b"the valve was shut" + tail, "a.txt").text == "the valve was shut"


def test_a_zero_within_a_word_splits_no_word_and_is_counted() -> None:
    found = decode(b"<p>the rope bro\0ke at nine and two men were hurt</p>", "a.html")
    assert "broke at nine" in found.text
    assert found.num_replaced == 1


@pytest.mark.parametrize("data", [bytes(range(256)) * 40, b"\x00\x01\x02\x03" * 500])
def test_bytes_that_are_no_text_are_refused_with_what_was_tried(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"a\.bin is not text in UTF-8, UTF-16") as refused:
        decode(data, "a.bin")
    assert refused.value.code == "corrupt_document"


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("latin1", ("cp1252",)), ("GB2312", ("gb18030",)), ("Shift-JIS", ("cp932",)),
        ("ks_c_5601-1987", ("cp949",)), (" UTF8 ", ("utf-8",)), ("nonsense", ()), ("hex", ()),
        ("unicode_escape", ()), ("", ()), ("a\0b", ()),
    ],
)  # fmt: skip
def test_a_label_means_the_encoding_with_the_characters_programs_add(
    label: str, names: tuple[str, ...]
) -> None:
    assert encodings_of(label) == names


@given(st.binary(max_size=400))
def test_any_bytes_give_text_or_a_typed_refusal(data: bytes) -> None:
    try:
        found = decode(data, "a.txt")
    except DocumentError as error:
        assert error.code == "corrupt_document"
    else:
        assert codecs.lookup(found.encoding)
        assert 0 <= found.confidence <= 1


@pytest.mark.parametrize(
    ("language", "encoding"),
    [
        ("japanese", "iso2022_jp"), ("japanese", "iso2022_jp_2"), ("korean", "iso2022_kr"),
        ("simplified", "hz"),
    ],
)  # fmt: skip
def test_a_text_that_names_its_alphabets_by_escapes_is_read(language: str, encoding: str) -> None:
    found = decode(TEXTS[language].encode(encoding), "a.txt")
    assert found.text == TEXTS[language]
    assert found.confidence == SURE


@pytest.mark.parametrize(
    "text", ['(format t "~{~a~}" list)', "a ~{b~} c", "\x1b[31mred\x1b[0m", "\x1b$B is no text"]
)
def test_what_only_looks_like_an_escape_is_left_as_it_is(text: str) -> None:
    found = decode(text.encode(), "a.txt")
    assert (found.text, found.encoding) == (text, "utf-8")


@pytest.mark.parametrize("end", [b"", b"~}", "é".encode()])
def test_marks_that_begin_and_never_end_cost_no_more_than_their_length(end: bytes) -> None:
    assert growth(lambda num: decode(end + b"~{ab " * num, "a.txt"), 1_000) < 3


@pytest.mark.parametrize("text", ["~{ab é ~}", "é ~{ab ~}", "~} ~{ab", "~{ab ~{cd"])
def test_chinese_in_seven_bits_has_begun_and_ended_before_any_other_byte(text: str) -> None:
    assert decode(text.encode(), "a.txt").encoding == "utf-8"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "Łódź: hamulec nie działa, proszę wysłać części zamienne."),
        ("iso8859_2", "Brzda není bezpečná, pošlete náhradní díly a řidiče."),
        ("cp1253", "Το φρένο δεν είναι ασφαλές, στείλτε ανταλλακτικά."),
        ("cp1254", "Fren güvenli değil, yedek parça gönderin; ışık yandı."),
        ("cp1256", "الفرامل ليست آمنة، أرسلوا قطع الغيار من فضلكم"),
        ("cp1257", "Stabdžiai nėra saugūs, atsiųskite atsarginių dalių."),
        ("mac_roman", "Die Bremse ist für Züge nicht zulässig, größte Vorsicht."),
        ("cp866", "Тормоз не безопасен, пришлите запасные части."),
        ("cp874", "เบรกไม่ปลอดภัย กรุณาส่งอะไหล่มาให้ด้วย"),
    ],
)
def test_a_text_in_an_encoding_that_nobody_looks_for_is_no_sure_guess(
    encoding: str, text: str
) -> None:
    try:
        found = decode(text.encode(encoding), "a.txt")
    except DocumentError:
        return
    assert found.text == text or found.confidence <= UNSURE or found.num_replaced


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Die Bremse ist für Züge nicht zulässig, größte Vorsicht – „sofort“."),
        ("cp1252", "Le frein n’est pas sûr : déjà signalé à l’équipe, ça ne va pas."),
        ("cp1252", "¿Por qué no funcionó? El señor Muñoz avisó mañana y según él sí."),
        ("cp1251", "Тормоз не безопасен, мощность 20 кВт, пришлите запасные части."),
    ],
)
def test_a_text_of_the_languages_of_an_encoding_is_a_sure_guess(encoding: str, text: str) -> None:
    found = decode(text.encode(encoding), "a.txt")
    assert (found.text, found.confidence > UNSURE) == (text, True)
