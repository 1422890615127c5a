"""The verbs that wait for the caller: `listen` for a matter, `gather` for one thing."""

from __future__ import annotations

from dataclasses import replace

from callcenter.dialplan import answers, survey
from callcenter.dialplan.conversation import MAX_ASKS, NO_KEYS, Conversation, TurnLimits
from callcenter.dialplan.model import Gather, Listen
from callcenter.dialplan.phone import Clip, ListenEnd
from callcenter.domain.places import Place

MAX_PIECES = 12
"""Pauses within one telling after which it is taken as told."""
GO_ON_TIMEOUT_S = 2.5
"""Silence after 您请讲 that means the caller has finished; under the 3 s that our side may be silent (R3)."""
BEGUN_DIGITS = 3
"""So many digits are the beginning of a number."""
MAX_NUMBER_PIECES = 3
"""So often a number told in pieces is waited for."""
_DIGITS = frozenset("0123456789*#")
_SHORT_NO = {"zh": 8, "en": 20}
_SHORT_ANSWER = {"zh": 4, "en": 8}


async def listen(talk: Conversation, action: Listen) -> str | None:
    """Hear the matter to its end; nobody speaking and nothing understood are asked again twice each."""
    limits, phrases = talk.limits_of(action), talk.plan.script.phrases
    silent = unclear = 0
    question = asked = talk.clips(action.ask) if action.ask else []
    while True:
        heard_before = len(talk.talk.heard)
        spoke = await _tell(talk, question, limits, asked=asked, go_on=action.go_on)
        told = [text for text in talk.talk.heard[heard_before:] if not answers.asks_again(text, talk.language)]
        if action.nothing and len(told) == 1 and answers.nothing(told[0], talk.language):
            return action.nothing
        if not spoke:
            silent += 1
            if silent > MAX_ASKS or action.listen == "addition" or (unclear and silent > 1):
                return action.unclear if unclear else action.silence
            question = talk.clips(phrases.silence)
        elif action.listen == "matter" and talk.talk.unclear:
            unclear += 1
            if unclear > MAX_ASKS:
                return action.unclear
            question = talk.clips(phrases.again)
        else:
            return None


async def _tell(
    talk: Conversation, question: list[Clip], limits: TurnLimits, *, asked: list[Clip], go_on: bool
) -> bool:
    """One telling, through its pauses: the first is answered with 您请讲 (R4). False if nobody spoke.

    A greeting is no matter: it is answered, too (R3), and some greetings on, the telling is over. Nor is 再说一遍, or
    a key that means nothing here: what was `asked` is put again.
    """
    spoke = encouraged = over = greeted = False
    phrases = talk.plan.script.phrases
    if talk.told is not None:
        told, talk.told = talk.told, None
        await talk.matter(told)
        spoke = True
    for _ in range(MAX_PIECES):
        if over or (spoke and not go_on):
            break
        if not spoke:
            await talk.play(question)
        elif not encouraged:
            encouraged = True
            await talk.play(talk.clips(phrases.go_on))
        elif greeted:
            await talk.play(talk.clips(phrases.silence))
        short = replace(limits, start_timeout_s=min(GO_ON_TIMEOUT_S, limits.start_timeout_s))
        heard = await talk.hear(short if spoke else limits)
        if heard.key:
            if not await talk.on_key(heard.key):
                question = await _again(talk, asked, spoke=spoke)
            continue
        asks_again = answers.asks_again(heard.text, talk.language)
        if asks_again and talk.wants_repeat():
            question = await _again(talk, asked, spoke=spoke)
            continue
        greeted = asks_again or answers.greets(heard.text, talk.language)
        if greeted:
            talk.talk.asked["greeting"] += 1
            over = talk.talk.asked["greeting"] > MAX_ASKS
        elif heard.text:
            over = "done" in talk.talk.turn_intents or answers.finished(heard.text, talk.language)
            aside = not (spoke and "done" in talk.talk.turn_intents) and await talk.matter(heard.text)
            if aside and not spoke and talk.talk.unclear:
                continue
        spoke = spoke or heard.spoke
        over = over or not heard.text or heard.end is ListenEnd.TOO_LONG
    return spoke


async def _again(talk: Conversation, asked: list[Clip], *, spoke: bool) -> list[Clip]:
    """The question once more; to who is telling already, what was said last is said at once."""
    if spoke:
        await talk.play(talk.last_said or asked)
    return asked or talk.last_said


async def gather(talk: Conversation, action: Gather) -> str | None:
    """Ask for one thing; the step to go to, or None to go on."""
    match action.gather:
        case "place" | "name" | "phone":
            return await _slot(talk, action)
        case "confirm":
            return await _confirm(talk, action)
        case "more":
            return await _more(talk, action)
        case "correction":
            return await _correct(talk, action)
        case "solved" | "score":
            return await survey.ask(talk, action)


async def _slot(talk: Conversation, action: Gather) -> str | None:
    """Ask for a piece that is missing, at most twice in the whole call."""
    state, slot = talk.talk, action.gather
    silent = False
    clips = talk.clips(action.ask)
    while state.missing(slot) and state.asked[slot] < min(action.times, MAX_ASKS):
        state.asked[slot] += 1
        heard = await talk.ask(clips, talk.limits_of(action), _DIGITS if slot == "phone" else NO_KEYS)
        silent = not heard.spoke and not heard.key
        taken = await _keyed_phone(talk, heard.key) if heard.key else take(talk, slot, heard.text)
        if slot == "phone" and not taken and heard.text:
            taken = await _rest_of_number(talk, heard.text, talk.limits_of(action))
        for other in ("place", "phone", "name"):
            if heard.text and other != slot and _spelled_out(talk, other, heard.text):
                taken = take(talk, other, heard.text) or taken
        again = [] if taken or silent else talk.clips(talk.plan.script.phrases.again)
        clips = [*again, *talk.clips(action.again or action.ask)]
    return action.silence if silent and state.missing(slot) else None


def _spelled_out(talk: Conversation, slot: str, text: str) -> bool:
    """Whether an answer gives another piece as well, in words that leave no doubt."""
    named = answers.about(text, talk.language)
    about_place = "place" in named
    if slot == "name":
        return "name" in named and talk.talk.name is None
    if slot == "phone":
        return not about_place and answers.read_phone(text, talk.language) is not None
    place = answers.read_place(text, talk.language, talk.context.gazetteer)
    return about_place and place is not None and place.building is not None


async def _rest_of_number(talk: Conversation, begun: str, limits: TurnLimits) -> bool:
    """A number told with pauses in it is heard to its end (R4)."""
    for _ in range(MAX_NUMBER_PIECES):
        if len(answers.read_digits(begun, talk.language)) < BEGUN_DIGITS:
            return False
        heard = await talk.ask(talk.clips(talk.plan.script.phrases.go_on), limits)
        if not answers.read_digits(heard.text, talk.language):
            return False
        begun = f"{begun} {heard.text}"
        if take(talk, "phone", begun) or take(talk, "phone", heard.text):
            return True
    return False


async def _keyed_phone(talk: Conversation, first: str) -> bool:
    """A number by keys; a lone 0 or 1 means what it means at any time."""
    rest = await talk.phone.gather(max_digits=12, timeout_s=4.0, end_key="#")
    if not rest and await talk.on_key(first):
        return True
    return take(talk, "phone", first + rest)


def take(talk: Conversation, slot: str, text: str, *, anew: bool = False) -> bool:
    """Take a piece from an answer; false if it is not in there. `anew`: a bare place is not completed."""
    state, language, places = talk.talk, talk.language, talk.context.gazetteer
    if slot == "place":
        place = answers.read_place(text, language, places, known=Place() if anew else state.known_place)
        if place is None:
            return False
        moved = place.building is not None and place.building != state.place.building
        base = Place() if moved and place.room else state.place
        meant = Place(place.building or base.building, place.unit or base.unit, place.room or base.room)
        if state.lacks(meant) and state.asked["place"] < MAX_ASKS:
            return False  # asked once more, then taken as said (待核实)
        state.place = meant
        state.answered.add(slot)
        return True
    if slot == "phone":
        if (phone := answers.read_phone(text, language)) is None:
            return False
        state.phone = phone
        state.answered.add(slot)
        return True
    if (name := answers.read_name(text, language)) is None:
        return False
    state.name = name
    state.answered.add(slot)
    return True


async def _confirm(talk: Conversation, action: Gather) -> str | None:
    """Is it right? Silence is a yes; what was said besides is more of the matter (R5)."""
    state = talk.talk
    if state.asked[action.ask] >= min(action.times, MAX_ASKS):
        return None
    state.asked[action.ask] += 1
    heard = await talk.ask(talk.clips(action.ask), talk.limits_of(action), frozenset("2"))
    if heard.key == "2":
        return action.no
    if not heard.spoke and not heard.text:
        return action.silence
    if answers.nothing(heard.text, talk.language):
        return action.nothing or action.yes
    if "no" in state.turn_intents:
        talk.told = heard.text
        return action.no
    if "yes" in state.turn_intents or not heard.text:
        return action.yes
    place = answers.read_place(heard.text, talk.language, talk.context.gazetteer)
    piece = place or answers.read_phone(heard.text, talk.language)
    if piece is None and answers.affirms(heard.text, talk.language):
        return action.yes
    if piece is not None or answers.about(heard.text, talk.language):
        talk.told = heard.text
        return action.no
    if len(heard.text) >= _SHORT_NO[talk.language]:
        await talk.matter(heard.text)
    return action.yes


async def _more(talk: Conversation, action: Gather) -> str | None:
    """Anything else? Whoever goes on to tell it is heard at once, not asked for it."""
    state = talk.talk
    if state.asked[action.ask] >= min(action.times, MAX_ASKS):
        return None
    state.asked[action.ask] += 1
    heard = await talk.ask(talk.clips(action.ask), talk.limits_of(action), frozenset("2"))
    if heard.key == "2" or (heard.spoke and not heard.text) or "done" in state.turn_intents:
        return action.no
    if not heard.spoke and not heard.text:
        return action.silence
    if "no" in state.turn_intents and len(heard.text) < _SHORT_NO[talk.language]:
        return action.no
    if "yes" not in state.turn_intents or len(heard.text) >= _SHORT_NO[talk.language]:
        talk.told = heard.text
    return action.yes


async def _correct(talk: Conversation, action: Gather) -> str | None:
    """What is wrong, and what is right instead: a piece is taken, or forgotten so that it is asked again."""
    told, talk.told = talk.told, None
    if told is not None and _mend(talk, told):
        return action.yes
    if talk.talk.asked["correction"] >= MAX_ASKS:
        return action.no
    talk.talk.asked["correction"] += 1
    heard = await talk.ask(talk.clips(action.ask), talk.limits_of(action))
    if not heard.text or answers.nothing(heard.text, talk.language) or _only_denies(talk, heard.text):
        return action.silence
    if not _mend(talk, heard.text):
        told_before, talk.talk.matter = talk.talk.matter, []
        await talk.matter(heard.text)
        if talk.talk.unclear:
            talk.talk.matter = told_before
            await talk.matter(heard.text)
    return action.yes


def _only_denies(talk: Conversation, text: str) -> bool:
    """Whether a turn is a yes or a no and nothing else: it tells no matter."""
    return bool(talk.talk.turn_intents & {"yes", "no"}) and len(text) < _SHORT_ANSWER[talk.language]


def _mend(talk: Conversation, text: str) -> bool:
    """Take the right value from a correction, or forget the wrong one; false if it names no piece."""
    state, language, places = talk.talk, talk.language, talk.context.gazetteer
    named = answers.about(text, language)
    phone = answers.read_phone(text, language)
    if phone is not None:
        return take(talk, "phone", text)
    if answers.affirms(text, language) and answers.read_place(text, language, places) is None:
        return True
    if take(talk, "place", text, anew=not named):
        return True
    if "phone" in named:
        state.phone = None
    elif "place" in named or answers.read_place(text, language, places) is not None:
        named |= {"place"}
        state.place = Place()
        state.flags.add("place_wrong")
    elif "name" in named:
        state.name = answers.read_name(text, language)
    state.answered |= named
    return bool(named)
