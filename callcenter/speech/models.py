"""Which model a node uses, checked before anything listens."""

from __future__ import annotations

from pathlib import Path

from callcenter.config import Settings
from callcenter.speech.catalogue import check_model, resolve


def wanted_language(settings: Settings) -> str | None:
    """`zh` or `en` when all dialplans of the lines speak one language (`hotline.zh`), else None."""
    languages = {plan.rpartition(".")[2][:2] for plan in settings.line.dialplans.values() if "." in plan}
    return languages.pop() if len(languages) == 1 else None


def checked_model_folder(settings: Settings) -> Path:
    """Folder of the model to load. Raises SpeechError `model.*`, one sentence with the mend."""
    language = wanted_language(settings)
    folder = resolve(settings.speech.model, settings.var_dir, language)
    check_model(folder, language)
    return folder
