"""The prompts of one language: texts, the WAV files that say them, and how a text is joined from recorded parts.

`texts.yaml` maps an id to its text. A text may have places to fill in, "您的受理编号是{ticket}。": the pieces between
them are recordings of their own, `<id>.1.wav`, `<id>.2.wav`. A recording by staff in `recorded/<file>.wav` wins over
the rendered one beside the texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from callcenter.dialplan.phone import Clip
from callcenter.dialplan.source import read_yaml
from callcenter.errors import DialplanError

TEXTS = "texts.yaml"
RECORDED = "recorded"
CLAUSE_PAUSE_MS = 250
"""Silence after a sentence; after a comma half of it."""
_ID = re.compile(r"[a-z0-9][a-z0-9_]*\Z")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_SILENT = re.compile(r"[\s，。！？；：、,.!?;:]*\Z")
_EDGE = "，。！？；：、,.!?;: "
_FIELDS = ("text", "rule", "pause_ms")


@dataclass(frozen=True)
class Piece:
    """A stretch of a prompt: recorded words (`file` stem, `text`) or, with `slot`, a value to fill in."""

    text: str
    file: str = ""
    slot: str = ""
    pause_ms: int = 0
    mark: str = ""
    """Punctuation after a value, for who reads what was said."""


@dataclass(frozen=True)
class Prompt:
    """One text of a language. `rule` names the house rule it comes from; `pause_ms` of silence follow it."""

    id: str
    text: str
    rule: str = ""
    pause_ms: int = 0
    line: int = 0
    recorded: bool = True
    """False for a site's own text, which no WAV says: the voice says it."""

    @cached_property
    def slots(self) -> tuple[str, ...]:
        """Names of the values to fill in, in order."""
        return tuple(_SLOT.findall(self.text))

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """Recorded stretches and values in order; punctuation alone is a pause of what stands before it."""
        parts = _SLOT.split(self.text)
        out: list[Piece] = []
        recorded = 0
        for index, part in enumerate(parts):
            if index % 2:
                out.append(Piece(f"{{{part}}}", slot=part))
            elif _SILENT.match(part):
                if out and part.strip():
                    out[-1] = replace(out[-1], pause_ms=_pause_of(part), mark=part.strip())
            else:
                recorded += 1
                file = self.id if len(parts) == 1 else f"{self.id}.{recorded}"
                file = file if self.recorded else ""
                if out and part[0] in _EDGE:
                    out[-1] = replace(out[-1], pause_ms=_pause_of(part[0]))
                pause = 0 if part[-1] not in _EDGE else _pause_of(part[-1])
                out.append(Piece(part, file=file, pause_ms=pause if len(parts) > 1 else self.pause_ms))
        return tuple(out)


def _pause_of(mark: str) -> int:
    return CLAUSE_PAUSE_MS if set(mark) & set("。！？.!?") else CLAUSE_PAUSE_MS // 2


@dataclass(frozen=True)
class PromptSet:
    """All prompts of one folder. `problems` are what is wrong with `texts.yaml` itself."""

    folder: Path
    language: str
    prompts: Mapping[str, Prompt]
    problems: tuple[DialplanError, ...] = field(default=())

    def __contains__(self, prompt: object) -> bool:
        return prompt in self.prompts

    def audio_of(self, file: str) -> Path | None:
        """The WAV that says a piece: staff's recording, else the rendered one, None when there is neither."""
        for path in (self.folder / RECORDED / f"{file}.wav", self.folder / f"{file}.wav"):
            if path in self._files:
                return path
        return None

    def wav_files(self) -> tuple[Path, ...]:
        """Every WAV that may be played, for a line that keeps them in memory."""
        found = (self.audio_of(piece.file) for prompt in self.prompts.values() for piece in prompt.pieces if piece.file)
        return tuple(sorted({path for path in found if path}))

    def missing_audio(self, prompt: str) -> tuple[str, ...]:
        """File names (stems) of a prompt's pieces that no WAV says."""
        return tuple(p.file for p in self.prompts[prompt].pieces if p.file and self.audio_of(p.file) is None)

    def with_phrases(self, phrases: Mapping[str, str]) -> PromptSet:
        """The same prompts with a site's own texts instead; ids that are not known are left out."""
        own = {
            name: replace(self.prompts[name], text=text, recorded=False)
            for name, text in phrases.items()
            if name in self.prompts and text.strip() and text != self.prompts[name].text
        }
        return replace(self, prompts={**self.prompts, **own}) if own else self

    def clips(self, prompt: str, values: Mapping[str, Sequence[str]] | None = None) -> list[Clip]:
        """What is heard of `prompt`. `values` gives the words of each slot; an empty one leaves its slot out.

        Raises DialplanError `dialplan.prompt_missing` for an unknown id.
        """
        if prompt not in self.prompts:
            raise DialplanError("dialplan.prompt_missing", f"no prompt {prompt!r}", where=str(self.folder / TEXTS))
        clips: list[Clip] = []
        for piece in self.prompts[prompt].pieces:
            if piece.slot:
                said = self.say_words(prompt, (values or {}).get(piece.slot, ()))
                if said:
                    pause_ms = max(said[-1].pause_ms, piece.pause_ms)
                    said[-1] = replace(said[-1], text=said[-1].text + piece.mark, pause_ms=pause_ms)
                clips += said
            else:
                audio = self.audio_of(piece.file) if piece.file else None
                clips.append(Clip(prompt, piece.text.strip(), audio, piece.pause_ms))
        return clips

    def say_words(self, prompt: str, words: Sequence[str]) -> list[Clip]:
        """Clips of words: each from its recorded part; what no part says is one dynamic clip (`audio` None)."""
        clips: list[Clip] = []
        for word in words:
            if _SILENT.match(word):
                if clips:
                    text = clips[-1].text + word.strip()
                    clips[-1] = replace(clips[-1], text=text, pause_ms=CLAUSE_PAUSE_MS // 2)
                continue
            for text, file in self._split(word):
                audio = self.audio_of(file) if file else None
                clips.append(Clip(f"{prompt}/{file}" if file else prompt, text, audio))
        return clips

    def _split(self, word: str) -> list[tuple[str, str]]:
        """`word` as known part texts, longest first; as one stretch with file "" if parts do not cover it."""
        if (known := self._by_text.get(word)) is not None:
            return [(word, known)]
        out: list[tuple[str, str]] = []
        at = 0
        tokens: Sequence[str] = word if self.language == "zh" else word.split(" ")
        glue = "" if self.language == "zh" else " "
        while at < len(tokens):
            for end in range(len(tokens), at, -1):
                text = glue.join(tokens[at:end])
                if (file := self._by_text.get(text)) is not None:
                    out.append((text, file))
                    at = end
                    break
            else:
                return [(word, "")]
        return out

    @cached_property
    def _by_text(self) -> dict[str, str]:
        """Text of every prompt without slots → its id; parts (short texts) and phrases alike."""
        return {p.text.strip(_EDGE): p.id for p in reversed(list(self.prompts.values())) if not p.slots and p.recorded}

    @cached_property
    def _files(self) -> frozenset[Path]:
        return frozenset((*self.folder.glob("*.wav"), *(self.folder / RECORDED).glob("*.wav")))


def load_prompts(folder: Path, language: str) -> PromptSet:
    """Read `folder`/texts.yaml. Raises DialplanError `dialplan.file` when it cannot be read as YAML at all."""
    document = read_yaml(folder / TEXTS)
    prompts: dict[str, Prompt] = {}
    problems: list[DialplanError] = []
    if not isinstance(document.value, dict):
        raise document.error((), "dialplan.texts", "must map prompt ids to texts", "write one `id: text` a line")
    for key, value in document.value.items():
        entry = value if isinstance(value, dict) else {"text": value}
        if not _ID.match(str(key)):
            problems.append(
                document.error((key,), "dialplan.texts", f"{key!r} is no prompt id", "use a-z, 0-9 and _", key=True)
            )
        elif unknown := [name for name in entry if name not in _FIELDS]:
            mend = f"fields are {', '.join(_FIELDS)}"
            problems.append(document.error((key, unknown[0]), "dialplan.texts", f"unknown field {unknown[0]!r}", mend))
        elif not isinstance(entry.get("text"), str) or not entry["text"].strip():
            problems.append(document.error((key,), "dialplan.texts", f"prompt {key!r} has no text", "write its words"))
        else:
            line, _ = document.position((key,), key=True)
            rule, pause_ms = str(entry.get("rule", "")), int(entry.get("pause_ms", 0))
            prompts[key] = Prompt(str(key), entry["text"], rule, pause_ms, line)
    return PromptSet(folder, language, prompts, tuple(problems))
