"""Speech models: which there are, which one is in use, and whether a folder holds a model that works.

Nothing here loads a model: all checks read files, so that they can run before anything listens on a port.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callcenter.errors import SpeechError

ROOT = Path(__file__).resolve().parents[2]
BUILTIN = "builtin-zh-8k"
SUMS = "SHA256SUMS"
_FST_MAGIC = (2125659606).to_bytes(4, "little")
_HASHED_WHEN_CHECKED_BYTES = 64_000_000  # a small model is hashed at every start: it takes under 0.1 s
_PULL = "callcenter model pull"


@dataclass(frozen=True)
class Entry:
    """A model of `models/catalogue.toml`. Sizes in megabytes; `sha256` empty: pinned on first use."""

    name: str
    language: str
    sample_rate_hz: int
    size_mb: int
    memory_mb: int
    source: str
    licence: str
    purpose: str
    purpose_zh: str
    url: str = ""
    sha256: str = ""
    builtin: bool = False


def entries(path: Path | None = None) -> dict[str, Entry]:
    """Every model of the catalogue by name. Raises SpeechError when the file is wrong."""
    path = path or ROOT / "models" / "catalogue.toml"
    try:
        with path.open("rb") as file:
            tables = tomllib.load(file)
        return {name: Entry(name=name, **table) for name, table in tables.items()}
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SpeechError("model.catalogue", str(error), where=str(path), mend="correct the catalogue") from error


def entry(name: str, path: Path | None = None) -> Entry:
    """The entry of a name; raises SpeechError `model.unknown` with the names there are."""
    known = entries(path)
    if name not in known:
        raise SpeechError(
            "model.unknown", f"there is no model named {name!r}", mend=f"known models: {', '.join(sorted(known))}"
        )
    return known[name]


def models_dir(var_dir: Path) -> Path:
    """Where installed models, pins and the choice lie."""
    return var_dir / "models"


def folder_of(name: str, var_dir: Path) -> Path:
    """Where a model of this name is or would be: installed ones first, then those beside the package."""
    installed = models_dir(var_dir) / name
    beside = ROOT / "models" / name
    return beside if not installed.is_dir() and beside.is_dir() else installed


def in_use(var_dir: Path) -> dict[str, str]:
    """Language → name or folder chosen by `callcenter model use`."""
    try:
        lines = (models_dir(var_dir) / "in-use").read_text("utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {language: chosen for language, _, chosen in (line.partition(" ") for line in lines) if chosen}


def choose(language: str, name_or_path: str, var_dir: Path) -> None:
    """Write the choice for a language, whole or not at all."""
    chosen = {**in_use(var_dir), language: name_or_path}
    folder = models_dir(var_dir)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "in-use.partial"
    partial.write_text("".join(f"{key} {value}\n" for key, value in sorted(chosen.items())), "utf-8")
    partial.replace(folder / "in-use")


def resolve(name_or_path: str, var_dir: Path, language: str | None) -> Path:
    """The folder of the model to load.

    A setting that is a folder (it has a slash) wins; a name gives way to what `callcenter model use` chose for
    the language. Relative folders are relative to the checkout. The folder may not exist: see `check_model`.
    """
    chosen = name_or_path
    if "/" not in chosen and language:
        chosen = in_use(var_dir).get(language, chosen)
    if "/" in chosen:
        folder = Path(chosen).expanduser()
        return folder if folder.is_absolute() else ROOT / folder
    return folder_of(chosen, var_dir)


def _conf(folder: Path) -> Path:
    """mfcc.conf of either layout that libvosk reads."""
    return folder / "conf" / "mfcc.conf" if (folder / "am" / "final.mdl").exists() else folder / "mfcc.conf"


def sample_rate_hz(folder: Path) -> int:
    """The rate the model was trained at, from its mfcc.conf; Kaldi's default is 16000."""
    try:
        found = re.search(r"^--sample-frequency=([\d.]+)", _conf(folder).read_text("utf-8"), re.MULTILINE)
    except OSError as error:
        raise _damaged(folder, f"{error.filename} cannot be read") from error
    return round(float(found.group(1))) if found else 16000


def language_of(folder: Path) -> str | None:
    """`zh` or `en` as the word list tells, None when there is none or it tells neither."""
    for path in (folder / "graph" / "words.txt", folder / "words.txt"):
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                words = [line.split(" ", 1)[0] for _, line in zip(range(4000), file, strict=False)]
            han = sum(bool(re.search("[一-鿿]", word)) for word in words)
            latin = sum(bool(re.fullmatch("[a-z']+", word)) for word in words)
            if max(han, latin) < len(words) / 4:
                return None
            return "zh" if han >= latin else "en"
    return None


def hash_file(path: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_files(folder: Path) -> Iterator[Path]:
    """The files of a model that its sums cover, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (SUMS, "README.md", "figures.json"):
            yield path


def write_sums(folder: Path) -> None:
    """Write SHA256SUMS of a model folder (`sha256sum -c SHA256SUMS` checks it too)."""
    lines = [f"{hash_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in model_files(folder)]
    (folder / SUMS).write_text("".join(lines), "utf-8")


def changed_files(folder: Path) -> list[str]:
    """Files that are missing or differ from SHA256SUMS; raises SpeechError when there is no SHA256SUMS."""
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except OSError as error:
        raise SpeechError(
            "model.no_sums", "the model has no SHA256SUMS to verify it by", where=str(folder), mend=f"{_PULL} NAME"
        ) from error
    wrong = []
    for line in lines:
        digest, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or hash_file(path) != digest:
            wrong.append(name)
    return wrong


def _damaged(folder: Path, what: str) -> SpeechError:
    known = entries().get(folder.name)
    if known and known.builtin:
        mend = f"take models/{folder.name} from the project again (git checkout -- models/{folder.name})"
    elif known:
        mend = f"{_PULL} {folder.name} --again"
    else:
        mend = f"bring it again: {_PULL} {folder.name} --from FILE.zip (or a folder)"
    return SpeechError("model.damaged", f"the speech model is damaged: {what}", where=str(folder), mend=mend)


def _required(folder: Path) -> list[tuple[Path, bytes]]:
    """Files a model of either layout needs, and what they begin with."""
    root = folder if not (folder / "am").is_dir() else folder / "graph"
    network = folder / "am" / "final.mdl" if (folder / "am").is_dir() else folder / "final.mdl"
    if (root / "HCLG.fst").exists():
        graphs = [(root / "HCLG.fst", _FST_MAGIC)]
    else:
        graphs = [(root / "HCLr.fst", _FST_MAGIC), (root / "Gr.fst", _FST_MAGIC), (root / "disambig_tid.int", b"")]
    return [(network, b"\0B<TransitionModel>"), *graphs, (root / "words.txt", b""), (_conf(folder), b"")]


def damage(folder: Path) -> str | None:
    """What is wrong with the files of a model, None when it is whole. A small one is compared with its SHA256SUMS."""
    for path, beginning in _required(folder):
        try:
            with path.open("rb") as file:
                head = file.read(max(1, len(beginning)))
        except OSError:
            return f"{path.relative_to(folder)} is missing"
        if not head or not head.startswith(beginning):
            return f"{path.relative_to(folder)} is not what it should be"
    if (folder / SUMS).exists() and sum(p.stat().st_size for p in model_files(folder)) < _HASHED_WHEN_CHECKED_BYTES:
        wrong = changed_files(folder)
        if wrong:
            return f"{wrong[0]} differs from {SUMS}"
    return None


def check_model(folder: Path, language: str | None = None) -> None:
    """Raise SpeechError with one sentence and the mend when the model is missing, damaged or of another language.

    `language` is `zh` or `en`; None: any.
    """
    if not folder.is_dir():
        raise SpeechError(
            "model.missing",
            f"there is no speech model in {folder}",
            mend=f"{_PULL} {folder.name}, or set speech.model to another one ({BUILTIN} comes with the project)",
        )
    if wrong := damage(folder):
        raise _damaged(folder, wrong)
    found = language_of(folder)
    if language and found and found != language:
        names = [e.name for e in entries().values() if e.language == language]
        raise SpeechError(
            "model.wrong_language",
            f"the speech model hears {found!r} but the dialplans speak {language!r}",
            where=str(folder),
            mend=f"callcenter model use {names[0] if names else 'NAME'}",
        )
