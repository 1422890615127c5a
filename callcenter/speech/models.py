"""Which model a node uses: a name of the catalogue or a folder, and the language its dialplans speak."""

from __future__ import annotations

from pathlib import Path

from callcenter.config import ROOT, Settings


def speech_model_folder(settings: Settings) -> Path:
    """Folder of `speech.model`: a path, a model in `models/` of the checkout, or one installed in `var_dir/models`."""
    name = settings.speech.model
    if "/" in name:
        folder = Path(name)
        return folder if folder.is_absolute() else ROOT / folder
    installed = settings.var_dir / "models" / name
    return installed if installed.is_dir() else ROOT / "models" / name


def wanted_language(settings: Settings) -> str | None:
    """`zh` or `en` when all dialplans of the lines speak one language (`hotline.zh`), else None."""
    languages = {plan.rpartition(".")[2][:2] for plan in settings.line.dialplans.values() if "." in plan}
    return languages.pop() if len(languages) == 1 else None
