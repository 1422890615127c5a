"""Pauses: one inside a sentence must not cut it, one between sentences must end an utterance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import vosk

from models.evaluation import sets, speech
from models.evaluation.recognise import recognise
from models.evaluation.scoring import ErrorRate


def measure_pauses(model: vosk.Model, cache: Path) -> dict[str, float]:
    """Shares of turns cut where they should be (`inside`: not at all; `between`: once a pause), and their CER."""
    held_out = sets.held_out()
    right: dict[str, list[bool]] = {"inside": [], "between": []}
    rate = ErrorRate()
    turns = sets.paused_turns()
    wanted = []
    for index, turn in enumerate(turns):
        for voice in speech.voices_for(held_out, 5000 + index, 2):
            requests = [speech.Request(part, voice) for part in turn.parts]
            wanted.append((index, turn, requests))
    audio = speech.synthesise([request for _, _, requests in wanted for request in requests], cache)
    others = list(audio.values())
    for index, turn, requests in wanted:
        pieces = []
        for request, pause_s in zip(requests, [*turn.pauses_s, 0.0], strict=True):
            sound = audio[request]
            loud = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
            pieces += [sound[loud[0] : loud[-1] + 1], np.zeros(int(pause_s * 8000))]
        samples = speech.condition(np.concatenate(pieces), "noise_alaw", held_out, 5000 + index, others)
        heard = recognise(model, samples)
        rate.add("".join(turn.parts), heard.text)
        expected = 1 if turn.kind == "inside" else len(turn.parts)
        right[turn.kind].append(heard.results == expected)
    out = {f"{kind}_right": round(sum(found) / len(found), 3) for kind, found in right.items()}
    return {**out, "cer": round(rate.rate, 4)}
