"""Understanding by rules alone: light, complete, and in step with the taxonomy."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from callcenter.domain.codec import from_json, to_json
from callcenter.domain.labels import Understanding
from callcenter.domain.understanding import understand_by_rules
from callcenter.domain.understanding.rules import DEPARTMENT_OF
from callcenter.domain.understanding.text import mend_homophones, utterance
from callcenter.domain.understanding.topics import CATEGORIES_EN, CATEGORIES_ZH
from callcenter.site.taxonomy import load_taxonomy


def test_a_whole_matter() -> None:
    told = understand_by_rules("我家三号楼二单元一一零二水管爆了，我姓王，电话幺三八零零幺三八零零零")
    assert (told.category.value, told.urgency.value, told.department.value) == (
        "water_leak",
        "emergency",
        "engineering",
    )
    assert str(told.place) == "3号楼2单元1102室"
    assert (told.name.value, told.phone.value, told.by) == ("王", "13800138000", "rules")
    assert from_json(Understanding, to_json(told)) == told


def test_departments_and_categories_are_those_of_the_taxonomy() -> None:
    taxonomy = load_taxonomy()
    assert {key: category.department for key, category in taxonomy.categories.items()} == DEPARTMENT_OF
    assert set(CATEGORIES_ZH) == set(CATEGORIES_EN) == set(DEPARTMENT_OF) - {"other"}


def test_a_site_may_name_other_departments() -> None:
    assert understand_by_rules("路灯不亮", departments={"facility": "security"}).department.value == "security"


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "numpy sklearn pypinyin vosk soxr aiohttp pydantic"
    code = f"import sys, callcenter.domain.understanding; print([m for m in '{heavy}'.split() if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_homophones_are_mended_only_where_no_other_word_stands() -> None:
    assert mend_homophones("点梯坏了") == "电梯坏了"
    assert mend_homophones("保管好你的东西") == "保管好你的东西"
    assert mend_homophones("师傅迟到了") == "师傅迟到了"
    assert mend_homophones("楼倒灯不亮") == "楼道灯不亮"


@given(st.text(max_size=80))
def test_normalising_keeps_track_of_the_words(raw: str) -> None:
    said = utterance(raw)
    assert len(said.text) == len(said.mended) == len(said.at)
    assert list(said.at) == sorted(said.at)
    assert said.evidence(0, len(said.text)) in said.raw


@given(st.text(max_size=200), st.sampled_from(["zh", "en"]))
def test_any_text_is_understood_as_something(text: str, language: str) -> None:
    told = understand_by_rules(text, language)
    assert told.urgency.value in {"emergency", "important", "normal"}
    assert all(0 <= label.confidence <= 1 for label in (told.kind, told.category, told.urgency, told.department))
