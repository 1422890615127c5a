"""What was not transcribed is decoded again from the last final result on: as good as decoding the whole."""

from __future__ import annotations

from pathlib import Path

from rapidfuzz.distance import Levenshtein
from transcriber_node import Node

from callcenter.speech.files import transcribe_pcm
from callcenter.speech.say import synthesise

SENTENCES = Path(__file__).parents[3] / "models" / "evaluation" / "domain.tsv"
IN_A_CALL = 6
CALLS = 4
PAUSE = bytes(2 * 8000 * 3 // 2)
"""1.5 s of silence: an utterance ends."""
ERROR_RATE_MOST = 0.01


def calls() -> list[bytes]:
    """Calls of several sentences each, 8 kHz."""
    rows = [row for row in SENTENCES.read_text(encoding="utf-8").splitlines() if row and not row.startswith("#")]
    texts = [row.split("\t")[1] for row in rows][: IN_A_CALL * CALLS]
    spoken = [synthesise(text) + PAUSE for text in texts]
    return [b"".join(spoken[at : at + IN_A_CALL]) for at in range(0, len(spoken), IN_A_CALL)]


async def test_decoding_from_any_final_on_gives_what_decoding_the_whole_gives(node: Node) -> None:
    errors = characters = cuts = 0
    for pcm in calls():
        whole = await transcribe_pcm(node.url, pcm)
        assert len(whole) >= IN_A_CALL
        expected = "".join(final.text for final in whole)
        for n, last in enumerate(whole[:-1], 1):
            rest = await transcribe_pcm(node.url, pcm[last.end_ms * 16 :], offset_ms=last.end_ms)
            again = "".join(final.text for final in (*whole[:n], *rest))
            errors += Levenshtein.distance(expected, again)
            characters += len(expected)
            cuts += 1
    assert cuts >= CALLS * (IN_A_CALL - 1)
    assert errors / characters <= ERROR_RATE_MOST, f"{errors} of {characters} characters differ after {cuts} cuts"
