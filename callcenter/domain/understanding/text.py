"""The caller's words made comparable: one spelling of digits and letters, and homophone errors of domain words mended.

Everything keeps track of where it came from, so that evidence is always quoted as it was heard.
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callcenter.domain.understanding.syllables import SYLLABLES

_WORDS = """
着火 起火 失火 冒烟 冒火 浓烟 黑烟 烟雾 火苗 明火 自燃 爆炸 火灾 灭火器 消防 消防栓 消防通道 烧起来 烧着了 糊味 烧焦 火星 火花
煤气 煤气味 燃气 天然气 液化气 臭鸡蛋 漏气 泄漏 燃气灶 燃气表 煤气灶
电梯 货梯 被困 困在 困住 卡住 出不来 关在 夹住 打不开 掉下来 轿厢
漏水 渗水 爆管 爆裂 爆开 炸裂 水管 水管爆了 管子爆了 喷水 喷出来 淹了 水淹 地板 天花板 关不住 发大水 倒灌 反水 水龙头 阀门 总阀 吊顶
停水 没水 水压 供水 自来水 没有水 停电 没电 没有电 跳闸 断电 漏电 插座 电闸 电表 配电箱 电线 空开 开关 触电 呼吸机
供暖 暖气 暖气片 地暖 不热 冰凉 采暖 取暖费 马桶 地漏 下水道 堵住 堵了 不下水 下水 疏通 厕所
门锁 锁芯 窗户 玻璃 防盗门 墙皮 屋顶 防水 门把手 纱窗 楼道 楼道灯 路灯 单元门 井盖 台阶 健身器材 滑梯 减速带 充电桩
门禁 门禁卡 对讲机 监控 道闸 刷卡 人脸识别 小偷 偷东西 被偷 保安 报警 打架 打起来 砍人 刀子 持刀 撬门 跟踪 抢劫 陌生人 高空抛物 花盆
救命 救护车 晕倒 昏迷 心脏病 喘不上气 喘不过气 流血 摔倒 摔伤 骨折 中风 抽搐 胸口 喉咙 噎住 受伤 急救 呼吸
噪音 吵死 装修 电钻 休息 广场舞 睡觉 跳舞 音响 车位 停车 停车费 车库 地库 违停 月租 挪车 堵住了 占了
垃圾 垃圾桶 卫生 保洁 打扫 臭味 苍蝇 绿化 树枝 草坪 蚊子 蟑螂 老鼠 修剪 杂草 马蜂窝 打药 消杀 遛狗 狗叫 狗屎 牵绳 流浪猫 流浪狗 咬人 咬了
物业费 发票 收费 缴费 欠费 公摊 退款 抬头 水费 电费 态度 客服 师傅 维修 投诉 表扬 感谢 建议 咨询 报修 点赞 服务 经理 主任 工程部 前台
家政 钟点工 保姆 月嫂 擦玻璃 油烟机 清洗 预约 上门 搬家 家具 开锁 快递 快递柜 包裹 外卖 访客 驿站 登记 押金 手续 交房 钥匙 入住 验房
捡到 丢了 钱包 身份证 手机 失物 转告 留言 留个言 带话 回电话 打错了 物业 业主 小区 业主群 推诿 记者 电视台 采访 街道办
按钮 按钮失灵 感应 厨房 卫生间 卧室 客厅 阳台 楼上 楼下 隔壁 邻居 老人 小孩 孩子
"""
_PROTECTED = """
这活 是五 没睡 机就 花眼 楼其 吊下 盆水 看人 看到人 自己 保管 报关 包管
自然 大家 见到 经历 文字 主人 十五 印象 等级 话题 手上 清晰 精力 登基 克服 留学 校区 抽出 加剧 赤道 一战 剪刀 护卫 数值 资讯 活性 为生 一盏 方可 树脂 大嫂 期货 导管 简易 出访 首级 戈壁 流言 迟到
处方 深水 延误 包扎 运到 敲门 一站 入主 退位 熟知 我市 互为 音像 愉悦 窍门 午夜 野猪 这伙 报国 燃起 法门 引向 尖刀 家主 尾声 敬礼 重逢 石屋 中锋 活化 浅薄 打假 剥离 出点 家居 大加 搭架 癫痫
小曲 胳臂 家住 赌注 税费 放水 严防 火化 音箱 投宿 交响 开馆 时务 报案 报捷 每期 活体 交费 手迹 手记 底板 警力 报馆 小房 敷衍 猫眼 器火 气火 期火 其火 火起 打的 店里 点头 电头 店铺 电铺 没气 美气 店里 电体 试试 事实 实施 楼里 路上 路灯 进去 尽管 只管 不管 一样 意见 已经 眼睛 严重 研究 颜色 延长 有没有
报告 不报 保证 包括 报了 抱了 留下 流水 六水 水源 谁管 登机 机场 手机 收集 首机 受机 小时 消失 消食 小区 效应 教室 叫师 到家 倒是 道士 到时
没有 每有 没点 美甲 单位 订单 但愿 不行 部门 要是 钥匙 药师 也是 业务 无业 事务 事物 食物 失误 实物 史无 放假 房价 房屋 防误 防雾
一直 以致 医治 注意 主意 住宅 驻扎 收拾 手势 首饰 守时 修建 休假 秀气 修理 知道 指导 只到 直到 之道 方式 防守 反水 泛水 饭水
"""


Lexicon = Mapping[str, Sequence[tuple[tuple[str, ...], str]]]
"""First syllable → syllables and word, longest first."""


def lexicon_of(words: Iterable[str], read_otherwise: Mapping[tuple[str, ...], str] | None = None) -> Lexicon:
    """Words by their sound, to be put right by `mend_homophones`. `read_otherwise`: other syllables of a word."""
    index: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    by_sound = [(tuple(SYLLABLES.get(c, c) for c in word), word) for word in words]
    for syllables, word in (*by_sound, *(read_otherwise or {}).items()):
        index.setdefault(syllables[0], []).append((syllables, word))
    for group in index.values():
        group.sort(key=lambda entry: -len(entry[0]))
    return index


_LEXICON = lexicon_of(
    _WORDS.split(), {("zhao", "huo"): "着火", ("zhao", "huo", "le"): "着火了", ("qi", "huo", "le"): "起火了"}
)
_KNOWN = frozenset(_WORDS.split()) | frozenset(_PROTECTED.split())
_HAN = re.compile(r"[\u3400-\u9fff〇]")


@dataclass(frozen=True)
class Utterance:
    """A caller's words: `raw` as heard, `text` normalised, `mended` with homophones of domain words replaced.

    `text` and `mended` are equally long; `at[i]` is where their character i stands in `raw`.
    """

    raw: str
    text: str
    mended: str
    at: tuple[int, ...]

    @property
    def has_words(self) -> bool:
        """Whether it holds a letter or character of any language: digits, signs and pictures alone say nothing."""
        return any(character.isalpha() for character in self.text)

    def evidence(self, start: int, end: int) -> str:
        """The words of `raw` behind characters start..end (end excluded) of `text`."""
        if start >= end:
            return ""
        return self.raw[self.at[start] : self.at[end - 1] + 1]


def _normalised(raw: str) -> tuple[str, tuple[int, ...]]:
    characters: list[str] = []
    at: list[int] = []
    for index, character in enumerate(raw):
        folded = unicodedata.normalize("NFKC", character).lower()
        for piece in folded or character:
            if piece.isspace():
                before = characters[-1] if characters else " "
                after = raw[index + 1 : index + 2]
                if before.isspace() or _HAN.match(before) or _HAN.match(after):
                    continue
                piece = " "  # noqa: PLW2901 — one spelling of white space
            characters.append(piece)
            at.append(index)
    return "".join(characters), tuple(at)


def mend_homophones(text: str, lexicon: Lexicon = _LEXICON) -> str:
    """Words of the lexicon written with other characters of the same sound are put right; equally long as `text`.

    Two-syllable words are left alone where what stands there is a word of its own (保管 is not 爆管).
    """
    syllables = [SYLLABLES.get(c, c) for c in text]
    out = list(text)
    position = 0
    while position < len(text):
        step = 1
        for sounds, word in lexicon.get(syllables[position], ()):
            end = position + len(sounds)
            if tuple(syllables[position:end]) != sounds:
                continue
            there = text[position:end]
            if there != word and _may_mend(text, position, end, word):
                out[position:end] = word
                step = len(sounds)
                break
            if there == word:
                step = len(sounds)
                break
        position += step
    return "".join(out)


def _may_mend(text: str, start: int, end: int, word: str) -> bool:
    there = text[start:end]
    if there in _KNOWN or not all(_HAN.match(c) for c in there):
        return False
    if len(word) == 2:
        for left, right in ((start - 1, start + 1), (start + 1, end + 1)):
            if left >= 0 and text[left:right] in _KNOWN:
                return False
    return True


def utterance(raw: str) -> Utterance:
    """Prepare a text for the rules."""
    text, at = _normalised(raw.replace("[unk]", " "))
    return Utterance(raw.replace("[unk]", " "), text, mend_homophones(text), at)
