"""Written text as it is said: what names something is spelled with 幺, what counts is read as a number."""

import pytest

from callcenter.speech.reading import CLAUSE_PAUSE_MS, clauses_of, in_characters, number_in_chinese


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("三号楼二单元1102室", "三号楼二单元幺幺零二室"),
        ("您的单号是100001", "您的单号是幺零零零零幺"),
        ("24小时内答复", "二十四小时内答复"),
        ("2小时", "两小时"),
        ("3个工作日", "三个工作日"),
        ("20:10到20:05", "二十点十分到二十点零五分"),
        ("8:30-16:30", "八点三十分到十六点三十分"),
        ("拨打110或12345", "拨打幺幺零或幺二三四五"),
        ("13800138000", "幺三八、零零幺三、八零零零"),
        ("2026-11-21", "二零二六年十一月二十一日"),
        ("2026年", "二零二六年"),
        ("5-801", "五号楼八零幺"),
        ("3-2-1102", "三号楼二单元幺幺零二"),
        ("共1200元", "共一千二百元"),
        ("123.5元", "一百二十三点五元"),
        ("95%", "百分之九十五"),
        ("一一零二", "幺幺零二"),
        ("二十一号", "二十一号"),
    ],
)
def test_figures_are_read_as_on_the_telephone(written: str, said: str) -> None:
    assert in_characters(written) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (105, "一百零五"),
        (110, "一百一十"),
        (1002, "一千零二"),
        (30500, "三万零五百"),
    ],
)
def test_counting_numbers(value: int, said: str) -> None:
    assert number_in_chinese(value) == said


def test_clauses_pause_between_and_not_after_the_last() -> None:
    clauses = clauses_of("您好，幸福小区。", "zh")
    assert [c.text for c in clauses] == ["nin2 hao3", "xing4 fu2 xiao3 qu1"]
    assert [c.pause_ms for c in clauses] == [CLAUSE_PAUSE_MS, 0]


def test_latin_letters_in_mandarin_are_said_by_the_english_voice() -> None:
    assert [c.language for c in clauses_of("请打开APP看看", "zh")] == ["zh", "en", "zh"]


def test_english_rooms_and_tickets_are_spelled() -> None:
    assert [c.text for c in clauses_of("It is in unit 2, room 1102.", "en")] == ["It is in unit 2", "room 1 1 0 2"]


def test_nothing_to_say() -> None:
    assert clauses_of("……", "zh") == []
