"""R8, R29: an emergency is never missed; what only speaks of one is none."""

# ruff: noqa: E501 — tables read better whole

import pytest

from callcenter.domain.understanding.dangers import Standing, find_dangers
from callcenter.domain.understanding.text import utterance


def standings(said: str, language: str = "zh") -> set[Standing]:
    return {danger.standing for danger in find_dangers(utterance(said), language)}


@pytest.mark.parametrize(
    "said",
    [
        "我家厨房着火了", "救命啊有人晕倒了", "电梯里困了两个人", "我被关在电梯里了", "水管爆了到处都是水", "闻到很重的煤气味",
        "请问我家着火了怎么办", "插座冒火花", "家里进小偷了还在屋里", "楼下有人拿刀砍人", "从昨天晚上开始一直漏煤气",
        "老人摔倒了起不来", "狗咬了孩子一口流血了", "楼上漏水像下雨一样", "有人要跳楼", "地下室进水快淹到电表了",
        "没着火但是冒了好大的烟", "车库二层有浓烟冒出来了", "火从窗户里烧出来了", "不是跳闸是电线着火了", "上次修过的水管又爆了", "孩子反锁在屋里灶上还烧着水",
        "孩子的手指卡在栏杆里拔不出来", "外墙瓷砖一块块往下掉底下有人走", "广告牌吊着晃悠楼下都是行人",
        "小孩把洗衣液喝进去了", "大爷躺在地上不动", "他被车撞飞了满头是血", "电梯停在半空里面有孩子在哭",
        "煤气罐阀门呼呼往外冒气", "汤把火浇灭了满屋是气", "那条大狗见人就扑", "有人拎着汽油堵门", "水柱喷到天花板上了",
        "制氧机停了快送电", "四岁的闺女一转眼不见了", "婴儿锁在车里了满头汗", "洗澡的时候被电打了一下水管还带电",
        "快打120", "快打一二零三号楼二单元", "叫120一个老人", "快打幺二零十二号楼", "快喊119",
    ],
)  # fmt: skip
def test_dangers_that_stand(said: str) -> None:
    assert Standing.NOW in standings(said)


@pytest.mark.parametrize(
    "said", ["厨房着活了快来", "点梯里有人出不来", "没气味好大", "快来救名", "老人云倒了", "水馆爆了水往外碰"]
)
def test_dangers_heard_with_homophones(said: str) -> None:
    assert Standing.NOW in standings(said)


@pytest.mark.parametrize(
    ("said", "standing"),
    [
        ("没有着火", Standing.DENIED),
        ("没有漏气就是想问一下", Standing.DENIED),
        ("电梯里没有困人", Standing.DENIED),
        ("上个月我家着火那次你们来得很快", Standing.PAST),
        ("去年电梯困过人现在想问年检", Standing.PAST),
        ("刚才着火已经扑灭了没事了", Standing.PAST),
        ("感谢上次及时救火", Standing.PAST),
        ("万一着火怎么办", Standing.IMAGINED),
        ("怕哪天引起火灾", Standing.IMAGINED),
        ("电瓶车充电容易着火", Standing.IMAGINED),
        ("我梦见家里着火了", Standing.IMAGINED),
        ("电视上说暖气爆管把人烫伤", Standing.IMAGINED),
        ("刚才说有人打架原来是拍短视频", Standing.DENIED),
    ],
)
def test_dangers_that_are_only_spoken_of(said: str, standing: Standing) -> None:
    assert standings(said) == {standing}


@pytest.mark.parametrize(
    "said",
    [
        "问一下消防检查", "灭火器过期了", "楼道里有人抽烟", "煤气费怎么交", "楼上有点渗水", "火锅店太吵", "打扰一下", "狗叫得厉害",
        "燃气灶打不着火", "门坏了打不开", "水压很小", "房门猫眼坏了", "保洁敷衍了事", "师傅又迟到", "轮胎漏气了", "麻烦敲敲门",
        "你们这是抢钱", "群里都炸锅了", "暖气阀门手柄断了", "救火车进不来", "捡到一把菜刀", "浇花的水味好重",
        "热水器进水管接口", "除颤器放在哪里", "我妈中风卧床", "接这活吗",
        "我要报修1201室水龙头", "帮我看一下1203室的灯", "派个师傅到1202室看看", "要修一二零三的门锁", "我要换3-1-1203的门锁",
        "要交120块物业费", "叫人来119号车位挪车", "请打我电话13811911912", "帮我叫一二零五户的邻居",
    ],
)  # fmt: skip
def test_ordinary_matters_hold_no_danger(said: str) -> None:
    assert Standing.NOW not in standings(said)


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("there is a fire in my kitchen", True),
        ("we are stuck in the elevator", True),
        ("my father is not breathing", True),
        ("a pipe burst and water is everywhere", True),
        ("there is no fire just a beeping alarm", False),
        ("when is the fire drill", False),
        ("last month someone was stuck in the lift", False),
    ],
)
def test_english(said: str, stands: bool) -> None:
    assert (Standing.NOW in standings(said, "en")) is stands


def test_evidence_is_quoted_as_heard() -> None:
    (danger,) = find_dangers(utterance("那个 厨房 着活了"))
    assert danger.category == "fire"
    assert danger.evidence == "着活"
