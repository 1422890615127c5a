"""Kinds and categories by words alone: what a line falls back on when the speech service does not answer."""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re

from callcenter.domain.understanding.numerals import by_itself
from callcenter.domain.understanding.text import Utterance

MAYORS_NUMBER = by_itself("12345", "[幺一]二三四五")
"""The mayor's hotline, where it is no part of another number."""

CATEGORIES_ZH: dict[str, str] = {
    "fire": "着火|起火|失火|冒烟|浓烟|消防|灭火|烟感|烟雾|火灾|火苗|自燃",
    "gas": "煤气|燃气|天然气|瓦斯|液化气|漏气",
    "lift": "电梯|货梯|轿厢|扶梯|梯控",
    "water_leak": "漏水|渗水|爆管|水管.{0,4}(?:爆|裂|破)|滴水|洇湿|漏",
    "water_supply": "停水|没水|没有水|断水|水压|供水|自来水|水质|水表|水发黄|来水|水箱",
    "heating": "暖气|供暖|地暖|采暖|供热|不热|取暖|分水器",
    "drain": "下水|马桶|地漏|堵了|堵住了?(?!.{0,3}(?:车|门|路))|反水|返水|返味|反味|疏通|化粪池|污水|蹲便|蹲坑|不走水",
    "power": "停电|没电|没有电|跳闸|断电|电闸|插座|空开|漏电|电线|电表|火花|电卡|漏保|来电(?!话|显)",
    "house": "门锁|锁芯|窗|玻璃|墙皮|墙面|屋顶|门把|防盗门|瓷砖|锁在门外|没带钥匙|推拉门|橱柜|合页|地砖|纱窗|飘窗|密封条",
    "facility": "路灯|楼道灯|单元门|大门|井盖|台阶|路面|健身|滑梯|秋千|长椅|栏杆|扶手|儿童乐园|灯不亮|减速带|充电桩|凉亭|护栏|雨棚",
    "access": "门禁|门卡|刷卡|刷脸|人脸|道闸|闸机|监控|录像|摄像头|对讲|电梯卡",
    "safety": "小偷|被偷|偷了|打架|抢|陌生人|高空抛物|往下扔|撬|跟踪|可疑|推销|砍|打人|被砸|巡逻|翻墙",
    "medical": "晕|昏|心脏|喘|流血|摔|骨折|救护|急救|呼吸|胸口|中风|受伤|医院",
    "noise": "噪音|太吵|吵死|吵得|扰民|电钻|广场舞|音响|睡不着|拖桌子|拖椅子|嗡嗡|弹琴|唱歌|响一晚|喧哗|打桩|喇叭",
    "parking": "车位|停车|占道|挪车|车库|月租|月卡|堵住.{0,4}车|违停|车牌|车主|消防车?通?道.{0,4}停|僵尸车",
    "cleaning": "垃圾|卫生|打扫|保洁|清洁|臭|脏|苍蝇|拖地|没拖|扫地|狗屎|呕吐",
    "greening": "绿化|树|草坪|草丛|花坛|花池|蚊|蟑螂|老鼠|虫|马蜂|杂草|修剪|蚂蚁",
    "pets": "狗|猫|宠物|遛|金毛|泰迪",
    "fees": "物业费|费用|发票|专票|收费|缴费|欠费|公摊|退款|票据|账单|滞纳金|交费|收据|扣.{0,3}钱|多收|乱收",
    "staff": "态度|保安|师傅|客服|前台|经理|骂人|工作人员|推诿|踢皮球|管家|门岗|没来|放鸽子",
    "home_service": "家政|钟点工|保姆|月嫂|擦玻璃|油烟机|清洗|大扫除|搬家|护工|开荒|做卫生|组装|付费",
    "parcel_visit": "快递|包裹|外卖|访客|驿站|取件|亲戚来|朋友来|客人|送货|挂号信",
    "renovation": "装修|入住|交房|验房|收房|收楼|押金|违建|搭棚|承重墙|入伙|封阳台",
    "lost_found": "捡到|捡了|丢了|失物|落在|遗失|找不到了|找不着|拾到|掉在",
    "message": "转告|留言|带话|带个?(?:句)?话|留个|捎个|说一声|讲一下|告诉.{0,6}(?:一声|回电)|回个?电话",
}
CATEGORIES_EN: dict[str, str] = {
    "fire": r"\bfire|smoke|flame|burning|alarm|extinguisher",
    "gas": r"\bgas\b",
    "lift": r"\blift|elevator",
    "water_leak": r"leak|burst|drip|flood|ceiling.{0,20}water|water.{0,20}ceiling",
    "water_supply": r"no water|water pressure|water supply|water (?:is )?(?:off|cut)|brown water",
    "heating": r"heat|radiator|cold (?:flat|apartment|room)",
    "drain": r"drain|toilet|clog|blocked|sewage|sink",
    "power": r"power|electric|socket|outlet|breaker|fuse|spark",
    "house": r"window|door lock|lock|wall|roof|door handle|locked out",
    "facility": r"lamp|light|bench|playground|road|stairs|handrail|manhole|path",
    "access": r"access card|key card|gate|camera|cctv|intercom|face recognition",
    "safety": r"thief|theft|stolen|fight|stranger|knife|break|robb|burgl|follow|weapon|throw",
    "medical": r"collapse|unconscious|breath|heart|bleed|ambulance|injur|fainted|stroke|hurt",
    "noise": r"noise|noisy|loud|music|drill",
    "parking": r"park|car\b|garage|spot",
    "cleaning": r"trash|garbage|rubbish|dirty|clean|smell|litter",
    "greening": r"tree|grass|lawn|mosquito|cockroach|rat\b|rats\b|insect|weeds|garden",
    "pets": r"\bdog|\bcat\b|\bpet",
    "fees": r"\bfee|bill|invoice|receipt|payment|pay\b|owe|refund|charge",
    "staff": r"guard|staff|rude|attitude|receptionist|technician|thank",
    "home_service": r"cleaner|housekeep|nanny|move furniture|air conditioner|book",
    "parcel_visit": r"parcel|package|delivery|visitor|guest|courier",
    "renovation": r"renovat|decorat|move in|handover|deposit",
    "lost_found": r"\bfound\b|\blost\b|missing",
    "message": r"message|tell (?:mr|mrs|ms|miss|mister|the)|call me back|pass on",
}
KINDS_ZH: tuple[tuple[str, str], ...] = (
    ("lost_found", "捡到|捡着|捡了|拾到|拾着|丢了|失物|遗失|落在|落哪|掉哪|弄丢|认领"),
    ("message", "转告|留个?言|带(?:个|句)话|捎个?(?:话|口信)|告诉.{0,8}(?:一声|回电|回个)"),
    (
        "praise",
        "表扬|感谢|谢谢.{0,8}(?:师傅|保安|阿姨|你们)|点个?赞|好评|锦旗|感动|真好|真棒|真中|好样|好人|夸|弄得好|负责任|麻利|热心",
    ),
    (
        "complaint",
        "投诉|不满|太差|态度|没人管|怎么搞|凭什么|太吵|扰民|受不了|管不管|太过分|吵|总是|老是|乱|臭死|凭啥|气人|没动静|光会说|几回了|好几次|天天|隔三差五|又是|老在|管管",
    ),
    (
        "suggestion",
        "建议|提(?:个|一个|点)?意见|希望|能不能.{0,6}(?:装|加|设|办)|应该|最好|寻思|该装|该弄|要是能|不如|可不可以",
    ),
    ("home_service", "家政|钟点工|保姆|大扫除|擦玻璃|预约.{0,6}(?:清洗|保洁|上门)|搬家|清洗"),
    (
        "enquiry",
        "请问|咨询|问一?下|想问|打听|怎么(?:办|交|收|算|查|弄)|多少|几点|什么时候|哪里|在哪|有没有|是不是|吗$|能不能",
    ),
    ("help", "救命|求助|帮帮|帮我|快来|救|困|晕|小偷|打架|报警"),
    ("repair", "修|坏|漏|堵|不亮|停水|停电|没水|没电|跳闸|不热|断|裂|打不开|失灵|爆|不通|松|掉"),
)
KINDS_EN: tuple[tuple[str, str], ...] = (
    ("lost_found", r"\bi (?:found|lost)\b|lost my|missing"),
    ("message", r"leave a message|tell (?:mr|mrs|ms|mister|the)\b|pass on"),
    ("praise", r"thank|praise|compliment|grateful|wonderful"),
    ("complaint", r"complain|rude|every night|again|unacceptable|terrible|too loud|nobody"),
    ("suggestion", r"suggest|you should|it would be (?:nice|good|great)|why not"),
    ("home_service", r"\bbook\b|cleaner|housekeep|nanny"),
    ("enquiry", r"\b(?:when|where|how|what|which|who|is there|can i|could i|do you)\b"),
    ("help", r"help|emergency|stuck|trapped|hurry|fire|collapse"),
    (
        "repair",
        r"repair|broken|fix|leak|clog|not work|does not work|doesn't work|burst|no (?:water|power|electricity|heat)",
    ),
)
IMPORTANT_ZH = re.compile(
    r"(?:停水|没(?:有)?水|停电|没(?:有)?电|断电|跳闸|没(?:有)?暖|不供暖|一点(?:都|也)?不热|冰凉|停暖|停气|断水|一滴水|没(?:有)?(?:煤|燃|天然)气|断气|不来水|不来电)(?!压|费|表|喝|通知|锁)|(?:整|全|好几|几十|所有)(?:个|座)?(?:栋|楼|单元|小区|户|条街|一?层)(?!.{0,3}(?:醒|颤|知道))"
    r"|(?:[二三四五六七八九几两数]?[十百]|七八|四五|三四|五六|好几|好多|[几多])(?:多|来|几)?(?:户|家(?!可以|都跟)|个老人|个街坊|层)|(?:暖气|地暖|片儿|屋里).{0,8}(?:冰|全凉|拔凉|凉透|不热|十[二三四五]度|冻)|(?:唯一|只有一部|就一部|单部|两部).{0,4}(?:电?梯|马桶)|梯.{0,8}(?:趴窝|停摆|停运|罢工|黑屏)|(?:粪|污|脏|黑|臭)水.{0,10}(?:冒|溢|流|淌|返|上来|出来|漫)|(?:马桶|地漏|便池|蹲坑).{0,6}(?:返|反|倒灌|往外|溢)|化粪池.{0,3}(?:满|冒|溢)|(?:一|整)(?:家|栋|排|片|条街).{0,6}(?:没电|没水|断水|断电|电都断|没气)|环保局|质监局|防疫站|警察来|联名"
    r"|记者|电视台|报社|采访|街道办?|居委会|社区(?!医院|活动)|派出所|消防队|政府|" + MAYORS_NUMBER + r"|市长热线|一二三四五热线|(?:电梯|两部梯).{0,8}(?:坏|停|不能用|不动|停运)|被偷|被盗|被撬|被骗|骗走|冒领|(?:让|叫|给)人(?:家)?(?:偷|剪|撬|掰|骑|顺|抱)走?|翻得乱七八糟|不见了锁|(?:金|首饰|现金|电瓶|铜线|车).{0,6}(?:没了|丢了|少了)|失窃|进(?:了)?贼|高空抛物|高空坠物|消防通道.{0,8}(?:堵|占)|井盖.{0,6}(?:没|丢|不见|缺|破)"
)
IMPORTANT_EN = re.compile(
    r"no (?:water|power|electricity|heating|heat)\b|lost (?:all )?(?:power|electricity|water|heating)|without (?:water|power|electricity|heat)|\bblackout|(?:elevators?|lifts?).{0,20}(?:out of service|not (?:working|moving|running)|stopped)|nearly hit|thr(?:ew|ow|ows|own|owing) .{0,30}(?:window|balcony|upstairs|floor)|power (?:is )?(?:out|off|cut)|water (?:is )?(?:off|cut)|whole building|all (?:the )?(?:floors|flats|neighbou?rs)|reporter|journalist|newspaper|television|tv station|police|government|mayor|stolen|burgled|elevator.{0,20}(?:broken|out of order)|lift.{0,20}(?:broken|out of order)"
)
TOLD_ABOUT = re.compile(
    r"(?:通知|什么时候|几点|明天|计划|多久|为什么|要停|会停).{0,10}(?:停水|停电|供暖)|(?:停水|停电|供暖).{0,10}(?:通知|什么时候|几点|到几|多久|吗|开始)"
)

CATEGORY_PATTERNS = {
    language: {category: re.compile(words) for category, words in table.items()}
    for language, table in (("zh", CATEGORIES_ZH), ("en", CATEGORIES_EN))
}
KIND_PATTERNS = {
    language: tuple((kind, re.compile(words)) for kind, words in table)
    for language, table in (("zh", KINDS_ZH), ("en", KINDS_EN))
}


def category_by_words(said: Utterance, language: str) -> tuple[str, float, tuple[int, int]] | None:
    """The category most spoken of, how sure (0..1), and where its first word stands. None when no word tells."""
    scores: dict[str, tuple[float, tuple[int, int]]] = {}
    for category, pattern in CATEGORY_PATTERNS[language].items():
        spans = [m.span() for m in pattern.finditer(said.mended)]
        if spans:
            scores[category] = (sum(end - start for start, end in spans), spans[0])
    if not scores:
        return None
    best = max(scores, key=lambda c: scores[c][0])
    share = scores[best][0] / sum(score for score, _ in scores.values())
    return best, 0.35 + 0.4 * share, scores[best][1]


def kind_by_words(said: Utterance, language: str) -> tuple[str, float, tuple[int, int]] | None:
    """The kind whose words are said, in the order of `KINDS_ZH`. None when no word tells."""
    for kind, pattern in KIND_PATTERNS[language]:
        if match := pattern.search(said.mended):
            return kind, 0.6, match.span()
    return None
