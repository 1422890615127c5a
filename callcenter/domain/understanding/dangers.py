"""Dangers to people and damage that grows by the minute (R8, R29): what is one, and what only speaks of one.

A danger that is denied (没有着火), over (去年着过火), imagined (万一着火怎么办) or only a topic (消防检查) is no emergency.
A danger asked about as it happens (着火了怎么办) is one.
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from callcenter.domain.understanding.text import Utterance


class Standing(StrEnum):
    """How a danger stands in what was said."""

    NOW = "now"
    DENIED = "denied"
    PAST = "past"
    IMAGINED = "imagined"


@dataclass(frozen=True)
class Danger:
    """A danger spoken of, its category and where it stands in `Utterance.text`."""

    category: str
    start: int
    end: int
    standing: Standing
    strength: float
    evidence: str


_PEOPLE = "(?:人|我|孩子|小孩|老人|老太|大爷|大妈|孕妇|女儿|儿子|妈|爸|奶奶|爷爷|娃|朋友|邻居|几个|个人|同事|业主)"
_GAS = "(?:煤气|燃气|天然气|液化气|瓦斯)"
_LIFT = "(?:电梯|货梯|客梯|轿厢|梯里|升降机)"
_WATER = "(?:水|管|阀|龙头|暖气|热水器|消防栓|喷淋|马桶|地漏)"

_ZH: tuple[tuple[str, str, float], ...] = (
    ("fire", r"着(?:了)?(?:大|好大的?)?火|(?:车|电池|柴|纸箱?|纸板|被子|草|树|房子|沙发|垃圾桶?)[^,，。]{0,6}(?:着了|点着)(?!凉|急|迷|装|魔|落)|失了火|火(?!锅|车|腿|灾)[^,，。]{0,8}(?:烧|窜|蹿|喷)(?:出来|过来|到|上来|起来)|冒火(?!锅)|引着了|烧得(?:很|呼|噼|旺|红)|窜火|蹿火|起(?:了)?(?:大)?火(?!锅|车|腿)|失火|火灾(?!隐患|报警器|险|演|知识|保险)|烧起来|烧着了?|自燃|火苗(?!发|小|大小|偏|不)|明火|爆炸|火光|大火(?!锅)|救火|正在烧|火(?:很|太|越来越|特别)大|纵火|放火", 1.0),
    ("fire", r"冒[^,，。]{0,6}烟|浓烟|黑烟|全是烟|都是烟|满屋.{0,3}烟|烟(?:很|好|太|特别)?大|烟往.{0,3}(?:冒|窜)|呛(?:得|人|死).{0,8}烟|烟.{0,6}呛", 0.95),
    ("fire", r"(?:烧焦|焦糊|烧糊|糊味|烧塑料).{0,8}(?:味|冒|火|烟)|(?:闻|有|股).{0,8}(?:烧焦|焦糊|烧糊|烧塑料)", 0.8),
    ("gas", rf"{_GAS}.{{0,8}}(?:漏(?!电)|泄|跑气|味(?!儿?都没)|臭|爆)|(?:漏|泄|跑)(?:了|着)?{_GAS}|(?:漏|泄漏).{{0,3}}(?:煤|燃)气|闻.{{0,6}}{_GAS}|臭鸡蛋.{{0,4}}味|一氧化碳|中煤气|(?:灶|软管|气管|管道气).{{0,10}}(?:漏气|跑气|嘶嘶)|(?<!不)(?<!胎)(?<!窗)(?<!窗户)(?<!门)漏气", 1.0),
    ("lift", rf"困(?:在|住|到|死)?.{{0,8}}{_LIFT}|{_LIFT}.{{0,16}}(?:困(?!难)|关(?:住|着|在|了)(?!门|灯|上).{{0,3}}(?:{_PEOPLE}|里|出不)|关人)|{_LIFT}(?!.{{0,12}}(?:坏|停了|罢工|维修|锁着|检修)).{{0,14}}出不(?:来|去)|关在.{{0,6}}{_LIFT}|困梯|困人", 1.0),
    ("lift", rf"(?:我|我们|人|孩子|老人).{{0,6}}在{_LIFT}(?:里|内|中)?(?:面|头|边)?.{{0,10}}(?:不动|停|卡|开不了|打不开|黑)|{_LIFT}.{{0,14}}(?:不动|停|卡|坏).{{0,14}}(?:里面?|里头|还有|有(?!时)).{{0,3}}{_PEOPLE}|{_LIFT}.{{0,10}}(?:往下(?:掉|坠|滑)|坠|急速下|失控|蹲底|冲顶)|{_LIFT}.{{0,6}}夹(?:住|到|了|着|伤).{{0,5}}(?:{_PEOPLE}|手|脚|腿|头|脖|衣服)|(?:手|脚|腿|头).{{0,4}}被.{{0,3}}{_LIFT}.{{0,3}}夹", 0.95),
    ("water_leak", rf"爆管|(?:{_WATER}).{{0,10}}(?:裂了?.{{0,6}}(?:瀑布|喷|淌|涌)|成瀑布|呲|爆(?!满|出)|炸|崩(?!溃)|裂开|断了?(?:水)?.{{0,4}}(?:喷|流))|(?:水|管).{{0,10}}(?:喷|涌|狂|猛).{{0,3}}(?:出|水|得|了|着|的)?|喷(?:水|得.{{0,6}}水)|水哗哗|哗哗.{{0,6}}(?:流|漏|淌)|(?:往下|往外|往里|往屋里|直往).{{0,3}}(?:灌|涌|喷|冒水|淌水|流水|倒水)", 0.95),
    ("water_leak", r"(?:水|家|屋|客厅|卧室|厨房|地下室|车库|地库|电梯|楼道|地板|房间|阳台|大厅|店|仓库)[^,，。]{0,8}(?:淹|水漫|成河|泡水|进水|泡(?:在|了|起来)|漫(?:出|到|过|进))|被水?淹|淹(?:水|了|到|没|成)|发大?水(?!票|卡|费)|水(?:都|已经)?(?:没过|漫过|漫到|漫出|到脚|齐)|关不(?:住|上|了|掉|紧).{0,8}水|水.{0,8}(?:关不(?:住|上|了|掉)|止不住|停不下|收不住)|(?:到处|满地|全|满屋|一地|满屋子)(?:都)?是?水|(?<!地)漏(?:水)?(?:得|的)?[^味]{0,3}(?:厉害|很大|特别大|凶|像下雨|跟下雨|像瀑布|哗哗)|水.{0,3}(?:像|跟).{0,3}(?:下雨|瀑布|喷泉)|水越来越(?:大|多)", 0.85),
    ("drain", r"(?:倒灌|反(?:水|污|上来|出来|涌)|返(?:水|上来)|往(?:上|外|屋里)(?:冒|涌|返|反|窜)).{0,16}(?:停不|不停|止不住|淹|泡了|满屋|全是|到处|越来越|一屋|客厅|卧室)|(?:污水|粪水|脏水).{0,10}(?:淹|漫|满屋|全是|到处|涌|灌|喷)", 0.9),
    ("power", r"(?:电表|电箱|电线|线路|插座|插排|插线板|插头|开关|配电|变压器|充电器|灯|电闸|电缆).{0,8}(?:刺啦|滋啦|电弧|蓝光|冒火|火花|打火|着火|起火|火星|爆(?!满)|炸|噼里啪啦|滋滋)|漏电(?!保护|开关|保)|触(?:了)?电(?!视)|电(?:线|缆).{0,6}(?:掉下来|掉在|断了?掉|垂到|落在|砸)|火(?:花|星)", 0.95),
    ("power", r"(?:呼吸机|制氧机|吸氧|氧气机|透析|救命的?机器|医疗设备|消防泵|应急照明).{0,12}(?:停|断|没)(?:了)?电|(?:停|断|没)(?:了)?电.{0,16}(?:呼吸机|制氧机|吸氧|氧气机|透析)", 1.0),
    ("medical", r"(?:摔|撞|打|热|气|疼|吓)晕(?!乎)|晕(?:倒|过去|厥|死|了过去|在)|昏(?:倒|迷|过去|死)|倒(?:在|地|下).{0,6}(?:地|起不来|不动|不省|叫不)|(?:叫|喊|摇)不醒|没(?:有)?(?:了)?(?:呼吸|心跳|意识|知觉|反应.{0,2}(?:躺|倒))|不省人事|失去意识|休克|心脏病(?!人|药|史|医)|心梗|心绞痛|中风|脑(?:梗|溢血|出血|卒中)|抽搐|吐白沫|翻白眼|全身抽|癫痫|(?:叫|喊)(?:他|她|人)?(?:都)?没(?:有)?反应|一头栽|羊癫疯", 1.0),
    ("medical", r"喘不(?:过|上|了).{0,2}气|呼吸(?:困难|不了|不上|不过)|上不来气|(?:胸口|胸|心口|心脏|肚子).{0,4}(?:疼|痛|闷).{0,8}(?:不行|受不了|厉害|动不了|要命|死|站不|喘)|大出血|吐血|咯血|便血|(?:流|淌|出|喷)(?:了)?(?:好多|很多|一地|不少|满地|好些)?(?:的)?血|血流|(?:一地|浑身|满身|满脸|全)(?:都)?是?血|(?:头|脑袋|腿|胳膊|(?<![扶把拉])手).{0,3}(?:破了|流血|断了|骨折)|骨折|(?:摔|跌|滑)(?:倒|下|了|伤|到|断|下来|一跤).{0,14}(?:起不来|动不了|动弹|不能动|昏|晕|疼得|流血|骨|断|不动)|溺水|(?<!不)落水(?!管|口|斗)|(?:人|孩|老|我|娃|大爷|大妈|奶奶|爷爷|妈|爸|姑娘|小伙).{0,8}(?:掉|摔|跌|落)(?:进|到|下).{0,4}(?:水|池|井|河|坑|楼)|噎(?:住|着|到)|卡.{0,3}(?:喉咙|嗓子|气管|脖子)|(?:胳膊|手|腿|脚|指头).{0,4}(?:被|让|给).{0,6}(?:锯|绞|轧|压断|夹断|切断|砍)|(?:喉咙|嗓子|气管).{0,3}卡|脸.{0,3}(?:发?紫|发青)", 1.0),
    ("medical", r"(?:要|快|马上|好像)生(?:了(?!气)|孩子|小孩)|羊水|自杀|割腕|轻生|吃(?:了)?(?:很多|好多|一瓶|大量)?(?:安眠药|农药|老鼠药)|中毒|(?:开水|热油|热水|沸水).{0,4}(?:浇|泼|烫)|烫(?:伤|着|到).{0,6}(?:人|孩|严重|厉害|皮)|烫着人|救救(?:我|他|她|人|孩)|救命|快不行了|(?:叫|打|喊|要|派|帮).{0,4}(?:救护车|120|一二零|幺二零|急救(?!箱|包|电话|知|培))|需要急救|半(?:边)?身.{0,4}(?:不能动|动不了|麻)|说不出话|嘴(?:角)?歪", 0.95),
    ("safety", r"(?:拿|持|带|举|挥|动|有|掏|抄)(?:着|了|出)?.{0,3}(?:刀(?!架|具|片)|斧头|砍刀|棍|枪|菜刀|匕首).{0,12}|砍(?:人|我|伤|死)|杀人|要杀|捅(?:人|了|伤|我|死)|打(?:起来|成一团|斗|群架)|抡着|抡(?:起|了)?(?:棍|棒|刀|椅)|(?:两|三|几|一)(?:个|群|伙|帮)?人[^,，。]{0,8}打架|斗殴|正在打|(?:在|有人|一群人|几个人|被).{0,3}打(?:架|人|我|他|她)(?!扰|电话)|(?:被|给)人?打(?:了|伤)|抢(?:劫|了?我|东西|(?:我|她|他|人)?的?(?:包|手机|钱|项链))|绑架|劫持|炸弹|行凶|家暴|打老婆|打孩子", 0.95),
    ("safety", r"撬(?:门|锁|窗|我家|车|开)|砸(?:我家|我们家|门(?!禁)|车窗)|踹门|(?:闯|翻|爬|钻|溜)(?:进(?!来了?(?:老鼠|虫|猫|蟑|鸟|蜜蜂|蚂))|入|到).{0,8}(?:家|屋|窗|院|房|楼|里)|破门|入室|(?:家|屋)里(?:有|进)(?:了)?(?:小偷|贼|陌生人|外人|人躲)|(?:小偷|贼|有人).{0,8}(?:正|在|正在|往).{0,3}(?:偷|翻墙|撬|爬|钻)|想(?:爬|钻|闯|冲)进|(?:敲|砸|撬|翘|扒).{0,6}窗户?(?:想|要)|(?:扒|砸|撬|敲).{0,4}窗|正在偷|抓(?:小偷|贼)|(?:拿|用|拎).{0,4}(?:砖头?|石头|铁锤|锤子).{0,4}砸|往车(?:里|上)(?:塞|拽|拖)|拽着.{0,6}(?:往|不放)|要.{0,4}(?:砍|杀|捅|弄死)|(?:孩子|闺女|女儿|儿子|娃|小孩|老人|老头|老太太|我妈|我爸)[^,，。]{0,12}(?:找不(?:着|到)(?:人|了)?|走丢|走失|失踪|不见了|被(?:人)?(?:抱|带|拐)走)|尾随|跟踪(?:我|人|她)|(?:一直|老|总)?跟(?:着|踪)我|跳楼|(?:要|想|准备)(?:往下)?跳(?!舞|绳|槽|操|广|闸)|(?:坐|站|骑|爬|趴)(?:在|到)?.{0,4}(?:窗台|窗户|楼顶|天台|阳台|栏杆).{0,3}(?:外|边|上)|不想活|想不开|寻短见|往下跳|跳下(?:去|来)|从.{0,3}(?:楼顶|天台|窗户|阳台).{0,3}跳|坠楼|从.{0,4}(?:楼|窗户?|阳台|天台|房顶).{0,4}(?:翻|掉|摔|坠|跳)(?:了)?下(?:来|去)|人.{0,4}从.{0,4}楼.{0,3}(?:掉|摔|坠|跳)|猥亵|强奸|性侵|骚扰我|耍流氓|非礼|威胁.{0,3}(?:我|杀|人)|劫匪|歹徒", 0.95),
    ("pets", r"(?:狗|犬|藏獒|蛇|猫).{0,12}咬(?:了|住|伤|到|着|破|倒)?.{0,4}(?:人|我|孩|老|伤|倒|流血|腿|手|脸|一口)|咬(?:倒|住|伤|破)|(?:狗|犬).{0,14}(?:见人就(?:咬|扑)|咬了.{0,3}[人个])|疯狗|被.{0,6}(?:狗|犬|蛇)(?:咬|追)|追着.{0,3}咬|(?:有|进|来|发现|看见).{0,5}(?:毒蛇|大?蛇)", 0.85),
    ("house", r"(?:孩子|小孩|娃|宝宝|婴儿|老人|岁的).{0,10}(?:反锁|锁|关)(?:在|进|到).{0,6}(?:里|屋|房|车|家|厕|间)|反锁.{0,8}(?:孩子|小孩|宝宝|婴儿|老人|娃)|(?:煤气|灶|火|锅).{0,6}(?:还)?(?:开着|没关|忘关|忘了关|烧着|炖着)|(?:墙|楼|阳台|天花板|吊顶|屋顶|玻璃|广告牌|外墙).{0,5}(?:塌|要倒|坍|快掉下|砸(?:到|伤|中|下来))", 0.85),
    ("lift", r"井盖.{0,12}(?:掉(?:进|下)去|摔(?:进|下)去)|(?:掉|摔|踩)(?:进|下|到|空).{0,6}(?:井|坑|沟)", 0.0),
)  # fmt: skip

_EN: tuple[tuple[str, str, float], ...] = (
    ("fire", r"\bon fire\b|\b(?:is|there'?s|there is|caught|a|big|started?) (?:a )?fire\b(?! drill| alarm test| extinguisher| door| inspection| safety| hydrant| exit| lane| alarm| insurance)|\bflames?\b|\bburning\b(?! question)|\bsmoke (?:is |coming|pouring|everywhere|from|in|all)|\b(?:thick|black|lots of|full of|so much|see|smell|heavy) smoke\b|\bexplo(?:sion|ded|de)\b|\bcaught fire\b|\bput (?:it|the fire) out\b", 1.0),
    ("gas", r"\bgas leak|\bleaking gas|\bgas is leaking|\bsmell(?:s|ing)?(?: \w+){0,3} gas\b|\bgas smell|\brotten eggs?\b|\bcarbon monoxide\b", 1.0),
    ("lift", r"\b(?:stuck|trapped|locked|caught|stranded)\b.{0,20}\b(?:lift|elevator)\b|\b(?:lift|elevator)\b.{0,30}\b(?:stuck with|trapped|someone inside|people inside|person inside|can'?t get out|cannot get out|fell|falling|dropped)", 1.0),
    ("water_leak", r"\b(?:pipe|main|hose|boiler|heater|radiator|valve|tank)\b.{0,20}\b(?:burst|exploded|broke open|ruptured)|\bburst\b.{0,10}\bpipe|\b(?:hose|pipe|tap|faucet|valve)\b.{0,30}\b(?:snapped|broke off|came off|split)\b|\b(?:floor|room|flat|apartment|kitchen|basement|garage)\b.{0,12}\b(?:under water|full of water|soaked)|\bflood(?:ing|ed|s)?\b|\bwater\b.{0,20}\b(?:pouring|gushing|spraying|everywhere|shooting|rising|rushing|flooding)|\b(?:can'?t|cannot|won'?t)\b.{0,15}\b(?:shut|turn) (?:it |the water )?off\b", 0.95),
    ("power", r"\bspark(?:s|ing)?\b|\belectric(?:al)? shock|\belectrocuted\b|\blive wire|\b(?:ventilator|oxygen (?:machine|concentrator)|life support)\b", 0.95),
    ("medical", r"\b(?:collapsed|unconscious|not breathing|can'?t breathe|cannot breathe|trouble breathing|heart attack|stroke|seizure|bleeding|chest pain|overdose|suicide|choking|passed out|fainted|in labou?r|ambulance|broken (?:leg|arm|hip)|drowning|dying|severely hurt|badly hurt|badly injured|help me please|poison(?:ed|ing)?)\b|\b(?:fell|slipped|tripped)\b.{0,30}\b(?:can'?t|cannot) (?:get up|move|stand|walk)|\b(?:can'?t|cannot) (?:get up|move)\b.{0,20}\b(?:fell|slipped|leg|hip)", 1.0),
    ("safety", r"\b(?:knife|gun|weapon|robb(?:ed|ery|ing)|break(?:ing)? (?:in|into)|broke in(?:to)?|burglar|intruder|fighting|attack(?:ed|ing)|stabb(?:ed|ing)|following me|assault(?:ed)?|kill|jump off|going to jump|kidnap\w*|beating)\b|\bkick(?:ing|ed)? (?:in )?(?:my|the|our) door|\bthreaten(?:s|ing|ed)?\b", 0.9),
    ("pets", r"\bdog\b.{0,20}\b(?:bit|biting|bitten|attack\w*)\b|\bbitten by\b|\bsnake\b", 0.85),
    ("house", r"\b(?:child|kid|baby|toddler|son|daughter)\b.{0,20}\blocked\b.{0,15}\b(?:in|inside)\b|\b(?:stove|oven|gas)\b.{0,10}\b(?:is still on|left on|still on)\b", 0.85),
)  # fmt: skip

_DENIED_BEFORE = re.compile(
    r"(?:没有?|不是|并没|未|并未|不会|不|没人|没什么|又没|也没|不存在|不算|没发生|没看见|没闻到|无|非)(?:有|真的?|是|人|被|什么|任何|发生|再|发现|出现|闻到|看到|在)*$"
)
_DENIED_AFTER = re.compile(
    r"^(?:了)?(?:的)?(?:情况|现象)?(?:没有|都没有|是没有的|倒没有|倒不至于|是假的|误报|是误会|那是没)"
)
_DENIED_INSIDE = re.compile(
    r"不(?:漏|冒|淹|喷|困)|(?:没有?|不是|不会|未)(?:人)?(?:被)?(?:困|关|夹|伤|咬|漏|着|起火|冒|爆|喷|淹|火|烟|打火|砸)|(?:幸好|还好|好在|幸亏)没|差点|差一点|险些|擦着"
)
_NOT_A_DENIAL = re.compile(
    r"(?:有没有?|是不是|会不会|不知道|不晓得|不得了|怎么不|还不|快不|来不及|不能不|要不|忍不住|受不了|不停|没关|没人管|没人应|要不是|没想到|不小心|不好了|关不|止不|停不|没法|不敢|没用)$"
)
_LONG_PAST = re.compile(
    r"上(?:次|回|个?月|周|个?星期|个?礼拜|半年|一次)|去年|前年|前几年|那(?:次|回|年|天)|以前|曾经|早先|从前|当年|小时候|年前|前(?:阵|段|些)(?:子|时间|日子)?|几?个?月前|多年"
)
_PAST = re.compile(r"之前|过去(?!了)|之后|后来|昨天|前天|昨晚|昨夜|上午的?事|刚刚修")
_THANKED = re.compile(
    r"感谢|多亏|幸亏|表扬|谢谢(?:你们|师傅|保安|他|她).{0,12}(?:救|帮|及时|抢|灭|送)|点个?赞|锦旗|感动|救命之恩"
)
_HEARD_OF = re.compile(r"听说.{0,24}(?:真的|真假|怎么回事|怎么样|严重吗|原因|后来|处理|抓到|啥情况|什么情况)|^听说")
_AGAIN = re.compile(
    r"(?:从|打).{0,6}(?:开始|起)|又(?:着|起|漏|爆|冒|困|淹|喷|开始|来|是)|还在|仍|正在|现在(?:又|还|正|在)|再次|这次"
)
_OVER = re.compile(
    r"已经(?:跑|走|扑|灭|修|处理|解决|好|没事|救|送|抓|恢复|不)|修好了?|灭了|处理好|解决了|没事了|救出来|抓到了?|抓住了|扑灭|好了|不漏了|恢复了|(?:救|放|弄|接)出来了"
)
_STILL = re.compile(
    r"(?:从|打).{0,6}(?:到现在|开始|起)|到现在|一直|现在(?!想|好|没事|已经|要问|问)|又|还在|还没|仍|正在|这会儿|刚才|刚刚|马上|赶紧|快来|快点|快派|赶快|救命"
)
_ONGOING = re.compile(
    r"(?:还|仍|正)?在(?:烧|漏|流|喷|冒|涨|打|砸|撬|里面|追)|快(?:来|点|派)|赶(?:紧|快)|救命|又(?:着|起|漏|爆|冒|困|淹|喷)"
)
_IMAGINED = re.compile(
    r"(?<![害可哆恐好真很])怕[^,，。]{0,5}$|要真|真要|如果|要是|万一|假如|假设|倘若|的话|怕(?:会|引|哪|以|将|万|发|出)|担心|以免|避免|防止|预防|会不会|容易|可能会|有(?:可能|隐患|风险)|隐患|早晚|迟早|搞不好|说不定会|将来|演习|演练|培训|宣传|讲座|知识|应该怎么|该怎么(?:报|逃|处)|怎么(?:预防|避免|防)|属于|算不算|是否算|保险|装(?:一个|个)|要不要|能不能装|会引起|引起"
)
_TOPIC = re.compile(
    r"^(?:隐患|检查|演习|演练|培训|通道|设施|器材|报警器?|警报|知识|安全|险|保险|手册|逃生|责任|事故|标准|流程|预案|要求|验收)"
)
_PAST_EN = re.compile(
    r"\b(?:last (?:week|month|year|time|night)|yesterday|ago|used to|previously|years? back|was fixed|has been fixed|already fixed|in the past|once)\b"
)
_IMAGINED_EN = re.compile(
    r"\b(?:if|in case|what should|drill|inspection|training|when is|would|could cause|prevent|worried that|policy|insurance|extinguisher)\b"
)
_DENIED_EN = re.compile(r"\b(?:no|not|isn'?t|aren'?t|never|without|there'?s no|wasn'?t|nobody|no one)(?: \w+){0,2} ?$")
_NOT_DENIED_EN = re.compile(r"\b(?:not (?:breathing|responding|moving|waking|sure)|no idea|cannot|can'?t)\b")

_COMPILED = {
    "zh": tuple((category, re.compile(pattern), strength) for category, pattern, strength in _ZH if strength),
    "en": tuple((category, re.compile(pattern), strength) for category, pattern, strength in _EN),
}
_BREAK = re.compile(r"[,，。！？!?;；、]|但是?|可是|不过|然而|\bbut\b")


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """The clause around a match, as far as punctuation or a turn (但是) tells."""
    left = max((m.end() for m in _BREAK.finditer(text, 0, start)), default=0)
    right = next((m.start() for m in _BREAK.finditer(text, end)), len(text))
    return left, right


def _standing_zh(text: str, start: int, end: int) -> Standing:
    left, right = _clause(text, start, end)
    before, inside = text[left:start], text[start:end]
    near = before[-8:]
    if (match := _DENIED_BEFORE.search(near)) and not _NOT_A_DENIAL.search(near[: match.end()]):
        return Standing.DENIED
    if _DENIED_AFTER.match(text[end : end + 8]) or _DENIED_INSIDE.search(inside):
        return Standing.DENIED
    window = text[max(0, start - 14) : min(len(text), end + 12)]
    if _OVER.search(text[end : end + 14]) and not _ONGOING.search(text[end:]):
        return Standing.PAST
    if (
        (_IMAGINED.search(text[max(left, start - 14) : start]) or _IMAGINED.search(inside))
        or _TOPIC.match(text[end:])
        or re.search(r"^.{0,3}(?:怎么预防|的话|隐患|演习|演练|怎么逃生)", text[end:right])
    ) and not _ONGOING.search(text[left:right]):
        return Standing.IMAGINED
    if _THANKED.search(text[left:right]) and not _ONGOING.search(text):
        return Standing.PAST
    if _HEARD_OF.search(text) and not _ONGOING.search(text):
        return Standing.PAST
    earlier = text[max(0, start - 22) : start] + inside
    if _LONG_PAST.search(earlier) and not _AGAIN.search(text[max(0, start - 10) : end + 14]):
        return Standing.PAST
    if (_PAST.search(window) or _LONG_PAST.search(window)) and not _STILL.search(
        text[max(0, start - 10) : min(len(text), end + 14)]
    ):
        return Standing.PAST
    return Standing.NOW


def _standing_en(text: str, start: int, end: int) -> Standing:
    left, right = _clause(text, start, end)
    if _DENIED_EN.search(text[left:start]) and not _NOT_DENIED_EN.search(text[left:end]):
        return Standing.DENIED
    if _IMAGINED_EN.search(text[left:start]):
        return Standing.IMAGINED
    if _PAST_EN.search(text[left:right]) and not re.search(r"\b(?:still|again|now)\b", text[left:right]):
        return Standing.PAST
    return Standing.NOW


def find_dangers(said: Utterance, language: str = "zh") -> tuple[Danger, ...]:
    """Every danger spoken of, in the order said."""
    found: list[Danger] = []
    texts = {said.mended, said.text} if language == "zh" else {said.text}
    standing_of = _standing_zh if language == "zh" else _standing_en
    for text in sorted(texts):
        for category, pattern, strength in _COMPILED[language]:
            for match in pattern.finditer(text):
                start, end = match.span()
                if any(d.start < end and start < d.end and d.category == category for d in found):
                    continue
                standing = standing_of(text, start, end)
                found.append(Danger(category, start, end, standing, strength, said.evidence(start, end)))
    return tuple(sorted(found, key=lambda d: d.start))
