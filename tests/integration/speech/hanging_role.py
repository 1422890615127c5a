"""A real speech role whose libvosk hangs for ever, once: `hanging_role.py decode|make MARK …the role's arguments`."""

import sys
import threading
from pathlib import Path
from typing import Any

from callcenter.speech import __main__ as role
from callcenter.speech.recognition import Recognizer, SpeechModel

step, mark = sys.argv.pop(1), Path(sys.argv.pop(1))
owner: Any = {"decode": Recognizer, "make": SpeechModel}[step]
name = {"decode": "accept", "make": "recognizer"}[step]
real = getattr(owner, name)


def hang_once(*arguments: Any) -> Any:
    """As libvosk would: in C, with the lock of the interpreter let go."""
    if not mark.exists():
        mark.touch()
        threading.Event().wait()
    return real(*arguments)


setattr(owner, name, hang_once)
role.STUCK_AFTER_S = 1.0
role.main()
