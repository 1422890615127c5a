"""The sentences in which a decision explains itself, in both languages, each with its rule.

They are written so that a resident's complaint could be answered with them; times are on the site's clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.roster import Absence
from callcenter.domain.rules import EMERGENCY, URGENCY_ZH
from callcenter.domain.staff import Department, Organisation, Staff

if TYPE_CHECKING:
    from callcenter.domain.responsibility import HandOver


@dataclass(frozen=True)
class Reason:
    """Why something is as it is: the rule (`R11`) and a sentence in each language."""

    rule: str
    zh: str
    en: str


TELL_LEADER = ("重大事项，立即报告带班领导。", "A major matter goes to the duty leader at once.")
TELL_GENERAL_MANAGER = ("重大事项，立即报告总经理。", "A major matter goes to the general manager at once.")
LEADER_GAP = (
    "重大事项，值班表此时没有带班领导，报告兜底责任人。",
    "A major matter, and the roster has no duty leader now: the last resort is told.",
)
TELL_AREA_MANAGER = ("本片区派工，告知片区管理员。", "A work order in your area.")
TELL_FIRST = ("您是首问责任人，来电由系统应答。", "You are first responder of a call that the system answered.")
TELL_REPEAT = ("来电人就未结事项再次来电。", "The caller has called again about an open matter.")
CONFIDENTIAL = Reason(
    "R10",
    "住户资料不对外告知：记录留言和回电号码，由我们转告住户，由住户自行决定。",
    "Residents' data is not told: a message and a call-back number are taken, the resident is told and decides.",
)
EMERGENCY_SERVICE = {
    "fire": ("119", "消防", "the fire brigade"),
    "medical": ("120", "急救", "an ambulance"),
    "safety": ("110", "公安", "the police"),
}
"""Category → the public emergency number, and whom it reaches (R29)."""


def _clock(local: datetime) -> str:
    return local.strftime("%H:%M")


def _moment_zh(local: datetime) -> str:
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _moment_en(local: datetime) -> str:
    return f"{local:%H:%M} on {local.day} {local:%B}"


def operator_on_duty(person: Staff, local: datetime) -> Reason:
    """R11 for a call that nobody picked up."""
    return Reason(
        "R11",
        f"{_clock(local)}的来电由系统应答、无人接起，当时值班的{person.called()}为首问责任人。",
        f"The system answered the call at {_clock(local)} and nobody picked it up: {person.called('en')}, "
        "on duty as operator at that moment, is its first responder.",
    )


def taken_by(person: Staff) -> Reason:
    """R11 for a call that a person picked up."""
    return Reason(
        "R11",
        f"{person.called()}接起了这个来电，为首问责任人。",
        f"{person.called('en')} picked up the call and is its first responder.",
    )


def roster_gap(person: Staff, local: datetime) -> Reason:
    """R14 where no operator is on duty."""
    return Reason(
        "R14",
        f"{_clock(local)}值班表没有可在岗的值班员，由兜底责任人{person.called()}担任首问责任人。",
        f"The roster has no operator at {_clock(local)}: {person.called('en')}, the last resort, is first responder.",
    )


def within_duty(person: Staff, department: Department) -> Reason:
    """R12."""
    return Reason(
        "R12",
        f"事项属于{department.zh}职责，也是首问责任人{person.called()}的本职：由其立即办理，能一次办结的一次办结。",
        f"The matter lies with {department.en}, the first responder's own department: {person.called('en')} "
        "handles it, at once and once if it can be.",
    )


def outside_duty(department: Department, urgency: str, steps: Sequence[HandOver], organisation: Organisation) -> Reason:
    """R13: the order in which people are asked."""
    people = [organisation.person(step.staff) for step in steps]
    if not steps:
        return Reason(
            "R13",
            f"事项属于{department.zh}职责，但目前无人可移交，由首问责任人继续负责。",
            f"The matter lies with {department.en}, but nobody is there to take it: the first responder keeps it.",
        )
    limit = steps[0].limit
    return Reason(
        "R13",
        f"事项属于{department.zh}职责，不是首问责任人的本职：如实登记并移交，依次为"
        f"{'、'.join(p.called() for p in people)}；{URGENCY_ZH.get(urgency, '一般')}事项每人限{limit.zh}内接受，"
        "逾时、拒绝或不在岗即移交下一位，直到有人接受。",
        f"The matter lies with {department.en}, outside the first responder's duty: it is recorded and handed over, in "
        f"turn to {', '.join(p.called('en') for p in people)}; each has {limit.en} to accept, and whoever is away, "
        "refuses or lets it pass is passed over, until someone accepts.",
    )


def emergency_within_duty(department: Department) -> Reason:
    """R8 and R12: an emergency that nobody has picked up does not wait for one person."""
    return Reason(
        "R8",
        f"紧急事项无人接起：同时通知{department.zh}依次接手，不等一人。",
        f"An emergency nobody picked up does not wait for one person: {department.en} is asked in turn as well.",
    )


def until_taken(person: Staff) -> Reason:
    """R14: nobody is let go before somebody has taken over."""
    return Reason(
        "R14",
        f"移交被接受之前由首问责任人{person.called()}负责；接受之后仍由其跟进到来电人满意为止。",
        f"Until the hand-over is accepted {person.called('en')} is responsible, and follows the matter afterwards "
        "until the caller is satisfied.",
    )


def nobody_on_duty(department: Department) -> Reason:
    """R13 where the department's roster has a gap."""
    return Reason(
        "R13",
        f"{department.zh}此时没有值班人员，直接移交副职、部门负责人及上级。",
        f"{department.en} has nobody on duty now: the deputy, the manager and those above are asked.",
    )


def passed_over(person: Staff, absence: Absence | None) -> Reason:
    """R13: somebody of the chain who is not there."""
    if absence is None:
        return Reason(
            "R13",
            f"{person.called()}已不在职，越过。",
            f"{person.called('en')} does not work here any more and is passed over.",
        )
    return Reason("R13", f"{person.called()}不在岗，越过。", f"{person.called('en')} is away and is passed over.")


def joins(ticket: str, first: Staff, responsible: Staff) -> Reason:
    """R17."""
    return Reason(
        "R17",
        f"来电人就未结事项{ticket}再次来电：并入原事项，不另立；首问责任人仍为{first.called()}，"
        f"当前责任人仍为{responsible.called()}。",
        f"The caller calls again about the open matter {ticket}: the call joins it and nothing starts again. "
        f"First responder is still {first.called('en')}, responsible is still {responsible.called('en')}.",
    )


def undone(first: Staff) -> Reason:
    """R23: what was done is not, says the caller before we asked."""
    return Reason(
        "R23",
        f"事项已办结、尚未回访，来电人表示没有解决：重新办理，退回首问责任人{first.called()}。",
        f"The matter was done and not followed up yet, and the caller says that it is not solved: it is open again and "
        f"goes back to its first responder {first.called('en')}.",
    )


def risen(urgency: str) -> Reason:
    """R8: the second call is more urgent than the first."""
    return Reason(
        "R8",
        f"情况加重，原事项升为{URGENCY_ZH.get(urgency, '一般')}。",
        f"It has become worse: the matter is now {urgency}.",
    )


def major(
    why: str, leader: Staff | None, general_manager: Staff, last_resort: Staff, report_due_local: datetime
) -> Reason:
    """R15: who is told of a major matter, and the written report of the next day."""
    cause_zh, cause_en = {
        EMERGENCY: ("紧急事项", "An emergency"),
        "source": ("涉及媒体、主管部门或市民热线", "The press, an authority or the mayor's hotline is involved"),
        "households": ("涉及多户", "Many households are touched"),
    }[why]
    if leader is None:
        first_zh, first_en = (
            f"兜底责任人{last_resort.called()}（无带班领导在岗）",
            f"The last resort {last_resort.called('en')} (no duty leader)",
        )
    else:
        first_zh, first_en = f"带班领导{leader.called()}", f"The duty leader {leader.called('en')}"
    return Reason(
        "R15",
        f"{cause_zh}，属重大事项：办理的同时立即报告{first_zh}和{general_manager.called()}，"
        f"{_moment_zh(report_due_local)}前提交书面报告。",
        f"{cause_en}: a major matter. {first_en} and {general_manager.called('en')} are told at once, besides the "
        f"handling; a written report is due at {_moment_en(report_due_local)}.",
    )


def emergency_service(number: str, zh: str, en: str) -> Reason:
    """R29."""
    return Reason(
        "R29",
        f"请来电人同时拨打{zh}{number}，我们也会核实是否已拨打。",
        f"The caller is asked to call {en} on {number} as well, and we make sure it was done.",
    )


def work_order(department: Department, area_manager: Staff) -> Reason:
    """R9."""
    return Reason(
        "R9",
        f"开具服务派工单，交{department.zh}，并告知片区管理员{area_manager.called()}。",
        f"A work order goes to {department.en}, and {area_manager.called('en')}, who looks after the area, is told.",
    )


def outside_body(zh: str, en: str) -> Reason:
    """R5 and R16: a matter of somebody outside the house."""
    return Reason(
        "R5",
        f"事项由{zh}负责处理：由我们转报并持续跟进，来电人无需另行致电。",
        f"The matter belongs to {en}: we pass it on and follow it; the caller need not call again.",
    )


def to_confirm(minutes: int) -> Reason:
    """R8, 待核实."""
    return Reason(
        "R8",
        f"内容听得不够确定，待核实：值班员须在{minutes}分钟内回听并确认。",
        f"What was understood is not sure enough: the operator on duty listens and confirms within {minutes} minutes.",
    )


def nothing_said(call_back_at: datetime | None, calendar: WorkingCalendar) -> Reason:
    """R5, R22: silence, or hung up early."""
    if call_back_at is None:
        return Reason(
            "R5",
            "来电人没有说明事项，号码未知，无法回电：如实记录。",
            "The caller said nothing and the number is not known: the call is recorded as it was.",
        )
    local = calendar.local(call_back_at)
    return Reason(
        "R22",
        f"来电人没有说明事项：如实记录，{_moment_zh(local)}前回电。",
        f"The caller said nothing: the call is recorded, and the caller is rung back by {_moment_en(local)}.",
    )


def in_text(reasons: Iterable[Reason], language: str = "zh") -> str:
    """All reasons as one text, a line each, the rule first."""
    return "\n".join(f"{r.rule} {r.zh if language == 'zh' else r.en}" for r in reasons)
