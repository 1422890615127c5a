"""A wall clock that jumps in the lines of a house: laid as `sitecustomize` on the path of its processes.

The file named by `JUMP_FILE` holds by how many seconds it is off; no file: not at all. Monotonic clocks and those of
the other processes stay as they are, as when the clock of a lines' machine is set and the desk's is not.
"""

from __future__ import annotations

from pathlib import Path

JUMP_FILE = "CALLS_JUMP_FILE"
PROGRAM = f"""
import datetime, os, sys, time
_file, _time, _datetime = os.environ["{JUMP_FILE}"], time.time, datetime.datetime
def _off_s():
    try:
        with open(_file) as file:
            return float(file.read())
    except (OSError, ValueError):
        return 0.0
class _Known(type):
    def __instancecheck__(cls, value):
        return isinstance(value, _datetime)
class _Jumping(_datetime, metaclass=_Known):
    @classmethod
    def now(cls, tz=None):
        return _datetime.now(tz) + datetime.timedelta(seconds=_off_s())
if "callcenter.line" in sys.orig_argv:
    time.time = lambda: _time() + _off_s()
    datetime.datetime = _Jumping
"""


class JumpingClock:
    """The clock of the houses that are started with `environment`."""

    def __init__(self, folder: Path) -> None:
        (folder / "sitecustomize.py").write_text(PROGRAM, encoding="utf-8")
        self._file = folder / "jump"
        self.environment = {"PYTHONPATH": str(folder), JUMP_FILE: str(self._file)}

    def jump(self, off_s: float) -> None:
        """From now on it is off by so much."""
        draft = self._file.with_suffix(".new")
        draft.write_text(str(off_s), encoding="utf-8")
        draft.replace(self._file)
