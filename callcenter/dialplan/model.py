"""The words of a call script: what `dialplans/*.yaml` may say, and their JSON Schema for editors.

A script is a set of named steps; a step is a list of actions, carried out from top to bottom. An action is one verb
with its fields, and may stand under a condition (`when`). Verbs and terms are those of the field.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

PromptId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$", description="Id of a prompt in texts.yaml.")]
StepName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of a step.")]
FlagName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="Name of a flag.")]
Span = Annotated[
    str,
    Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$", description="08:30-17:30, local time."),
]
Kind = Literal[
    "repair", "complaint", "enquiry", "help", "suggestion", "praise", "home_service", "lost_found", "message", "none"
]
Urgency = Literal["emergency", "important", "normal"]
Intent = Literal["operator", "yes", "no", "done", "repeat", "resident_data", "objects_recording", "wrong_number"]
Slot = Literal["place", "name", "phone"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class When(_Words):
    """A condition: every field must hold; a list holds when any of its values does."""

    time: Span | list[Span] | None = Field(None, description="Local time of the call; a span may pass midnight.")
    weekday: list[Weekday] | None = Field(None, description="Days of the week.")
    holiday: bool | None = Field(
        None, description="A public holiday, or the site's own day off; weekends and make-up workdays are none."
    )
    office_hours: bool | None = Field(None, description="Within the site's office hours.")
    operator: Literal["on_duty", "nobody"] | None = Field(
        None, description="Whether the phone of the operator on duty can be rung (roster)."
    )
    language: Literal["zh", "en"] | None = Field(None, description="The call's language.")
    caller: (
        Literal["known", "unknown", "withheld", "has_open_matter"]
        | list[Literal["known", "unknown", "withheld", "has_open_matter"]]
        | None
    ) = Field(None, description="Who calls: number of a household, unlisted, withheld, or with an open matter.")
    kind: Kind | list[Kind] | None = Field(None, description="What kind of matter was understood (R7).")
    category: str | list[str] | None = Field(None, description="Category of the taxonomy that was understood.")
    urgency: Urgency | list[Urgency] | None = Field(None, description="Urgency that was understood (R8).")
    urgency_confidence: Literal["low", "high"] | None = Field(
        None, description="How sure the urgency is; low: better ask."
    )
    department: str | list[str] | None = Field(None, description="Department in charge.")
    confidence: Literal["low", "high"] | None = Field(None, description="low: 待核实, somebody must confirm.")
    missing: Slot | list[Slot] | None = Field(None, description="Not known yet (for a list: any of them).")
    has: Slot | list[Slot] | None = Field(None, description="Known already (for a list: any of them).")
    phone: Literal["told", "caller_id"] | None = Field(
        None, description="Where the call-back number is from: the caller told it, or it is the number that calls."
    )
    intent: Intent | list[Intent] | None = Field(None, description="What the last turn wanted of the talk itself.")
    repeat: bool | None = Field(None, description="What was understood is an open matter of this caller (R17).")
    incident: bool | None = Field(None, description="What was understood is a known incident (R32).")
    ticket: Literal["none", "opened", "joined", "unnumbered"] | None = Field(
        None, description="The call's ticket: none, opened, joined to an open matter, or without a number yet."
    )
    flag: FlagName | list[FlagName] | None = Field(None, description="A flag that an action set in this call.")
    visited: StepName | None = Field(None, description="A step this call has been through.")
    not_: When | None = Field(None, alias="not", description="Must not hold.")
    any_: list[When] | None = Field(None, alias="any", description="One of these must hold.")


class _Action(_Words):
    when: When | None = Field(None, description="Only under this condition.")
    set_: FlagName | None = Field(None, alias="set", description="Set this flag afterwards.")


class Play(_Action):
    """Play recorded prompts."""

    play: PromptId | list[PromptId] = Field(description="One prompt or several, in order.")
    barge_in: bool = Field(True, description="The caller may interrupt by speaking or a key (R4).")


class Say(_Action):
    """Say a prompt whose places are filled in from the call: {ticket}, {place}, {answer_by} …"""

    say: PromptId | list[PromptId] = Field(description="One prompt or several, in order.")
    barge_in: bool = Field(True, description="The caller may interrupt by speaking or a key (R4).")


class Listen(_Action):
    """Hear the caller to the end: a pause is answered with 您请讲, the second one ends the turn (R4)."""

    listen: Literal["matter", "addition"] = Field(description="What is told: the matter, or more about it.")
    ask: PromptId | None = Field(None, description="The open question.")
    go_on: bool = Field(True, description="Say 您请讲 at the first pause.")
    start_timeout_s: float | None = Field(None, gt=0, le=15, description="Silence before the first word.")
    end_silence_s: float | None = Field(None, gt=0, le=5, description="Silence that ends a turn.")
    max_s: float | None = Field(None, gt=0, le=300, description="Longest turn.")
    silence: StepName | None = Field(None, description="Go here when nobody spoke, twice asked.")
    unclear: StepName | None = Field(None, description="Go here when nothing was understood, twice asked again.")
    nothing: StepName | None = Field(None, description="addition: go here when there is nothing to tell (不用了).")


class Gather(_Action):
    """Ask for one thing and take the answer by voice or keys. A slot that is known already is not asked."""

    gather: Literal["place", "name", "phone", "confirm", "more", "correction", "solved", "score"] = Field(
        description="What is asked."
    )
    ask: PromptId = Field(description="The question.")
    again: PromptId | None = Field(None, description="The question when asked again; else R3's phrase and `ask`.")
    times: int = Field(2, ge=1, description="Asked at most so often; the check allows 2.")
    start_timeout_s: float | None = Field(None, gt=0, le=15, description="Silence before the first word.")
    end_silence_s: float | None = Field(None, gt=0, le=5, description="Silence that ends the answer.")
    max_s: float | None = Field(None, gt=0, le=120, description="Longest answer.")
    yes: StepName | None = Field(None, description="confirm, more, solved: go here on yes.")
    no: StepName | None = Field(None, description="confirm, more, solved: go here on no (key 2).")
    nothing: StepName | None = Field(
        None, description="confirm: go here when the caller says there is nothing (没有); else that is a yes."
    )
    silence: StepName | None = Field(
        None, description="Go here when nobody answered; solved, score: also when no answer was clear."
    )


class Transfer(_Action):
    """Ring a person's phone and bridge; afterwards the script goes on only if nobody answered."""

    transfer: Literal["operator"] = Field(description="The operator on duty (R11).")
    timeout_s: float = Field(20, gt=0, le=60, description="Rings so long.")
    no_answer: StepName | None = Field(None, description="Go here when nobody answers; else on with the next action.")


class Ticket(_Action):
    """Open the call's ticket now, or amend it if the call has one."""

    ticket: Literal["open", "amend"] = Field(description="open: must give a number; amend: only if there is one.")
    kind: Kind | None = Field(None, description="Instead of what was understood.")
    category: str | None = Field(None, description="Instead of what was understood.")
    urgency: Urgency | None = Field(None, description="Instead of what was understood.")
    confirm: bool = Field(False, description="Mark 待核实: the operator on duty listens and confirms.")
    callback: bool = Field(False, description="A call-back was promised (R22).")


class Hangup(_Action):
    """End the call; a goodbye must stand before it (R2)."""

    hangup: Literal["done", "silence", "unclear", "too_long", "wrong_number"] = Field(description="Why.")


class Goto(_Action):
    """Go on at another step."""

    goto: StepName = Field(description="The step.")
    times: int | None = Field(None, ge=1, le=20, description="At most so often in a call; then the next action.")


VERBS: dict[str, type[_Action]] = {
    "play": Play,
    "say": Say,
    "listen": Listen,
    "gather": Gather,
    "transfer": Transfer,
    "ticket": Ticket,
    "hangup": Hangup,
    "goto": Goto,
}


def verb_of(action: Any) -> str | None:
    """The verb of an action, None when it has none (or two)."""
    fields = action if isinstance(action, dict) else {name: 1 for name in VERBS if hasattr(action, name)}
    verbs = [name for name in fields if name in VERBS]
    return verbs[0] if len(verbs) == 1 else None


Action = Annotated[
    Annotated[Play, Tag("play")]
    | Annotated[Say, Tag("say")]
    | Annotated[Listen, Tag("listen")]
    | Annotated[Gather, Tag("gather")]
    | Annotated[Transfer, Tag("transfer")]
    | Annotated[Ticket, Tag("ticket")]
    | Annotated[Hangup, Tag("hangup")]
    | Annotated[Goto, Tag("goto")],
    Discriminator(verb_of),
]


class Anytime(_Words):
    """What the caller may do at any moment: a key, or words that are understood."""

    key: str | None = Field(None, pattern=r"^[0-9*#]$", description="This key, except while a number is keyed in.")
    when: When | None = Field(None, description="This condition holds after the caller spoke.")
    run: StepName | None = Field(None, description="Do this step, then go on where the talk was.")
    goto: StepName | None = Field(None, description="Go to this step for good.")
    times: int = Field(2, ge=1, le=5, description="At most so often in a call.")


class Phrases(_Words):
    """Prompts that our side says by itself (R2, R3)."""

    go_on: PromptId = Field(description="您请讲: the caller paused (R4).")
    silence: PromptId = Field(description="您好，请讲: nobody speaks.")
    again: PromptId = Field(description="对不起，请您再说一遍 (R3).")
    wait: PromptId = Field(description="对不起，请您稍候 (R3).")
    sorry_waited: PromptId = Field(description="对不起，让您久等了 (R3).")
    trouble: PromptId = Field(description="Something of ours broke; said before goodbye.")
    goodbye: PromptId = Field(description="送声, also said when the script itself cannot go on (R2).")


class Limits(_Words):
    """Bounds of every call and defaults of listen and gather."""

    turns: int = Field(40, ge=3, le=200, description="Turns of the caller before `too_long`.")
    too_long: StepName = Field(description="Go here then; it must not ask anything any more.")
    start_timeout_s: float | None = Field(None, gt=0, le=15, description="Silence before the first word.")
    end_silence_s: float | None = Field(None, gt=0, le=5, description="Silence that ends a turn.")
    max_s: float | None = Field(None, gt=0, le=300, description="Longest turn.")


class Script(_Words):
    """A call script (dialplan) of a hotline."""

    dialplan: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")] = Field(description="Its name, as the file's.")
    title: str = Field(description="What people see.")
    language: Literal["zh", "en"] = Field(description="Language of prompts and understanding.")
    prompts: str = Field(description="Folder of the prompts, beside this file.")
    start: StepName = Field(description="The first step.")
    notice: PromptId = Field(description="The recording notice: played before anything is asked, on every way.")
    goodbyes: list[PromptId] = Field(min_length=1, description="Prompts that are a goodbye (R2).")
    phrases: Phrases
    limits: Limits
    anytime: dict[str, Anytime] = Field(default_factory=dict, description="What works at any moment, by name.")
    steps: dict[StepName, list[Action]] = Field(min_length=1, description="The talk, step by step.")


def json_schema() -> dict[str, Any]:
    """JSON Schema of a script, for editors (`dialplans/dialplan.schema.json`)."""
    schema = Script.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Dialplan", **schema}
