"""Numbers, times and places as words, and back again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.dialplan import numbers
from callcenter.dialplan.answers import read_digits
from callcenter.dialplan.load import Dialplan
from callcenter.domain.understanding.numerals import read_number

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
EN_WORDS = dict(zip(numbers._EN_ONES, range(20), strict=True)) | {
    word: 10 * at for at, word in enumerate(numbers._EN_TENS) if word
}


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "零", "zero"),
        (2, "二", "two"),
        (10, "十", "ten"),
        (12, "十二", "twelve"),
        (20, "二十", "twenty"),
        (105, "一百零五", "one hundred and five"),
        (110, "一百一十", "one hundred and ten"),
        (1002, "一千零二", "one thousand and two"),
        (10010, "一万零一十", "ten thousand and ten"),
        (120300, "十二万零三百", "one hundred and twenty thousand three hundred"),
    ],
)
def test_counting_numbers(value: int, zh: str, en: str) -> None:
    assert numbers.join(numbers.number(value, "zh"), "zh") == zh
    assert numbers.join(numbers.number(value, "en"), "en") == en


@pytest.mark.parametrize("value", [-1, 10**8])
def test_what_is_no_counting_number_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="digit by digit"):
        numbers.number(value, "zh")


@given(st.integers(0, 9999))
def test_a_mandarin_number_is_understood_as_itself(value: int) -> None:
    assert read_number(numbers.join(numbers.number(value, "zh"), "zh")) == str(value)


@given(st.integers(0, 10**8 - 1))
def test_an_english_number_is_understood_as_itself(value: int) -> None:
    total, part = 0, 0
    for word in numbers.number(value, "en"):
        if word in EN_WORDS:
            part += EN_WORDS[word]
        elif word == "hundred":
            part *= 100
        elif word != "and":
            total, part = total + part * {"thousand": 1000, "million": 10**6}[word], 0
    assert total + part == value


@given(st.from_regex(r"[0-9]{1,14}", fullmatch=True), st.sampled_from(["zh", "en"]))
def test_spelled_digits_are_heard_as_themselves(text: str, language: str) -> None:
    for reader in (numbers.digits, numbers.ticket, numbers.phone):
        assert read_digits(numbers.join(reader(text, language), language), language) == text


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("+8613800001234", "幺三八，零零零零，幺二三四"),
        ("13800001234", "幺三八，零零零零，幺二三四"),
        ("010-6555 1234", "零幺零六，五五五幺，二三四"),
        ("110", "幺幺零"),
    ],
)
def test_phone_numbers(text: str, zh: str) -> None:
    assert numbers.join(numbers.phone(text, "zh"), "zh") == zh


def test_ticket_numbers_in_groups() -> None:
    assert numbers.join(numbers.ticket("100001", "zh"), "zh") == "幺零零，零零幺"
    assert numbers.join(numbers.ticket("100001", "en"), "en") == "one zero zero, zero zero one"


@pytest.mark.parametrize(
    ("place", "zh", "en"),
    [
        (("3", "2", "1102"), "三号楼二单元幺幺零二室", "building three, unit two, room one one zero two"),
        (("12", None, "801"), "十二号楼八零幺室", "building twelve, room eight zero one"),
        (("6", None, None), "六号楼", "building six"),
        (("A", "1", "302"), "A号楼一单元三零二室", "building A, unit one, room three zero two"),
        (("东3", None, None), "东三号楼", "building 东 three"),
        ((None, None, None), "", ""),
    ],
)
def test_addresses(place: tuple[str | None, str | None, str | None], zh: str, en: str) -> None:
    assert numbers.join(numbers.address(*place, "zh"), "zh") == zh
    assert numbers.join(numbers.address(*place, "en"), "en") == en


def test_written_addresses() -> None:
    assert numbers.parse_address("3号楼2单元1102室") == ("3", "2", "1102")
    assert numbers.parse_address("6号楼") == ("6", None, None)
    assert numbers.parse_address("花园") == (None, None, None)


@pytest.mark.parametrize(
    ("hour", "minute", "zh", "en"),
    [
        (0, 5, "凌晨十二点零五分", "twelve oh five AM"),
        (8, 30, "上午八点半", "eight thirty AM"),
        (12, 0, "中午十二点", "twelve PM"),
        (14, 0, "下午两点", "two PM"),
        (15, 30, "下午三点半", "three thirty PM"),
        (23, 45, "晚上十一点四十五分", "eleven forty five PM"),
    ],
)
def test_times(hour: int, minute: int, zh: str, en: str) -> None:
    moment = NOW.replace(hour=hour, minute=minute)
    assert numbers.join(numbers.time_of_day(moment, "zh"), "zh") == zh
    assert numbers.join(numbers.time_of_day(moment, "en"), "en") == en


@pytest.mark.parametrize(
    ("away", "zh", "en"),
    [
        (-1, "昨天", "yesterday"),
        (0, "今天", "today"),
        (1, "明天", "tomorrow"),
        (2, "后天", "the day after tomorrow"),
        (4, "周日", "on Sunday"),
        (7, "三月十一号", "on March eleventh"),
        (28, "四月一号", "on April first"),
        (-9, "二月二十三号", "on February twenty third"),
    ],
)
def test_days(away: int, zh: str, en: str) -> None:
    moment = NOW.date() + timedelta(days=away)
    assert numbers.join(numbers.day(moment, NOW.date(), "zh"), "zh") == zh
    assert numbers.join(numbers.day(moment, NOW.date(), "en"), "en") == en


def test_deadlines() -> None:
    due = NOW.replace(hour=15, minute=30)
    assert numbers.join(numbers.deadline(due, NOW, "zh"), "zh") == "今天下午三点半前"
    assert numbers.join(numbers.deadline(due, NOW, "en"), "en") == "by three thirty PM today"
    assert numbers.join(numbers.when(due, NOW, "en"), "en") == "today at three thirty PM"


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (0, "零分钟", "zero minutes"),
        (1, "一分钟", "one minute"),
        (30, "三十分钟", "thirty minutes"),
        (90, "一个半小时", "one hour and thirty minutes"),
        (120, "两小时", "two hours"),
        (135, "两小时十五分钟", "two hours and fifteen minutes"),
    ],
)
def test_durations(minutes: int, zh: str, en: str) -> None:
    assert numbers.join(numbers.duration(minutes, "zh"), "zh") == zh
    assert numbers.join(numbers.duration(minutes, "en"), "en") == en


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 — only the wall's figures matter
    st.integers(0, 10**6 - 1),
    st.tuples(*[st.none() | st.integers(1, 40).map(str)] * 2, st.none() | st.integers(100, 9999).map(str)),
    st.sampled_from(["zh", "en"]),
)
def test_every_word_has_a_recording(
    zh: Dialplan, en: Dialplan, moment: datetime, ticket: int, place: tuple[str, str, str], language: str
) -> None:
    prompts = (zh if language == "zh" else en).prompts
    words = [
        *numbers.deadline(moment, NOW.replace(tzinfo=None), language),
        *numbers.ticket(str(ticket), language),
        *numbers.address(*place, language),
        *numbers.duration(ticket % 600, language),
        *numbers.number(ticket, language),
    ]
    clips = prompts.say_words("x", words)
    assert [clip.text for clip in clips if clip.audio is None] == []
    glue = "" if language == "zh" else " "
    said = glue.join(clip.text for clip in clips)
    assert said.replace("，", "").replace(",", "") == glue.join(w for w in words if w != numbers.PAUSE[language])


def test_days_are_counted_on_the_calendar() -> None:
    assert numbers.day(date(2027, 1, 1), date(2026, 12, 31), "zh") == ["明天"]
