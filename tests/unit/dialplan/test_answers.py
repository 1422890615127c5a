"""Short answers, read with the question in mind."""

from __future__ import annotations

import re

import pytest

from callcenter.config import ROOT
from callcenter.dialplan import answers
from callcenter.dialplan.prompts import load_prompts
from callcenter.domain.places import Area, Building, Gazetteer, Place, Unit

SITE = Gazetteer(
    "example", (Area("east", "东区"),),
    (
        Building("3", "east", (Unit("1", 18, 2), Unit("2", 18, 2))),
        Building("12", "east", (Unit("1", 28, 8),), ("公寓楼",)),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("三号楼二单元幺幺零二", ("3", "2", "1102")),
        ("3号楼2单元1102室", ("3", "2", "1102")),
        ("十二栋八零一", ("12", None, "801")),
        ("三杠二杠一一零二", ("3", "2", "1102")),
        ("六号楼", ("6", None, None)),
        ("幺幺零二", (None, None, "1102")),
        ("是幺幺零二", (None, None, "1102")),
        ("三", ("3", None, None)),
        ("不知道", None),
        ("下午三点", None),
        ("幺三八零零零零幺二三四", None),
    ],
)
def test_places(text: str, place: tuple[str, str, str] | None) -> None:
    assert answers.read_place(text, "zh") == (Place(*place) if place else None)


def test_a_bare_number_is_what_is_missing() -> None:
    assert answers.read_place("二", "zh", known=Place("3")) == Place(unit="2")
    assert answers.read_place("八零一", "zh", known=Place("3", "2")) == Place(room="801")
    assert answers.read_place("七", "zh", known=Place("3", "2")) is None


@pytest.mark.parametrize(
    ("text", "language", "known", "place"),
    [
        ("三二幺幺零二", "zh", None, ("3", "2", "1102")),
        ("三，二，幺幺零二", "zh", None, ("3", "2", "1102")),
        ("我住三二幺幺零二", "zh", None, ("3", "2", "1102")),
        ("三号楼二幺幺零二", "zh", None, ("3", "2", "1102")),
        ("二幺幺零二", "zh", Place("3"), ("3", "2", "1102")),
        ("一二八零一", "zh", None, ("12", "1", "801")),
        ("三九幺幺零二", "zh", None, None),
        ("公寓楼八零一", "zh", None, ("12", None, "801")),
        ("three, two, one one zero two", "en", None, ("3", "2", "1102")),
        ("three two eleven oh two", "en", None, ("3", "2", "1102")),
        ("building three unit two eleven oh two", "en", None, ("3", "2", "1102")),
        ("two one one zero two", "en", Place("3"), ("3", "2", "1102")),
    ],
)
def test_a_door_told_in_a_row_is_taken_apart_by_the_gazetteer(
    text: str, language: str, known: Place | None, place: tuple[str, str, str] | None
) -> None:
    assert answers.read_place(text, language, SITE, known=known) == (Place(*place) if place else None)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_example_that_the_question_gives_is_understood(language: str) -> None:
    prompts = load_prompts(ROOT / "dialplans" / "prompts" / language, language)
    example = re.split("比如|for example", prompts.prompts["ask_place_again"].text)[1].strip(" 。.")
    assert answers.read_place(example, language, SITE) == Place("3", "2", "1102")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("building three unit two room one one zero two", ("3", "2", "1102")),
        ("building 12", ("12", None, None)),
        ("eight oh one", (None, None, "801")),
        ("seven", ("7", None, None)),
        ("I do not know", None),
    ],
)
def test_english_places(text: str, place: tuple[str, str, str] | None) -> None:
    assert answers.read_place(text, "en") == (Place(*place) if place else None)


@pytest.mark.parametrize(
    ("text", "language", "number"),
    [
        ("幺三八零零零零幺二三四", "zh", "13800001234"),
        ("我的号码是138 0000 1234", "zh", "13800001234"),
        ("六五五五一二三四", "zh", "65551234"),
        ("没有电话", "zh", None),
        ("一二三", "zh", None),
        ("one three eight double zero double zero one two three four", "en", "13800001234"),
        ("I have none", "en", None),
    ],
)
def test_phones(text: str, language: str, number: str | None) -> None:
    assert answers.read_phone(text, language) == number


@pytest.mark.parametrize(
    ("text", "language", "name"),
    [
        ("我姓王", "zh", "王"),
        ("免贵姓李", "zh", "李"),
        ("王", "zh", "王"),
        ("我叫张小兰", "zh", "张小兰"),
        ("不想说", "zh", None),
        ("你问这个干什么", "zh", None),
        ("my name is John Smith", "en", "John Smith"),
        ("Smith", "en", "Smith"),
    ],
)
def test_names(text: str, language: str, name: str | None) -> None:
    assert answers.read_name(text, language) == name


@pytest.mark.parametrize(
    ("text", "language", "wanted"),
    [
        ("没有了，谢谢", "zh", "done"),
        ("没有别的事了", "zh", "done"),
        ("不用了谢谢再见", "zh", "done"),
        ("no that's all thank you", "en", "done"),
        ("对的", "zh", "yes"),
        ("不对", "zh", "no"),
        ("转人工", "zh", "operator"),
        ("再说一遍", "zh", "repeat"),
        ("我不同意录音", "zh", "objects_recording"),
        ("could you repeat that", "en", "repeat"),
    ],
)
def test_intents(text: str, language: str, wanted: str) -> None:
    assert wanted in answers.intents(text, language)


@pytest.mark.parametrize("text", ["家里水没有了", "水没了", "停电没有了电梯也没了", "还有一件事就这样坏了"])
def test_something_gone_is_not_done(text: str) -> None:
    assert "done" not in answers.intents(text, "zh")


def test_a_telling_that_says_it_ends() -> None:
    assert answers.finished("水管一直在滴水，就这些", "zh")
    assert answers.finished("the tap drips, that's all", "en")
    assert not answers.finished("水管一直在滴水", "zh")


def test_what_a_correction_speaks_of() -> None:
    assert answers.about("电话不对", "zh") == {"phone"}
    assert answers.about("地址错了", "zh") == {"place"}
    assert answers.about("that is not my name", "en") == {"name"}


@pytest.mark.parametrize(
    ("text", "language", "again"),
    [
        ("再说一遍", "zh", True),
        ("没听清，再说一遍", "zh", True),
        ("能不能再说一次", "zh", True),
        ("不好意思，我没听清楚", "zh", True),
        ("say that again", "en", True),
        ("sorry, I didn't catch that", "en", True),
        ("我家漏水了，再说一遍", "zh", False),
        ("对讲机听不清楚", "zh", False),
        ("I can't hear the intercom", "en", False),
        ("漏水了", "zh", False),
    ],
)
def test_a_wish_to_hear_it_again_is_nothing_else(text: str, language: str, again: bool) -> None:
    assert answers.asks_again(text, language) is again


@pytest.mark.parametrize(
    ("text", "language", "right"),
    [
        ("号码就是这个", "zh", True),
        ("电话就是这个号", "zh", True),
        ("就这个号码", "zh", True),
        ("手机号没错", "zh", True),
        ("that's my number", "en", True),
        ("the number is right", "en", True),
        ("电话不是这个", "zh", False),
        ("号码错了", "zh", False),
        ("换个电话", "zh", False),
        ("家里漏水了", "zh", False),
        ("it's not my number", "en", False),
        ("the building is five", "en", False),
    ],
)
def test_a_piece_that_is_right_as_it_was_read_back(text: str, language: str, right: bool) -> None:
    assert answers.affirms(text, language) is right
