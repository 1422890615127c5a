"""Each mistake in a script is named with its line, its column and the mend."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking import SCRIPTS

from callcenter.dialplan.check import check, load_checked
from callcenter.dialplan.load import load_dialplan
from callcenter.dialplan.prompts import load_prompts
from callcenter.dialplan.render import render
from callcenter.errors import DialplanError

GOOD = """\
dialplan: small
title: Small
language: en
prompts: prompts
start: welcome
notice: notice
goodbyes: [bye]
phrases: {go_on: go_on, silence: hello, again: again, wait: wait, sorry_waited: sorry, trouble: trouble, goodbye: bye}
limits: {turns: 10, too_long: leave, start_timeout_s: 5, end_silence_s: 1, max_s: 30}
anytime:
  person: {key: "0", run: to_person}
steps:
  welcome:
    - play: notice
    - goto: matter
  matter:
    - listen: matter
      ask: how
    - gather: name
      ask: who
    - ticket: open
    - say: number
    - goto: leave
  leave:
    - play: bye
    - hangup: done
  to_person:
    - transfer: operator
"""
TEXTS = """\
notice: This call is recorded.
bye: Goodbye.
go_on: Please go on.
hello: Hello?
again: Again please.
wait: One moment.
sorry: Sorry you waited.
trouble: Sorry.
how: How can I help?
who: Your name?
number: "Your number is {ticket}."
"""


def tone(_text: str, _language: str) -> bytes:
    return b"\x00\x20" * 800


@pytest.fixture
def script(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "texts.yaml").write_text(TEXTS)
    render(load_prompts(folder, "en"), tone)
    path = tmp_path / "small.yaml"
    path.write_text(GOOD)
    return path


def findings(script: Path) -> list[str]:
    """Messages without the folder."""
    return [str(problem).replace(f"{script.parent}/", "") for problem in check(script)]


def test_a_good_script_has_no_findings(script: Path) -> None:
    assert findings(script) == []


@pytest.mark.parametrize("name", ["hotline.zh", "hotline.en"])
def test_the_scripts_that_ship_are_good(name: str) -> None:
    assert [str(problem) for problem in check(SCRIPTS / f"{name}.yaml")] == []


BAD = {
    "unknown verb": (
        "    - play: bye\n",
        "    - plays: bye\n",
        [
            ("small.yaml:25:7: unknown verb 'plays'", "did you mean 'play'?"),
        ],
    ),
    "two verbs": (
        "    - play: bye\n",
        "    - play: bye\n      say: number\n",
        [
            ("small.yaml:26:7: two verbs in one action: play, say", "make it two actions"),
        ],
    ),
    "no action": (
        "    - play: bye\n",
        "    - bye\n",
        [
            ("small.yaml:25:7: 'bye' is no action", "write `- verb: …`, as `- play: goodbye`"),
        ],
    ),
    "unknown field of a verb": (
        "      ask: who\n",
        "      ask: who\n      agian: who\n",
        [
            ("small.yaml:21:7: unknown field 'agian'", "did you mean 'again'?"),
        ],
    ),
    "unknown condition": (
        "    - say: number\n",
        "    - say: number\n      when: {holliday: true}\n",
        [
            ("small.yaml:23:14: unknown field 'holliday'", "did you mean 'holiday'?"),
        ],
    ),
    "unknown field of the script": (
        "start: welcome\n",
        "start: welcome\nstarts: welcome\n",
        [
            ("small.yaml:6:1: unknown field 'starts'", "did you mean 'start'?"),
        ],
    ),
    "missing field": (
        "start: welcome\n",
        "",
        [
            ("small.yaml:1:1: 'start' is missing", "write `start: …` here"),
        ],
    ),
    "wrong value": (
        "    - gather: name\n",
        "    - gather: nmae\n",
        [
            ("small.yaml:19:15: 'nmae' is not allowed here", "did you mean 'name'?"),
        ],
    ),
    "wrong kind in a condition": (
        "    - say: number\n",
        "    - say: number\n      when: {kind: repairs}\n",
        [
            ("small.yaml:23:20: 'repairs' is not allowed here", "did you mean 'repair'?"),
        ],
    ),
    "number out of range": (
        "    - transfer: operator\n",
        "    - transfer: operator\n      timeout_s: 900\n",
        [
            ("small.yaml:29:18: 900: input should be less than or equal to 60", "mend the value"),
        ],
    ),
    "unknown step": (
        "    - goto: leave\n",
        "    - goto: leaf\n",
        [
            ("small.yaml:23:13: no step 'leaf'", "did you mean 'leave'?"),
        ],
    ),
    "unknown category": (
        "    - say: number\n",
        "    - say: number\n      when: {category: water_leek}\n",
        [
            ("small.yaml:23:24: no category 'water_leek'", "did you mean 'water_leak'?"),
        ],
    ),
    "unreachable step": (
        "  to_person:\n",
        "  lost:\n    - play: bye\n    - hangup: done\n  to_person:\n",
        [
            ("small.yaml:27:3: step 'lost' is never reached", "lead to it with `goto:`, or take it out"),
        ],
    ),
    "unreachable action": (
        "    - goto: leave\n",
        "    - goto: leave\n    - play: wait\n",
        [
            (
                "small.yaml:24:7: this action is never reached",
                "the one before it always leaves the step: take one of them out",
            ),
        ],
    ),
    "missing prompt": (
        "    - play: bye\n",
        "    - play: [bye, byebye]\n",
        [
            ("small.yaml:25:19: no prompt 'byebye'", "did you mean 'bye'?; else add it to prompts/texts.yaml"),
        ],
    ),
    "a prompt to fill in is played": (
        "    - say: number\n",
        "    - play: number\n",
        [
            ("small.yaml:22:13: prompt 'number' has {ticket} to fill in", "use `say:` for it"),
        ],
    ),
    "endless loop": (
        "    - play: bye\n",
        (
            "    - play: wait\n"
            "      when: {holiday: true}\n"
            "    - goto: leave\n"
            "      when: {holiday: false}\n"
            "    - play: bye\n"
        ),
        [
            (
                "small.yaml:27:13: endless loop without the caller: leave → leave",
                "listen in between, or bound it with `times:`",
            ),
        ],
    ),
    "no goodbye": (
        "    - play: bye\n",
        "    - play: bye\n      when: {holiday: true}\n",
        [
            (
                "small.yaml:27:7: a way to this hangup has no goodbye: welcome → matter → leave",
                "say one of bye before it (R2)",
            ),
        ],
    ),
    "a goodbye before a question is none": (
        "    - goto: leave\n  leave:\n    - play: bye\n    - hangup: done\n",
        (
            "    - play: bye\n"
            "    - gather: phone\n"
            "      ask: hello\n"
            "    - hangup: done\n"
            "  leave:\n"
            "    - play: bye\n"
            "    - hangup: done\n"
        ),
        [
            ("small.yaml:26:7: a way to this hangup has no goodbye: welcome → matter", "say one of bye before it (R2)"),
        ],
    ),
    "no recording notice": (
        "    - play: notice\n",
        "    - play: notice\n      when: {office_hours: true}\n",
        [
            (
                "small.yaml:18:7: the recording notice has not been given here: welcome → matter",
                "play 'notice' first, without a condition",
            ),
        ],
    ),
    "asked too often": (
        "      ask: who\n",
        "      ask: who\n      times: 3\n",
        [
            (
                "small.yaml:21:14: asked 3 times",
                "a caller is asked the same at most 2 times: write `times: 2` or leave it out",
            ),
        ],
    ),
    "the same question again and again": (
        "    - ticket: open\n",
        "    - gather: name\n      ask: who\n    - ticket: open\n",
        [
            (
                "small.yaml:22:12: 'who' may be asked 4 times in this step",
                "a caller is asked the same at most 2 times: take one out",
            ),
        ],
    ),
    "no way to a person": (
        '  person: {key: "0", run: to_person}\n',
        '  person: {key: "9", run: to_person}\n',
        [
            (
                "small.yaml:10:1: no way to a person: neither key 0 nor 人工 leads to a person",
                'add a step with `transfer: operator`, and `anytime:` with `key: "0"` that runs it',
            ),
        ],
    ),
    "the step of a person rings nobody": (
        "    - transfer: operator\n",
        "    - play: wait\n",
        [
            (
                "small.yaml:10:1: no way to a person: no step rings a person",
                'add a step with `transfer: operator`, and `anytime:` with `key: "0"` that runs it',
            ),
        ],
    ),
    "a dead end": (
        "    - goto: leave\n",
        "    - goto: leave\n      when: {ticket: opened}\n",
        [
            (
                "small.yaml:16:3: step 'matter' may end without leading on",
                "end it with `goto:` or `hangup:` without a condition",
            ),
        ],
    ),
    "two ways for one key": (
        "steps:\n",
        '  other: {key: "0", goto: leave}\nsteps:\n',
        [
            ("small.yaml:12:16: key 0 is taken by 'person'", "choose another key"),
        ],
    ),
    "a rule that leads nowhere": (
        "steps:\n",
        '  other: {key: "5"}\nsteps:\n',
        [
            ("small.yaml:12:3: 'other' needs one way on", "write `run:` (and back) or `goto:` (for good), one of them"),
        ],
    ),
    "a rule without a sign": (
        "steps:\n",
        "  other: {goto: leave}\nsteps:\n",
        [
            ("small.yaml:12:3: 'other' needs a key or a condition", "write `key:` or `when:`, one of them"),
        ],
    ),
    "a flag that nothing sets": (
        "    - ticket: open\n    - say: number\n",
        "    - ticket: open\n      set: emergency\n    - say: number\n      when: {flag: emergancy}\n",
        [
            ("small.yaml:24:20: nothing sets the flag 'emergancy'", "did you mean 'emergency'?"),
        ],
    ),
    "a flag in a list that nothing sets": (
        "    - say: number\n",
        "    - say: number\n      when: {flag: [promised, calm]}\n",
        [
            (
                "small.yaml:23:31: nothing sets the flag 'calm'",
                "known are hang_up, nothing_said, promised, silence, unserved",
            ),
        ],
    ),
    "a time that no clock shows": (
        "    - say: number\n",
        '    - say: number\n      when: {time: "25:00-06:00"}\n',
        [
            ("small.yaml:23:20: '25:00-06:00' is not allowed here", 'write it as "08:30-17:30", from 00:00 to 24:00'),
        ],
    ),
    "another name than the file's": (
        "dialplan: small\n",
        "dialplan: large\n",
        [
            (
                "small.yaml:1:11: the script is named 'large', its file 'small.yaml'",
                "write `dialplan: small`, or rename the file",
            ),
        ],
    ),
    "a missing prompt that is like no other": (
        "    - play: bye\n",
        "    - play: [bye, nosuch]\n",
        [
            ("small.yaml:25:19: no prompt 'nosuch'", "add it to prompts/texts.yaml"),
        ],
    ),
    "an empty step": (
        "steps:\n",
        "steps:\n  praise:\n",
        [
            ("small.yaml:13:3: step 'praise' has no action", "write `- verb: …` under it, or take it out"),
        ],
    ),
    "a verb without its value": (
        "    - goto: leave\n",
        "    - goto:\n",
        [
            ("small.yaml:23:7: 'goto' is empty", "write its value, or take it out"),
        ],
    ),
    "a key that no telephone has": (
        '{key: "0", run: to_person}\n',
        '{key: "0", run: to_person}\n  x: {key: "A", goto: leave}\n',
        [
            ("small.yaml:12:12: 'A' is not allowed here", "write one of 0 to 9, * and #, in quotes"),
        ],
    ),
}
"""What is written instead of what, and what the check says: place and mistake, mend."""


@pytest.mark.parametrize("name", list(BAD))
def test_each_mistake_is_named(script: Path, name: str) -> None:
    old, new, expected = BAD[name]
    assert old in GOOD
    script.write_text(GOOD.replace(old, new, 1))
    assert findings(script) == [f"{wrong} — {mend}" for wrong, mend in expected]


NEVER = {
    "{holiday: true, not: {holiday: true}}": "holiday",
    "{time: 08:00-08:00}": "time",
    "{time: 08:00-09:00, not: {time: 07:00-10:00}}": "time",
    "{language: zh}": "language",
    "{weekday: [sat, sun], not: {weekday: [sun, sat, fri]}}": "weekday",
    "{kind: repair, any: [{kind: praise}, {kind: complaint}]}": "kind",
    "{category: gas, not: {category: [gas, fire]}}": "category",
    "{category: gas, any: [{category: fire}]}": "category",
    "{phone: told, not: {has: phone}}": "phone",
    "{has: name, missing: name}": "name",
    "{caller: known, any: [{caller: unknown}]}": "known",
    "{ticket: none, not: {any: [{ticket: none}, {ticket: opened}]}}": "ticket",
    "{any: []}": "any",
    "{not: {}}": "any",
}
"""Conditions that no call can meet, and what the check names."""


@pytest.mark.parametrize("condition", list(NEVER))
def test_a_condition_that_can_never_hold(script: Path, condition: str) -> None:
    script.write_text(GOOD.replace("    - say: number\n", f"    - say: number\n      when: {condition}\n"))
    mend = "take one of what contradicts out, or put them under `any:`"
    assert findings(script) == [
        f"small.yaml:23:13: this condition can never hold: nothing is left for `{NEVER[condition]}` — {mend}"
    ]


def test_a_part_of_a_condition_that_can_never_hold(script: Path) -> None:
    condition = "{any: [{holiday: true}, {repeat: true, not: {repeat: true}}]}"
    script.write_text(GOOD.replace("    - say: number\n", f"    - say: number\n      when: {condition}\n"))
    [found] = findings(script)
    assert found.startswith("small.yaml:23:37: this condition can never hold: nothing is left for `repeat`")


@pytest.mark.parametrize(
    "condition",
    [
        "{holiday: false, not: {weekday: [sat, sun], time: 08:30-17:30}}",
        "{time: 22:00-06:00, not: {time: 23:00-05:00}}",
        "{time: 00:00-24:00}",
        "{flag: [promised, silence], not: {flag: promised}}",
        "{caller: [known, withheld], not: {caller: known}}",
        "{missing: [place, phone], has: [place, name]}",
        "{category: [gas, fire], not: {category: gas}}",
        "{intent: [yes, done], not: {intent: done}}",
        "{not: {category: gas}, any: [{not: {category: fire}}]}",
        "{visited: welcome, not: {visited: leave}}",
        "{}",
        "{any: [" + ", ".join("{any: [{flag: promised}, {repeat: true}]}" for _ in range(20)) + "]}",
    ],
)
def test_a_condition_that_may_hold(script: Path, condition: str) -> None:
    script.write_text(GOOD.replace("    - say: number\n", f"    - say: number\n      when: {condition}\n"))
    assert findings(script) == []


def test_limits_of_listening_must_be_set(script: Path) -> None:
    script.write_text(GOOD.replace(", max_s: 30}", "}"))
    mend = "write `max_s: …` here or under `limits:`"
    assert findings(script) == [
        f"small.yaml:17:7: listen has no max_s — {mend}",
        f"small.yaml:19:7: gather has no max_s — {mend}",
    ]


def test_nothing_is_asked_after_the_limit_of_turns(script: Path) -> None:
    script.write_text(GOOD.replace("too_long: leave", "too_long: matter"))
    found = findings(script)
    assert [line.split(" — ")[0] for line in found] == [
        "small.yaml:17:7: asks after the limit of turns: 'matter' leads here",
        "small.yaml:19:7: asks after the limit of turns: 'matter' leads here",
    ]


def test_yaml_that_cannot_be_read_is_one_finding(script: Path) -> None:
    script.write_text(GOOD.replace("steps:\n", "steps: [\n"))
    [found] = check(script)
    assert found.code == "dialplan.yaml"
    assert found.where is not None
    assert found.where.split("/")[-1].startswith("small.yaml:1")


def test_a_key_written_twice(script: Path) -> None:
    script.write_text(GOOD.replace("start: welcome\n", "start: welcome\nstart: matter\n"))
    [found] = check(script)
    assert found.message == 'key written twice: "start"'
    assert found.where is not None
    assert found.where.endswith("small.yaml:6:1")


def test_all_mistakes_are_found_at_once_in_order(script: Path) -> None:
    bad = GOOD.replace("goto: matter", "goto: mater").replace("ask: who", "ask: woh")
    script.write_text(bad)
    found = check(script)
    assert {"dialplan.step_unknown", "dialplan.prompt_missing"} <= {p.code for p in found}
    lines = [int((p.where or "").rsplit(":", 2)[1]) for p in found]
    assert lines == sorted(lines)


def test_a_missing_wav_is_named(script: Path) -> None:
    (script.parent / "prompts" / "number.1.wav").unlink()
    assert findings(script) == [
        "small.yaml:22:12: prompt 'number' has no number.1.wav — run `callcenter prompts render --only number`"
    ]


def test_a_wav_of_an_older_text_is_named(script: Path) -> None:
    texts = script.parent / "prompts" / "texts.yaml"
    texts.write_text(TEXTS.replace("Your name?", "Your name, please?"))
    assert findings(script) == [
        "small.yaml:20:12: who.wav says an older text of 'who' — run `callcenter prompts render --only who`"
    ]


def test_an_unknown_value_to_fill_in(script: Path) -> None:
    texts = script.parent / "prompts" / "texts.yaml"
    texts.write_text(TEXTS.replace("{ticket}", "{tikcet}"))
    assert findings(script)[0] == "small.yaml:22:12: prompt 'number' has an unknown {tikcet} — did you mean 'ticket'?"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Bad Id: x\n", "texts.yaml:12:1: 'Bad Id' is no prompt id — use a-z, 0-9 and _"),
        ("empty: {text: ''}\n", "texts.yaml:12:8: prompt 'empty' has no text — write its words"),
        ("odd: {text: x, rul: R2}\n", "texts.yaml:12:21: unknown field 'rul' — fields are text, rule, pause_ms"),
    ],
)
def test_mistakes_in_the_texts(script: Path, line: str, message: str) -> None:
    (script.parent / "prompts" / "texts.yaml").write_text(TEXTS + line)
    assert findings(script) == [f"prompts/{message}"]


def test_prompts_that_are_not_there(script: Path) -> None:
    script.write_text(GOOD.replace("prompts: prompts", "prompts: prompt"))
    assert findings(script) == [
        "small.yaml:4:10: no prompts in 'prompt': there is no texts.yaml — folders with prompts: prompts"
    ]
    with pytest.raises(DialplanError) as caught:
        load_dialplan(script)
    assert caught.value.code == "dialplan.file"


def test_loading_a_bad_script_raises_its_first_mistake(script: Path) -> None:
    script.write_text(GOOD.replace("- gather: name", "- gahter: name"))
    with pytest.raises(DialplanError) as caught:
        load_dialplan(script)
    assert caught.value.code == "dialplan.verb_unknown"


def test_a_script_that_is_a_list(script: Path) -> None:
    script.write_text("- a\n")
    assert findings(script) == ["small.yaml:1:1: is no script — start with `dialplan: name`"]


LINES = GOOD.splitlines()
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "twice", "indent", "outdent", "word", "swap"]),
        st.integers(0, len(LINES) - 1),
        st.sampled_from(
            [
                "plai",
                "{",
                "]",
                "'",
                ": x",
                "- ",
                "!!python/object:x",
                "&a *a",
                "&a [*a]",
                "{[x]: y}",
                "%YAML 9",
                "\t",
                "null",
                "1e999",
                "true",
                "é",
            ]
        ),
    ),
    min_size=1,
    max_size=4,
)


def edited(edits: list[tuple[str, int, str]]) -> str:
    """The good script as somebody in a hurry leaves it."""
    lines = list(LINES)
    for how, at, word in edits:
        at %= len(lines)
        line = lines[at]
        match how:
            case "drop":
                lines[at] = ""
            case "twice":
                lines.insert(at, line)
            case "indent":
                lines[at] = "  " + line
            case "outdent":
                lines[at] = line[2:]
            case "word":
                lines[at] = line.replace(line.split()[-1] if line.split() else "", word, 1)
            case "swap":
                lines[at], lines[at - 1] = lines[at - 1], line
    return "\n".join(lines) + "\n"


@given(EDITS)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_the_check_says_where_and_how_to_mend_it(edits: list[tuple[str, int, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.yaml"
        path.write_text(edited(edits))
        (path.parent / "prompts").mkdir()
        (path.parent / "prompts" / "texts.yaml").write_text(TEXTS)
        for problem in check(path):
            assert problem.code.startswith("dialplan.")
            assert problem.mend
            assert problem.where
            file, line, column = problem.where.rsplit(":", 2)
            assert Path(file).is_relative_to(folder)
            assert int(line) >= 1
            assert int(column) >= 1


def test_a_line_starts_only_with_a_good_script(script: Path) -> None:
    assert load_checked(script).name == "small"
    script.write_text(GOOD.replace("- play: bye", "- play: bey").replace("ask: who", "ask: woh"))
    with pytest.raises(DialplanError) as caught:
        load_checked(script)
    assert caught.value.code == "dialplan.prompt_missing"
    assert "and 2 more" in caught.value.message


def test_a_start_that_does_not_exist_is_named(script: Path) -> None:
    lines = ["start: nowhere" if line.startswith("start:") else line for line in GOOD.splitlines()]
    script.write_text("\n".join(lines) + "\n")
    assert any("no step 'nowhere'" in problem.message for problem in check(script))
