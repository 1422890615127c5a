"""Calls of ours to residents: only a clear answer archives or reopens a matter; who is there is rung, else heard."""

from __future__ import annotations

import pytest
from fake_phone import HangsUp, Keys, Says
from walking import SCRIPTS, Talk

from callcenter.dialplan.context import OpenMatter
from callcenter.dialplan.load import Dialplan, load_dialplan
from callcenter.dialplan.outcome import EndedBy
from callcenter.dialplan.phone import TransferEnd
from callcenter.dialplan.survey import read_score, read_solved

ABOUT = OpenMatter("100123", "water_leak", "", "")


@pytest.fixture(scope="module", params=["zh", "en"])
def follow_up(request: pytest.FixtureRequest) -> Dialplan:
    return load_dialplan(SCRIPTS / f"follow-up.{request.param}.yaml")


@pytest.fixture(scope="module")
def call_back() -> Dialplan:
    return load_dialplan(SCRIPTS / "callback.zh.yaml")


@pytest.mark.parametrize("name", ["callback", "follow-up"])
def test_both_languages_are_the_same_talk(name: str) -> None:
    zh, en = (load_dialplan(SCRIPTS / f"{name}.{language}.yaml").script for language in ("zh", "en"))
    own = {"dialplan", "title", "language", "prompts"}
    assert zh.model_dump(exclude=own) == en.model_dump(exclude=own)


async def test_solved_and_scored_by_keys(talk: Talk, follow_up: Dialplan) -> None:
    after = {"follow_up_solved": Keys("1"), "follow_up_score": Keys("5")}
    phone, outcome = await talk(after, plan=follow_up, about=ABOUT)
    assert outcome.answers == {"solved": "yes", "score": "5"}
    assert (outcome.reason, outcome.goodbye_said, outcome.notice_given) == ("done", True, True)
    assert "follow_up_about" in phone.said, "the resident hears what it is about"
    assert not phone.tickets


async def test_not_solved_is_asked_what_is_not(talk: Talk, follow_up: Dialplan) -> None:
    phone, outcome = await talk({"follow_up_solved": Keys("2")}, plan=follow_up, about=ABOUT)
    assert outcome.answers == {"solved": "no"}
    assert "follow_up_why" in phone.said
    assert "follow_up_score" not in phone.said


async def test_silence_is_no_answer(talk: Talk, follow_up: Dialplan) -> None:
    phone, outcome = await talk({}, plan=follow_up, about=ABOUT)
    assert outcome.answers == {}
    assert phone.said.count("follow_up_solved") == 2
    assert outcome.goodbye_said


async def test_a_long_speech_of_a_mailbox_is_no_answer(talk: Talk, follow_up: Dialplan) -> None:
    speech = "您拨打的用户暂时无法接通请在提示音后留言" if follow_up.language == "zh" else "please leave a message"
    _, outcome = await talk({"follow_up_solved": [Says(speech)] * 3}, plan=follow_up, about=ABOUT)
    assert outcome.answers == {}


async def test_hung_up_while_listening(talk: Talk, follow_up: Dialplan) -> None:
    _, outcome = await talk({"follow_up_solved": HangsUp(over=True)}, plan=follow_up, about=ABOUT)
    assert outcome.ended_by is EndedBy.CALLER
    assert outcome.answers == {}


async def test_the_person_in_charge_is_rung_and_takes_over(talk: Talk, call_back: Dialplan) -> None:
    phone, outcome = await talk({}, plan=call_back, about=ABOUT, operator=TransferEnd.COMPLETED)
    assert phone.transfers == ["8001"]
    assert outcome.ended_by is EndedBy.OPERATOR


async def test_nobody_there_the_resident_is_heard(talk: Talk, call_back: Dialplan) -> None:
    after = {"callback_please": "厨房的水管还在漏", "ask_place": "三号楼二单元幺幺零二", "ask_name": "我姓王"}
    flags = frozenset({"silence", "nothing_said"})
    phone, outcome = await talk(after, plan=call_back, flags=flags, operator_extension=None)
    assert not phone.transfers
    assert "callback_silent" in phone.said
    assert outcome.fields["text"] == "厨房的水管还在漏"
    assert outcome.fields["place"] == "3号楼2单元1102室"
    assert phone.tickets


async def test_danger_in_a_call_back_is_an_emergency(talk: Talk, call_back: Dialplan) -> None:
    phone, _ = await talk({"callback_please": "着火了，快来人"}, plan=call_back, about=ABOUT, operator_extension=None)
    assert "emergency_here" in phone.said
    assert phone.tickets[0][0].urgency.value == "emergency"


@pytest.mark.parametrize(
    ("text", "solved"),
    [
        ("解决了", "yes"), ("已经修好了谢谢", "yes"), ("没问题了", "yes"), ("嗯", "yes"), ("对", "yes"),
        ("没解决", "no"), ("没有解决还是漏水", "no"), ("还没来人呢", "no"), ("没有", "no"), ("解决了但是又漏了", "no"),
        ("修了可是没修好", "no"), ("喂你好", None), ("", None), ("你们是哪里", None),
        ("每解决", "no"), ("美解决还是漏", "no"), ("不解决", "no"), ("解决了一半", "no"), ("谁说解决了", "no"),
        ("不正常", "no"),
        ("请你们快点解决", "no"), ("你们赶紧给我解决了", "no"), ("什么时候能修好", "no"), ("还漏着呢", "no"),
        ("没打扫", "no"),
        ("没看见人", "no"), ("用不了", "no"), ("修得不好", "no"), ("依旧漏水", "no"), ("很快就解决了", "yes"),
        ("没什么问题了", "yes"),
        ("现在不漏水了", "yes"), ("没再漏过", "yes"), ("搞定了", "yes"), ("有水了", "yes"), ("打扫干净了", "yes"),
        ("解决", "yes"),
        ("又好了", "yes"), ("还不错，解决了", "yes"), ("解决了吗", None), ("解决没有", None), ("修好了没", None),
        ("不用了谢谢", None),
        ("不好意思没听清", None), ("您拨打的用户暂时没人接听", None), ("妈妈不在家", None),
        ("我还不知道", None), ("我没报修过", None),
    ],
)  # fmt: skip
def test_is_it_solved(text: str, solved: str | None) -> None:
    assert read_solved(text, "zh") == solved


@pytest.mark.parametrize(
    ("text", "solved"),
    [
        ("yes it is", "yes"), ("it's fixed", "yes"), ("no problem any more", "yes"), ("it is not leaking now", "yes"),
        ("no one came", "no"), ("nothing was done", "no"), ("no they didn't come", "no"), ("it doesn't work", "no"),
        ("when will it be fixed", "no"), ("please fix it", "no"), ("is it fixed", None), ("i am not sure", None),
        ("my mother is not here", None), ("say that again", None), ("who is this", None),
        ("the person you are calling cannot take your call", None),
    ],
)  # fmt: skip
def test_is_it_solved_in_english(text: str, solved: str | None) -> None:
    assert read_solved(text, "en") == solved


@pytest.mark.parametrize(
    ("text", "language", "score"),
    [
        ("五分", "zh", "5"), ("打三分吧", "zh", "3"), ("非常满意", "zh", "5"), ("满意", "zh", "4"), ("一般", "zh", "3"),
        ("不太满意", "zh", "2"), ("很不满意", "zh", "1"), ("喂", "zh", None), ("very satisfied", "en", "5"),
        ("not satisfied", "en", "2"), ("four", "en", "4"), ("hello", "en", None), ("not very good", "en", "2"),
        ("not happy at all", "en", "1"), ("not bad", "en", "3"), ("four out of five", "en", "4"), ("ten", "en", None),
        ("one hundred percent", "en", None), ("i have three children", "en", None), ("没什么不满意的", "zh", "4"),
        ("很不好", "zh", "1"), ("差不多", "zh", "3"), ("不怎么样", "zh", "2"), ("不好意思", "zh", None),
        ("六分", "zh", None),
        ("六十一分", "zh", None), ("十分", "zh", None), ("零分", "zh", None), ("幺五", "zh", None),
    ],
)  # fmt: skip
def test_how_satisfied(text: str, language: str, score: str | None) -> None:
    assert read_score(text, language) == score
