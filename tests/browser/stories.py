"""Calls as residents make them (invented), told to the desk record by record as a line would."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import soundfile

from callcenter.domain import codec
from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.matters import Matter
from callcenter.domain.places import Place
from callcenter.domain.records import RecordKind
from callcenter.domain.responsibility import decide
from callcenter.node.ids import uuid7
from tests.browser.house import SITE, Line

MS_PER_CHARACTER = 210
RATE_HZ = 8000
GREETING = "您好，幸福小区物业服务中心，请问有什么可以帮您？本次通话将会录音，紧急情况请按 1。"
GOODBYE = "感谢您的来电，再见。"


@dataclass
class Story:
    """What a caller says (words parted by spaces) and what we say, in turns: ("caller" | "ours", text)."""

    number: str | None
    talk: list[tuple[str, str]]
    kind: str = "repair"
    category: str = "other"
    urgency: str = "normal"
    department: str = "service"
    building: str | None = None
    unit: str | None = None
    room: str | None = None
    name: str | None = None
    source: str = "resident"
    sure: float = 0.93
    evidence: dict[str, str] = field(default_factory=dict)
    minutes_ago: float = 30
    rings: int = 1
    opens_ticket: bool = True
    hangs_up_silent: bool = False

    @property
    def labels(self) -> Understanding:
        """What was understood."""
        said = self.evidence.get
        return Understanding(
            kind=Label(self.kind, self.sure, said("kind", "")),
            category=Label(self.category, self.sure, said("category", "")),
            urgency=Label(self.urgency, max(self.sure, 0.7), said("urgency", "")),
            department=Label(self.department, self.sure),
            place=SpokenPlace(
                Label(self.building, 0.95 if self.building else 0.0, said("place", "")),
                Label(self.unit, 0.95 if self.unit else 0.0), Label(self.room, 0.9 if self.room else 0.0),
            ),
            name=Label(self.name, 0.8 if self.name else 0.0),
            source=Label(self.source, min(self.sure, 0.85), said("source", "")),
        )  # fmt: skip


@dataclass
class Told:
    """A call that was told: its id, ticket and clock."""

    id: UUID
    story: Story
    rang_at: datetime
    at_ms: int = 0
    ticket: int | None = None
    turns: list[tuple[str, int, int]] = field(default_factory=list)

    def at(self) -> datetime:
        """The moment of the call's clock."""
        return self.rang_at + timedelta(seconds=1, milliseconds=self.at_ms)


def words_of(text: str, start_ms: int) -> tuple[list[list[Any]], int]:
    """Words with even times, and the end."""
    made: list[list[Any]] = []
    for n, word in enumerate(text.split()):
        end = start_ms + MS_PER_CHARACTER * max(1, len(word))
        made.append([word, start_ms, end, 0.42 if n % 9 == 5 else 0.96])
        start_ms = end
    return made, start_ms


def ring(line: Line, story: Story, now: datetime | None = None) -> Told:
    """The call rings and is answered."""
    rang = (now or datetime.now(UTC)) - timedelta(minutes=story.minutes_ago)
    call = Told(uuid7(), story, rang)
    line.write(
        RecordKind.CALL_RINGING, call.id,
        {"from_number": story.number, "to_number": "4000", "line": 1, "node": "node1", "sip_call_id": call.id.hex,
         "dialplan": "hotline.zh", "invite_to_180_ms": 12}, rang,
    )  # fmt: skip
    return call


def answer(line: Line, call: Told) -> None:
    """We answer and greet."""
    line.write(
        RecordKind.CALL_ANSWERED, call.id,
        {"rings": call.story.rings, "answer_ms": 1000 + 5000 * (call.story.rings - 1), "late_ms": 8, "by": "script"},
        call.at(),
    )  # fmt: skip
    line.write(RecordKind.CALL_STEP, call.id, {"step": "greet"}, call.at())
    say(line, call, GREETING)


def say(line: Line, call: Told, text: str) -> None:
    """We say something."""
    start = call.at_ms + 200
    end = start + 160 * len(text)
    call.at_ms = end
    call.turns.append(("ours", start, end))
    body = {"start_ms": start, "end_ms": end, "prompt": "said", "text": text, "interrupted": False}
    line.write(RecordKind.CALL_SAID, call.id, body, call.at())


def hear(line: Line, call: Told, text: str, utterance: int) -> None:
    """The caller says something."""
    start = call.at_ms + 500
    words, end = words_of(text, start)
    call.at_ms = end
    call.turns.append(("caller", start, end))
    line.write(
        RecordKind.CALL_HEARD, call.id,
        {"utterance": utterance, "leg": "caller", "start_ms": start, "end_ms": end, "text": text.replace(" ", ""),
         "words": words}, call.at(),
    )  # fmt: skip


def understand(line: Line, call: Told) -> None:
    """What the call is about is understood."""
    line.write(RecordKind.CALL_UNDERSTOOD, call.id, {"labels": codec.to_plain(call.story.labels)}, call.at())


def open_ticket(line: Line, call: Told) -> None:
    """The ticket opens during the call, from the snapshot."""
    story, snapshot = call.story, line.link.snapshot
    assert snapshot is not None
    site = snapshot.site(SITE)
    place = site.gazetteer.complete(Place.spoken(story.labels.place))
    known = site.call(story.number)
    decision = decide(
        known, Matter.understood(story.labels, place), site.organisation, site.roster, site.rules, call.at(),
        site.open_for(known, place),
    )  # fmt: skip
    call.ticket = line.number()
    line.write(
        RecordKind.TICKET_OPENED, call.id,
        {"ticket": call.ticket, "labels": codec.to_plain(story.labels),
         "fields": {"name": story.name, "phone": story.number, "place": str(story.labels.place)},
         "joins": decision.joins, "decision": codec.to_plain(decision), "snapshot": snapshot.version, "spoken": True},
        call.at(),
    )  # fmt: skip


def hang_up(line: Line, call: Told, reason: str = "caller", folder: Path | None = None) -> None:
    """The call ends; with `folder` its recording follows."""
    answered = bool(call.turns)
    line.write(
        RecordKind.CALL_ENDED, call.id,
        {"reason": reason, "duration_ms": call.at_ms + 400 if answered else 0, "answered": answered}, call.at(),
    )  # fmt: skip
    if folder is None or not answered:
        line.settle()
        return
    file = folder / f"{call.id}.flac"
    duration = write_recording(file, call)
    line.write(
        RecordKind.CALL_RECORDING, call.id,
        {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size,
         "duration_ms": duration, "channels": ["caller", "ours"], "sample_rate_hz": RATE_HZ,
         "delete_after": (call.at() + timedelta(days=365)).isoformat(), "notice_given": True, "objected": False},
        call.at(),
    )  # fmt: skip
    line.settle()
    line.upload(call.id, file)


def write_recording(file: Path, call: Told) -> int:
    """A recording whose sound stands where the turns are; its length in ms."""
    length = (call.at_ms + 400) * RATE_HZ // 1000
    sound = np.random.default_rng(7).normal(0, 0.002, (length, 2))
    for leg, start, end in call.turns:
        a, b = start * RATE_HZ // 1000, min(length, end * RATE_HZ // 1000)
        t = np.arange(b - a) / RATE_HZ
        syllables = np.abs(np.sin(2 * np.pi * 2.4 * t)) ** 1.5 * (0.7 + 0.3 * np.sin(2 * np.pi * 0.31 * t + start))
        tone = sum(np.sin(2 * np.pi * f * t) / n for n, f in enumerate((160, 320, 480, 900), 1))
        sound[a:b, 0 if leg == "caller" else 1] += 0.16 * syllables * tone
    soundfile.write(file, np.clip(sound, -1, 1), RATE_HZ, format="FLAC", subtype="PCM_16")
    return length * 1000 // RATE_HZ


def tell(line: Line, story: Story, folder: Path | None = None, now: datetime | None = None) -> Told:
    """A whole call, from ringing to its recording."""
    call = ring(line, story, now)
    answer(line, call)
    utterance = 0
    for leg, text in story.talk:
        if leg == "caller":
            hear(line, call, text, utterance)
            utterance += 1
            understand(line, call)
        else:
            say(line, call, text)
    if story.opens_ticket:
        open_ticket(line, call)
        say(line, call, f"已为您登记，工单号 {' '.join(str(call.ticket))}。{GOODBYE}")
    hang_up(line, call, "script" if story.opens_ticket else "caller", folder)
    return call


def tell_whatever(line: Line, story: Story, folder: Path) -> Told:
    """A whole call, or one in which the caller hangs up without a word."""
    if not story.hangs_up_silent:
        return tell(line, story, folder)
    call = ring(line, story)
    answer(line, call)
    hang_up(line, call, folder=folder)
    return call


LEAK = Story(
    "14000001102",
    [
        ("caller", "喂 你好 我家 厨房 水管 爆 了 水 一直 往 外 喷 地板 全 泡 了"),
        ("ours", "请问您住在哪一栋、几单元、几室？"),
        ("caller", "三号楼 二单元 一一零二"),
        ("ours", "3号楼2单元1102室，厨房水管爆裂，属于紧急情况，对吗？"),
        ("caller", "对 对 你们 快点 来"),
    ],
    kind="repair", category="water_leak", urgency="emergency", department="engineering", building="3", unit="2",
    room="1102",
    evidence={
        "category": "水管爆了", "urgency": "一直往外喷", "place": "三号楼二单元一一零二", "kind": "爆了",
    },
    minutes_ago=1.4,
)  # fmt: skip
NOISE = Story(
    "14000000801",
    [
        ("caller", "我 要 投诉 楼上 天天 半夜 装修 吵 得 孩子 没法 睡觉"),
        ("ours", "对不起，给您添麻烦了。请问您住在哪里？"),
        ("caller", "五号楼 八零一 我 姓 冯"),
    ],
    kind="complaint", category="noise", urgency="normal", department="security", building="5", unit="1", room="801",
    name="冯先生", evidence={"category": "半夜装修", "kind": "投诉", "place": "五号楼八零一"}, minutes_ago=95,
    rings=2,
)  # fmt: skip
POWER = Story(
    "14000000501",
    [
        ("caller", "六号楼 整 栋 都 停电 了 电梯 也 不 动"),
        ("ours", "请问电梯里有人被困吗？"),
        ("caller", "没有 人 就是 停电"),
    ],
    kind="repair", category="power", urgency="important", department="engineering", building="6",
    evidence={"category": "停电了", "urgency": "整栋", "place": "六号楼"}, minutes_ago=48,
)  # fmt: skip
FEES = Story(
    "14000000301",
    [
        ("caller", "请问 物业费 可以 用 手机 交 吗 发票 怎么 开"),
        ("ours", "可以的，详细办法财务部会给您答复。请问怎么称呼您？"),
        ("caller", "姓 朱 住 二号楼 一单元 三零一"),
    ],
    kind="enquiry", category="fees", department="finance", building="2", unit="1", room="301", name="朱女士",
    evidence={"category": "物业费", "kind": "请问"}, minutes_ago=210,
)  # fmt: skip
UNSURE = Story(
    "14000001502",
    [("caller", "那个 楼道 里 有 股 味道 不知道 是 什么"), ("ours", "对不起，请您再说一遍，是什么味道？"),
     ("caller", "有点 像 那个 煤 还是 油漆 说 不 清楚")],
    kind="help", category="gas", urgency="important", department="engineering", building="9", sure=0.44,
    evidence={"category": "有股味道"}, minutes_ago=12,
)  # fmt: skip
PRAISE = Story(
    "14000002001",
    [("caller", "我 要 表扬 一下 保洁 的 刘 阿姨 拾金不昧")], kind="praise", category="staff", department="service",
    building="8", unit="1", room="2001", evidence={"kind": "表扬"}, minutes_ago=320,
)  # fmt: skip
SILENT = Story(
    "14000000402", [], opens_ticket=False, hangs_up_silent=True, minutes_ago=26, kind="none", category="other"
)
EVERY = (LEAK, NOISE, POWER, FEES, UNSURE, PRAISE, SILENT)
