"""What a client of the transcriber may ask."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import SpeechError
from callcenter.speech.protocol import Command, Replies, StreamConfig, read_config, read_message


def test_vosk_servers_own_messages() -> None:
    command, config = read_message(
        '{ "config" : { "sample_rate" : 16000.0, "phrase_list" : ["一", "[unk]"], "words" : 0 } }'
    )
    assert command is Command.CONFIG
    assert read_config(config, 8000) == StreamConfig(16000, ("一", "[unk]"), words=False)
    assert read_message('{"eof" : 1}')[0] is Command.EOF
    assert read_message('{"flush" : 1}')[0] is Command.FLUSH


def test_nothing_said_means_the_models_rate_and_a_reply_each() -> None:
    assert read_config({}, 8000) == StreamConfig(8000, (), True, 0, Replies.EACH)
    assert read_config({"replies": "news", "something_new": 1}, 8000).replies is Replies.NEWS


@pytest.mark.parametrize(
    "config",
    [
        {"sample_rate": 7999}, {"sample_rate": 48001}, {"sample_rate": 8000.5}, {"sample_rate": True},
        {"sample_rate": []},
        {"phrase_list": "一"}, {"phrase_list": [1]}, {"phrase_list": [""]}, {"phrase_list": ["字" * 20_001]},
        {"words": "yes"}, {"max_alternatives": -1}, {"max_alternatives": 11}, {"max_alternatives": True},
        {"replies": "never"}, {"model": "another"},
    ],
)  # fmt: skip
def test_absurd_configurations_are_refused_with_a_reason(config: dict[str, object]) -> None:
    with pytest.raises(SpeechError) as refused:
        read_config(config, 8000)
    assert refused.value.code == f"transcribe.{next(iter(config))}"


@given(
    st.text(max_size=200) | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(json.dumps)
)
def test_any_text_is_a_message_or_an_error(text: str) -> None:
    with contextlib.suppress(SpeechError):
        command, config = read_message(text)
        assert isinstance(command, Command)
        assert isinstance(config, dict)
