"""The sentence of each event in both languages, with its rule: a ticket's history reads from these."""

from __future__ import annotations

from datetime import datetime

from callcenter.domain.situation import Situation
from callcenter.domain.tickets import Act

_ACTORS = {"rule": ("系统按规定", "the rule"), "caller": ("来电人", "the caller")}

_WORDS: dict[Act, tuple[str, str, str]] = {
    Act.OPEN: ("R6", "来电登记。", "The call was recorded."),
    Act.CONFIRM_NEEDED: ("R8", "内容待核实。", "What was understood is to be confirmed."),
    Act.CONFIRM: ("R8", "{actor}已核实内容。", "{actor} confirmed what was understood."),
    Act.ASSIGN: ("R12", "由{to}负责办理。", "{to} is responsible and handles it."),
    Act.HAND_OVER: ("R13", "{actor}移交，等待接受。{note}", "{actor} hands it over, until somebody accepts. {note}"),
    Act.ASK: ("R13", "请{to}于{due}前接受。", "{to} is asked to accept by {due}."),
    Act.PASS_OVER: (
        "R13",
        "{to}未在时限内接受或不在岗，越过。",
        "{to} did not accept in time or is away: passed over.",
    ),
    Act.ACCEPT: ("R14", "{actor}已接受，为责任人。", "{actor} has accepted and is responsible."),
    Act.REFUSE: ("R16", "{actor}拒绝接受，理由：{note}", "{actor} refuses, because: {note}"),
    Act.DISPUTE: (
        "R16",
        "责任有争议，提交办公室裁定。{note}",
        "Who is in charge is disputed: the office settles it. {note}",
    ),
    Act.SETTLE: ("R16", "{actor}裁定由{to}负责。{note}", "{actor} settled it: {to} is responsible. {note}"),
    Act.SHIFT: (
        "R27",
        "值班交接，由当班的{to}接替负责。",
        "The shift has changed: {to}, now on duty, is responsible.",
    ),
    Act.RELIEVE: (
        "R14",
        "原责任人不在岗或已离职，由{to}接替负责。",
        "Whoever was responsible is away or has left: {to} is responsible.",
    ),
    Act.START: ("R12", "{actor}开始处理。", "{actor} has begun."),
    Act.WAIT: ("R21", "{actor}登记等待至{due}：{note}", "{actor} waits until {due}: {note}"),
    Act.RESUME: ("R21", "等待结束，继续处理。", "The wait is over; work goes on."),
    Act.DONE: ("R23", "{actor}办结：{note}", "{actor} has done it: {note}"),
    Act.FOLLOW_UP: ("R23", "请{to}于{due}前回访。", "{to} makes the follow-up call by {due}."),
    Act.SATISFIED: ("R23", "来电人满意，归档。{note}", "The caller is satisfied; archived. {note}"),
    Act.UNSATISFIED: (
        "R23",
        "来电人不满意，退回首问责任人重新办理。{note}",
        "The caller is not satisfied: it goes back to its first responder. {note}",
    ),
    Act.NOT_REACHED: ("R23", "回访未接通，再次回访。", "The caller was not reached; tried again."),
    Act.ARCHIVE: ("R5", "无事项需办理，如实记录归档。", "Nothing is left to do: recorded and archived."),
    Act.REOPEN: ("R23", "{actor}重新启动办理。{note}", "{actor} opens it again. {note}"),
    Act.JOIN: ("R17", "并入原事项。", "It joins the open matter."),
    Act.AMEND: ("R6", "{actor}更正了登记内容。", "{actor} corrected the record."),
    Act.RAISE: ("R8", "紧急程度提高。", "It has become more urgent."),
    Act.CALLED_AGAIN: ("R17", "来电人再次来电，并入本事项。", "The caller called again; the call joins this matter."),
    Act.PROMISE: ("R22", "{actor}承诺于{due}回电。{note}", "{actor} promised to call back by {due}. {note}"),
    Act.ANSWERED: ("R18", "{actor}已答复来电人。", "{actor} has answered the caller."),
    Act.CONTACTED: ("R19", "{actor}已明确责任并联系来电人。", "{actor} has taken charge and contacted the caller."),
    Act.CALLED_BACK: ("R22", "{actor}已回电。", "{actor} has called back."),
    Act.REPORTED: ("R15", "{actor}已提交书面报告。", "{actor} has handed in the written report."),
    Act.REPORT_BY: (
        "R15",
        "原报告人不在岗或已离职，书面报告改由{to}提交。",
        "Whoever was to write the report is away or has left: {to} writes it.",
    ),
    Act.NOT_MAJOR: (
        "R15",
        "经{actor}核实，不属重大事项，无需书面报告。",
        "{actor} has listened: it is no major matter, and no written report is due.",
    ),
    Act.PASSED_OUTSIDE: (
        "R5",
        "已转报外部单位，由我们继续跟进。{note}",
        "It was passed on to an outside body; we follow it. {note}",
    ),
    Act.NOTE: ("R6", "{actor}备注：{note}", "{actor} noted: {note}"),
    Act.WARN: ("R24", "时限将至，提醒责任人。", "A time limit comes near: whoever is responsible is warned."),
    Act.OVERDUE: ("R24", "已超时限，报告{to}。", "A time limit has passed: {to} is told."),
}


def words(
    situation: Situation, act: Act, actor: str, to: str | None, note: str, due_at: datetime | None, note_en: str = ""
) -> tuple[str, str, str]:
    """Rule, Mandarin sentence, English sentence. What the house itself notes has its English as `note_en`."""
    rule, zh, en = _WORDS[act]
    local = situation.rules.calendar.local(due_at) if due_at else None

    def called(person: str | None, language: str) -> str:
        if person in _ACTORS:
            return _ACTORS[person][language == "en"]
        if person is None or not situation.organisation.knows(person):
            return person or ""
        return situation.organisation.person(person).called(language)

    due_zh = f"{local.month}月{local.day}日{local:%H:%M}" if local else ""
    due_en = f"{local:%H:%M} on {local.day} {local:%B}" if local else ""
    english = en.format(actor=called(actor, "en"), to=called(to, "en"), note=note_en or note, due=due_en).strip()
    return (
        rule,
        zh.format(actor=called(actor, "zh"), to=called(to, "zh"), note=note, due=due_zh).strip(),
        english[0].upper() + english[1:],
    )
