"""What residents do, and what the Mandarin hotline does with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fake_phone import FakeCaller, FakePhone, HangsUp, Keys, Says, Silent
from fake_understanding import fake_understand
from walking import WORKDAY, Talk, surroundings

from callcenter.dialplan import interpreter
from callcenter.dialplan.context import Incident, OpenMatter
from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.outcome import EndedBy
from callcenter.dialplan.phone import CallerGone, TransferEnd
from callcenter.domain.labels import Label, Understanding
from callcenter.domain.places import Building, Gazetteer, Place, Unit
from callcenter.domain.understanding import understand_by_rules
from callcenter.errors import SpeechError

REPAIR: dict[str, object] = {
    "how_can_i_help": "家里厨房漏水了",
    "ask_place": "三号楼二单元幺幺零二",
    "ask_name": "我姓王",
    "is_it_right": "对",
    "anything_else": "没有了",
}


def before(phone: FakePhone, first: str, then: str) -> bool:
    return phone.said.index(first) < phone.said.index(then)


async def test_a_repair_from_greeting_to_goodbye(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR)
    assert phone.said == [
        "recording_notice", "greeting", "press_one", "how_can_i_help", "go_on", "ask_place", "ask_name",
        "read_back_matter", "read_back_place", "read_back_name", "read_back_caller_id", "is_it_right", "ticket_number",
        "who_by_when", "anything_else", "goodbye",
    ]  # fmt: skip
    assert phone.ended == "done"
    [(labels, fields)] = phone.tickets
    assert (labels.kind.value, labels.category.value) == ("repair", "water_leak")
    assert str(labels.place) == "3号楼2单元1102室"
    assert labels.name.value == "王"
    assert fields["phone"] == "+8613900001111"
    assert fields["missing"] == []
    assert outcome.ended_by is EndedBy.SCRIPT
    assert outcome.goodbye_said
    assert outcome.notice_given


async def test_what_is_said_is_joined_from_parts(talk: Talk) -> None:
    phone, _ = await talk(REPAIR)
    assert "这里是幸福小区物业服务中心。" in phone.texts
    assert any("地点，三号楼二单元幺幺零二室" in text for text in phone.texts)
    assert any("尾号幺幺幺幺" in text for text in phone.texts)
    assert any("编号是幺零零，零零幺" in text for text in phone.texts)
    assert any("由工程部值班员负责办理" in text and "今天下午一点半前" in text for text in phone.texts)


async def test_only_what_is_missing_is_asked(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": "三号楼二单元幺幺零二漏水了"}, caller_name="李")
    assert not {"ask_place", "ask_name", "ask_phone"} & set(phone.said)
    assert outcome.fields["place"] == "3号楼2单元1102室"


async def test_a_withheld_number_is_asked_and_read_back(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_phone": "幺三八零零零零一二三四"}, caller_number=None)
    assert outcome.fields["phone"] == "13800001234"
    assert any("联系电话是幺三八，零零零零，幺二三四" in text for text in phone.texts)


async def test_a_number_may_be_keyed_in(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_phone": Keys("13800001234#")}, caller_number=None)
    assert outcome.fields["phone"] == "13800001234"
    assert "emergency_here" not in phone.said, "digits of a number are no shortcuts"


async def test_keys_pressed_into_the_question_are_the_number_too(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_phone": Keys("13800001234#", over=True)}, caller_number=None)
    assert outcome.fields["phone"] == "13800001234"
    assert "emergency_here" not in phone.said


async def test_a_lone_zero_at_the_number_is_still_the_operator(talk: Talk) -> None:
    phone, _ = await talk(REPAIR | {"ask_phone": [Keys("0"), "幺三八零零零零一二三四"]}, caller_number=None)
    assert phone.transfers == ["8001"]


async def test_each_question_is_put_at_most_twice(talk: Talk) -> None:
    after = {"how_can_i_help": "家里厨房漏水了"}
    phone, outcome = await talk(after, caller_number=None)
    assert phone.said.count("ask_place") + phone.said.count("ask_place_again") == 2
    assert phone.said.count("ask_name") == 2
    assert phone.said.count("ask_phone") + phone.said.count("ask_phone_again") == 2
    assert outcome.fields["missing"] == ["place", "name", "phone"]
    assert phone.tickets, "a ticket all the same (R5)"
    assert outcome.goodbye_said


async def test_a_pause_is_answered_with_go_on_not_with_a_question(talk: Talk) -> None:
    after = REPAIR | {"how_can_i_help": "家里厨房", "go_on": "漏水了，很着急"}
    phone, outcome = await talk(after)
    assert phone.said[phone.said.index("how_can_i_help") + 1] == "go_on"
    assert outcome.fields["text"] == "家里厨房，漏水了，很着急"
    assert phone.said.count("go_on") == 1


async def test_not_heard_well_is_asked_again_twice_then_recorded(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": Says(""), "again": [Says(""), Says("")]})
    assert phone.said.count("again") == 2
    assert outcome.reason == "unclear"
    [(_, fields)] = phone.tickets
    assert fields["confirm"] is True
    assert fields["callback_by"] == "2026-03-04T10:30:00+08:00"
    assert any("今天上午十点半前给您回电" in text for text in phone.texts)
    assert outcome.goodbye_said


async def test_understood_at_the_second_try(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": Says(""), "again": "家里厨房漏水了"})
    assert phone.said.count("again") == 1
    assert outcome.reason == "done"


async def test_silence_is_spoken_to_twice_then_a_call_back_is_promised(talk: Talk) -> None:
    phone, outcome = await talk()
    assert phone.said.count("silence") == 2
    assert outcome.reason == "silence"
    assert phone.said[-2:] == ["callback_silence", "goodbye_callback"]
    assert phone.tickets[0][1]["callback_by"] == "2026-03-04T10:30:00+08:00"


async def test_silence_of_a_withheld_number_gets_no_promise(talk: Talk) -> None:
    phone, outcome = await talk(caller_number=None)
    assert not phone.tickets
    assert phone.said[-2:] == ["goodbye_silence", "goodbye"]
    assert outcome.goodbye_said


async def test_what_was_read_back_can_be_corrected_by_word(talk: Talk) -> None:
    after = REPAIR | {"is_it_right": ["不对，是五号楼二单元八零一", "对"]}
    phone, outcome = await talk(after)
    assert outcome.fields["place"] == "5号楼2单元801室"
    assert phone.said.count("read_back_matter") == 2
    assert "what_is_wrong" not in phone.said, "the right thing was said at once"


async def test_what_was_read_back_can_be_corrected_by_key(talk: Talk) -> None:
    after = REPAIR | {
        "ask_place": "三号楼二单元幺幺零二",
        "is_it_right": [Keys("2"), "对"],
        "what_is_wrong": "电话不对，应该是幺三八零零零零一二三四",
    }
    phone, outcome = await talk(after)
    assert "what_is_wrong" in phone.said
    assert outcome.fields["phone"] == "13800001234"


async def test_a_corrected_place_stays_corrected(talk: Talk) -> None:
    after = REPAIR | {
        "how_can_i_help": "三号楼二单元幺幺零二漏水了",
        "is_it_right": ["不对，是五号楼二单元八零一", "对"],
        "anything_else": ["还有停电了，请来修一下", "没有了"],
    }
    _, outcome = await talk(after)
    assert outcome.fields["place"] == "5号楼2单元801室"


async def test_a_number_told_with_a_pause_is_heard_to_its_end(talk: Talk) -> None:
    after = REPAIR | {"ask_phone": "幺三八零零零零", "go_on": [Silent(), "一二三四"]}
    phone, outcome = await talk(after, caller_number=None)
    assert outcome.fields["phone"] == "13800001234"
    assert "ask_phone_again" not in phone.said


async def test_a_wrong_matter_is_told_anew(talk: Talk) -> None:
    after = REPAIR | {"is_it_right": ["不对", "对"], "what_is_wrong": "不是漏水，是停电了"}
    _, outcome = await talk(after)
    assert outcome.fields["text"] == "不是漏水，是停电了"


@pytest.mark.parametrize("words", ["不对", "没有了", "嗯那个那个"])
async def test_what_was_told_outlives_a_correction_that_says_nothing(talk: Talk, words: str) -> None:
    _, outcome = await talk(REPAIR | {"is_it_right": ["不对", "对"], "what_is_wrong": words})
    assert "家里厨房漏水了" in outcome.fields["text"]
    assert outcome.understanding.category.value == "water_leak"


async def test_corrections_end(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"is_it_right": ["不对"] * 9, "what_is_wrong": ["电话不对"] * 9})
    assert phone.said.count("is_it_right") == 2
    assert outcome.reason == "done"


async def test_a_question_may_be_heard_again(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_name": ["没听清，再说一遍", "我姓王"]})
    assert phone.said.count("ask_name") == 2
    assert outcome.fields["name"] == "王"


async def test_the_ticket_number_may_be_heard_again(talk: Talk) -> None:
    phone, _ = await talk(REPAIR | {"anything_else": ["再说一遍", "没有了"]})
    assert sum("编号是" in text for text in phone.texts) == 2


async def test_another_matter_is_added_to_the_same_ticket(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"anything_else": ["还有，楼道灯也坏了，请修一下", "没有了"]})
    assert len(phone.tickets) == 2
    assert "楼道灯也坏了" in outcome.fields["text"]
    assert "noted" in phone.said


async def test_complaint_is_heard_to_its_end(talk: Talk) -> None:
    told = {"how_can_i_help": "我要投诉，楼上天天半夜装修", "go_on": "太吵了，已经一个月了"}
    after = REPAIR | told | {"ask_place": "六号楼"}
    phone, outcome = await talk(after)
    assert outcome.understanding.kind.value == "complaint"
    assert outcome.understanding.category.value == "noise"
    assert outcome.fields["text"].endswith("已经一个月了")
    assert phone.ended == "done"


async def test_enquiry_needs_no_place_and_is_passed_on(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": "请问物业费怎么交"})
    assert "ask_place" not in phone.said
    assert "passed_on" in phone.said
    assert outcome.understanding.category.value == "fees"


async def test_praise_is_thanked(talk: Talk) -> None:
    phone, _ = await talk(REPAIR | {"how_can_i_help": "我要表扬你们的师傅"})
    assert "thanks_for_words" in phone.said


async def test_emergency_by_words_opens_the_ticket_at_once(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": "着火了快来人", "emergency_where": "三号楼二单元"})
    assert phone.events.index("ticket") < next(i for i, e in enumerate(phone.events) if "幺幺九" in e)
    assert before(phone, "advice_fire", "emergency_where")
    assert not {"ask_name", "ask_phone", "read_back_matter", "is_it_right", "go_on"} & set(phone.said)
    assert len(phone.tickets) == 2, "opened at once, the place amended"
    labels, fields = phone.tickets[-1]
    assert labels.urgency.value == "emergency"
    assert fields["place"] == "3号楼2单元"
    assert phone.transfers == [], "the line is left free for 119"
    assert phone.said[-1] == "goodbye_emergency"
    assert outcome.goodbye_said


async def test_who_is_trapped_is_put_through_to_a_person(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": "我被困在电梯里了", "emergency_where": "三号楼"})
    assert phone.transfers == ["8001"]
    assert before(phone, "emergency_told", "emergency_person")
    assert phone.said[-2:] == ["emergency_number", "goodbye_emergency"]
    phone, outcome = await talk({"how_can_i_help": "我被困在电梯里了"}, operator=TransferEnd.COMPLETED)
    assert outcome.ended_by is EndedBy.OPERATOR


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("家里起火了", "advice_fire"),
        ("厨房煤气漏了", "advice_gas"),
        ("我被困在电梯里了", "advice_lift"),
        ("水管爆了", "advice_water"),
    ],
)
async def test_each_emergency_has_its_advice(talk: Talk, words: str, advice: str) -> None:
    phone, _ = await talk({"how_can_i_help": words})
    assert [p for p in phone.said if p.startswith("advice")] == [advice]


async def test_emergency_by_key_during_the_greeting(talk: Talk) -> None:
    told = "电梯困人了，有人困在里面"
    after = {"press_one": Keys("1", over=True), "emergency_what": told, "emergency_where": "五号楼一单元"}
    phone, outcome = await talk(after)
    assert phone.tickets[0][0].urgency.value == "emergency"
    assert phone.tickets[0][1]["text"] == ""
    assert phone.tickets[-1][0].category.value == "lift"
    assert outcome.fields["place"] == "5号楼1单元"
    assert "advice_lift" in phone.said


async def test_emergency_key_and_then_silence(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": Keys("1")})
    assert phone.tickets[-1][0].urgency.value == "emergency"
    assert phone.tickets[-1][0].kind.value == "help"
    assert phone.tickets[-1][1]["confirm"] is True
    assert outcome.goodbye_said


async def test_who_presses_the_emergency_key_and_cannot_speak_is_found_at_home(talk: Talk) -> None:
    phone, _ = await talk({"how_can_i_help": Keys("1")}, caller_place=Place("3", "2", "1102"))
    assert [fields["place"] for _, fields in phone.tickets] == ["3号楼2单元1102室"] * len(phone.tickets)
    assert phone.tickets[0][0].place.building.value == "3"


async def test_the_key_and_then_the_words_are_one_emergency(talk: Talk) -> None:
    phone, _ = await talk({"how_can_i_help": Keys("1"), "emergency_what": "家里着火了"})
    assert phone.said.count("emergency_here") == 1
    assert phone.tickets[-1][0].category.value == "fire"


@pytest.mark.parametrize("words", ["着火了", "有人晕倒了"])
async def test_a_short_cry_is_an_emergency_at_any_question(talk: Talk, words: str) -> None:
    phone, outcome = await talk(REPAIR | {"anything_else": words})
    assert "emergency_here" in phone.said
    assert outcome.understanding.urgency.value == "emergency"
    assert words in outcome.fields["text"]


async def test_in_an_emergency_the_registered_address_is_named_and_may_be_wrong(talk: Talk) -> None:
    home = Place("3", "2", "1102")
    phone, outcome = await talk({"how_can_i_help": "我被困在电梯里了"}, caller_place=home)
    assert "emergency_where" not in phone.said
    assert "地点是您登记的住址。" in phone.texts
    assert not any("幺幺零二" in text or "三号楼" in text for text in phone.texts)
    assert outcome.fields["place"] == "3号楼2单元1102室"
    after = {"how_can_i_help": "我被困在电梯里了", "emergency_right": "不是，在五号楼"}
    phone, outcome = await talk(after, caller_place=home)
    assert phone.tickets[-1][1]["place"].startswith("5号楼")
    assert before(phone, "emergency_right", "emergency_told")


def unsure(text: str) -> Understanding:
    labels = fake_understand(text)
    return replace(labels, urgency=Label("emergency", 0.5, "漏"))


@pytest.mark.parametrize(("answer", "emergency"), [("没有", False), ("有，有人受伤", True), (Silent(), True)])
async def test_perhaps_an_emergency_is_asked_about(zh: Dialplan, answer: object, emergency: bool) -> None:
    phone = FakePhone(FakeCaller(REPAIR | {"any_danger": answer}), unsure)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert "any_danger" in phone.said
    assert ("emergency_here" in phone.said) is emergency
    assert phone.tickets[-1][0].urgency.value == ("emergency" if emergency else "important")
    assert outcome.goodbye_said


async def test_somebody_who_was_not_understood_and_falls_silent_was_heard(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": "嗯嗯那个啊"})
    assert outcome.reason == "unclear"
    assert "callback_silence" not in phone.said


async def test_an_emergency_in_the_middle_of_questions(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_name": "哎呀不好了水管爆了全是水"})
    assert "emergency" in outcome.steps
    assert phone.tickets[0][0].urgency.value == "emergency"


async def test_repeat_caller_hears_the_state_and_joins(talk: Talk) -> None:
    matter = OpenMatter("100077", "water_leak", "工程部正在处理", "工程部维修工")
    phone, outcome = await talk({"how_can_i_help": "昨天报的漏水怎么还没来修"}, open_matters=(matter,))
    assert any("编号幺零零，零七七" in text for text in phone.texts)
    assert any("工程部正在处理" in text for text in phone.texts)
    assert phone.tickets[0][1]["joins"] == "100077"
    assert "repeat_promise" in phone.said
    assert outcome.ticket is not None
    assert outcome.ticket.joined


async def test_another_matter_of_a_repeat_caller_is_its_own(talk: Talk) -> None:
    matter = OpenMatter("100077", "water_leak", "工程部正在处理", "工程部维修工")
    phone, _ = await talk(REPAIR | {"how_can_i_help": "家里停电了"}, open_matters=(matter,))
    assert "repeat_known" not in phone.said
    assert "joins" not in phone.tickets[0][1]


async def test_known_incident_is_told_and_still_recorded(talk: Talk) -> None:
    incident = Incident("power", "6", WORKDAY - timedelta(minutes=50))
    after = REPAIR | {"how_can_i_help": "家里停电了", "ask_place": "六号楼一单元三零一"}
    phone, _ = await talk(after, incidents=(incident,))
    assert any("停电跳闸的情况我们今天上午九点十分已经知道" in text for text in phone.texts)
    assert phone.tickets[0][1]["incident"] == "power"


async def test_an_incident_elsewhere_is_not_told(talk: Talk) -> None:
    incident = Incident("power", "6", WORKDAY - timedelta(minutes=50))
    phone, _ = await talk(REPAIR | {"how_can_i_help": "家里停电了"}, incidents=(incident,))
    assert "incident_known" not in phone.said


async def test_residents_data_is_not_told(talk: Talk) -> None:
    after = {
        "how_can_i_help": "你把五号楼八零一住户的电话告诉我",
        "message_what": "转告他车灯没关",
        "ask_name": "我姓张",
        "anything_else": "没有了",
    }
    phone, _ = await talk(after)
    assert "confidential" in phone.said
    [(labels, fields)] = phone.tickets
    assert (labels.kind.value, labels.category.value) == ("message", "message")
    assert "车灯没关" in fields["text"]
    assert "message_passed" in phone.said


async def test_zero_bridges_to_the_operator(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": Keys("0")}, operator=TransferEnd.COMPLETED)
    assert phone.transfers == ["8001"]
    assert outcome.ended_by is EndedBy.OPERATOR
    assert outcome.goodbye_said


@pytest.mark.parametrize("end", [TransferEnd.NO_ANSWER, TransferEnd.BUSY, TransferEnd.UNREACHABLE])
async def test_operator_does_not_answer_and_the_talk_goes_on(talk: Talk, end: TransferEnd) -> None:
    after = REPAIR | {"how_can_i_help": ["转人工", "家里厨房漏水了"]}
    phone, outcome = await talk(after, operator=end)
    assert before(phone, "wait", "sorry_waited")
    assert phone.said.count("how_can_i_help") == 1 or outcome.reason == "done"
    assert outcome.reason in ("done", "silence", "unclear")
    assert outcome.goodbye_said


async def test_after_the_operator_the_question_is_put_again(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_name": [Keys("0"), "我姓王"]})
    assert phone.said.count("ask_name") == 2
    assert outcome.fields["name"] == "王"
    assert outcome.reason == "done"


async def test_nobody_on_duty_has_a_phone(talk: Talk) -> None:
    phone, _ = await talk(REPAIR | {"ask_name": [Keys("0"), "我姓王"]}, operator_extension=None)
    assert "operator_nobody" in phone.said
    assert phone.transfers == []


async def test_asking_for_a_person_has_an_end(talk: Talk) -> None:
    phone, outcome = await talk({prompt: [Keys("0")] * 9 for prompt in ("how_can_i_help", "silence", "ask_name")})
    assert len(phone.transfers) <= 4
    assert outcome.goodbye_said


async def test_objection_to_the_recording(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"ask_name": ["我不同意你们录音", "我姓王"]})
    assert "recording_objected" in phone.said
    assert outcome.objected
    assert phone.tickets[0][1]["objected"] is True
    assert outcome.reason == "done"


@pytest.mark.parametrize(
    ("changes", "greeting"),
    [
        ({"is_office_hours": False}, "greeting_night"),
        ({"is_office_hours": False, "is_holiday": True}, "greeting_holiday"),
        ({"is_office_hours": True}, None),
    ],
)
async def test_night_and_holiday_greetings(talk: Talk, changes: dict[str, object], greeting: str | None) -> None:
    phone, _ = await talk(REPAIR, **changes)
    assert [p for p in phone.said if p in ("greeting_night", "greeting_holiday")] == ([greeting] if greeting else [])
    assert phone.said[0] == "recording_notice"


async def test_known_household(talk: Talk) -> None:
    home = Place("3", "2", "1102")
    phone, outcome = await talk(REPAIR, caller_name="王芳", caller_place=home)
    assert not {"ask_place", "ask_name"} & set(phone.said)
    assert outcome.fields["place"] == "3号楼2单元1102室"
    assert outcome.fields["name"] == "王芳"


KNOWN: dict[str, object] = {"caller_name": "王芳", "caller_place": Place("3", "2", "1102")}
"""What the household of the calling number tells."""


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ("家里厨房漏水了", "地点，您登记的住址。"),
        ("三号楼厨房漏水了", "地点，三号楼，您登记的住址。"),
        ("三号楼二单元幺幺零二漏水了", "地点，三号楼二单元幺幺零二室。"),
    ],
)
async def test_what_only_the_household_tells_is_recorded_but_not_said(talk: Talk, told: str, heard: str) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": told}, **KNOWN)
    assert heard in phone.texts
    assert outcome.fields["place"] == "3号楼2单元1102室"
    assert phone.tickets[0][0].name.value == "王芳"
    assert not any("王" in text for text in phone.texts), "a number can be spoofed (R10)"
    assert any("一幺零二" in text or "幺幺零二" in text for text in phone.texts) is ("幺幺零二" in told)


async def test_the_name_that_was_said_is_read_back(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": "我姓李，家里厨房漏水了", "ask_name": "我姓李"}, **KNOWN)
    assert "王" not in "".join(phone.texts)
    after = REPAIR | {"is_it_right": ["不对，我姓李", "对"]}
    phone, outcome = await talk(after, **KNOWN)
    assert any("您姓李" in text for text in phone.texts)
    assert outcome.fields["name"] == "李"


@pytest.mark.parametrize(
    "after",
    [
        {"is_it_right": ["不对，是五号楼二单元八零一", "对"]},
        {"is_it_right": ["不对", "对"], "what_is_wrong": "五号楼二单元八零一"},
        {"is_it_right": ["不对", "对"], "what_is_wrong": "不是登记的住址", "ask_place": "五号楼二单元八零一"},
    ],
)
async def test_a_registered_address_may_be_wrong(talk: Talk, after: dict[str, object]) -> None:
    phone, outcome = await talk(REPAIR | after, **KNOWN)
    assert before(phone, "is_it_right", "ticket_number")
    assert "地点，您登记的住址。" in phone.texts
    assert "地点，五号楼二单元八零幺室。" in phone.texts
    assert outcome.fields["place"] == "5号楼2单元801室"


async def test_another_place_than_home_is_believed(talk: Talk) -> None:
    after = REPAIR | {"how_can_i_help": "五号楼一单元三零二漏水了"}
    _, outcome = await talk(after, caller_name="王芳", caller_place=Place("3", "2", "1102"))
    assert outcome.fields["place"] == "5号楼1单元302室"


async def test_speaking_into_the_greeting_stops_it(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"greeting": Says("家里厨房漏水了", over=True)})
    assert "press_one" not in phone.said
    assert "how_can_i_help" not in phone.said
    assert outcome.reason == "done"
    assert outcome.fields["text"] == "家里厨房漏水了"


async def test_the_notice_cannot_be_interrupted(talk: Talk) -> None:
    phone, outcome = await talk({"recording_notice": Keys("1", over=True)})
    assert outcome.notice_given
    assert phone.said[0] == "recording_notice"


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize(
    "prompt",
    [
        "recording_notice",
        "greeting",
        "how_can_i_help",
        "go_on",
        "ask_place",
        "ask_name",
        "is_it_right",
        "ticket_number",
        "goodbye",
    ],
)
async def test_hanging_up_anywhere_loses_nothing(talk: Talk, prompt: str, over: bool) -> None:
    phone, outcome = await talk(REPAIR | {prompt: HangsUp(over=over)})
    left_before_goodbye = over or prompt != "goodbye"
    assert outcome.ended_by is (EndedBy.CALLER if left_before_goodbye else EndedBy.SCRIPT)
    told = phone.said.index("how_can_i_help") < len(phone.said) - 1 if "how_can_i_help" in phone.said else False
    if told:
        assert outcome.fields["text"] == "家里厨房漏水了"
        assert outcome.needs_ticket is (not phone.tickets)
    if "ask_name" in phone.said:
        assert outcome.fields["place"] == "3号楼2单元1102室"


async def test_understanding_away_is_done_by_rules(zh: Dialplan) -> None:
    def broken(text: str) -> Understanding:
        raise SpeechError("speech.away", "nobody there", retryable=True)

    phone = FakePhone(FakeCaller(REPAIR), broken)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert outcome.reason == "done"
    assert outcome.understanding.by == "rules"
    assert outcome.understanding.category.value == "water_leak"


async def test_a_ticket_without_a_number_is_not_spoken_of(zh: Dialplan) -> None:
    class Unnumbered(FakePhone):
        async def open_ticket(self, understanding, fields):  # type: ignore[no-untyped-def]
            return replace(await super().open_ticket(understanding, fields), number="")

    phone = Unnumbered(FakeCaller(REPAIR), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert "ticket_number" not in phone.said
    assert "registered" in phone.said
    assert outcome.reason == "done"


async def test_a_broken_journal_is_apologised_for(zh: Dialplan) -> None:
    class Broken(FakePhone):
        async def open_ticket(self, understanding, fields):  # type: ignore[no-untyped-def]
            raise SpeechError("store.disk_full", "no room")

    phone = Broken(FakeCaller(REPAIR), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert outcome.ended_by is EndedBy.ERROR
    assert outcome.reason == "store.disk_full"
    assert phone.said[-2:] == ["trouble", "goodbye"]
    assert phone.ended == "error"
    assert outcome.needs_ticket


async def test_a_slow_ticket_is_waited_for_with_an_apology(zh: Dialplan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_S", 0.001)
    told = asyncio.Event()

    class Slow(FakePhone):
        async def play(self, clips, *, barge_in=True):  # type: ignore[no-untyped-def]
            if any(clip.prompt == "wait" for clip in clips):
                told.set()
            return await super().play(clips, barge_in=barge_in)

        async def open_ticket(self, understanding, fields):  # type: ignore[no-untyped-def]
            await told.wait()
            return await super().open_ticket(understanding, fields)

    phone = Slow(FakeCaller(REPAIR), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert phone.said[phone.said.index("wait") :][:3] == ["wait", "sorry_waited", "ticket_number"]
    assert outcome.reason == "done"


async def test_a_caller_who_leaves_while_waiting_has_the_ticket(zh: Dialplan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_S", 0.001)
    left = asyncio.Event()

    class Slow(FakePhone):
        async def play(self, clips, *, barge_in=True):  # type: ignore[no-untyped-def]
            try:
                return await super().play(clips, barge_in=barge_in)
            except CallerGone:
                left.set()
                raise

        async def open_ticket(self, understanding, fields):  # type: ignore[no-untyped-def]
            await left.wait()
            return await super().open_ticket(understanding, fields)

    phone = Slow(FakeCaller(REPAIR | {"wait": HangsUp(over=True)}), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert outcome.ended_by is EndedBy.CALLER
    assert outcome.ticket is not None
    assert not outcome.needs_ticket


async def test_a_ticket_that_never_comes_is_not_waited_for(zh: Dialplan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "PATIENCE_S", 0.001)
    monkeypatch.setattr(interpreter, "TICKET_TIMEOUT_S", 0.001)

    class Stuck(FakePhone):
        async def open_ticket(self, understanding, fields):  # type: ignore[no-untyped-def]
            await asyncio.Event().wait()

    phone = Stuck(FakeCaller(REPAIR), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert outcome.reason == "dialplan.ticket_slow"
    assert outcome.goodbye_said
    assert outcome.needs_ticket


async def test_steps_are_reported(zh: Dialplan) -> None:
    steps: list[str] = []
    phone = FakePhone(FakeCaller(REPAIR), fake_understand)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings(), on_step=steps.append)
    assert tuple(steps) == outcome.steps
    assert steps[0] == "welcome"


async def test_silent_turns_use_the_call_back_of_the_site(talk: Talk) -> None:
    late = datetime(2026, 3, 4, 15, 50, tzinfo=UTC)
    phone, _ = await talk({"how_can_i_help": Silent()}, now=late, callback_within_min=15)
    assert any("明天凌晨十二点零五分前给您回电" in text for text in phone.texts)


async def test_a_talk_without_end_is_ended(zh: Dialplan) -> None:
    limits = zh.script.limits.model_copy(update={"turns": 5})
    short = replace(zh, script=zh.script.model_copy(update={"limits": limits}))
    phone = FakePhone(FakeCaller(otherwise=lambda _: Says("家里漏水了")), fake_understand)
    outcome = await run(short, phone, surroundings())
    assert outcome.reason == "too_long"
    assert outcome.turns == 5
    assert phone.transfers == ["8001"]
    assert phone.tickets[-1][1]["callback_by"]
    assert outcome.goodbye_said


async def test_a_key_pressed_wrong_is_no_wrong_number(talk: Talk) -> None:
    after = REPAIR | {"ask_phone": "我刚才按错了", "ask_phone_again": "幺三九零零幺二三四五六"}
    _, outcome = await talk(after, caller_number=None)
    assert outcome.reason == "done"
    assert outcome.fields["phone"] == "13900123456"
    _, outcome = await talk(REPAIR | {"ask_place": "哎呀打错了"})
    assert outcome.reason == "wrong_number"


async def test_a_wrong_number_is_let_go_kindly(talk: Talk) -> None:
    phone, outcome = await talk({"how_can_i_help": "不好意思打错了"})
    assert phone.said[-1] == "goodbye_wrong"
    assert outcome.reason == "wrong_number"
    assert outcome.goodbye_said
    assert not phone.tickets


async def test_a_greeting_is_asked_to_go_on(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": "喂你好", "go_on": "家里厨房漏水了"})
    assert "again" not in phone.said
    assert outcome.understanding.category.value == "water_leak"


async def test_a_place_that_does_not_exist_is_asked_again(talk: Talk) -> None:
    site = Gazetteer("xingfu", (), (Building("3", "east", (Unit("2", 11, 2),)),))
    after = REPAIR | {"ask_place": "三号楼二单元幺零零零二", "ask_place_again": "三号楼二单元幺幺零二"}
    phone, outcome = await talk(after, gazetteer=site)
    assert before(phone, "again", "ask_place_again")
    assert outcome.fields["place"] == "3号楼2单元1102室"


async def test_a_place_that_does_not_exist_is_taken_as_said_the_second_time_and_confirmed(talk: Talk) -> None:
    site = Gazetteer("xingfu", (), (Building("3", "east", (Unit("2", 11, 2),)),))
    twice = REPAIR | {"ask_place": "九号楼二单元幺幺零二", "ask_place_again": "九号楼二单元幺幺零二"}
    phone, outcome = await talk(twice, gazetteer=site)
    assert outcome.fields["place"] == "9号楼2单元1102室"
    assert "to_be_confirmed" in phone.said
    assert "who_by_when" not in phone.said


async def test_a_correction_to_a_place_that_does_not_exist_forgets_the_wrong_one_and_asks(talk: Talk) -> None:
    site = Gazetteer("xingfu", (), (Building("3", "east", (Unit("2", 11, 2),)),))
    told = REPAIR | {
        "how_can_i_help": "三号楼二单元幺幺零一漏水了", "is_it_right": "不对", "what_is_wrong": "九栋二单元幺幺零二",
    }  # fmt: skip
    phone, outcome = await talk(told, gazetteer=site)
    assert before(phone, "what_is_wrong", "ask_place")
    assert outcome.fields["place"] == "3号楼2单元1102室"
    assert outcome.fields["text"] == "三号楼二单元幺幺零一漏水了", "a place is no matter"


async def test_a_site_says_it_in_its_own_words(talk: Talk) -> None:
    own = {"goodbye": "幸福小区祝您愉快，再见。", "nonsense": "x"}
    phone, outcome = await talk(REPAIR, phrases=own)
    assert phone.texts[-1] == "幸福小区祝您愉快，再见。"
    assert outcome.goodbye_said


@pytest.mark.parametrize("words", ["没有", "没有了谢谢", "不用了", "没问题"])
async def test_nothing_is_wrong_with_what_was_read_back(talk: Talk, words: str) -> None:
    phone, outcome = await talk(REPAIR | {"is_it_right": words})
    assert "what_is_wrong" not in phone.said
    assert outcome.reason == "done"


async def test_who_only_greets_is_answered_every_time_then_called_back(talk: Talk) -> None:
    after = {"how_can_i_help": "喂", "go_on": "喂喂", "silence": "喂，听得到吗", "again": ["喂", "有人吗"]}
    phone, outcome = await talk(after)
    asked = phone.said[phone.said.index("how_can_i_help") :]
    assert asked[:5] == ["how_can_i_help", "go_on", "silence", "again", "again"]
    assert outcome.reason == "unclear"
    assert outcome.turns == 5
    assert outcome.heard == ("喂", "喂喂", "喂，听得到吗", "喂", "有人吗")
    assert phone.tickets[0][1]["callback_by"]


async def test_a_number_told_in_pieces_is_heard_to_its_end(talk: Talk) -> None:
    after = REPAIR | {"ask_phone": "幺三九", "go_on": [Silent(), "幺二三四", "五六七八"]}
    phone, outcome = await talk(after, caller_number=None)
    assert outcome.fields["phone"] == "13912345678"
    assert "ask_phone_again" not in phone.said


async def test_an_answer_to_another_question_is_taken(talk: Talk) -> None:
    after = REPAIR | {"how_can_i_help": "请问物业费怎么交", "ask_name": ["我在二号楼一单元", "我姓孙"]}
    phone, outcome = await talk(after)
    assert outcome.fields["place"] == "2号楼1单元"
    assert "again" not in phone.said
    phone, outcome = await talk(REPAIR | {"ask_place": "姓钱，我在三号楼二单元幺幺零二"})
    assert outcome.fields["name"] == "钱"
    assert "ask_name" not in phone.said


@pytest.mark.parametrize(
    ("after", "several"),
    [
        ({"how_can_i_help": "一个是家里停电了，还有物业费发票没给我"}, True),
        ({"how_can_i_help": "家里停电了", "anything_else": ["还要问一下物业费怎么交", "没有了"]}, True),
        ({"how_can_i_help": "家里停电了，还有插座冒火花的声音"}, False),
        ({"how_can_i_help": "家里停电了，很着急"}, False),
    ],
)
async def test_matters_of_two_departments_are_looked_at_by_a_person(
    zh: Dialplan, after: dict[str, object], several: bool
) -> None:
    phone = FakePhone(FakeCaller(REPAIR | after), understand_by_rules)  # type: ignore[arg-type]
    outcome = await run(zh, phone, surroundings())
    assert outcome.fields.get("confirm", False) is several


@pytest.mark.parametrize("words", ["你把三号楼王先生的电话给我一下", "把楼上那家的手机号告诉我"])
async def test_however_a_residents_number_is_asked_for(talk: Talk, words: str) -> None:
    phone, _ = await talk({"how_can_i_help": words, "ask_name": "我姓刘"})
    assert "confidential" in phone.said
    phone, _ = await talk({"how_can_i_help": "请把你们物业的电话给我"})
    assert "confidential" not in phone.said


async def test_who_would_rather_leave_no_message_leaves_none(talk: Talk) -> None:
    asks = {"how_can_i_help": "你把五号楼八零一住户的电话告诉我"}
    after = asks | {"message_what": "算了，不用了", "anything_else": "没有了"}
    phone, outcome = await talk(after)
    assert "confidential" in phone.said
    assert "message_passed" not in phone.said
    assert not phone.tickets
    assert outcome.reason == "done"


async def test_after_the_operator_did_not_answer_the_open_question_is_put(talk: Talk) -> None:
    phone, outcome = await talk(REPAIR | {"how_can_i_help": ["转人工", "家里厨房漏水了"]})
    said = phone.said[phone.said.index("operator_busy") :]
    assert said[1] == "how_can_i_help"
    assert "again" not in phone.said
    assert outcome.understanding.category.value == "water_leak"
