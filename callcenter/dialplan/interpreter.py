"""Carries out a call script: one talk with one caller, from the greeting to the goodbye.

The house rules that hold in every script are here, not in the scripts: a caller is heard to the end (R4), a slot is
asked at most twice, keys and words that work at any time do, a talk ends after a bounded number of turns and never
without a goodbye while the caller is there (R2), and what was heard survives whatever happens (R5).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from callcenter.dialplan import answers
from callcenter.dialplan.conditions import holds
from callcenter.dialplan.context import CallContext
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.model import (
    Action,
    Anytime,
    Gather,
    Goto,
    Hangup,
    Listen,
    Play,
    Say,
    Ticket,
    Transfer,
)
from callcenter.dialplan.outcome import EndedBy, Outcome
from callcenter.dialplan.phone import CallerGone, Clip, Heard, ListenEnd, Phone, PlayEnd, TransferEnd
from callcenter.dialplan.talk import NOTHING, Talk
from callcenter.domain.labels import Understanding
from callcenter.domain.places import Place
from callcenter.errors import CallCenterError, DialplanError

MAX_ASKS = 2
"""One question is put at most so often in a call."""
MAX_ACTIONS_UNHEARD = 200
"""Actions without a turn of the caller: more is a loop of the script."""
MAX_PIECES = 12
"""Pauses within one telling after which it is taken as told."""
GO_ON_TIMEOUT_S = 2.5
"""Silence after 您请讲 that means the caller has finished; under the 3 s that our side may be silent (R3)."""
UNDERSTAND_TIMEOUT_S = 2.0
"""The telephone falls back on rules after 300 ms; this is for one that hangs."""
_NO_KEYS: frozenset[str] = frozenset()
_DIGITS = frozenset("0123456789")

OnStep = Callable[[str], None]


class _Leave(Exception):  # noqa: N818 — control flow: go to another step for good
    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class _Over(Exception):  # noqa: N818 — control flow: the script has ended the call
    def __init__(self, ended_by: EndedBy, reason: str) -> None:
        super().__init__(reason)
        self.ended_by, self.reason = ended_by, reason


@dataclass(frozen=True)
class _Limits:
    start_timeout_s: float
    end_silence_s: float
    max_s: float


async def run(plan: Dialplan, phone: Phone, context: CallContext, *, on_step: OnStep | None = None) -> Outcome:
    """Talk with the caller of `phone` as `plan` says; returns when the call is over for the script.

    Never raises for what a caller, a script or a service does: an error is spoken of (R3), the call ended with a
    goodbye, and the outcome carries its code. `on_step` is called with the name of each step as it begins.
    """
    return await _Interpreter(plan, phone, context, on_step).run()


class _Interpreter:
    def __init__(self, plan: Dialplan, phone: Phone, context: CallContext, on_step: OnStep | None) -> None:
        self._plan, self._phone, self._context, self._on_step = plan, phone, context, on_step
        self._script, self._phrases = plan.script, plan.script.phrases
        self.talk = Talk(plan, context)
        self._unheard = 0
        self._too_long = False
        self._caller_speaks = False
        self._key: str | None = None
        self._told: str | None = None
        """Words of the caller that the next listen or correction takes instead of asking."""

    async def run(self) -> Outcome:
        try:
            await self._walk(self._script.start)
            raise DialplanError("dialplan.no_end", "the script ended without hangup", where=str(self._plan.path))
        except CallerGone:
            ended_by, reason = EndedBy.CALLER, "caller"
        except _Over as over:
            ended_by, reason = over.ended_by, over.reason
        except CallCenterError as error:
            ended_by, reason = EndedBy.ERROR, error.code
            await self._apologise()
        return self._outcome(ended_by, reason)

    def _outcome(self, ended_by: EndedBy, reason: str) -> Outcome:
        talk = self.talk
        return Outcome(
            ended_by, reason, tuple(talk.steps), tuple(talk.heard), talk.final_understanding(),
            talk.fields(), talk.ticket, frozenset(talk.flags), talk.turns, talk.notice_given, talk.goodbye_said,
        )  # fmt: skip

    async def _apologise(self) -> None:
        """Something of ours broke: say so, say goodbye, end the call; whatever fails here too is let go."""
        try:
            for prompt in (self._phrases.trouble, self._phrases.goodbye):
                await self._phone.play(self._plan.prompts.clips(prompt), barge_in=False)
            self.talk.goodbye_said = True
            await self._phone.hangup("error")
        except CallerGone:
            return
        except CallCenterError:
            await self._phone.hangup("error")

    async def _walk(self, step: str) -> None:
        following: str | None = step
        while following is not None:
            try:
                following = await self._step(following)
            except _Leave as leave:
                following = leave.step

    async def _step(self, name: str) -> str | None:
        """Carry out one step; the step to go to, or None at its end."""
        actions = self._plan.step(name)
        self.talk.steps.append(name)
        if self._on_step:
            self._on_step(name)
        for action in actions:
            if not holds(action.when, self.talk):
                continue
            self._unheard += 1
            if self._unheard > MAX_ACTIONS_UNHEARD:
                raise DialplanError(
                    "dialplan.loop", f"step {name!r} loops without the caller", where=str(self._plan.path)
                )
            following = await self._do(action)
            if action.set_:
                self.talk.flags.add(action.set_)
            if following is not None:
                return following
        return None

    async def _subroutine(self, name: str) -> None:
        """A step run at any moment, and where it leads; at its end the talk goes on where it was."""
        following: str | None = name
        while following is not None:
            following = await self._step(following)

    async def _do(self, action: Action) -> str | None:
        match action:
            case Play():
                await self._say(action.play, barge_in=action.barge_in)
            case Say():
                await self._say(action.say, barge_in=action.barge_in)
            case Listen():
                return await self._listen(action)
            case Gather():
                return await self._gather(action)
            case Transfer():
                return await self._transfer(action)
            case Ticket():
                await self._open_ticket(action)
            case Goto():
                return self._goto(action)
            case Hangup():
                await self._phone.hangup(action.hangup)
                raise _Over(EndedBy.SCRIPT, action.hangup)
        return None

    def _goto(self, action: Goto) -> str | None:
        if action.times is not None:
            count = self.talk.used[f"goto:{id(action)}"]
            if count >= action.times:
                return None
            self.talk.used[f"goto:{id(action)}"] = count + 1
        return action.goto

    # Saying

    async def _say(self, prompts: str | list[str], *, barge_in: bool) -> None:
        names = [prompts] if isinstance(prompts, str) else prompts
        for name in names:
            goodbye = name in self._script.goodbyes
            must = goodbye or name == self._script.notice
            await self._play(self._clips(name), barge_in=barge_in and not must)
            self.talk.notice_given |= name == self._script.notice
            self.talk.goodbye_said |= goodbye

    def _clips(self, prompt: str) -> list[Clip]:
        """What is heard of a prompt; nothing where a value to fill in is not known."""
        slots = self._plan.prompts.prompts[prompt].slots if prompt in self._plan.prompts else ()
        values = {slot: self.talk.words(slot) for slot in slots}
        return self._plan.prompts.clips(prompt, values) if all(values.values()) else []

    async def _play(self, clips: list[Clip], *, barge_in: bool = True) -> None:
        """Play unless the caller is speaking already; a key acts at once or waits for the next question."""
        if not clips or (barge_in and (self._caller_speaks or self._key)):
            return
        played = await self._phone.play(clips, barge_in=barge_in)
        if played.end is PlayEnd.SPEECH:
            self._caller_speaks = True
        elif played.end is PlayEnd.KEY and played.key and not await self._on_key(played.key):
            self._key = played.key

    # Hearing

    async def _hear(self, limits: _Limits) -> Heard:
        """One turn of the caller. The turn over the limit leaves for `too_long`, once."""
        talk = self.talk
        if talk.turns >= self._script.limits.turns:
            if self._too_long:
                raise DialplanError("dialplan.too_long", "the last step still asks", where=str(self._plan.path))
            self._too_long = True
            raise _Leave(self._script.limits.too_long)
        talk.turns += 1
        key, self._key, self._caller_speaks = self._key, None, False
        if key:
            heard = Heard("", ListenEnd.KEY, spoke=False, key=key)
        else:
            heard = await self._phone.listen(
                start_timeout_s=limits.start_timeout_s, end_silence_s=limits.end_silence_s, max_s=limits.max_s
            )
        self._unheard, talk.goodbye_said = 0, False
        talk.turn_intents = _NO_KEYS
        if heard.text:
            talk.heard.append(heard.text)
            talk.turn_intents = answers.intents(heard.text, self._plan.language)
        return heard

    async def _ask(self, clips: list[Clip], limits: _Limits, own_keys: frozenset[str] = _NO_KEYS) -> Heard:
        """Put a question and hear the answer; put it again when something else was meant by key or words."""
        while True:
            await self._play(clips)
            heard = await self._hear(limits)
            if heard.key:
                if heard.key in own_keys:
                    return heard
                await self._on_key(heard.key)
            elif not heard.text or not (await self._on_answer(heard.text) or self._wants_repeat()):
                return heard

    def _wants_repeat(self) -> bool:
        self.talk.used["repeat"] += "repeat" in self.talk.turn_intents
        return "repeat" in self.talk.turn_intents and self.talk.used["repeat"] <= MAX_ASKS

    async def _on_answer(self, text: str) -> bool:
        """An answer may mean something else: look at its words; a long one goes through understanding as well."""
        talk = self.talk
        if len(text) >= (6 if self._plan.language == "zh" else 20) and not answers.read_phone(
            text, self._plan.language
        ):
            before = talk.understanding
            labels = await self._understand("，".join([*talk.matter, text]))
            said = frozenset(
                i.value for i in labels.intents if i.confidence >= 0.5 and i.evidence and i.evidence in text
            )
            talk.turn_intents |= said & {"operator", "resident_data", "objects_recording"}
            if labels.urgency.value == "emergency" and before.urgency.value != "emergency":
                talk.matter.append(text)
                talk.understand(labels)
        return await self._anytime(lambda rule: rule.when is not None and holds(rule.when, talk))

    async def _on_key(self, key: str) -> bool:
        return await self._anytime(lambda rule: rule.key == key)

    async def _anytime(self, meant: Callable[[Anytime], bool]) -> bool:
        """Do what works at any moment, if the caller meant it; false if nothing was meant (or too often)."""
        for name, rule in self._script.anytime.items():
            if self._too_long or self.talk.used[name] >= rule.times or not meant(rule):
                continue
            self.talk.used[name] += 1
            if rule.goto:
                raise _Leave(rule.goto)
            assert rule.run is not None
            self._key, self._caller_speaks = None, False
            await self._subroutine(rule.run)
            return True
        return False

    async def _understand(self, text: str) -> Understanding:
        """Labels of `text`; NOTHING when the service fails or hangs: the talk goes on without (待核实)."""
        try:
            async with asyncio.timeout(UNDERSTAND_TIMEOUT_S):
                return await self._phone.understand(text)
        except (TimeoutError, CallCenterError):
            return NOTHING

    def _limits(self, action: Listen | Gather) -> _Limits:
        limits = self._script.limits
        return _Limits(
            action.start_timeout_s or limits.start_timeout_s or 5.0,
            action.end_silence_s or limits.end_silence_s or 1.2,
            action.max_s or limits.max_s or 60.0,
        )

    # listen

    async def _listen(self, action: Listen) -> str | None:
        """Hear the matter to its end; nobody speaking and nothing understood are asked again twice each."""
        limits = self._limits(action)
        silent = unclear = 0
        question = self._clips(action.ask) if action.ask else []
        while True:
            spoke = await self._tell(question, limits, go_on=action.go_on)
            if not spoke:
                silent += 1
                if silent > MAX_ASKS or action.listen == "addition":
                    return action.silence
                question = self._clips(self._phrases.silence)
            elif action.listen == "matter" and self.talk.unclear:
                unclear += 1
                if unclear > MAX_ASKS:
                    return action.unclear
                question = self._clips(self._phrases.again)
            else:
                return None

    async def _tell(self, question: list[Clip], limits: _Limits, *, go_on: bool) -> bool:
        """One telling, through its pauses. False if nobody spoke."""
        spoke = False
        if self._told is not None:
            told, self._told = self._told, None
            await self._matter(told)
            spoke = True
        for piece in range(MAX_PIECES):
            first = not spoke
            if not first and (not go_on or "done" in self.talk.turn_intents):
                break
            waited = limits if first else replace(limits, start_timeout_s=min(GO_ON_TIMEOUT_S, limits.start_timeout_s))
            asked = question if first else self._clips(self._phrases.go_on) if piece == 1 else []
            await self._play(asked)
            heard = await self._hear(waited)
            if heard.key:
                await self._on_key(heard.key)
            if heard.text:
                await self._matter(heard.text)
            elif not heard.key and not heard.spoke:
                break
            if heard.end is ListenEnd.TOO_LONG:
                spoke = True
                break
            if heard.key and not heard.text:
                question = [] if spoke else question
                continue
            spoke = True
            if not heard.text:
                break
        return spoke

    async def _matter(self, text: str) -> None:
        """Take a piece of the matter, understand the whole again, act on what works at any moment."""
        talk = self.talk
        talk.matter.append(text)
        labels = await self._understand(talk.matter_text)
        talk.understand(labels)
        talk.turn_intents |= {i.value for i in labels.intents if i.confidence >= 0.5 and i.evidence in text} - {"done"}
        await self._anytime(lambda rule: rule.when is not None and holds(rule.when, talk))

    # gather

    async def _gather(self, action: Gather) -> str | None:
        match action.gather:
            case "place" | "name" | "phone":
                return await self._slot(action)
            case "confirm" | "more":
                return await self._yes_or_no(action)
            case "correction":
                return await self._correct(action)

    async def _slot(self, action: Gather) -> str | None:
        """Ask for a piece that is missing, at most twice in the whole call."""
        talk, slot = self.talk, action.gather
        silent = False
        clips = self._clips(action.ask)
        while talk.missing(slot) and talk.asked[slot] < min(action.times, MAX_ASKS):
            talk.asked[slot] += 1
            heard = await self._ask(clips, self._limits(action), _DIGITS | {"*", "#"} if slot == "phone" else _NO_KEYS)
            silent = not heard.spoke and not heard.key
            taken = await self._keyed_phone(heard.key) if heard.key else self._take(slot, heard.text)
            again = [] if taken or silent else self._clips(self._phrases.again)
            clips = [*again, *self._clips(action.again or action.ask)]
        return action.silence if silent and talk.missing(slot) else None

    async def _keyed_phone(self, first: str) -> bool:
        """A number by keys; a lone 0 or 1 means what it means at any time."""
        rest = await self._phone.gather(max_digits=12, timeout_s=4.0, end_key="#")
        if not rest and await self._on_key(first):
            return True
        number = answers.read_phone(first + rest, self._plan.language)
        self.talk.phone = number or self.talk.phone
        return number is not None

    def _take(self, slot: str, text: str, *, context: Place | None = None) -> bool:
        """Take a piece from an answer; false if it is not in there."""
        talk, language = self.talk, self._plan.language
        if slot == "place":
            known = talk.known_place if context is None else context
            if (place := answers.read_place(text, language, known=known)) is None:
                return False
            moved = place.building is not None and place.building != talk.place.building
            base = Place() if moved and place.room else talk.place
            talk.place = Place(place.building or base.building, place.unit or base.unit, place.room or base.room)
            return True
        if slot == "phone":
            if (phone := answers.read_phone(text, language)) is None:
                return False
            talk.phone = phone
            talk.flags.add("phone_given")
            return True
        if (name := answers.read_name(text, language)) is None:
            return False
        talk.name = name
        return True

    async def _yes_or_no(self, action: Gather) -> str | None:
        """A question of yes or no; anything else that was said is more of the matter (R5)."""
        talk = self.talk
        if talk.asked[action.ask] >= min(action.times, MAX_ASKS):
            return None
        talk.asked[action.ask] += 1
        heard = await self._ask(self._clips(action.ask), self._limits(action), frozenset("2"))
        intents = talk.turn_intents
        if heard.key == "2":
            return action.no
        if not heard.spoke and not heard.text:
            return action.silence
        if action.gather == "confirm":
            if "no" in intents or answers.about(heard.text, self._plan.language) - {"name"}:
                self._told = heard.text
                return action.no
            return action.yes
        if "done" in intents or ("no" in intents and len(heard.text) <= 12) or not heard.text:
            return action.no
        if "yes" not in intents or len(heard.text) > (6 if self._plan.language == "zh" else 20):
            self._told = heard.text
        return action.yes

    async def _correct(self, action: Gather) -> str | None:
        """What is wrong, and what is right instead: a piece is taken, or forgotten so that it is asked again."""
        told, self._told = self._told, None
        if told is not None and self._mend(told):
            return action.yes
        if self.talk.asked["correction"] >= MAX_ASKS:
            return action.no
        self.talk.asked["correction"] += 1
        heard = await self._ask(self._clips(action.ask), self._limits(action))
        if not heard.text:
            return action.silence
        if self._mend(heard.text):
            return action.yes
        self.talk.matter.clear()
        await self._matter(heard.text)
        return action.yes

    def _mend(self, text: str) -> bool:
        """Take the right value from a correction, or forget the wrong one; false if it names no piece."""
        talk = self.talk
        named = answers.about(text, self._plan.language)
        phone = answers.read_phone(text, self._plan.language)
        if phone is None and self._take("place", text, context=Place()):
            return True
        if phone is not None or "phone" in named:
            if phone is None:
                talk.phone = None
            else:
                self._take("phone", text)
            return True
        if "place" in named:
            talk.place = Place()
            talk.flags.add("place_wrong")
            return True
        if "name" in named:
            talk.name = answers.read_name(text, self._plan.language)
            return True
        return False

    # transfer, ticket

    async def _transfer(self, action: Transfer) -> str | None:
        """Ring the operator on duty; a talk that took place ends the script, with goodbye if the caller is there."""
        extension = self._context.operator_extension
        end = TransferEnd.UNREACHABLE
        if extension is not None:
            end = await self._phone.transfer(extension, timeout_s=action.timeout_s)
        self._unheard = 0
        if end is not TransferEnd.COMPLETED:
            return action.no_answer
        try:
            await self._say(self._phrases.goodbye, barge_in=False)
            await self._phone.hangup("after_transfer")
        except CallerGone:
            pass
        raise _Over(EndedBy.OPERATOR, "after_transfer")

    async def _open_ticket(self, action: Ticket) -> None:
        talk = self.talk
        if action.ticket == "amend" and talk.ticket is None:
            return
        if talk.matter_joined is None:
            talk.matter_joined = talk.repeats
        for name in ("kind", "category", "urgency"):
            if value := getattr(action, name):
                talk.given[name] = value
        talk.given.update({name: "yes" for name in ("confirm", "callback") if getattr(action, name)})
        talk.ticket = await self._phone.open_ticket(talk.final_understanding(), talk.fields())
