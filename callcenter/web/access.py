"""Who sees and does what: the one matrix of roles and rights (R10: records are not shown without need)."""

from __future__ import annotations

import re
from enum import StrEnum


class Role(StrEnum):
    """What an account may do; each role of the matrix below stands for itself, none inherits."""

    AGENT = "agent"
    """值班员: takes calls, records and hands over matters."""
    DISPATCHER = "dispatcher"
    """派单员 of a department: accepts, refuses and works on its matters."""
    SUPERVISOR = "supervisor"
    """客服主任: listens, confirms, corrects, sees whole numbers."""
    MANAGER = "manager"
    """经理: everything about matters, nothing about accounts."""
    ADMINISTRATOR = "administrator"
    """Accounts and the house's set-up; sees matters in order to help."""


class Right(StrEnum):
    """One thing an account may do."""

    SEE_CALLS = "see_calls"
    LISTEN = "listen"
    SEE_TICKETS = "see_tickets"
    SEE_NUMBERS = "see_numbers"
    """Whole phone numbers; without it they are masked (138****0021)."""
    ANSWER_HANDOVER = "answer_handover"
    """Accept or refuse a matter handed to oneself."""
    MOVE_TICKETS = "move_tickets"
    """Hand over, change state, accept or refuse for somebody else."""
    FOLLOW_UP_FOR_OTHERS = "follow_up_for_others"
    """Say what a resident answered in a follow-up call that is somebody else's to make (R23)."""
    CORRECT = "correct"
    CONFIRM = "confirm"
    CALL_BACK = "call_back"
    SEE_DUTY = "see_duty"
    SEE_RESIDENTS = "see_residents"
    HEAR_ALARMS = "hear_alarms"
    """An emergency that nobody has accepted stands in the bar of every page, and sounds."""
    SEE_LISTENING = "see_listening"
    """Who listened to which recording."""
    SET_REACHING = "set_reaching"
    """How somebody else is reached; one's own choice is everybody's."""
    MANAGE_ACCOUNTS = "manage_accounts"


_EVERYBODY = frozenset({Right.SEE_TICKETS, Right.SEE_DUTY, Right.ANSWER_HANDOVER})
_OPERATOR = _EVERYBODY | {
    Right.SEE_CALLS, Right.LISTEN, Right.CORRECT, Right.CONFIRM, Right.CALL_BACK, Right.SEE_RESIDENTS,
    Right.HEAR_ALARMS,
}  # fmt: skip

_SUPERVISOR = _OPERATOR | {
    Right.MOVE_TICKETS, Right.FOLLOW_UP_FOR_OTHERS, Right.SEE_NUMBERS, Right.SEE_LISTENING, Right.SET_REACHING,
}  # fmt: skip

MATRIX: dict[Role, frozenset[Right]] = {
    Role.AGENT: _OPERATOR | {Right.MOVE_TICKETS},
    Role.DISPATCHER: _EVERYBODY | {Right.CALL_BACK},
    Role.SUPERVISOR: _SUPERVISOR,
    Role.MANAGER: _SUPERVISOR,
    Role.ADMINISTRATOR: _SUPERVISOR | {Right.MANAGE_ACCOUNTS},
}

PUBLIC_SHORT = re.compile(r"\d{3,6}")
"""110, 12345, a ticket number's length: short codes are nobody's own number."""


def allowed(role: Role, right: Right) -> bool:
    """Whether `role` has `right`."""
    return right in MATRIX[role]


def mask(number: str) -> str:
    """A number with its middle hidden: +8613800000021 → 138****0021; short codes stay as they are."""
    number = national(number)
    if PUBLIC_SHORT.fullmatch(number):
        return number
    keep = 4 if len(number) >= 9 else 2
    head = 3 if len(number) >= 9 else 1
    return f"{number[:head]}{'*' * max(2, len(number) - head - keep)}{number[-keep:]}"


def national(number: str) -> str:
    """A number as people here dial it: +86 taken off; anything else as received."""
    if number.startswith("+86"):
        local = number[3:]
        return local if local.startswith("1") and len(local) == 11 else f"0{local}"
    return number


def shown_number(role: Role, number: str | None) -> str | None:
    """A number as `role` may see it: masked unless the matrix says otherwise; None when withheld or unknown."""
    if not number:
        return None
    return national(number) if allowed(role, Right.SEE_NUMBERS) else mask(number)


def own_department_only(role: Role) -> bool:
    """Whether `role` sees only the matters of its own department, and those it has a part in (R10)."""
    return role is Role.DISPATCHER
