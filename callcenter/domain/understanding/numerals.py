"""Numbers as people say them over the telephone."""

from __future__ import annotations

import re

DIGITS = {c: str(i) for i, c in enumerate("零一二三四五六七八九")} | {"〇": "0", "○": "0", "幺": "1", "两": "2"}
DIGITS |= {str(i): str(i) for i in range(10)}
NUMBER = "[0-9零〇○一二三四五六七八九十百千两幺]"
"""One character of a number, for regular expressions."""

SOUNDS_LIKE = {
    "0": "铃领灵另令玲", "1": "要腰药邀妖医衣依义意", "2": "儿耳而尔饿", "3": "散山伞叁", "4": "似寺斯死肆",
    "5": "舞午武无伍", "6": "流刘留柳陆", "7": "期其起气妻齐", "8": "吧把爸巴", "9": "酒久就玖救",
}  # fmt: skip
"""Characters a recogniser writes for a digit; believed only inside a run of digits."""
HOMOPHONES = {c: digit for digit, group in SOUNDS_LIKE.items() for c in group}

_BEGINS_ANEW = f"(?:[个位名只下直起杠]|{NUMBER}{{0,2}}(?:号楼|号院|栋|幢|座|单元|楼|层))"
"""After a figure: it counts or names something of its own (打一二零三号楼有人晕倒: 120, then 三号楼)."""


def by_itself(*spellings: str) -> str:
    """Regular expression of a short number as a number of its own (打120): no part of a room (1203室), of a telephone
    number (13812345678) or of an amount (120块)."""
    said = "|".join(spellings)
    return (
        f"(?<!{NUMBER})(?<![-#])(?:{said})"
        f"(?!(?<=[0-9])[0-9]|(?<![0-9]){NUMBER}(?!{_BEGINS_ANEW})|[号室块元平斤米]|户(?!外)|房(?![东顶])|多[块元个号户])"
    )


DIGIT = "[0-9零〇○一二三四五六七八九两幺]"
"""One figure said by itself."""
_CARDINAL = re.compile(rf"(?:({DIGIT})千)?(?:零?({DIGIT})百)?(?:零?({DIGIT}?)十({DIGIT}?)|零({DIGIT}))?")


def read_number(said: str) -> str | None:
    """Figures of a number said as a number, digit by digit, or both: 十二 → 12, 幺幺零二 and 十一零二 → 1102.

    None when it cannot be read.
    """
    if not said or not all(re.match(NUMBER, c) for c in said):
        return None
    if not re.search("[十百千]", said):
        return "".join(DIGITS[c] for c in said)
    match = _CARDINAL.match(said)
    assert match is not None
    thousands, hundreds, tens, ones, lone = match.groups()
    if not match.group() or not re.search("[十百千]", match.group()):
        return None
    value = 0
    for digit, worth in ((thousands, 1000), (hundreds, 100)):
        value += int(DIGITS[digit]) * worth if digit else 0
    if tens is not None:
        value += 10 * int(DIGITS[tens] if tens else 1) + int(DIGITS[ones] if ones else 0)
    value += int(DIGITS[lone]) if lone else 0
    left = said[match.end() :]
    if re.search("[十百千]", left):
        return None
    if len(left) == 1 and hundreds and tens is None and lone is None:
        return str(value + 10 * int(DIGITS[left]))
    return str(value) + "".join(DIGITS[c] for c in left)
