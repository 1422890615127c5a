"""Every call becomes exactly one matter, with everything that was said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from desk_node import LI_NA, FakeSpeech, Linked, decided, labels, until

from callcenter.desk import acts
from callcenter.desk.house import Desk
from callcenter.domain.labels import Label
from callcenter.domain.records import RecordKind


async def completed(desk: Desk, call: Any) -> Any:
    """The call's row once intake is through with it."""
    return await until(
        lambda: desk.pool.fetchrow("select * from call where id = $1 and completed_at is not null", call)
    )


async def tickets(desk: Desk) -> list[Any]:
    return list(await desk.pool.fetch("select * from ticket order by opened_at, number"))


async def leased(node: Linked) -> int:
    """A ticket's number, once the desk has leased some to the node."""

    async def arrived() -> bool:
        return node.line.numbers is not None and node.line.numbers.left > 0

    await until(arrived)
    return node.link.take_number()


async def test_the_number_the_caller_heard_is_the_tickets(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    number = await leased(node)
    understood = labels()
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "厨房水管漏水了", 0)
    node.line.open(call, str(number), understood, decided(desk, understood))
    node.line.hear(call, "请快一点", 1)
    node.line.end(call)
    row = await completed(desk, call)
    (ticket,) = await tickets(desk)
    assert ticket["number"] == number == row["ticket"]
    assert ticket["content"] == "厨房水管漏水了，请快一点"
    assert ticket["complete"]
    assert ticket["spoken"]
    assert (ticket["building"], ticket["unit"], ticket["room"], ticket["household"]) == ("3", "2", "1102", "3-2-1102")
    assert ticket["caller_number"] == "+86" + LI_NA
    assert ticket["first_responder"] == ticket["responsible"]
    assert ticket["asked"] is not None, "outside the operator's duty: the department is asked (R13)"
    assert speech.asked == ["厨房水管漏水了，请快一点"]
    kinds = [r["kind"] for r in await desk.pool.fetch("select kind from event where ticket = $1 order by id", number)]
    assert kinds[:4] == ["ticket.opened", "ticket.open", "ticket.hand_over", "ticket.ask"]
    assert "ticket.completed" in kinds
    assert await desk.pool.fetchval("select count(*) from outward_message where ticket = $1", number) >= 1


async def test_what_a_person_corrects_during_the_call_stands(desk: Desk, node: Linked) -> None:
    number = await leased(node)
    understood = labels()
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "厨房水管漏水了", 0)
    node.line.open(call, str(number), understood, decided(desk, understood))
    (ticket,) = await until(lambda: tickets(desk))
    await acts.correct(desk, number, ticket["first_responder"], {"category": "fire", "room": "1103"}, "corrected-early")
    node.line.hear(call, "请快一点", 1)
    node.line.end(call)
    await completed(desk, call)
    (ticket,) = await tickets(desk)
    assert (ticket["category"], ticket["room"]) == ("fire", "1103")
    assert ticket["content"] == "厨房水管漏水了，请快一点", "the text itself was not corrected"


async def test_hang_up_in_mid_sentence_opens_one_ticket_and_promises_a_call_back(desk: Desk, node: Linked) -> None:
    call = node.line.whole_call("楼道的灯")
    row = await completed(desk, call)
    (ticket,) = await tickets(desk)
    assert row["ticket"] == ticket["number"]
    assert not ticket["spoken"]
    back = await desk.pool.fetchrow("select * from callback")
    assert (back["reason"], back["number"], back["state"]) == ("hang_up", "+86" + LI_NA, "due")
    assert back["responsible"] == ticket["responsible"]


async def test_silence_is_called_back_where_the_number_is_known(desk: Desk, node: Linked) -> None:
    known, unknown = node.line.ring(), node.line.ring(number="anonymous")
    for call in (known, unknown):
        node.line.answer(call)
        node.line.end(call)
    await completed(desk, known)
    await completed(desk, unknown)
    found = {t["call"]: t for t in await tickets(desk)}
    assert set(found) == {known, unknown}
    assert {t["kind"] for t in found.values()} == {"none"}
    assert found[unknown]["status"] == "archived"
    backs = await desk.pool.fetch("select * from callback")
    assert [(b["call"], b["reason"]) for b in backs] == [(known, "silence")]


async def test_all_lines_busy_becomes_one_call_back_however_often_they_try(desk: Desk, node: Linked) -> None:
    for n in range(3):
        node.line.journal.append(
            RecordKind.EDGE_UNSERVED, site="xingfu", call=None,
            body={"from_number": LI_NA, "to_number": "8001", "sip_call_id": f"busy-{n}", "status": 486,
                  "reason": "all_busy"},
        )  # fmt: skip
    await node.link.shipped()
    await until(lambda: desk.pool.fetchval("select count(*) = 3 from call where completed_at is not null"))
    (ticket,) = await tickets(desk)
    assert await desk.pool.fetchval("select count(*) from callback where state = 'due'") == 1
    assert ticket["calls"] == 3


async def test_whoever_may_not_call_us_makes_no_work(desk: Desk, node: Linked) -> None:
    node.line.journal.append(
        RecordKind.EDGE_UNSERVED, site="xingfu", call=None,
        body={"from_number": "900", "to_number": "00442", "sip_call_id": "scan", "status": 403, "reason": "refused"},
    )  # fmt: skip
    await until(lambda: desk.pool.fetchval("select count(*) from call where completed_at is not null"))
    assert await tickets(desk) == []


async def test_a_repeat_caller_joins_the_open_matter(desk: Desk, node: Linked) -> None:
    first = await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    again = await completed(desk, node.line.whole_call("漏水还没有人来"))
    assert again["ticket"] == first["ticket"] == 100777
    (ticket,) = await tickets(desk)
    assert ticket["calls"] == 2
    told = await desk.pool.fetchval("select count(*) from told where ticket = 100777 and rule = 'R17'")
    assert told >= 1


async def test_a_repeat_caller_is_heard_though_the_first_responder_was_taken_out_of_the_file(
    desk: Desk, node: Linked
) -> None:
    """R14, R17: the first responder never changes, not even by leaving the company."""
    await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    first = await desk.pool.fetchval("select first_responder from ticket where number = 100777")
    here = desk.sites["xingfu"].organisation
    left = replace(here, staff=tuple(person for person in here.staff if person.id != first))
    desk.sites["xingfu"] = replace(desk.sites["xingfu"], organisation=left)
    assert (await completed(desk, node.line.whole_call("厨房水管还在漏水", 100778)))["ticket"] == 100777
    row = await desk.pool.fetchrow("select calls, first_responder from ticket where number = 100777")
    assert tuple(row) == (2, first)
    await desk.pool.execute("update ticket set next_at = now() where number = 100777")
    desk.clock_wake.set()
    sql = "select responsible from ticket where number = 100777 and responsible <> first_responder"
    assert await until(lambda: desk.pool.fetchval(sql)), "somebody who is there answers for it"


async def test_neighbours_who_call_about_one_door_at_once_make_one_matter(desk: Desk, node: Linked) -> None:
    called = []
    for n in range(6):
        call = node.line.ring(number=f"1391234000{n}")
        node.line.answer(call)
        node.line.hear(call, "三号楼二单元一一零二漏水")
        called.append(call)
    for call in called:
        node.line.end(call)
    rows = [await completed(desk, call) for call in called]
    (ticket,) = await tickets(desk)
    assert {row["ticket"] for row in rows} == {ticket["number"]}
    assert ticket["calls"] == 6


async def test_a_number_that_was_spoken_becomes_another_name_of_what_it_joined(desk: Desk, node: Linked) -> None:
    await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    again = await completed(desk, node.line.whole_call("漏水还没有人来", 100901))
    assert again["ticket"] == 100777
    alias = await desk.pool.fetchrow("select * from ticket where number = 100901")
    assert (alias["status"], alias["joined_to"]) == ("joined", 100777)


async def test_the_line_sees_the_open_matter_in_its_snapshot_and_joins_by_itself(desk: Desk, node: Linked) -> None:
    await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    await until(lambda: _snapshot_has(node, "100777"))
    snapshot = node.link.snapshot
    assert snapshot is not None
    site = snapshot.site("xingfu")
    call = site.call("+86" + LI_NA)
    assert call.household == "3-2-1102"
    (matter,) = site.open_for(call)
    assert matter.first_responder == (await tickets(desk))[0]["first_responder"]
    assert node.settings.var_dir.joinpath("node", "snapshot.json").stat().st_mode & 0o777 == 0o600


async def _snapshot_has(node: Linked, ticket: str) -> bool:
    found = node.link.snapshot
    return found is not None and any(m.ticket == ticket for m in found.site("xingfu").open_matters)


async def test_what_was_decoded_afterwards_completes_the_text_once(desk: Desk, node: Linked) -> None:
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "电梯坏了", 0)
    node.line.write(RecordKind.CALL_GAP, call, {"from_ms": 5000, "reason": "speech_away"})
    node.line.end(call)
    await completed(desk, call)
    (ticket,) = await tickets(desk)
    assert not ticket["complete"]
    rest = [
        {"leg": "caller", "start_ms": 3100, "end_ms": 4000, "text": "电梯坏了", "words": []},
        {"leg": "caller", "start_ms": 6000, "end_ms": 7000, "text": "有人困在里面", "words": []},
    ]
    speech_hears = "电梯坏了，有人困在里面"
    node.line.write(RecordKind.CALL_TRANSCRIBED, call, {"from_ms": 5000, "utterances": rest})
    done = await until(lambda: desk.pool.fetchrow("select * from ticket where complete"))
    assert (done["number"], done["content"]) == (ticket["number"], speech_hears)
    assert len(await tickets(desk)) == 1


def cut_off(node: Linked, number: str | None) -> Any:
    """A call whose words nobody has heard yet: they are decoded from the recording."""
    call = node.line.ring(number)
    node.line.answer(call)
    node.line.write(RecordKind.CALL_GAP, call, {"from_ms": 0, "reason": "speech_away"})
    node.line.end(call)
    return call


def decoded(node: Linked, call: Any, text: str) -> None:
    said = {"leg": "caller", "start_ms": 3100, "end_ms": 5000, "text": text, "words": []}
    node.line.write(RecordKind.CALL_TRANSCRIBED, call, {"from_ms": 0, "utterances": [said]})


async def test_words_understood_later_end_the_silence(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    speech.answers["楼道很脏没有人打扫"] = labels("cleaning", "normal", "complaint", department="environment")
    call = cut_off(node, LI_NA)
    await completed(desk, call)
    (silent,) = await tickets(desk)
    assert (silent["kind"], silent["due_clock"]) == ("none", "call_back")
    assert await desk.pool.fetchval("select reason from callback") == "silence"
    decoded(node, call, "楼道很脏没有人打扫")
    known = await until(lambda: desk.pool.fetchrow("select * from ticket where complete and kind <> 'none'"))
    assert (known["number"], known["category"]) == (silent["number"], "cleaning")
    running = {timer["clock"] for timer in known["life"]["timers"]}
    assert running >= {"answer", "close", "call_back"}, "R18, R21, R22"
    assert await desk.pool.fetchval("select reason from callback") == "hang_up", "nobody says that they were silent"


async def test_words_understood_later_that_are_not_sure_are_confirmed(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    speech.answers["嗯那个楼道"] = labels("cleaning", kind="enquiry", confidence=0.3, department="environment")
    call = cut_off(node, LI_NA)
    await completed(desk, call)
    decoded(node, call, "嗯那个楼道")
    ticket = await until(lambda: desk.pool.fetchrow("select * from ticket where complete and kind <> 'none'"))
    assert (ticket["status"], ticket["to_confirm"]) == ("to_confirm", True)
    task = await desk.pool.fetchrow("select * from task where kind = 'confirm'")
    assert (task["ticket"], task["state"]) == (ticket["number"], "open")
    await acts.confirm(desk, ticket["number"], ticket["first_responder"], "listened")
    (ticket,) = await tickets(desk)
    assert (ticket["status"], ticket["to_confirm"]) == ("handed_over", False)


async def test_words_that_nobody_has_heard_yet_join_nothing_by_their_silence(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    speech.answers["着火了快来人"] = labels("fire", "emergency", "help", department="security")
    speech.answers["漏水还没有人来"] = labels()
    first = await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    fire, again, silent = (cut_off(node, LI_NA) for _ in range(3))
    for call in (fire, again, silent):
        await completed(desk, call)
    decoded(node, fire, "着火了快来人")
    decoded(node, again, "漏水还没有人来")
    node.line.write(RecordKind.CALL_TRANSCRIBED, silent, {"from_ms": 0, "utterances": []})
    burning = await until(lambda: desk.pool.fetchrow("select * from ticket where category = 'fire'"))
    assert (burning["urgency"], burning["major"], burning["call"]) == ("emergency", True, fire)
    joined = "select ticket from call where id = $1 and text_complete and completed_at is not null and ticket = $2"
    assert await until(lambda: desk.pool.fetchval(joined, again, first["ticket"]))
    assert await desk.pool.fetchval("select count(*) from ticket where joined_to = 100777") >= 1


async def test_silence_that_the_line_joined_is_a_matter_of_its_own_while_nobody_has_heard_it(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    speech.answers["着火了快来人"] = labels("fire", "emergency", "help", department="security")
    await completed(desk, node.line.whole_call("厨房水管漏水了", 100777))
    nothing = labels("other", kind="none", confidence=0.0, department="service")
    call = node.line.ring()
    node.line.answer(call)
    node.line.write(RecordKind.CALL_GAP, call, {"from_ms": 0, "reason": "speech_away"})
    node.line.open(call, "100777", nothing, replace(decided(desk, nothing), joins="100777"))
    node.line.end(call)
    assert (await completed(desk, call))["ticket"] != 100777
    decoded(node, call, "着火了快来人")
    burning = await until(lambda: desk.pool.fetchrow("select * from ticket where category = 'fire'"))
    assert (burning["urgency"], burning["call"]) == ("emergency", call)
    leak = await desk.pool.fetchrow("select * from ticket where number = 100777")
    assert (leak["urgency"], leak["calls"]) == ("normal", 1)


async def test_a_silent_caller_who_calls_again_has_one_matter(desk: Desk, node: Linked) -> None:
    for number, category in ((100777, "water_leak"), (100778, "noise")):
        await completed(desk, node.line.whole_call("有件事", number, labels(category)))
    calls = []
    for _ in range(3):
        call = node.line.ring()
        node.line.answer(call)
        node.line.end(call)
        calls.append((await completed(desk, call))["ticket"])
    (silent,) = await desk.pool.fetch("select * from ticket where kind = 'none'")
    assert calls == [silent["number"]] * 3
    assert silent["calls"] == 3
    assert await desk.pool.fetchval("select count(*) from callback where state = 'due' and reason = 'silence'") == 1


async def test_a_call_of_the_press_is_major_from_its_words(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    sure, perhaps = Label("press", 0.85, "我是晚报的记者"), Label("press", 0.5, "采访你们经理")
    speech.answers["我是晚报的记者"] = replace(labels("other", "important", "help"), source=sure)
    speech.answers["想采访你们经理"] = replace(labels("noise", "important", "help"), source=perhaps)
    await completed(desk, node.line.whole_call("我是晚报的记者"))
    (ticket,) = await tickets(desk)
    assert (ticket["major"], ticket["to_confirm"], ticket["life"]["matter"]["source"]) == (True, False, "press")
    told = {r["staff"] for r in await desk.pool.fetch("select staff from told where rule = 'R15'")}
    assert desk.site("xingfu").organisation.general_manager in told
    await completed(desk, node.line.whole_call("想采访你们经理", 100900, labels("noise")))
    later = await desk.pool.fetchrow("select * from ticket where number = 100900")
    assert (later["major"], later["to_confirm"], later["status"]) == (True, True, "handed_over")


async def test_a_place_that_the_site_does_not_have_is_confirmed(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    speech.answers["八十八号楼的灯不亮"] = labels("facility", building="88", unit=None, room=None)
    await completed(desk, node.line.whole_call("八十八号楼的灯不亮"))
    (ticket,) = await tickets(desk)
    assert (ticket["building"], ticket["to_confirm"], ticket["status"]) == ("88", True, "to_confirm")


async def test_words_of_a_caller_without_a_number_are_waited_for(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    speech.answers["电梯里有异响"] = labels("lift", "important")
    call = cut_off(node, "anonymous")
    await completed(desk, call)
    assert await tickets(desk) == [], "a matter in which nothing was said would be closed at once"
    decoded(node, call, "电梯里有异响")
    ticket = await until(lambda: desk.pool.fetchrow("select * from ticket"))
    assert (ticket["category"], ticket["closed_at"], ticket["content"]) == ("lift", None, "电梯里有异响")


async def test_an_emergency_heard_only_in_the_whole_text_starts_at_once(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    speech.answers["电梯停了，有人困在里面"] = labels("lift", "emergency", "help")
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "电梯停了", 0)
    node.line.open(call, 100500, labels("lift", "normal"))
    node.line.hear(call, "有人困在里面", 1)
    node.line.end(call)
    await completed(desk, call)
    (ticket,) = await tickets(desk)
    assert (ticket["urgency"], ticket["major"]) == ("emergency", True)
    told = {r["staff"] for r in await desk.pool.fetch("select staff from told where rule = 'R15'")}
    organisation = desk.site("xingfu").organisation
    assert organisation.general_manager in told
    assert await desk.pool.fetchval("select count(*) from task where kind = 'report' and state = 'open'") == 1


async def test_unsure_labels_wait_for_the_operator(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    speech.answers["嗯那个"] = labels("other", kind="enquiry", confidence=0.3, department="service")
    await completed(desk, node.line.whole_call("嗯那个"))
    (ticket,) = await tickets(desk)
    assert ticket["to_confirm"]
    assert ticket["status"] == "to_confirm"
    task = await desk.pool.fetchrow("select * from task where kind = 'confirm'")
    assert (task["ticket"], task["state"]) == (ticket["number"], "open")


async def test_a_record_that_cannot_be_applied_is_kept_and_holds_up_nothing(desk: Desk, node: Linked) -> None:
    call = node.line.ring()
    node.line.write(RecordKind.CALL_HEARD, call, {"text": "no times"})
    node.line.end(call)
    await completed(desk, call)
    assert await desk.pool.fetchval("select count(*) from event where call = $1 and kind = 'call.heard'", call) == 1
    assert await desk.pool.fetchval("select count(*) from job where kind = 'reproject'") == 1


async def test_a_ticket_that_no_desk_can_open_holds_up_nothing(desk: Desk, node: Linked) -> None:
    """The rest of the journal comes, and the call has its matter all the same (R5)."""
    call = node.line.ring()
    node.line.open(call, "no number", labels())
    node.line.end(call)
    await completed(desk, call)
    assert await desk.pool.fetchval("select count(*) from event where call = $1 and kind = 'ticket.opened'", call) == 1
    assert await desk.pool.fetchval("select count(*) from ticket where call = $1", call) == 1
