"""What is said again: the question to who did not catch it, or pressed a key that means nothing."""

from __future__ import annotations

import pytest
from fake_phone import FakeCaller, FakePhone, Keys
from walking import Talk, surroundings

from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan
from callcenter.domain.understanding import understand_by_rules

HOME = {"ask_place": "三号楼二单元幺幺零二", "ask_name": "我姓王", "is_it_right": "对", "anything_else": "没有了"}


@pytest.mark.parametrize("words", ["再说一遍", "没听清，请再说一遍", "你说什么"])
async def test_the_opening_question_is_put_again(zh: Dialplan, words: str) -> None:
    caller = FakeCaller(HOME | {"how_can_i_help": [words, "家里厨房漏水了"]})
    phone = FakePhone(caller, understand_by_rules)
    outcome = await run(zh, phone, surroundings())
    opening = phone.said.index("how_can_i_help")
    assert phone.said[opening : opening + 3] == ["how_can_i_help", "how_can_i_help", "go_on"]
    assert phone.said.count("recording_notice") == 1, "the question, not everything that came before it"
    assert outcome.fields["text"] == "家里厨房漏水了"
    assert outcome.heard[0] == words


async def test_the_opening_question_is_put_again_in_english(talk: Talk, en: Dialplan) -> None:
    after = {
        "how_can_i_help": ["say that again", "there is a leak in my kitchen"],
        "ask_place": "building three unit two room one one zero two",
        "ask_name": "my name is John Smith", "anything_else": "no that's all",
    }  # fmt: skip
    phone, outcome = await talk(after, plan=en)
    assert phone.said.count("how_can_i_help") == 2
    assert outcome.fields["text"] == "there is a leak in my kitchen"


async def test_who_is_telling_already_hears_again_what_was_said_last(talk: Talk) -> None:
    after = HOME | {"how_can_i_help": "家里厨房", "go_on": ["什么？再说一遍", "漏水了"]}
    phone, outcome = await talk(after)
    assert phone.said.count("go_on") == 2
    assert phone.said.count("how_can_i_help") == 1
    assert outcome.fields["text"] == "家里厨房，漏水了"


async def test_who_only_asks_to_hear_it_again_tells_no_matter(talk: Talk) -> None:
    phone, outcome = await talk({name: ["再说一遍"] * 9 for name in ("how_can_i_help", "go_on", "silence", "again")})
    assert phone.said.count("how_can_i_help") == 3, "twice again"
    assert outcome.reason == "unclear"
    assert outcome.fields["text"] == ""


@pytest.mark.parametrize("key", ["9", "#", "*"])
async def test_a_key_that_means_nothing_is_answered_with_the_question(talk: Talk, key: str) -> None:
    phone, outcome = await talk(HOME | {"how_can_i_help": [Keys(key), "家里厨房漏水了"]})
    assert phone.said.count("how_can_i_help") == 2
    assert outcome.fields["text"] == "家里厨房漏水了"
    phone, outcome = await talk(HOME | {"how_can_i_help": "家里厨房", "go_on": [Keys(key), "漏水了"]})
    assert phone.said.count("go_on") == 2, "in the middle of a telling, too"
    assert outcome.fields["text"] == "家里厨房，漏水了"


@pytest.mark.parametrize("words", ["号码就是这个", "电话就是这个号"])
async def test_the_number_that_calls_is_confirmed_in_words(talk: Talk, words: str) -> None:
    phone, outcome = await talk(HOME | {"how_can_i_help": "家里厨房漏水了", "is_it_right": words})
    assert outcome.fields["phone"] == "+8613900001111"
    assert not {"what_is_wrong", "ask_phone"} & set(phone.said)
    after = HOME | {"how_can_i_help": "家里厨房漏水了", "is_it_right": ["不对", "对"], "what_is_wrong": words}
    phone, outcome = await talk(after)
    assert outcome.fields["phone"] == "+8613900001111"
    assert "ask_phone" not in phone.said


async def test_the_number_that_calls_is_confirmed_in_english_words(talk: Talk, en: Dialplan) -> None:
    after = {
        "how_can_i_help": "there is a leak in my kitchen", "is_it_right": "that is my number",
        "ask_place": "building three unit two room one one zero two",
        "ask_name": "my name is John Smith", "anything_else": "no that's all",
    }  # fmt: skip
    phone, outcome = await talk(after, plan=en)
    assert outcome.fields["phone"] == "+8613900001111"
    assert "what_is_wrong" not in phone.said
