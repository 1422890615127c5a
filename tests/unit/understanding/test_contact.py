"""Numbers to call back, and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.understanding.contact import find_name, find_phone
from callcenter.domain.understanding.text import utterance


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("我的电话是幺三八零零幺三八零零零", "13800138000"),
        ("电话是幺三八 嗯 零零幺三 八零零零", "13800138000"),
        ("13800138000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("电话要三九零零零零八八七六", "13900008876"),
        ("幺三八四个零一二三四", "13800001234"),
        ("010-62345678", "01062345678"),
        ("座机是六二三四五六七八", "62345678"),
        ("幺三八零零幺三八零零九不对幺三八零零幺三八零零零", "13800138000"),
        ("我家三号楼二单元一一零二", None),
        ("打了一一九和一二零", None),
        ("等了二十分钟", None),
    ],
)
def test_mandarin_numbers(said: str, number: str | None) -> None:
    assert find_phone(utterance(said))[0].value == number


def test_guessed_digits_make_it_less_sure() -> None:
    sure, _ = find_phone(utterance("电话幺三九零零零零八八七六"))
    guessed, _ = find_phone(utterance("电话要三九零零零零八八七六"))
    assert guessed.confidence < sure.confidence


def test_english_number() -> None:
    said = utterance("my number is one three eight double zero one three eight oh oh oh")
    assert find_phone(said, "en")[0].value == "13800138000"


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("我姓陈", "陈"),
        ("免贵姓李", "李"),
        ("我性周电话等下说", "周"),
        ("我叫林小梅住在九号楼", "林小梅"),
        ("我叫欧阳娜", "欧阳娜"),
        ("我是王先生", "王先生"),
        ("叫我老张", "老张"),
        ("王师傅修得又快又好", None),
        ("他姓王", None),
        ("谢谢你们", None),
        ("我是房东", None),
        ("你好我是车主", None),
        ("我是钟点工", None),
        ("我是温州人", None),
        ("我是高层住户", None),
        ("我是房东,我叫房建国", "房建国"),
    ],
)
def test_mandarin_names(said: str, name: str | None) -> None:
    assert find_name(utterance(said)).value == name


@pytest.mark.parametrize(("said", "name"), [("王先生", "王先生"), ("刘德海", "刘德海"), ("谢谢", None), ("没有", None)])
def test_an_answer_may_be_just_a_name(said: str, name: str | None) -> None:
    assert find_name(utterance(said), asked=True).value == name
    if name == "刘德海":
        assert find_name(utterance(said)).value is None


def test_english_names() -> None:
    assert find_name(utterance("my name is john smith and i live here"), "en").value == "John Smith"
    assert find_name(utterance("this is mary calling from building 3"), "en").value == "Mary"
    assert find_name(utterance("this is about the noise"), "en").value is None
    assert find_name(utterance("please call me back my name is Anna Lee"), "en").value == "Anna Lee"
    for said in (
        "please call me back", "call me tomorrow morning", "this is ridiculous", "this is very loud",
        "this is building three", "this is happening every night", "call me when you are here",
        "this is still leaking", "this is an emergency",
    ):  # fmt: skip
        assert find_name(utterance(said), "en").value is None, said


@given(st.text(alphabet="幺一二三零八九个要我姓王叫电话 ，不对138", max_size=60))
def test_any_words_are_survived(said: str) -> None:
    heard = utterance(said)
    phone, spans = find_phone(heard)
    assert phone.value is None or phone.value.isdigit()
    assert all(0 <= a < b <= len(heard.text) for a, b in spans)
    assert find_name(heard).evidence in said
