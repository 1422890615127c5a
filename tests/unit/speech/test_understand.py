"""The model's labels with the rules over them, on the model that ships."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from callcenter.config import load_settings
from callcenter.domain.labels import Label
from callcenter.domain.understanding.contact import only_introduces
from callcenter.domain.understanding.rules import DEPARTMENT_OF, understand_by_rules
from callcenter.domain.understanding.text import utterance
from callcenter.domain.understanding.vocabulary import TOPICS
from callcenter.errors import SpeechError
from callcenter.speech.features import features, folded, masked
from callcenter.speech.linear import LinearModel
from callcenter.speech.train_understanding import HOME, check_overlap
from callcenter.speech.training_text import Sentence, read_spoken, read_templates, shared_spans, spoken_variations
from callcenter.speech.understand import DOUBTFUL_AT, MODEL, Understander, load_understander
from callcenter.speech.understanding_figures import evaluation_files, figures_of, read_labelled

OWN, STRANGERS = evaluation_files(HOME)


@pytest.fixture(scope="module")
def understander() -> Understander:
    return load_understander(load_settings(environment={}))


def test_promised_figures_hold_on_the_evaluation_sentences() -> None:
    figures = figures_of(LinearModel.load(MODEL), OWN)
    assert figures.sentences >= 200
    assert figures.category_error <= 0.10
    assert figures.urgency_error <= 0.05
    assert figures.emergencies_missed == 0
    assert figures.false_emergencies <= 0.03


def test_half_of_the_evaluation_has_homophone_errors() -> None:
    heard_wrong = len(read_labelled(HOME / "evaluation" / "homophones.jsonl"))
    assert heard_wrong * 2 >= sum(len(read_labelled(file)) for file in OWN)


def test_the_most_urgent_matter_wins(understander: Understander) -> None:
    told = understander.understand("我想问下物业费怎么交，哎呀等一下，厨房着火了，快来人")
    assert (told.category.value, told.urgency.value) == ("fire", "emergency")
    assert told.kind.value == "help"
    assert "着火" in told.urgency.evidence


def test_what_is_unclear_is_to_be_confirmed(understander: Understander) -> None:
    assert understander.understand("那个就是上面那个东西它又那样了").to_confirm


def test_a_possible_emergency_that_is_called_none_is_to_be_confirmed(understander: Understander) -> None:
    doubtful = 0
    for row in (row for file in sorted((HOME / "dev").glob("*.jsonl")) for row in read_labelled(file)):
        told = understander.understand(row.text)
        chance = understander.chance_of_emergency(row.text)
        if told.urgency.value != "emergency" and chance > DOUBTFUL_AT:
            doubtful += 1
            assert told.to_confirm
    assert doubtful > 0


@pytest.mark.parametrize(
    "said",
    [
        "水管漏水了", "厨房水管漏水了", "我家漏水了", "你好我要报修我家厨房的水管漏水了请派人来修一下",
        "三号楼二单元一一零二卫生间漏水", "水龙头漏水", "我家水官漏水了麻烦来看看",
    ],
)  # fmt: skip
def test_a_leak_of_which_nothing_else_is_told_is_no_emergency_but_listened_to_in_doubt(
    understander: Understander, said: str
) -> None:
    told = understander.understand(said)
    assert told.category.value == "water_leak"
    assert told.urgency.value != "emergency"
    assert told.to_confirm or understander.chance_of_emergency(said) <= DOUBTFUL_AT


@pytest.mark.parametrize(
    "said",
    [
        "水管爆了", "厨房水管爆裂了", "水漫出来了", "家里漏水关不住", "水管漏水漏得厉害", "漏水漏到楼下去了快来",
        "水管漏水了到处都是水", "水管漏水喷出来了", "漏水都淹到客厅了",
    ],
)  # fmt: skip
def test_a_leak_that_grows_is_an_emergency(understander: Understander, said: str) -> None:
    assert understander.understand(said).urgency.value == "emergency"


def test_the_site_s_places_are_checked(understander: Understander) -> None:
    assert understander.understand("三号楼二单元一一零二的灯不亮").place.building.confidence > 0.8
    assert understander.understand("八十八号楼的灯不亮").place.building.confidence < 0.5


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=300), language=st.sampled_from(["zh", "en"]))
def test_any_text_is_understood_as_something(understander: Understander, text: str, language: str) -> None:
    told = understander.understand(text, language)
    assert 0 <= told.category.confidence < 1
    said = utterance(text)
    tells = said.has_words and not (language == "en" and only_introduces(said))
    assert (told.category.confidence > 0) == tells


def test_features_hear_alike_what_sounds_alike() -> None:
    assert folded("诗") == folded("丝")
    assert folded("音") == folded("英")
    assert masked("三号楼二单元一一零二漏水") == "#漏水"


def test_a_topic_is_known_by_word_and_by_sound() -> None:
    seen = {word: set(features(utterance(word), "zh")) for word in ("鹦鹉", "英武", "今天")}
    assert len(seen["鹦鹉"] & seen["英武"]) > len(seen["鹦鹉"] & seen["今天"])


def test_every_word_of_the_vocabulary_stands_once_in_its_topic() -> None:
    for topic, listed in TOPICS.items():
        words = listed.split()
        assert len(words) == len(set(words)), topic


def test_a_spoken_sentence_keeps_its_labels_and_weight_however_it_is_heard() -> None:
    sentence = Sentence("楼下的路灯又灭了一盏", "repair", "facility", "normal", "zh", 3.0)
    variations = list(spoken_variations(sentence, Random(1)))
    assert variations[0] == sentence
    assert len({v.text for v in variations}) == len(variations)
    assert {(v.kind, v.category, v.urgency, v.weight) for v in variations} == {("repair", "facility", "normal", 3.0)}


def test_the_spoken_sentences_are_all_different_and_cover_every_category() -> None:
    spoken = read_spoken(HOME / "training")
    assert len({s.text for s in spoken}) == len(spoken) > 2000
    assert {s.category for s in spoken} == set(DEPARTMENT_OF)


def test_shared_spans_are_found() -> None:
    assert shared_spans(["我家厨房的水龙头一直滴水"], ["厨房的水龙头一直响"]) == {
        "厨房的水龙头一直": "厨房的水龙头一直响"
    }
    assert shared_spans(["我家厨房的水龙头坏了"], ["厨房的水龙头响"]) == {}


def test_training_on_an_evaluation_sentence_fails(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="reword the training text"):
        check_overlap([Sentence("快来人啊我们这层楼道里全是浓烟", "help", "fire", "emergency")], HOME / "evaluation")


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("## repair house normal\n(窗户|门坏了\n", encoding="utf-8")
    with pytest.raises(SpeechError, match=r"a\.txt:2"):
        read_templates(tmp_path)


def test_a_damaged_model_is_said_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="train_understanding"):
        LinearModel.load(tmp_path / "labels.npz")
    (tmp_path / "labels.npz").write_bytes(MODEL.read_bytes()[:1000])
    with pytest.raises(SpeechError, match="damaged"):
        LinearModel.load(tmp_path / "labels.npz")


def _cli() -> object:
    import typer

    from callcenter.speech.understand_cli import understand

    application = typer.Typer()
    application.command()(understand)
    return application


def test_the_command_prints_a_json_line_for_each_text() -> None:
    lines = "我家三号楼二单元1102没电了我姓王\nthere is a fire in building 3\n"
    done = CliRunner().invoke(_cli(), ["--json"], input=lines)  # type: ignore[arg-type]
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert list(first) == [
        "kind", "category", "urgency", "department", "place", "name", "phone", "source", "intents",
        "to_confirm",
    ]  # fmt: skip
    assert first["place"]["room"]["value"] == "1102"
    assert set(first["category"]) == {"value", "confidence", "evidence"}
    assert first["name"]["value"] == "王"
    assert second["urgency"]["value"] == "emergency"


@pytest.mark.parametrize(
    "said",
    [
        "", "   ", "🔥🔥😱", "๑۩۞۩๑", "𠮷𠮷", "asdf qwer", "1234567890", "，。！？", "廚房著火了快來人",
        "我家漏水了" * 4000, "hello " * 4000,
    ],
)  # fmt: skip
def test_every_line_gets_a_line_with_all_keys_whatever_it_holds(said: str) -> None:
    done = CliRunner().invoke(_cli(), ["--json"], input=said + "\n")  # type: ignore[arg-type]
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    labels = [told[key] for key in ("kind", "category", "urgency", "department", "name", "phone")]
    labels += [told["place"][part] for part in ("building", "unit", "room")]
    assert all(set(label) == {"value", "confidence", "evidence"} for label in labels)
    assert told["to_confirm"] or said.strip()


@pytest.mark.parametrize("said", ["", "   ", "，。！？", "1234567890", "🔥🔥"])
@pytest.mark.parametrize("rules", [True, False])
def test_nothing_is_understood_where_no_word_was_said(said: str, rules: bool, understander: Understander) -> None:
    for language in ("zh", "en"):
        told = understand_by_rules(said, language) if rules else understander.understand(said, language)
        assert told.kind == Label("none", 0.0)
        assert told.category == Label("other", 0.0)
        assert told.urgency == Label("normal", 0.0)
        assert told.to_confirm


@pytest.mark.parametrize(
    "said",
    [
        "my number is 138 1234 5678", "my name is O'Brien", "hello this is John Smith from building 3 unit 2",
        "good morning my name is anna lee i live in building 3 room 502", "i'm mr. brown", "hi",
        "my phone number is one three eight double zero one two three four five six",
    ],
)  # fmt: skip
def test_who_only_introduces_themselves_tells_no_matter(said: str, understander: Understander) -> None:
    told = understander.understand(said, "en")
    assert (told.kind, told.urgency) == (Label("none", 0.0), Label("normal", 0.0))


@pytest.mark.parametrize(
    "said",
    [
        "my name is john and my tap is leaking", "this is anna there is a fire in building 3", "room 502 is cold",
        "i am in the lift and it is stuck", "my name is help me please",
    ],
)  # fmt: skip
def test_a_matter_told_with_a_name_is_heard(said: str, understander: Understander) -> None:
    assert understander.understand(said, "en").kind.confidence > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--language", "fr", "bonjour"], "'fr' is not one of"), (["--site", "nowhere", "漏水"], "xingfu")],
)
def test_what_the_command_cannot_do_is_refused_with_what_it_can(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(_cli(), arguments)  # type: ignore[arg-type]
    assert done.exit_code != 0
    assert done.stdout == ""
    assert words in done.stderr + str(done.exception)


def test_lines_that_are_no_utf8_are_answered_and_named() -> None:
    given = "漏水\n".encode() + "没电了\n".encode("gb18030") + "停水了\n".encode() + b"\xff\n"
    done = CliRunner().invoke(_cli(), ["--json"], input=given)  # type: ignore[arg-type]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["category"]["value"] for one in told] == ["water_leak", "other", "water_supply", "other"]
    assert told[1]["to_confirm"]
    assert done.exit_code == 1
    assert isinstance(done.exception, SpeechError)
    assert "line 2 and 1 more" in str(done.exception)


def test_traditional_characters_tell_an_emergency(understander: Understander) -> None:
    assert understander.understand("廚房著火了快來人").urgency.value == "emergency"
