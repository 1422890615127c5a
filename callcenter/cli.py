"""The `callcenter` command. Each area brings its own commands; only the area asked for is imported."""

from __future__ import annotations

import importlib
import sys

import typer

from callcenter import __version__
from callcenter.errors import CallCenterError

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("callcenter.serve.cli:serve", "Start the hotline, or some of its roles."),
    "demo": ("callcenter.demo:demo", "A resident's call from ringing to the routed ticket, on embedded defaults."),
    "doctor": ("callcenter.doctor:doctor", "Check this machine and its settings, and say what to do."),
    "call": ("callcenter.telephony.cli:call", "Dial a SIP address as a resident would."),
    "understand": ("callcenter.speech.understand_cli:understand", "Labels of a sentence, or of lines."),
    "route": ("callcenter.site.cli:route", "Who would be responsible for a matter, and why."),
    "dialplan": ("callcenter.dialplan.cli:app", "Check, draw, try call scripts."),
    "prompts": ("callcenter.dialplan.cli:prompts_app", "Render and list what the hotline says."),
    "model": ("callcenter.speech.model_cli:app", "List, fetch, verify, choose speech models."),
    "site": ("callcenter.site.cli:app", "Check a site's files."),
    "phone": ("callcenter.desk.cli:phone_app", "Give a person's phone its password."),
    "import": ("callcenter.desk.cli:app", "Import residents, with a preview."),
}
"""Command → where it lives and what `callcenter --help` says of it."""


def _load(command: str) -> typer.Typer:
    """A Typer application that holds just this command."""
    location, help_text = COMMANDS[command]
    module, attribute = location.split(":")
    found = getattr(importlib.import_module(module), attribute)
    application = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    application.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        application.add_typer(found, name=command, help=help_text)
    else:
        application.command(command)(found)
    return application


def _overview() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:{width}}  {help_text}" for name, (_, help_text) in COMMANDS.items())
    return f"callcenter {__version__}: a telephone hotline that answers itself\n\n{rows}\n\ncallcenter COMMAND --help"


def main() -> None:
    """Run the command line; an error of ours is one sentence on standard error and exit status 1."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_overview())
        return
    if arguments[0] == "--version":
        print(__version__)
        return
    if arguments[0] not in COMMANDS:
        sys.stderr.write(f"callcenter: no command `{arguments[0]}`\n\n{_overview()}\n")
        raise SystemExit(2)
    try:
        _load(arguments[0])()
    except CallCenterError as error:
        sys.stderr.write(f"callcenter {arguments[0]}: {error}\n")
        raise SystemExit(1) from error
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
