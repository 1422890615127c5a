"""The two things of a talk, saying and hearing, with what the house asks of both.

A prompt stops when the caller speaks or presses a key (R4), the notice and the goodbye never do; whatever the caller
says or presses may mean something else than an answer: an emergency, a person, no recording.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from callcenter.dialplan import answers
from callcenter.dialplan.conditions import holds
from callcenter.dialplan.context import CallContext
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.model import Anytime, Gather, Listen
from callcenter.dialplan.phone import Clip, Heard, ListenEnd, Phone, PlayEnd
from callcenter.dialplan.talk import Talk
from callcenter.domain.labels import Understanding
from callcenter.domain.understanding import understand_by_rules
from callcenter.errors import CallCenterError, DialplanError

MAX_ASKS = 2
"""One question is put at most so often in a call."""
UNDERSTAND_TIMEOUT_S = 2.0
"""The telephone falls back on rules after 300 ms; this is for one that hangs."""
NO_KEYS: frozenset[str] = frozenset()
_ASIDES = frozenset({"operator", "resident_data", "objects_recording"})
"""Intents that mean something at any moment, so that they are looked for in long answers, too."""
_SHORT = {"zh": 6, "en": 20}
"""Characters under which an answer is nothing but an answer."""


class Leave(Exception):  # noqa: N818 — control flow: go to another step for good
    """The talk goes on at `step`."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


@dataclass(frozen=True)
class TurnLimits:
    """How long a turn of the caller may be waited for, and last."""

    start_timeout_s: float
    end_silence_s: float
    max_s: float


class Conversation:
    """One talk over one phone. `subroutine` carries out a step and comes back."""

    def __init__(
        self, plan: Dialplan, phone: Phone, context: CallContext, subroutine: Callable[[str], Awaitable[None]]
    ) -> None:
        self.plan, self.phone, self.context = plan, phone, context
        self.talk = Talk(plan, context)
        self.told: str | None = None
        """Words of the caller that the next question takes as its answer instead of being put."""
        self.actions_unheard = 0
        self._subroutine = subroutine
        self._too_long = False
        self._caller_speaks = False
        self._key: str | None = None
        self._said: list[Clip] = []
        self.last_said: list[Clip] = []
        """What our side said before the last turn of the caller: said again to who asks for it."""
        self._intents_seen: set[tuple[str, str]] = set()

    @property
    def language(self) -> str:
        """Language of the talk."""
        return self.plan.language

    def limits_of(self, action: Listen | Gather) -> TurnLimits:
        """The action's own limits, else the script's."""
        limits = self.plan.script.limits
        return TurnLimits(
            action.start_timeout_s or limits.start_timeout_s or 5.0,
            action.end_silence_s or limits.end_silence_s or 1.2,
            action.max_s or limits.max_s or 60.0,
        )

    # Saying

    async def say(self, prompts: str | list[str], *, barge_in: bool = True) -> None:
        """Say prompts in order; notes the recording notice and the goodbye."""
        script = self.plan.script
        for name in [prompts] if isinstance(prompts, str) else prompts:
            goodbye, notice = name in script.goodbyes, name == script.notice
            await self.play(self.clips(name), barge_in=barge_in and not goodbye and not notice)
            self.talk.notice_given |= notice
            self.talk.goodbye_said |= goodbye

    def clips(self, prompt: str) -> list[Clip]:
        """What is heard of a prompt; nothing where a value to fill in is not known."""
        slots = self.plan.prompts.prompts[prompt].slots if prompt in self.plan.prompts else ()
        values = {slot: self.talk.words(slot) for slot in slots}
        return self.plan.prompts.clips(prompt, values) if all(values.values()) else []

    async def play(self, clips: list[Clip], *, barge_in: bool = True, own_keys: frozenset[str] = NO_KEYS) -> None:
        """Play unless the caller is speaking already; a key acts at once, or is the answer to what is being asked."""
        self._said += clips
        if not clips or (barge_in and (self._caller_speaks or self._key)):
            return
        played = await self.phone.play(clips, barge_in=barge_in)
        if played.end is PlayEnd.SPEECH:
            self._caller_speaks = True
        elif (key := played.key) is not None and (key in own_keys or not await self.on_key(key)):
            self._key = key

    # Hearing

    async def hear(self, limits: TurnLimits, *, asked: bool = False) -> Heard:
        """One turn of the caller; `asked`: to a question. The turn over the limit leaves for `too_long`, once."""
        talk, script = self.talk, self.plan.script
        if talk.turns >= script.limits.turns:
            if self._too_long:
                raise DialplanError("dialplan.too_long", "the last step still asks", where=str(self.plan.path))
            self._too_long = True
            raise Leave(script.limits.too_long)
        talk.turns += 1
        key, self._key, self._caller_speaks = self._key, None, False
        if key:
            heard = Heard("", ListenEnd.KEY, spoke=False, key=key)
        else:
            heard = await self.phone.listen(
                start_timeout_s=limits.start_timeout_s, end_silence_s=limits.end_silence_s, max_s=limits.max_s
            )
        self.actions_unheard, talk.goodbye_said = 0, False
        self.last_said, self._said = self._said, []
        talk.turn_intents = NO_KEYS
        if heard.text:
            talk.heard.append(heard.text)
            talk.turn_intents = answers.intents(heard.text, self.language, asked=asked)
        return heard

    async def ask(self, clips: list[Clip], limits: TurnLimits, own_keys: frozenset[str] = NO_KEYS) -> Heard:
        """Put a question and hear the answer; put it again when something else was meant, by key or words."""
        self.told = None
        await self.play(clips, own_keys=own_keys)
        while True:
            heard = await self.hear(limits, asked=True)
            if heard.key:
                if heard.key in own_keys:
                    return heard
                await self.on_key(heard.key)
            elif not heard.text:
                return heard
            elif await self._on_answer(heard.text):
                pass
            elif self.wants_repeat():
                await self.play(self.last_said, own_keys=own_keys)
                continue
            else:
                return heard
            await self.play(clips, own_keys=own_keys)

    def wants_repeat(self) -> bool:
        """Whether the last turn asks to hear it again, and may: not more than twice in a call."""
        wants = "repeat" in self.talk.turn_intents
        self.talk.used["repeat"] += wants
        return wants and self.talk.used["repeat"] <= MAX_ASKS

    async def _on_answer(self, text: str) -> bool:
        """An answer may mean something else; a long one goes through understanding as well."""
        talk = self.talk
        quick = understand_by_rules(text, self.language, self.context.gazetteer)
        danger = quick.urgency.value == "emergency"
        if danger or (len(text) >= _SHORT[self.language] and not answers.read_phone(text, self.language)):
            before = talk.understanding
            labels = await self._understand([*talk.matter, text])
            talk.turn_intents |= self._new_intents(labels) & _ASIDES
            danger |= labels.urgency.value == "emergency"
            if danger and before.urgency.value != "emergency":
                talk.matter.append(text)
                talk.understand(labels if labels.urgency.value == "emergency" else quick)
        return await self._on_words()

    async def matter(self, text: str) -> bool:
        """Take a piece of the matter, understand the whole again, act on what works at any moment.

        True if it was such a thing, and the talk came back.
        """
        talk = self.talk
        talk.matter.append(text)
        labels = await self._understand(talk.matter)
        talk.understand(labels)
        talk.turn_intents |= self._new_intents(labels) - {"done"}
        return await self._on_words()

    def _new_intents(self, labels: Understanding) -> frozenset[str]:
        """Intents that these labels have and earlier ones of this call had not: labels are of all that was said."""
        found = {(i.value, i.evidence) for i in labels.intents if i.confidence >= answers.SURE}
        new = found - self._intents_seen
        self._intents_seen |= found
        return frozenset(value for value, _ in new)

    async def on_key(self, key: str) -> bool:
        """Do what a key means at any moment; false if it means nothing."""
        return await self._anytime(lambda rule: rule.key == key)

    async def _on_words(self) -> bool:
        return await self._anytime(lambda rule: rule.when is not None and holds(rule.when, self.talk))

    async def _anytime(self, meant: Callable[[Anytime], bool]) -> bool:
        for name, rule in self.plan.script.anytime.items():
            if self._too_long or self.talk.used[name] >= rule.times or not meant(rule):
                continue
            self.talk.used[name] += 1
            if rule.goto:
                raise Leave(rule.goto)
            assert rule.run is not None
            self._key, self._caller_speaks = None, False
            await self._subroutine(rule.run)
            return True
        return False

    async def _understand(self, pieces: list[str]) -> Understanding:
        """Labels of the whole; by rules when the telephone's understanding fails or hangs."""
        text = ("，" if self.language == "zh" else ", ").join(pieces)
        try:
            async with asyncio.timeout(UNDERSTAND_TIMEOUT_S):
                return await self.phone.understand(text)
        except (TimeoutError, CallCenterError):
            return understand_by_rules(text, self.language, self.context.gazetteer)
