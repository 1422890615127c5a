"""The hand-written text, its grammar, and the wall between training and test."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random

import pytest
from ruamel.yaml import YAML

from models.evaluation import sets
from models.recipe import development, grammar, overlap, spoken_numbers
from models.recipe.phones import UnknownSyllableError, all_syllables, phone_names, readings, syllable_phones

ROOT = Path(__file__).resolve().parents[2]


def test_the_open_test_set_has_at_least_120_sentences_of_all_categories() -> None:
    found = sets.sentences("open")
    assert len(found) >= 120
    taxonomy = YAML(typ="safe").load(ROOT / "config" / "taxonomy.yaml")
    assert {s.kind for s in found} == set(taxonomy["categories"])
    assert len({s.text for s in found}) == len(found)


def test_training_text_voices_and_noises_do_not_touch_the_test_sets() -> None:
    overlap.check([*grammar.sentences(1), *development.sentences()])


def test_no_sentence_of_the_closed_domain_set_is_in_the_training_text() -> None:
    found = sets.sentences("domain")
    assert len(found) == sets.held_out().domain_sentences
    assert not {s.text for s in found} & set(grammar.sentences(1))


def test_a_line_more_changes_no_other_and_says_nothing_that_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = grammar.sentences(1)
    more = grammar.Line("x.txt", 1, "<building>的[电]梯{坏|停}了")
    lines = grammar.lines()
    monkeypatch.setattr(grammar, "lines", lambda: (more, *lines))
    after = grammar.sentences(1)
    assert after[-len(before) :] == before
    added = after[: -len(before)]
    assert len(added) > 40
    assert not any(grammar.held_back(sentence) for sentence in added)
    assert all(grammar.held_back(s.text) for s in sets.sentences("domain"))


def test_a_shared_run_is_found_but_courtesies_and_numbers_are_not() -> None:
    held_out = sets.held_out()
    test = ["坐电梯往下掉了一截吓死人了", "我住二十一号楼三单元六零二"]
    courteous = dataclasses.replace(held_out, courtesies=("不好意思打扰您一下",))
    assert overlap.shared_spans(["昨天坐电梯往下掉了一截"], test, held_out)
    assert not overlap.shared_spans(["昨天坐电梯往下掉"], test, held_out)
    assert not overlap.shared_spans(["我住二十一号楼三单元六零二"], test, held_out)
    assert not overlap.shared_spans(["不好意思打扰您一下"], ["不好意思打扰您一下"], courteous)


def test_a_test_voice_in_training_fails_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap.voices, "NAMED", ("m1", "norbert"))
    with pytest.raises(overlap.OverlapError, match="norbert"):
        overlap.check([])


def test_every_template_expands_and_says_where_it_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    random = Random(5)
    for line in grammar.lines():
        assert grammar.expand(line.template, random, line)
    line = grammar.Line("x.txt", 3, "{一|二")
    with pytest.raises(grammar.GrammarError, match=r"x\.txt:3"):
        grammar.expand(line.template, random, line)
    with pytest.raises(grammar.GrammarError, match="nosuch"):
        grammar.expand("<nosuch>", random, line)


def test_alternatives_options_and_slots() -> None:
    line = grammar.Line("x.txt", 1, "")
    seen = {grammar.expand("{甲|乙[丙|丁]}", Random(i), line) for i in range(60)}
    assert seen == {"甲", "乙", "乙丙", "乙丁"}
    assert grammar.combinations("{甲|乙[丙|丁]}", line) == 4


def test_addresses_reach_99_buildings_9_units_36_floors() -> None:
    random = Random(2)
    text = {spoken_numbers.address(random) for _ in range(60_000)}
    assert any("九十九栋" in t for t in text)
    assert any("九单元" in t for t in text)
    assert any("三十六" in t for t in text)
    assert spoken_numbers.cardinal(110) == "一百一十"
    assert spoken_numbers.cardinal(2005) == "二千零五"


def test_mobile_numbers_have_eleven_digits_said_one_way() -> None:
    for seed in range(200):
        number = spoken_numbers.mobile(Random(seed))
        assert len(number) == 11
        assert not ("幺" in number and "一" in number)


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        ("yi1", ("y", "i1")),
        ("yao1", ("y", "iao1")),
        ("wu3", ("w", "u3")),
        ("er4", ("Q", "er4")),
        ("zhi1", ("zh", "iR1")),
    ],
)
def test_every_syllable_begins_with_a_phone_of_its_own(syllable: str, phones: tuple[str, str]) -> None:
    assert syllable_phones(syllable) == phones


def test_all_syllables_have_known_phones_and_others_are_refused() -> None:
    names = set(phone_names())
    assert all(set(syllable_phones(s)) <= names for s in all_syllables())
    with pytest.raises(UnknownSyllableError):
        syllable_phones("ng2")
    assert readings("幺幺零") == ["yao1", "yao1", "ling2"]
