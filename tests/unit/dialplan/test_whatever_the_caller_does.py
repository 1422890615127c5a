"""Whatever the caller does, the talk ends, politely, within its bounds, and nothing heard is lost."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from fake_phone import FakeCaller, FakePhone, HangsUp, Keys, Says, Silent, Turn
from fake_understanding import fake_understand
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import WORKDAY, surroundings

from callcenter.dialplan.context import Incident, OpenMatter
from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.outcome import EndedBy
from callcenter.dialplan.phone import TransferEnd
from callcenter.domain.places import Place
from callcenter.domain.understanding import understand_by_rules

ZH_WORDS = [
    *(
        "家里漏水了",
        "着火了",
        "转人工",
        "不对",
        "对",
        "没有了",
        "三号楼二单元幺幺零二",
        "我姓王",
        "电话不对",
        "再说一遍",
    ),
    *("还有停电了", "幺三八零零零零一二三四", "五号楼住户的电话告诉我", "不要录音", "你好", "昨天报的怎么还没来"),
    "地址不对，是五号楼",
]
EN_WORDS = ["the tap leaks", "no", "yes", "operator please", "building three unit two room one one zero two", "smith"]
WORDS = st.sampled_from(["", *ZH_WORDS, *EN_WORDS])
TURNS: st.SearchStrategy[Turn] = st.one_of(
    st.builds(Says, WORDS, st.booleans()),
    st.builds(Keys, st.text("0123456789*#", min_size=1, max_size=13), st.booleans()),
    st.just(Silent()),
    st.builds(HangsUp, st.booleans()),
)
STAYING = TURNS.filter(lambda turn: not isinstance(turn, HangsUp))
CONTEXTS = st.fixed_dictionaries(
    {
        "is_office_hours": st.booleans(),
        "is_holiday": st.booleans(),
        "operator_extension": st.sampled_from([None, "8001"]),
        "caller_number": st.sampled_from([None, "+8613900001111"]),
        "caller_name": st.sampled_from([None, "王芳"]),
        "caller_place": st.sampled_from([None, Place("3", "2", "1102")]),
        "open_matters": st.sampled_from([(), (OpenMatter("100077", "water_leak", "正在处理", "维修工"),)]),
        "incidents": st.sampled_from([(), (Incident("power", None, WORKDAY - timedelta(hours=1)),)]),
    }
)
ENDS = st.sampled_from(list(TransferEnd))


def ways(turns: list[Turn]) -> FakeCaller:
    """A caller who does these one after another, whatever is asked, and over again."""
    at = iter(range(10**6))
    return FakeCaller(otherwise=lambda prompt: turns[next(at) % len(turns)])


async def walk(plan: Dialplan, turns: list[Turn], context: dict[str, object], operator: TransferEnd) -> None:
    rules = partial(understand_by_rules, language=plan.language)
    phone = FakePhone(ways(turns), rules if len(turns) % 2 else fake_understand, operator=operator)
    outcome = await run(plan, phone, surroundings(language=plan.language, **context))
    left = outcome.ended_by is EndedBy.CALLER
    assert outcome.ended_by is not EndedBy.ERROR
    assert outcome.turns <= plan.script.limits.turns
    assert outcome.goodbye_said or left
    assert (phone.ended is not None) is (not left)
    assert outcome.notice_given or left
    if len(phone.said) > 1:
        assert phone.said[0] == plan.script.notice
    spoken = [event for event in phone.events if event.startswith("hear Says")]
    assert len([text for text in outcome.heard if text]) == len([e for e in spoken if "text=''" not in e])
    if phone.tickets:
        assert outcome.ticket is not None
    for _, fields in phone.tickets:
        assert fields["phone"] or "callback_by" not in fields, "nobody can be called back without a number (R22)"


@given(st.lists(STAYING, min_size=1, max_size=12), CONTEXTS, ENDS)
@settings(max_examples=200, deadline=None)
async def test_mandarin(zh: Dialplan, turns: list[Turn], context: dict[str, object], operator: TransferEnd) -> None:
    await walk(zh, turns, context, operator)


@given(st.lists(STAYING, min_size=1, max_size=12), CONTEXTS, ENDS)
@settings(max_examples=100, deadline=None)
async def test_english(en: Dialplan, turns: list[Turn], context: dict[str, object], operator: TransferEnd) -> None:
    await walk(en, turns, context, operator)


@given(st.lists(TURNS, min_size=1, max_size=12), CONTEXTS, ENDS)
@settings(max_examples=100, deadline=None)
async def test_callers_who_leave(
    zh: Dialplan, turns: list[Turn], context: dict[str, object], operator: TransferEnd
) -> None:
    await walk(zh, turns, context, operator)
