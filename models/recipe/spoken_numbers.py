"""Numbers as callers say them: rooms, buildings, telephone numbers, plates, times, amounts. Each function
takes a `random.Random` and returns words parted by nothing; digits are said one by one (幺 or 一 for 1)."""

from __future__ import annotations

from random import Random

DIGITS = "零一二三四五六七八九"


def say_digits(digits: str, one: str) -> str:
    """'1102' -> '幺幺零二' or '一一零二' as `one` says."""
    return "".join(one if d == "1" else DIGITS[int(d)] for d in digits)


def one_word(random: Random) -> str:
    """幺 or 一: speakers keep to one of them within a number."""
    return random.choice("幺一")


def cardinal(number: int) -> str:
    """0..9999 as it is counted: 10 十, 21 二十一, 105 一百零五, 110 一百一十."""
    if number < 10:
        return DIGITS[number]
    if number < 20:
        return "十" + (DIGITS[number % 10] if number % 10 else "")
    if number < 100:
        return DIGITS[number // 10] + "十" + (DIGITS[number % 10] if number % 10 else "")
    unit, name = (1000, "千") if number >= 1000 else (100, "百")
    head, rest = divmod(number, unit)
    out = DIGITS[head] + name
    if not rest:
        return out
    if rest < unit // 10:
        return out + "零" + cardinal(rest)
    return out + ("一" + cardinal(rest) if 10 <= rest < 20 else cardinal(rest))


def building(random: Random) -> str:
    """1..99, small numbers more often."""
    return cardinal(random.randint(1, 99) if random.random() < 0.4 else random.randint(1, 36))


def unit(random: Random) -> str:
    """1..9."""
    return DIGITS[random.randint(1, 9) if random.random() < 0.4 else random.randint(1, 4)]


def floor(random: Random) -> str:
    """1..36."""
    return cardinal(random.randint(1, 36))


def room(random: Random) -> str:
    """A room number of three or four digits: floor 1..36, door 1..16."""
    door = random.randint(1, 8) if random.random() < 0.8 else random.randint(1, 16)
    return say_digits(f"{random.randint(1, 36)}{door:02d}", one_word(random))


def mobile(random: Random) -> str:
    """Eleven digits that begin like a mobile number; often with repeated digits, as real ones are."""
    head = "1" + random.choice("35789") + random.choice("0123456789")
    tail = ""
    while len(tail) < 8:
        tail += tail[-1] if tail and random.random() < 0.2 else random.choice("0123456789")
    return say_digits(head + tail, one_word(random))


def landline(random: Random) -> str:
    """Seven or eight digits, with or without an area code."""
    area = random.choice(["", "", "", "010", "021", "0" + str(random.randint(311, 999))])
    body = random.choice("2345678") + "".join(random.choice("0123456789") for _ in range(random.choice((6, 7))))
    return say_digits(area + body, one_word(random))


def short_code(random: Random) -> str:
    """110, 119, 120, 12345, 114, 95598 and other short service numbers."""
    code = random.choice(["110", "119", "120", "122", "12345", "114", "95598", "12315", "12319", "10086"])
    return say_digits(code, one_word(random))


def digits(random: Random) -> str:
    """A run of two to twelve digits of any kind: codes, card numbers."""
    run = ""
    for _ in range(random.randint(2, 12)):
        run += run[-1] if run and random.random() < 0.25 else random.choice("0123456789")
    return say_digits(run, one_word(random))


def plate_digits(random: Random) -> str:
    """Five digits of a number plate."""
    return say_digits("".join(random.choice("0123456789") for _ in range(5)), one_word(random))


def hour(random: Random) -> str:
    """点 on the clock: 六点, 两点半, 十一点一刻, 八点四十."""
    number = random.randint(1, 12)
    text = ("两" if number == 2 else cardinal(number)) + "点"
    return text + random.choice(["", "", "", "半", "钟", "左右", "多", "一刻", "二十", "四十", "三十五", "零五分"])


def amount(random: Random) -> str:
    """An amount of money."""
    number = random.choice((random.randint(1, 99), random.randint(100, 999), random.randint(1, 60) * 50))
    return cardinal(min(number, 9999)) + random.choice(["块", "块钱", "元", "多块", "块五"])


ADDRESSES = (
    "{b}号楼{r}", "{b}号楼{r}室", "{b}号楼{u}单元{r}", "{b}号楼{u}单元{r}室", "{b}号楼{u}单元", "{b}号楼",
    "{b}栋{r}", "{b}栋{u}单元{r}", "{b}栋{u}单元{r}室", "{b}栋{u}单元", "{b}栋{r}室", "{b}栋",
    "{b}座{r}", "{b}座", "{u}期{b}号楼{r}", "{u}期{b}栋{u2}单元{r}", "{b}号楼{f}层", "{b}号楼{f}楼",
    "{b}栋{u}单元{f}楼", "{b}栋{f}层", "{u}单元{r}", "{u}单元{r}室", "{u}单元{f}楼",
    "{b}号楼{u}单元{f}楼{r}", "{b}号楼{u}单元{f}层", "{z}区{b}号楼{r}", "{z}区{b}栋{u}单元{r}",
    "{b}幢{r}", "{b}幢{u}单元{r}室", "{b}号院{u}号楼{r}", "{b}楼{u}单元{r}", "{b}号商铺", "{b}号别墅",
    "{b}号楼地下{u}层", "{b}杠{r}",
)  # fmt: skip


def address(random: Random) -> str:
    """Building, unit, floor, room in one of the ways of ADDRESSES, up to 99栋9单元36楼."""
    return random.choice(ADDRESSES).format(
        b=building(random),
        u=unit(random),
        u2=unit(random),
        f=floor(random),
        r=room(random),
        z=random.choice("东西南北"),
    )
