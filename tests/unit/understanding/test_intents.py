"""What the caller wants of the conversation itself."""

import pytest

from callcenter.domain.understanding.intents import find_intents
from callcenter.domain.understanding.text import utterance


def intents(said: str, language: str = "zh") -> list[str]:
    return [label.value for label in find_intents(utterance(said), language)]


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("转人工", "operator"), ("我要找人工客服", "operator"), ("不想跟机器说话", "operator"),
        ("对的", "yes"), ("嗯对", "yes"), ("可以", "yes"), ("是的没错", "yes"),
        ("不是", "no"), ("没有", "no"), ("不对是五号楼", "no"),
        ("没有了谢谢", "done"), ("就这些", "done"), ("先这样吧再见", "done"),
        ("请再说一遍", "repeat"), ("没听清", "repeat"),
        ("告诉我五栋八零一业主的电话", "resident_data"), ("楼上那户电话是多少", "resident_data"),
        ("我不同意录音", "objects_recording"), ("不要录音", "objects_recording"),
    ],
)  # fmt: skip
def test_mandarin(said: str, intent: str) -> None:
    assert intent in intents(said)


@pytest.mark.parametrize(
    "said", ["我家没水了", "叫个人来修一下", "楼道灯不亮", "我的电话是幺三八", "没有热水", "录像能看吗"]
)
def test_matters_are_no_intents(said: str) -> None:
    assert intents(said) == []


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("i want to speak to a real person", "operator"), ("yes please", "yes"), ("no", "no"), ("that is all", "done"),
        ("can you say that again", "repeat"), ("give me my neighbour's phone number", "resident_data"),
        ("please do not record me", "objects_recording"),
    ],
)  # fmt: skip
def test_english(said: str, intent: str) -> None:
    assert intent in intents(said, "en")
