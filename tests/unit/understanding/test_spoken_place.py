"""Places in the ways people say them."""

# ruff: noqa: E501 — tables read better whole

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.places import Area, Building, Gazetteer, Unit
from callcenter.domain.understanding.contact import find_phone
from callcenter.domain.understanding.numerals import read_number
from callcenter.domain.understanding.rules import understand_by_rules
from callcenter.domain.understanding.spoken_place import find_place
from callcenter.domain.understanding.text import utterance


def parts(
    text: str, language: str = "zh", gazetteer: Gazetteer | None = None
) -> tuple[str | None, str | None, str | None]:
    said = utterance(text)
    _, numbers = find_phone(said, language)
    place, _ = find_place(said, language, gazetteer, numbers)
    return place.building.value, place.unit.value, place.room.value


@pytest.mark.parametrize(
    ("said", "building", "unit", "room"),
    [
        ("三号楼二单元一一零二", "3", "2", "1102"),
        ("3栋2单元1102室", "3", "2", "1102"),
        ("3-2-1102", "3", "2", "1102"),
        ("3#2-1102", "3", "2", "1102"),
        ("3#2单元1102", "3", "2", "1102"),
        ("三杠二杠一一零二", "3", "2", "1102"),
        ("３号楼２单元１１０２", "3", "2", "1102"),
        ("地下二层车位B2-118", None, None, None),
        ("五杠八零一", "5", None, "801"),
        ("十二号楼", "12", None, None),
        ("幺幺零二室", None, None, "1102"),
        ("1102房漏水", None, None, "1102"),
        ("三栋二零一", "3", None, "201"),
        ("三号漏二单元", "3", "2", None),
        ("三号路二丹元十一零二", "3", "2", "1102"),
        ("山号楼灯坏了", "3", None, None),
        ("二十三号楼一单元大厅", "23", "1", None),
        ("我是十号楼四零一的业主", "10", None, "401"),
        ("六号楼一单元十一层二号", "6", "1", "1102"),
        ("我住十一楼零二室", None, None, "1102"),
        ("A座1203", "A", None, "1203"),
        ("三号楼，嗯，二单元，一一零二", "3", "2", "1102"),
        ("五栋幺八零三", "5", None, "1803"),
        ("五栋要八零三", "5", None, "1803"),
        ("一百零一室", None, None, "101"),
        ("三号楼的二单元的六零二", "3", "2", "602"),
        ("三号楼二门一零一", "3", "2", "101"),
        ("东区三号楼五零二", "3", None, "502"),
        ("我说错了不是三号楼是五号楼二单元", "5", "2", None),
        ("楼上一二零三漏到我家三号楼二单元一一零三了", "3", "2", "1103"),
        ("五号八零一没水", "5", None, "801"),
        ("3號樓2單元1102室", "3", "2", "1102"),
        ("三號樓二單元一一零二", "3", "2", "1102"),
        ("五棟八零一", "5", None, "801"),
        ("6号602的门锁", "6", None, "602"),
        ("我家三号楼二单元一一零二电话幺三八零零幺三八零零零", "3", "2", "1102"),
    ],
)
def test_mandarin_places(said: str, building: str | None, unit: str | None, room: str | None) -> None:
    assert parts(said) == (building, unit, room)


@pytest.mark.parametrize(
    "said",
    ["三号路灯不亮", "八楼漏水", "等了三个小时", "一百二十块", "五号八百块", "我的单号是100123", "我的电话幺三八零零幺三八零零零", "打一一九", "嗯"],
)
def test_what_is_no_place(said: str) -> None:
    assert parts(said) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("There is a fire in building 3 unit 2 room 1102", ("3", "2", "1102")),
        ("building three, unit two, room eleven oh two", ("3", "2", "1102")),
        ("block 12 apartment 801", ("12", None, "801")),
        ("flat five oh one in building twenty three", ("23", None, "501")),
        ("building 3-2-1102", ("3", "2", "1102")),
        ("room one one zero two", (None, None, "1102")),
        ("it is not building 3, it is building 5 room 801", ("5", None, "801")),
        ("building 3, sorry, building 5", ("5", None, None)),
        ("i live in building 5, not building 3", ("5", None, None)),
    ],
)
def test_english_places(said: str, expected: tuple[str | None, str | None, str | None]) -> None:
    assert parts(said, "en") == expected


@pytest.mark.parametrize(
    ("said", "figures"),
    [
        ("十二", "12"), ("二十", "20"), ("二十三", "23"), ("一一零二", "1102"), ("十一零二", "1102"), ("三十六零一", "3601"),
        ("一百零一", "101"), ("两百零三", "203"), ("一千一百零二", "1102"), ("1102", "1102"), ("幺幺零二", "1102"), ("", None), ("十百", None),
    ],
)  # fmt: skip
def test_numbers(said: str, figures: str | None) -> None:
    assert read_number(said) == figures


SITE = Gazetteer(
    "example", (Area("east", "东区"),), (Building("3", "east", (Unit("1", 18, 2), Unit("2", 18, 2)), ("公寓楼",)),)
)


def test_the_gazetteer_lowers_what_does_not_exist() -> None:
    known, _ = find_place(utterance("三号楼二单元一一零二"), gazetteer=SITE)
    assert min(known.building.confidence, known.unit.confidence, known.room.confidence) > 0.8
    unknown, _ = find_place(utterance("三号楼二单元一一零九"), gazetteer=SITE)
    assert unknown.unit.confidence > 0.8
    assert unknown.room.confidence < 0.5
    nowhere, _ = find_place(utterance("九号楼"), gazetteer=SITE)
    assert nowhere.building.confidence < 0.5


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("三二幺幺零二漏水了", ("3", "2", "1102")),
        ("我家在三二幺幺零二", ("3", "2", "1102")),
        ("三号楼二幺幺零二", ("3", "2", "1102")),
        ("三号楼一九零二", ("3", None, "1902")),
        ("三号楼幺幺零二", ("3", None, "1102")),
        ("工单号是321102", (None, None, None)),
        ("我住三九幺幺零二", (None, None, None)),
    ],
)
def test_the_gazetteer_takes_apart_what_is_told_in_a_row(said: str, expected: tuple[str | None, ...]) -> None:
    assert parts(said, gazetteer=SITE) == expected


def test_the_gazetteer_knows_other_names() -> None:
    assert parts("公寓楼的灯不亮", gazetteer=SITE) == ("3", None, None)


@pytest.mark.parametrize(
    ("said", "language", "building", "room"),
    [
        ("我住三号楼五号楼着火了", "zh", "5", None),
        ("我是三号楼的，对面五号楼楼顶冒烟着火了", "zh", "5", None),
        ("我住三号楼二单元一一零二，五号楼电梯里困人了", "zh", "5", None),
        ("五号楼着火了我住三号楼", "zh", "5", None),
        ("我家三号楼二单元一一零二着火了", "zh", "3", "1102"),
        ("着火了着火了我家三号楼二单元一一零二", "zh", "3", "1102"),
        ("五号楼着火了不对是三号楼", "zh", "3", None),
        ("电梯困人了，在五号楼，我是三号楼的", "zh", "5", None),
        ("我妈晕倒了，我人在单位，家在三号楼二单元一一零二", "zh", "3", "1102"),
        ("着火了着火了，我住在三号楼", "zh", "3", None),
        ("我是三号楼的，五号楼没有着火，就是问一下", "zh", "3", None),
        ("i live in building 3 room 1102 and building 5 is on fire", "en", "5", None),
        ("building 3 room 1102 is on fire", "en", "3", "1102"),
    ],
)
def test_an_emergency_is_where_the_danger_is(said: str, language: str, building: str, room: str | None) -> None:
    place = understand_by_rules(said, language).place
    assert (place.building.value, place.room.value) == (building, room)


def test_homophones_make_it_less_sure() -> None:
    plain, _ = find_place(utterance("三号楼二单元"))
    guessed, _ = find_place(utterance("三号漏二单元"))
    assert guessed.building.confidence < plain.building.confidence


@given(st.text(alphabet="三二一幺零十百号楼栋单元室-之杠房3210A座 ，我家是不对", max_size=40))
def test_any_words_are_survived_and_evidence_is_quoted(said: str) -> None:
    heard = utterance(said)
    place, span = find_place(heard)
    for label in (place.building, place.unit, place.room):
        assert (label.value is None) == (label.confidence == 0)
        assert label.evidence in said
    assert span is None or 0 <= span[0] < span[1] <= len(heard.text)
