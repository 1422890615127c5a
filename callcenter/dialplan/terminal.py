"""A telephone made of a terminal: what our side says is printed, what the caller says is typed.

For `callcenter dialplan try`. Lines: words are speech, an empty line is silence, `/5` or `/13800001111#` are keys,
`/noise` is speech in which nothing is recognised, `/hangup` hangs up, `# …` is a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from callcenter.dialplan.phone import CallerGone, Clip, Heard, ListenEnd, OpenedTicket, Played, PlayEnd, TransferEnd
from callcenter.domain.labels import Understanding

ReadLine = Callable[[], str | None]
"""The caller's next line; None at the end of the input."""
Understand = Callable[[str], Understanding]
Print = Callable[[str, str], None]
"""(who, text): `ours`, `caller`, `step`, `rule`, `understood`, `ticket`, `note`."""
ANSWER_WITHIN_H = 24
WORDS = {
    "zh": {
        "ours": "我方 ", "caller": "来电 ", "understood": "  理解 ", "ticket": "  工单 ", "step": "· ", "note": "  ",
        "kind": "种类", "category": "类别", "urgency": "紧急程度", "department": "部门", "place": "地点",
        "intent": "意图", "label": "{} {}（{}）{:.2f}", "voice": "由声音合成，没有录音：{}",
        "hangs_up": "挂机", "keys": "按键 {}",
        "silence": "（沉默 {:g} 秒）", "rings": "呼叫 {}，{:g} 秒：{}", "opened": "已登记 {}：{}；{}",
        "joined": "已并入 {}：{}；{}", "amended": "已补充 {}：{}；{}", "we_hang_up": "我方挂机：{}",
        "over": "结束：{}，{}；{} 轮；{}",
    },
    "en": {
        "ours": "us      ", "caller": "caller  ", "understood": "  understood ", "ticket": "  ticket ", "step": "· ",
        "note": "  ", "kind": "kind", "category": "category", "urgency": "urgency", "department": "department",
        "place": "place", "intent": "intent", "label": "{} {} ({}) {:.2f}",
        "voice": "said by the voice, not recorded: {}",
        "hangs_up": "hangs up", "keys": "keys {}", "silence": "(silence, {:g} s)", "rings": "rings {} for {:g} s: {}",
        "opened": "opened {}: {}; {}", "joined": "joined {}: {}; {}", "amended": "amended {}: {}; {}",
        "we_hang_up": "we hang up: {}", "over": "over: {}, {}; {} turns; {}",
    },
}  # fmt: skip
"""What `try` itself writes, in the script's language; keys of the taxonomy stay as conditions name them."""


class TerminalPhone:
    """`Phone` over lines of text. `operator` is what becomes of every transfer."""

    def __init__(
        self, read: ReadLine, understand: Understand, show: Print, now: datetime, *,
        rules: dict[str, str], operator: TransferEnd = TransferEnd.NO_ANSWER, language: str = "zh",
        label: Callable[[str, str], str] = lambda _, key: key,
    ) -> None:  # fmt: skip
        self._read, self._understand, self._show, self._now = read, understand, show, now
        self._rules, self._operator, self._label, self._words = rules, operator, label, WORDS[language]
        self._keys = ""
        self._over = False
        self._opened: OpenedTicket | None = None

    def _there(self) -> None:
        if self._over:
            raise CallerGone

    async def play(self, clips: Sequence[Clip], *, barge_in: bool = True) -> Played:  # noqa: ARG002
        self._there()
        glue = "" if any("\u4e00" <= c <= "\u9fff" for clip in clips for c in clip.text) else " "
        if clips:
            prompts = dict.fromkeys(clip.prompt.split("/")[0] for clip in clips)
            rules = ", ".join(dict.fromkeys(r for p in prompts if (r := self._rules.get(p))))
            self._show("ours", glue.join(clip.text for clip in clips) + (f"   ({rules})" if rules else ""))
            if missing := [clip.text for clip in clips if clip.audio is None]:
                self._show("note", self._words["voice"].format(glue.join(missing)))
        return Played(PlayEnd.FINISHED)

    async def listen(self, *, start_timeout_s: float, end_silence_s: float, max_s: float) -> Heard:  # noqa: ARG002
        self._there()
        line = self._read()
        while line is not None and line.startswith("#"):
            line = self._read()
        said = "/hangup" if line is None else line.strip()
        if said == "/hangup":
            self._over = True
            self._show("caller", self._words["hangs_up"])
            raise CallerGone
        if said == "/noise":
            self._show("caller", "…")
            return Heard("", ListenEnd.SILENCE, spoke=True)
        if said.startswith("/") and len(said) > 1:
            self._show("caller", self._words["keys"].format(said[1:]))
            self._keys = said[2:]
            return Heard("", ListenEnd.KEY, spoke=False, key=said[1])
        self._show("caller", said or self._words["silence"].format(start_timeout_s))
        if not said:
            return Heard("", ListenEnd.NO_SPEECH, spoke=False)
        return Heard(said, ListenEnd.SILENCE, spoke=True)

    async def gather(self, *, max_digits: int, timeout_s: float, end_key: str | None = "#") -> str:  # noqa: ARG002
        self._there()
        keys, self._keys = self._keys, ""
        return (keys.split(end_key)[0] if end_key else keys)[:max_digits]

    async def understand(self, text: str) -> Understanding:
        labels = self._understand(text)
        words = self._words
        parts = [
            words["label"].format(words[name], label.value, self._label(name, label.value), label.confidence)
            + (f" “{label.evidence}”" if label.evidence else "")
            for name in ("kind", "category", "urgency", "department")
            if (label := getattr(labels, name))
        ]
        parts += [f"{words['place']} {labels.place}"] if str(labels.place) else []
        parts += [f"{words['intent']} {i.value} {i.confidence:.2f}" for i in labels.intents]
        self._show("understood", ", ".join(parts))
        return labels

    async def transfer(self, extension: str, *, timeout_s: float) -> TransferEnd:
        self._there()
        self._show("note", self._words["rings"].format(extension, timeout_s, self._operator))
        return self._operator

    async def open_ticket(self, understanding: Understanding, fields: dict[str, Any]) -> OpenedTicket:
        shown = ", ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, "", []))
        labels = f"{understanding.kind.value}/{understanding.category.value}/{understanding.urgency.value}"
        joins = fields.get("joins")
        number = self._opened.number if self._opened else str(joins or "100001")
        how = "amended" if self._opened else "joined" if joins else "opened"
        self._show("ticket", self._words[how].format(number, labels, shown))
        department = self._label("department", understanding.department.value)
        self._opened = OpenedTicket(
            number, bool(joins), "", "", department, self._now + timedelta(hours=ANSWER_WITHIN_H),
            {"responsible_title": department},
        )  # fmt: skip
        return self._opened

    async def hangup(self, reason: str) -> None:
        if not self._over:
            self._over = True
            self._show("note", self._words["we_hang_up"].format(reason))
