"""A carrier's and a mailbox's words, as they are written and as they are heard; and residents', who were reached."""

import pytest

from callcenter.domain.understanding.announcements import announced


@pytest.mark.parametrize(
    "text",
    [
        "您拨打的用户暂时无法接通，请在提示音后留言", "您好，您拨打的电话正在通话中，请稍后再拨",
        "对不起，您所拨打的号码是空号",
        "您拨打的用户已关机", "您呼叫的用户暂时无法接听", "请在嘀声后留言", "无人接听，已为您转进入语音信箱",
        "您拨打滴用户暂时无法接通青在皮是殷后留言", "您好您波打的电话正在通话中请稍候在坡对不起您波大厅用户一关机",
        "Sorry, the subscriber you dialed cannot be connected for the moment", "please leave a message after the tone",
        "Hi this is Mary leave me a message",
    ],
)  # fmt: skip
def test_nobody_was_reached(text: str) -> None:
    assert announced(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "喂你好，哪位", "我家厨房还在漏水，快点派人来", "我打了好几次电话，一直没人接",
        "你们的电话老是占线，打不通",
        "我给客服留言了，没有人理", "用户手册上说要换电池", "手机没电关机了，刚开机", "暂时不用来了，已经修好了",
        "the tap is leaking after the repair", "I left you a message yesterday", "the person you sent was very kind",
    ],
)  # fmt: skip
def test_a_resident_was_reached(text: str) -> None:
    assert not announced(text)
