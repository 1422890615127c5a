"""Carries out a call script: one talk with one caller, from the greeting to the goodbye.

The house rules that hold in every script are here and in `conversation` and `asking`, not in the scripts: a caller is
heard to the end (R4), nothing is asked more than twice, a talk ends after a bounded number of turns and never without
a goodbye while the caller is there (R2), and what was heard survives whatever happens (R5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from callcenter.dialplan import asking
from callcenter.dialplan.conditions import holds
from callcenter.dialplan.context import CallContext
from callcenter.dialplan.conversation import Conversation, Leave
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.model import Action, Gather, Goto, Hangup, Listen, Play, Say, Ticket, Transfer
from callcenter.dialplan.outcome import EndedBy, Outcome
from callcenter.dialplan.phone import CallerGone, OpenedTicket, Phone, TransferEnd
from callcenter.errors import CallCenterError, DialplanError

PATIENCE_S = 2.0
"""Our side says 请您稍候 after so long; under the 3 s that it may be silent (R3)."""
TICKET_TIMEOUT_S = 10.0
MAX_ACTIONS_UNHEARD = 200
"""Actions without a turn of the caller: more is a loop of the script."""

OnStep = Callable[[str], None]


class _Over(Exception):  # noqa: N818 — control flow: the script has ended the call
    def __init__(self, ended_by: EndedBy, reason: str) -> None:
        super().__init__(reason)
        self.ended_by, self.reason = ended_by, reason


async def run(plan: Dialplan, phone: Phone, context: CallContext, *, on_step: OnStep | None = None) -> Outcome:
    """Talk with the caller of `phone` as `plan` says; returns when the call is over for the script.

    Never raises for what a caller, a script or a service does: an error is spoken of (R3), the call ended with a
    goodbye, and the outcome carries its code. `on_step` is called with the name of each step as it begins.
    """
    spoken = replace(plan, prompts=plan.prompts.with_phrases(context.phrases))
    return await _Interpreter(spoken, phone, context, on_step).run()


class _Interpreter:
    def __init__(self, plan: Dialplan, phone: Phone, context: CallContext, on_step: OnStep | None) -> None:
        self._plan, self._phone, self._context, self._on_step = plan, phone, context, on_step
        self._conversation = Conversation(plan, phone, context, self._subroutine)
        self._talk = self._conversation.talk

    async def run(self) -> Outcome:
        try:
            await self._walk(self._plan.script.start)
            raise DialplanError("dialplan.no_end", "the script ended without hangup", where=str(self._plan.path))
        except CallerGone:
            return self._outcome(EndedBy.CALLER, "caller")
        except _Over as over:
            return self._outcome(over.ended_by, over.reason)
        except CallCenterError as error:
            await self._apologise()
            return self._outcome(EndedBy.ERROR, error.code)

    def _outcome(self, ended_by: EndedBy, reason: str) -> Outcome:
        talk = self._talk
        return Outcome(
            ended_by, reason, tuple(talk.steps), tuple(talk.heard), talk.final_understanding(),
            talk.fields(), talk.ticket, frozenset(talk.flags), talk.turns, talk.notice_given, talk.goodbye_said,
            dict(talk.answers),
        )  # fmt: skip

    async def _apologise(self) -> None:
        """Something of ours broke: say so, say goodbye, end the call; whatever fails here too is let go."""
        phrases = self._plan.script.phrases
        try:
            for prompt in (phrases.trouble, phrases.goodbye):
                await self._phone.play(self._plan.prompts.clips(prompt), barge_in=False)
            self._talk.goodbye_said = True
        except CallerGone:
            return
        except CallCenterError:
            self._talk.flags.add("trouble_unsaid")
        await self._phone.hangup("error")

    async def _walk(self, step: str) -> None:
        following: str | None = step
        while following is not None:
            try:
                following = await self._step(following)
            except Leave as leave:
                following = leave.step

    async def _subroutine(self, name: str) -> None:
        """A step run at any moment, and where it leads; at its end the talk goes on where it was."""
        following: str | None = name
        while following is not None:
            following = await self._step(following)

    async def _step(self, name: str) -> str | None:
        """Carry out one step; the step to go to, or None at its end."""
        actions = self._plan.step(name)
        self._talk.steps.append(name)
        if self._on_step:
            self._on_step(name)
        for action in actions:
            if not holds(action.when, self._talk):
                continue
            self._conversation.actions_unheard += 1
            if self._conversation.actions_unheard > MAX_ACTIONS_UNHEARD:
                where = str(self._plan.path)
                raise DialplanError("dialplan.loop", f"step {name!r} loops without the caller", where=where)
            following = await self._do(action)
            if action.set_:
                self._talk.flags.add(action.set_)
            if following is not None:
                return following
        return None

    async def _do(self, action: Action) -> str | None:
        match action:
            case Play():
                await self._conversation.say(action.play, barge_in=action.barge_in)
            case Say():
                await self._conversation.say(action.say, barge_in=action.barge_in)
            case Listen():
                return await asking.listen(self._conversation, action)
            case Gather():
                return await asking.gather(self._conversation, action)
            case Transfer():
                return await self._transfer(action)
            case Ticket():
                await self._ticket(action)
            case Goto():
                return self._goto(action)
            case Hangup():
                await self._phone.hangup(action.hangup)
                raise _Over(EndedBy.SCRIPT, action.hangup)
        return None

    def _goto(self, action: Goto) -> str | None:
        if action.times is not None:
            name = f"goto {id(action)}"
            if self._talk.used[name] >= action.times:
                return None
            self._talk.used[name] += 1
        return action.goto

    async def _transfer(self, action: Transfer) -> str | None:
        """Ring the operator on duty; a talk that took place ends the script, with goodbye if the caller is there."""
        extension = self._context.operator_extension
        end = TransferEnd.UNREACHABLE
        if extension is not None:
            end = await self._phone.transfer(extension, timeout_s=action.timeout_s)
        if end is not TransferEnd.COMPLETED:
            return action.no_answer
        try:
            await self._conversation.say(self._plan.script.phrases.goodbye)
            await self._phone.hangup("after_transfer")
        except CallerGone:
            self._talk.flags.add("left_after_transfer")
        raise _Over(EndedBy.OPERATOR, "after_transfer")

    async def _ticket(self, action: Ticket) -> None:
        talk = self._talk
        if action.ticket == "amend" and talk.ticket is None:
            return
        if talk.matter_joined is None:
            talk.matter_joined = talk.repeats
        for name in ("kind", "category", "urgency"):
            if value := getattr(action, name):
                talk.given[name] = value
        talk.given.update({name: "yes" for name in ("confirm", "callback") if getattr(action, name)})
        if talk.told_before_ticket is None:
            talk.told_before_ticket = len(talk.matter)
        talk.ticket = await self._patiently(self._phone.open_ticket(talk.final_understanding(), talk.fields()))

    async def _patiently(self, opening: Coroutine[Any, Any, OpenedTicket]) -> OpenedTicket:
        """Wait for a ticket; a caller who has to wait is told so (R3), and not for ever."""
        phrases, task = self._plan.script.phrases, asyncio.ensure_future(opening)
        try:
            done, _ = await asyncio.wait({task}, timeout=PATIENCE_S)
            if not done:
                await self._conversation.say(phrases.wait)
                await asyncio.wait({task}, timeout=TICKET_TIMEOUT_S)
                if task.done():
                    await self._conversation.say(phrases.sorry_waited)
        except CallerGone:
            await asyncio.wait({task}, timeout=TICKET_TIMEOUT_S)
            if task.done():
                self._talk.ticket = task.result()
            raise
        finally:
            if not task.done():
                task.cancel()
        if task.cancelled() or not task.done():
            raise DialplanError("dialplan.ticket_slow", "the ticket could not be opened in time", retryable=True)
        return task.result()
