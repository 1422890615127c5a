"""The English hotline: the same talk, by words and keys."""

from __future__ import annotations

from datetime import timedelta

from fake_phone import Keys, Says
from walking import WORKDAY, Talk

from callcenter.dialplan.context import Incident, OpenMatter
from callcenter.dialplan.load import Dialplan
from callcenter.domain.places import Place

REPAIR: dict[str, object] = {
    "how_can_i_help": "there is a leak in my kitchen",
    "ask_place": "building three unit two room one one zero two",
    "ask_name": "my name is John Smith",
    "is_it_right": "yes that's right",
    "anything_else": "no that's all",
}


def test_both_scripts_are_the_same_talk(zh: Dialplan, en: Dialplan) -> None:
    assert zh.script.model_dump(exclude={"dialplan", "title", "language", "prompts"}) == en.script.model_dump(
        exclude={"dialplan", "title", "language", "prompts"}
    )


async def test_a_repair(talk: Talk, en: Dialplan) -> None:
    phone, outcome = await talk(REPAIR, plan=en, site_name="Xingfu Residential Service Centre")
    assert outcome.reason == "done"
    assert outcome.fields["place"] == "3号楼2单元1102室"
    assert outcome.fields["name"] == "John Smith"
    said = " ".join(phone.texts)
    assert "Xingfu Residential Service Centre" in said
    assert "buildingthree,unittwo,roomoneonezerotwo." in said.replace(" ", "")
    assert "byonethirtyPMtoday" in said.replace(" ", "")


async def test_by_keys_alone(talk: Talk, en: Dialplan) -> None:
    after = {"how_can_i_help": Says(""), "again": [Says(""), Says("")], "ask_phone": Keys("13800001234#")}
    phone, outcome = await talk(after, plan=en, caller_number=None)
    assert outcome.reason == "unclear"
    assert outcome.fields["phone"] == "13800001234"
    assert phone.tickets[0][1]["confirm"] is True


async def test_emergency_by_key_and_word(talk: Talk, en: Dialplan) -> None:
    phone, _ = await talk({"how_can_i_help": Keys("1"), "emergency_what": "the kitchen is on fire"}, plan=en)
    assert "advice_fire" in phone.said
    phone, _ = await talk({"how_can_i_help": "a burst pipe", "emergency_where": "building five"}, plan=en)
    assert phone.tickets[-1][1]["place"] == "5号楼"
    assert "advice_water" in phone.said


async def test_operator_by_word(talk: Talk, en: Dialplan) -> None:
    phone, outcome = await talk(REPAIR | {"ask_name": ["operator please", "John"]}, plan=en)
    assert phone.transfers == ["8001"]
    assert outcome.reason == "done"


async def test_correction(talk: Talk, en: Dialplan) -> None:
    after = REPAIR | {"is_it_right": [Keys("2"), "yes"], "what_is_wrong": "the building is wrong, it is building five"}
    _, outcome = await talk(after, plan=en)
    assert outcome.fields["place"].startswith("5号楼")


async def test_a_number_read_back_wrong_is_no_wrong_number(talk: Talk, en: Dialplan) -> None:
    right = "one three nine double zero one two three four five six"
    after = REPAIR | {"is_it_right": ["that is the wrong number", "yes"], "ask_phone": right}
    phone, outcome = await talk(after, plan=en)
    assert outcome.reason == "done"
    assert outcome.fields["phone"] == "13900123456"
    assert "goodbye_wrong" not in phone.said


async def test_who_misdialled_may_say_so_at_any_time(talk: Talk, en: Dialplan) -> None:
    for words in ("sorry wrong number", "i think i dialled the wrong number"):
        _, outcome = await talk({"how_can_i_help": words}, plan=en)
        assert outcome.reason == "wrong_number"
    _, outcome = await talk(REPAIR | {"ask_place": "oh i have got the wrong number"}, plan=en)
    assert outcome.reason == "wrong_number"


async def test_repeat_caller_incident_and_confidentiality(talk: Talk, en: Dialplan) -> None:
    matter = OpenMatter("100077", "water_leak", "is being worked on", "Engineering technician")
    phone, _ = await talk({"how_can_i_help": "the leak is still there"}, plan=en, open_matters=(matter,))
    assert phone.tickets[0][1]["joins"] == "100077"
    assert any("At the moment it" in text and "is being worked on" in text for text in phone.texts)
    incident = Incident("power", None, WORKDAY - timedelta(hours=1))
    after = REPAIR | {"how_can_i_help": "the power is out"}
    phone, _ = await talk(after, plan=en, incidents=(incident,), caller_place=Place("3", "2", "1102"))
    assert "incident_known" in phone.said
    phone, _ = await talk({"how_can_i_help": "what is the phone number of the tenant in five"}, plan=en)
    assert "confidential" in phone.said


async def test_silence(talk: Talk, en: Dialplan) -> None:
    phone, outcome = await talk(plan=en)
    assert phone.said.count("silence") == 2
    assert outcome.goodbye_said


async def test_what_only_the_household_tells_is_recorded_but_not_said(talk: Talk, en: Dialplan) -> None:
    phone, outcome = await talk(REPAIR, plan=en, caller_name="Li Na", caller_place=Place("3", "2", "1102"))
    said = " ".join(phone.texts)
    assert "your registered address" in said
    assert "eleven" not in said
    assert "Li Na" not in said
    assert (outcome.fields["place"], outcome.fields["name"]) == ("3号楼2单元1102室", "Li Na")
    after = REPAIR | {"is_it_right": ["no", "yes"], "what_is_wrong": "it is building five unit one room three zero two"}
    phone, outcome = await talk(after, plan=en, caller_place=Place("3", "2", "1102"))
    assert outcome.fields["place"] == "5号楼1单元302室"
