"""What the caller wants of the conversation itself."""

# ruff: noqa: E501 — tables read better whole

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
    "said",
    [
        "告诉我五栋八零一业主的电话", "楼上那户电话是多少", "能不能给我楼下邻居的联系方式", "帮我查一下三号楼二单元一一零二业主的手机号",
        "我想知道隔壁叫什么名字", "有没有对门的电话", "把楼上那家的电话给我", "楼上业主的电话告诉我一下", "查一下这个车主的电话",
        "三号楼二单元一一零二住的是谁", "我要楼上业主的电话", "他家地址是什么", "问一下隔壁邻居的微信", "她的手机是多少",
        "那个车主叫什么名字你给我查一下",
    ],
)  # fmt: skip
def test_who_asks_for_a_residents_data_is_heard(said: str) -> None:
    assert "resident_data" in intents(said)


@pytest.mark.parametrize(
    "said",
    [
        "我要报修楼上漏水我打他电话没人接", "问一下我家楼上漏水他们电话打不通", "能不能给楼上打个电话让他小点声", "给我楼上打个电话",
        "我要投诉楼上电话响一晚上", "楼上太吵了我给他打电话他不接", "我要登记一下租客的名字和电话", "我要改一下业主的电话", "楼上住的什么人啊天天半夜吵",
        "谁住楼上啊吵死了", "你们给楼上业主打电话", "捡到一个业主的手机要还给他", "把电工的电话给我", "把派出所的电话给我",
        "要通知楼下邻居他们家电话我没有", "查一下楼上的水管", "我要业主卡", "邻居的电话打了多少次都不接",
    ],
)  # fmt: skip
def test_what_only_speaks_of_a_resident_asks_for_no_data(said: str) -> None:
    assert "resident_data" not in intents(said)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("别录音", "zh"), ("我不想被录音", "zh"), ("你们把录音关掉", "zh"), ("不许录音", "zh"), ("stop recording", "en"),
        ("please don't record this call", "en"), ("i do not want to be recorded", "en"), ("i object to the recording", "en"),
        ("no recording please", "en"), ("turn off the recording", "en"), ("do not record", "en"),
    ],
)  # fmt: skip
def test_who_objects_to_the_recording_is_heard(said: str, language: str) -> None:
    assert "objects_recording" in intents(said, language)


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("你们不要光录音赶紧派人来", "zh"), ("别只录音啊", "zh"), ("you have no record of my payment", "en"),
        ("i do not have the record of my last bill", "en"), ("there is no record in your system", "en"),
        ("i have not seen the records", "en"),
    ],
)  # fmt: skip
def test_a_recording_is_not_deleted_for_words_that_only_speak_of_one(said: str, language: str) -> None:
    assert "objects_recording" not in intents(said, language)


@pytest.mark.parametrize(
    "said",
    [
        "give me my neighbour's phone number", "what is the name of the lady in 501", "can i have the owner's number",
        "i need the upstairs neighbour's phone number", "do you have the contact of the tenant in flat 501",
        "tell me his address", "who lives in flat 501", "could i get the phone number for mr wang",
    ],
)  # fmt: skip
def test_who_asks_for_a_residents_data_in_english(said: str) -> None:
    assert "resident_data" in intents(said, "en")


@pytest.mark.parametrize(
    "said",
    [
        "i have water from the upstairs flat my name is john", "can you tell my upstairs neighbour to be quiet my number is 138",
        "i need someone to talk to my neighbour he does not answer his phone", "my name is anna i am the tenant of 501",
        "what is the name of the manager", "give me the number of the gas company", "i want to know when the owner's meeting is",
        "the owner has my phone number", "i need a plumber for the tenant my name is li",
    ],
)  # fmt: skip
def test_english_matters_ask_for_no_data(said: str) -> None:
    assert "resident_data" not in intents(said, "en")


@pytest.mark.parametrize(
    "said",
    [
        "找人工", "我要找人工", "转人工服务", "人工", "人工客服", "喂我想人工", "有没有人工", "人工服务按多少",
        "是人工吗", "怎么转人工", "人工电话是多少", "你好帮我转一下人工", "我不想跟你说我要转人工", "和人说话",
        "我想和人说话", "能不能跟人说话", "我要跟真人说话", "找个人来接", "我要找接线员接", "别让机器跟我说",
        "不想和机器说", "转人", "找真人", "我要找客服", "叫你们客服接电话",
    ],
)  # fmt: skip
def test_who_asks_for_a_person_is_heard(said: str) -> None:
    assert "operator" in intents(said)


@pytest.mark.parametrize(
    "said",
    [
        "找人通", "我要找人通", "何人说话", "我想何人说话", "找人人工", "转人公", "我要转人公", "帮我转人公谢谢",
        "转人功", "找人公", "找人公服务", "转人公克服", "人公服务", "找人东", "赵人工", "喂你好我找人通", "转任工",
        "专人工", "转人通", "我要和任说话", "跟人硕话", "找针人", "转克服", "接线园", "我想找接线园接", "我要人公",
        "那个找人工", "找个人说化", "合人说话",
    ],
)  # fmt: skip
def test_a_person_who_is_asked_for_is_reached_however_it_was_heard(said: str) -> None:
    assert "operator" in intents(said)


@pytest.mark.parametrize(
    "said",
    [
        "找人通下水道", "你们找人通一下厕所", "下水道堵了快找人通", "马桶堵了，找人通", "找人动一下车",
        "叫人动一下那辆车", "人工湖的水很脏", "人工湖那边的灯坏了", "现在都人工智能了", "人工费多少", "人工费怎么算",
        "上门人工多少钱", "材料和人工一共多少", "包人工吗", "人工一天多少", "人工太贵了", "停车场人工收费口没人",
        "人工草坪秃了", "有人在做人工呼吸", "人工清洗水箱什么时候", "人工喷泉不喷了", "他和人说话很凶",
        "保安跟人说话态度很差", "楼上有人说话", "外面有人说话吵死了", "镇人民政府", "转人民路", "认真人少",
        "找人公开道歉", "要求你们找人公平处理", "叫人供水", "公园里有人公厕在哪", "找人修灯", "叫个人来修一下",
        "找人来看看", "叫人来通一下", "何时来人", "找人家具搬不动", "要克服困难", "客服态度差", "人公里数",
        "工人说话太大声", "找工人", "你们工人什么时候来", "装修工人公休", "门口有个真人大小的雕像", "生活人口",
        "干活人手不够",
    ],
)  # fmt: skip
def test_who_speaks_of_people_and_work_asks_for_no_operator(said: str) -> None:
    assert "operator" not in intents(said)


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
        ("operator please", "operator"), ("a person please", "operator"), ("let me talk to somebody", "operator"),
        ("get me a human", "operator"), ("can i speak to your manager", "operator"), ("agent", "operator"),
    ],
)  # fmt: skip
def test_english(said: str, intent: str) -> None:
    assert intent in intents(said, "en")


@pytest.mark.parametrize(
    "said",
    [
        "there is a person stuck in the lift", "my estate agent told me to call", "human waste in the stairs",
        "i will speak to the neighbour", "the crane operator was rude",
    ],
)  # fmt: skip
def test_english_matters_ask_for_no_operator(said: str) -> None:
    assert "operator" not in intents(said, "en")
