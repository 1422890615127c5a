"""What a carrier or a mailbox says in place of the person who was called: nobody has been reached (R22)."""

from __future__ import annotations

import re

from callcenter.domain.understanding.syllables import SYLLABLES

_ZH = re.compile(
    r"\bnin (?:suo )?bo (?:da|jiao) (?:\w+ )?(?:\w+ )?(?:yong hu|dian hua|hao ma)\b"  # 您拨打的用户
    r"|\bzan shi wu fa jie (?:tong|ting)\b"  # 暂时无法接通
    r"|\bzheng zai tong hua zhong qing shao hou\b"  # 正在通话中，请稍后再拨
    r"|\b(?:yong hu|hao ma) (?:\w+ )?(?:yi guan ji|yi ting ji|shi kong hao)\b"  # 用户已关机
    r"|\b(?:yin|sheng) hou liu yan\b"  # 请在提示音后留言
    r"|\bjin ru (?:yu yin )?(?:xin xiang|liu yan)\b"  # 进入语音信箱
)
"""By sound: a recogniser writes 拨打 as 波大 where the line is bad."""
_EN = re.compile(
    r"\bleave (?:a|your|me a) message\b|\bafter the (?:tone|beep)\b"
    r"|\b(?:number|person|subscriber|customer) you (?:are calling|(?:have )?(?:called|dialed|dialled))\b",
    re.IGNORECASE,
)


def announced(text: str) -> bool:
    """Whether these words, of all that was said at the other end, are a carrier's or a mailbox's."""
    sounds = " ".join(SYLLABLES[character] for character in text if character in SYLLABLES)
    return bool(_ZH.search(sounds) or _EN.search(text))
