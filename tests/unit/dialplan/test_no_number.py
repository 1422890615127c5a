"""Nobody is promised a call-back or an answer by a time without a number to reach them at (R22)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_phone import FakeCaller, FakePhone, Keys, Says
from fake_understanding import fake_understand
from walking import Talk, surroundings

from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.outcome import Outcome
from callcenter.dialplan.phone import TransferEnd

PROMISES = {
    "callback_silence", "callback_unclear", "goodbye_callback", "who_by_when", "passed_on", "to_be_confirmed",
}  # fmt: skip
"""Prompts that say when, or that, the caller will be rung."""


@pytest.fixture(params=["zh", "en"])
def plan(request: pytest.FixtureRequest, zh: Dialplan, en: Dialplan) -> Dialplan:
    return zh if request.param == "zh" else en


def no_promise(phone: FakePhone, outcome: Outcome) -> None:
    assert not PROMISES & set(phone.said)
    assert not any("callback_by" in fields for _, fields in phone.tickets)
    assert phone.tickets, "recorded all the same (R5)"
    assert "ticket_number" in phone.said
    assert outcome.goodbye_said


@pytest.mark.parametrize("greeting", ["喂", "hello", ""])
async def test_who_is_not_understood(plan: Dialplan, greeting: str) -> None:
    context = surroundings(caller_number=None, language=plan.language)
    phone = FakePhone(FakeCaller(otherwise=lambda _: Says(greeting)), fake_understand)
    outcome = await run(plan, phone, context)
    assert outcome.reason == "unclear"
    assert "ask_phone" in phone.said, "the number is asked for first"
    assert phone.transfers == ["8001"], "a person now, as nobody can ring back"
    no_promise(phone, outcome)
    assert outcome.fields["confirm"] is True


async def test_who_is_not_understood_but_gives_a_number(talk: Talk, plan: Dialplan) -> None:
    after = {"how_can_i_help": Says(""), "again": [Says(""), Says("")], "ask_phone": Keys("13800001234#")}
    phone, _ = await talk(after, plan=plan, caller_number=None)
    assert phone.said[-2:] == ["callback_unclear", "goodbye_callback"]
    assert phone.tickets[0][1]["callback_by"]
    assert phone.transfers == []


async def test_who_is_not_understood_is_put_through(talk: Talk, plan: Dialplan) -> None:
    after = {"how_can_i_help": Says(""), "again": [Says(""), Says("")]}
    _, outcome = await talk(after, plan=plan, caller_number=None, operator=TransferEnd.COMPLETED)
    assert outcome.reason == "after_transfer"
    assert outcome.goodbye_said


async def test_who_talks_too_long(plan: Dialplan) -> None:
    limits = plan.script.limits.model_copy(update={"turns": 3})
    short = replace(plan, script=plan.script.model_copy(update={"limits": limits}))
    context = surroundings(caller_number=None, language=plan.language, operator_extension=None)
    phone = FakePhone(FakeCaller(otherwise=lambda _: Says("家里厨房漏水了")), fake_understand)
    outcome = await run(short, phone, context)
    assert outcome.reason == "too_long"
    no_promise(phone, outcome)


@pytest.mark.parametrize("matter", ["家里厨房漏水了", "请问物业费怎么交"])
async def test_whose_matter_was_understood(talk: Talk, matter: str) -> None:
    phone, outcome = await talk({"how_can_i_help": matter, "anything_else": "没有了"}, caller_number=None)
    assert outcome.reason == "done"
    no_promise(phone, outcome)


async def test_whose_matter_was_understood_in_english(talk: Talk, en: Dialplan) -> None:
    phone, outcome = await talk({"how_can_i_help": "there is a leak in my kitchen"}, plan=en, caller_number=None)
    assert outcome.reason == "done"
    no_promise(phone, outcome)


def test_what_promises_a_call_back_says_by_when(plan: Dialplan) -> None:
    words = ("我们会", "回电") if plan.language == "zh" else ("we will", "call you back")
    promising = [p for p in plan.prompts.prompts.values() if all(word in p.text.lower() for word in words)]
    assert promising
    assert [p.id for p in promising if "callback_by" not in p.slots] == []
