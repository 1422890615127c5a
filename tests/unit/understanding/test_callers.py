"""The press, an authority or 12345 on the telephone, and everybody who only speaks of them."""

import pytest

from callcenter.domain.labels import CONFIRM_BELOW
from callcenter.domain.understanding import understand_by_rules
from callcenter.domain.understanding.callers import find_source
from callcenter.domain.understanding.text import utterance

SURE = (
    ("press", "你好我是市电视台的记者想采访一下你们经理"),
    ("press", "喂您好我这边是江城晚报的想核实一下三号楼电梯的事"),
    ("press", "我叫王芳是都市报记者"),
    ("press", "我们是今日视点栏目组的有业主给我们爆料说你们停水十天了"),
    ("press", "这里是融媒体中心有个事情跟贵公司核实一下"),
    ("press", "我姓刘是新闻频道的记者"),
    ("press", "我是记者"),
    ("press", "我是电视太的记者想了解停电的事"),
    ("authority", "你好我们是向阳街道办的明天上午过来检查消防通道"),
    ("authority", "您好我是街道办事处物业科的小陈"),
    ("authority", "我这里是区住建局要调你们维修资金的台账"),
    ("authority", "我是城东派出所的民警需要调一下东门监控"),
    ("authority", "我派出所的"),
    ("authority", "我们这边是消防大队的下午来查消火栓"),
    ("authority", "我是和平社区居委会的有个通知"),
    ("authority", "这里是市场监管局要核查你们电梯的检验报告"),
    ("authority", "我是区人大代表有群众向我反映你们小区的问题"),
    ("authority", "街道办打来的通知你们下午三点来开会"),
    ("authority", "派出所这边找你们经理了解情况"),
    ("authority", "我是排出所的张警官"),
    ("authority", "我们是区房管局的"),
    ("mayor_hotline", "您好这里是12345市民热线有一个工单转给你们"),
    ("mayor_hotline", "我是市长热线的有市民反映你们小区停水"),
    ("mayor_hotline", "幺二三四五转来的工单请你们三天内回复"),
    ("mayor_hotline", "我们这里是政务服务便民热线"),
    ("mayor_hotline", "一二三四五派单给你们了请查收"),
    ("press", "您好打扰了我是江北日报的编辑有读者反映咱们小区电梯老坏"),
    ("press", "喂你好这儿是交通广播电台的我们接到听众投诉"),
    ("press", "我是新京报的想问问物业方面对停水有什么回应"),
    ("press", "你好哪位是负责人我们是都市频道帮忙栏目的"),
    ("press", "我这边是网络媒体的想核实一个情况"),
    ("press", "我姓赵是晨报的记者有业主联系了我们"),
    ("press", "你们好我们是省台民生栏目组想约个采访"),
    ("press", "我是本地电视台记者小李请问方便说话吗"),
    ("authority", "喂物业吗我是咱们街道综合执法队的有人举报违建"),
    ("authority", "我是区应急管理局的今天下午突击检查"),
    ("authority", "您好这边是派出所的我姓孙关于昨晚打架的事需要调监控"),
    ("authority", "我是社区民警老周麻烦把三号楼的监控给我留一下"),
    ("authority", "我们是市住房和城乡建设局物业监管科的"),
    ("authority", "你好我是居委会主任"),
    ("authority", "我代表街道办事处通知你们明天开会"),
    ("authority", "这里是区人民法院执行局需要你们协助调查一位业主"),
    ("authority", "我是城管中队的小区门口占道经营你们管一下"),
    ("authority", "我是区环保局的关于你们锅炉房的噪声投诉"),
    ("authority", "我是街道的想了解一下你们业委会换届的情况"),
    ("authority", "这里是消防救援支队明天来你们这里演练"),
    ("mayor_hotline", "你好我是一二三四五热线的工作人员"),
    ("mayor_hotline", "市民热线转过来一个诉求麻烦登记一下"),
    ("mayor_hotline", "我这里是市长公开电话办公室的"),
    ("press", "哎你好我们是早间新闻的想去你们小区拍一下那个裂缝"),
    ("press", "我是江城电视台的我们接到你们业主爆料"),
    ("press", "你好这里是经济频道有个维权栏目想连线你们负责人"),
    ("press", "我叫李明是商报的记者"),
    ("press", "我是广播电台的主持人我们正在直播"),
    ("press", "我是一名记者想了解你们电梯困人的情况"),
    ("press", "这边是江城网的记者"),
    ("authority", "你好我这边市场监管所的过来抽查电梯"),
    ("authority", "我是区政府办公室的"),
    ("authority", "我是刑警队的找你们调一下地下车库的录像"),
    ("authority", "我们是社区的网格员来登记人口"),
    ("authority", "我是区物业办的有业主投诉你们收费"),
    ("authority", "你好我这里是公安局的请你们保留昨天的监控"),
    ("authority", "我是税务局的"),
    ("authority", "这里是居委会明天打疫苗请你们贴个通知"),
    ("mayor_hotline", "您好我这边是政务热线的有一个投诉件要你们处理"),
    ("mayor_hotline", "12345给你们派了一个单"),
    ("mayor_hotline", "我是一二三四五的一个工单转给你们"),
)  # fmt: skip
UNSURE = (
    ("press", "我想采访一下你们物业的负责人"),
    ("press", "门口来了几个记者一直在拍"),
    ("press", "小区门口有两个记者"),
    ("press", "电视台的人正在大门口采访业主"),
    ("press", "我是电视台的我家漏水了三号楼的"),
    ("authority", "派出所的找经理"),
    ("authority", "我们接到群众举报说你们小区有群租"),
    ("authority", "请你们配合调查"),
    ("authority", "我是派出所的民警我家厨房漏水了"),
    ("authority", "您好江北街道办的麻烦通知你们经理来开会"),
    ("mayor_hotline", "你好市长热线这边有居民投诉你们电梯"),
)  # fmt: skip
RESIDENTS = (
    "我要打12345投诉你们", "再不修我就打一二三四五了", "你们不管我就找电视台曝光", "我已经打过12345了你们等着吧",
    "我不是记者我就是个业主", "我又不是街道的我管不着", "派出所在哪", "派出所的电话是多少", "请问街道办几点上班",
    "我们归哪个街道管啊", "我要报警叫派出所来", "我儿子是派出所的", "我老公在电视台上班", "我爱人是记者",
    "我是住在派出所对面那栋楼的", "我是派出所旁边那栋的", "我是电视台家属院的业主", "我是报社宿舍的住户",
    "我是退休民警", "我以前是记者", "我是业主我要找记者曝光你们", "我是街道办让我打过来的",
    "居委会叫我来找你们开证明", "派出所立了案说让我找你们调监控", "调监控要不要派出所开条子",
    "看监控录像要派出所开条子吗", "九楼打架那俩人派出所后来怎么处理的", "信不信我让电视台来采访你们",
    "要是我是记者早就把你们写上去了", "你以为我是记者啊", "有人冒充记者进小区", "有人自称是派出所的要进我家门",
    "他说他是记者", "居委会通知我们明天停水是真的吗", "街道的灯不亮了", "小区门口街道堵死了", "消防通道被车堵了",
    "我要举报到住建局", "我是三号楼的业主城管来过了也没人管", "警察来了没有", "快叫警察有人打架",
    "电视台的信号收不到了", "我家电视没有中央台的频道", "晚报怎么没送来", "日报箱坏了", "我订的晨报被人偷了",
    "媒体都报道过了你们还不修", "环保局测过这个噪音超标", "你是12345吗", "是12345吗我要投诉", "是不是派出所",
    "你们跟街道办说一声", "社区医院几点开门", "我是社区的居民想问个事", "业主群里有人说记者要来", "我看新闻说要停水",
    "我是听居委会说的今天停水", "我找住建局投诉过你们", "我要去法院起诉你们", "楼下城管又来了摊贩跑进我们小区",
    "救命啊快报警", "我是来交物业费的", "我是三栋的", "我们是三号楼一单元的住户", "我这里是五号楼厨房漏水",
    "我是业委会的", "我是给你们打过电话的那个业主", "我电话号码是12345678901", "房号是一二三四五",
    "我打了12345他们让我先找物业", "你们要是不处理我就打市长热线了", "我已经跟街道反映过了", "我准备去住建局告你们",
    "派出所来人了你们保安呢", "警察都来了你们物业一个人都没有", "我报过警了警察说让你们提供监控",
    "你们是不是怕记者来", "电视台那个楼后面的路灯坏了", "我家就在街道办隔壁", "我是开报社的那条路上三号楼的",
    "我们小区是不是归向阳街道管", "城管把我的车拖走了", "我在报纸上看到说物业费可以打折", "居委会的人说水是你们停的",
    "我女儿在法院工作她说你们这样不合法", "我是律师我要起诉你们", "我是学校的老师住你们小区",
    "我是消防通道旁边那家店的老板", "我是来办居住证的要去派出所还是你们这", "街道办今天上班吗", "我给记者打过电话了",
    "我们一帮业主准备联系电视台", "我是快递员送不进去", "你这里是派出所吗", "我想找个记者来评评理",
    "这里是三号楼有人打架快叫警察", "我是五号楼的警察家属楼那边太吵", "我们这里有个老人摔了快叫消防队",
    "我是做媒体的住六号楼网断了", "我们这边是三号楼下水道堵了街道上都是水", "我这里是幸福小区东门城管在赶人",
    "我给12345打电话他们说归你们管", "12345的电话一直打不通", "街道办不管你们物业也不管那找谁",
    "我找过居委会了居委会说找物业", "我明天就带记者来", "公安局发的通知说要登记租户你们知道吗",
    "警察同志来了你们配合一下", "我们这边停水了你们不管我们就上街道", "我是区里退下来的老干部",
    "我是你们小区的业主也是一名律师", "我不是来找茬的我也不是媒体的", "我们是派出所登记过的租户",
    "我是派出所介绍来的", "那个记者住几号楼", "新闻频道收不到了", "我是搞装修的要办出入证",
    "我是燃气公司的要上门安检", "我是供电局抄表的", "我是自来水公司的明天检修停水", "我是隔壁小区物业的",
    "我是王芳电话13812345678", "我姓王电话15212345001家里灯坏了",
    "我是三栋的李四手机一三九零一二三四五六",
    "我这里是街道边上的五号楼", "街道办旁边的井盖没了", "我刚从派出所回来他们要监控",
)  # fmt: skip
ENGLISH = (
    ("press", "hello i am a reporter from the evening news i want an interview with your manager"),
    ("press", "this is channel five television station calling about the power cut"),
    ("press", "my name is anna lee i'm a journalist with the daily post"),
    ("authority", "good morning this is the police station we need your camera recordings"),
    ("authority", "i am calling from the housing bureau"),
    ("authority", "police speaking"),
    ("authority", "we are from the district government we will inspect tomorrow"),
    ("mayor_hotline", "hello this is the mayor's hotline we have a case for you"),
)  # fmt: skip
ENGLISH_RESIDENTS = (
    "i will call the police if you do not come", "where is the police station", "i am not a reporter",
    "my husband is a reporter", "i live near the police station", "should i call the mayor's hotline",
    "i am going to tell the newspaper", "i am a retired police officer", "the police told me to call you",
    "if i were a journalist i would write about this", "i am waiting for the police", "my tv is broken",
    "the newspaper was stolen from my mailbox", "i'm calling about the police car in the yard",
    "i am the tenant of building two", "this is mr brown from building three", "i am john brown 13812345678",
    "my name is john my number is one three eight one two three four five six seven eight",
)  # fmt: skip


@pytest.mark.parametrize(("source", "said"), SURE)
def test_who_says_it_is_known(source: str, said: str) -> None:
    found = find_source(utterance(said))
    assert found.value == source
    assert found.confidence >= CONFIRM_BELOW
    assert found.evidence
    assert found.evidence in said


@pytest.mark.parametrize(("source", "said"), UNSURE)
def test_who_may_be_one_is_to_be_confirmed(source: str, said: str) -> None:
    found = find_source(utterance(said))
    assert found.value == source
    assert found.confidence < CONFIRM_BELOW
    assert understand_by_rules(said).to_confirm


@pytest.mark.parametrize("said", RESIDENTS)
def test_who_only_speaks_of_one_is_a_resident(said: str) -> None:
    assert find_source(utterance(said)).value == "resident"


@pytest.mark.parametrize(("source", "said"), ENGLISH)
def test_english(source: str, said: str) -> None:
    assert find_source(utterance(said), "en").value == source


@pytest.mark.parametrize("said", ENGLISH_RESIDENTS)
def test_english_residents(said: str) -> None:
    assert find_source(utterance(said), "en").value == "resident"


def test_what_they_call_about_is_important_at_least() -> None:
    assert understand_by_rules("我是区住建局的想问下物业费标准").urgency.value == "important"
    assert understand_by_rules("我是区住建局的你们三号楼着火了").urgency.value == "emergency"
    assert understand_by_rules("我想问下物业费标准").urgency.value == "normal"
