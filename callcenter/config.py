"""Every setting, with its unit in its name, its default and one sentence of help.

Settings come from a TOML file (`config/callcenter.toml` documents all of them) and, over it, from the environment
(`CALLCENTER_LINE__COUNT=4`). A misspelt key is an error with file, line and the nearest known name.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import time
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from callcenter.errors import ConfigError

ENVIRONMENT_PREFIX = "CALLCENTER_"
ROOT = Path(__file__).resolve().parent.parent
"""The checkout: `config/`, `dialplans/` and `models/` lie beside the package."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NodeSettings(_Section):
    name: str = Field("node1", pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="This machine's name, unique.")
    var_dir: Path = Field(Path("var"), description="Folder for journals, recordings, database and secrets.")
    desks: list[str] = Field(
        default_factory=list,
        description="Addresses of the desks a line may link to; empty: the desk of this node.",
    )
    secret: SecretStr | None = Field(None, description="Shared secret of nodes and desks; empty: made at first start.")


class SiteSettings(_Section):
    default: str = Field("xingfu", description="Site of a call whose dialled number is listed nowhere.")
    folder: Path = Field(Path("config/sites"), description="Folder with one folder per site.")
    dialled: dict[str, str] = Field(default_factory=dict, description="Dialled number to site.")


class Trunk(_Section):
    name: str = Field(description="What the log calls it.")
    address: str | None = Field(None, description="Address or network (CIDR) its INVITEs come from.")
    registrar: str | None = Field(None, description="host[:port] to register with; needs user and password_env.")
    user: str | None = Field(None, description="User to register as; calls come in for this number.")
    password_env: str | None = Field(None, description="Environment variable that holds the password.")
    outbound: str | None = Field(None, description="host[:port] our outbound calls go to; of one trunk only.")


class EdgeSettings(_Section):
    mode: Literal["auto", "kamailio", "direct", "external"] = Field(
        "auto", description="auto: Kamailio when installed, else direct; external: Kamailio runs elsewhere."
    )
    binary: Path | None = Field(None, description="Kamailio's binary; empty: found on PATH and in /usr/sbin.")
    bind_host: IPv4Address = Field(IPv4Address("127.0.0.1"), description="Address the edge listens on.")
    sip_port: int = Field(5060, ge=0, le=65535, description="SIP port, UDP and TCP; 0: any free port.")
    public_address: str | None = Field(None, description="Address in Contact and SDP behind NAT.")
    realm: str = Field("callcenter", description="Digest realm of people's phones.")
    trunks: list[Trunk] = Field(default_factory=list, description="Who may send INVITE without digest.")
    loopback_trunk: bool = Field(False, description="Accept INVITE from this machine as from a trunk (try-out).")
    new_calls_per_s: int = Field(20, ge=1, description="New calls accepted per second from one address.")
    calls_per_line_per_s: int = Field(3, ge=1, description="New calls given to one line per second.")
    wait_for_line_s: int = Field(
        8, ge=0, le=8, description="A call rings this long while no line is up, then 503 and a call-back to make."
    )
    lines: list[str] = Field(default_factory=list, description="host:port of lines on other machines.")
    inside_port: int = Field(0, ge=0, le=65535, description="SIP port for lines behind NAT; 0: any free port.")
    outbound_prefixes: list[str] = Field(
        default_factory=list, description="Numbers we may dial begin with one of these; empty: none."
    )
    outbound_calls_per_min: int = Field(10, ge=1, description="Outbound calls in one minute (toll fraud).")
    caller_number: str | None = Field(
        None, pattern=r"^\+?[0-9]{3,20}$", coerce_numbers_to_str=True,
        description="Number that those see whom we call: one your carrier gave you.",
    )  # fmt: skip
    overflow_uri: str | None = Field(None, description="SIP URI that gets calls when all lines are full.")
    direct_bind_any: bool = Field(False, description="Direct mode may listen beyond loopback (not for service).")


class LineSettings(_Section):
    count: int = Field(2, ge=1, le=64, description="Line processes on this node.")
    bind_host: IPv4Address = Field(IPv4Address("127.0.0.1"), description="Private address of SIP and RTP.")
    sip_port_first: int = Field(0, ge=0, le=65535, description="SIP port of line 1, counting up; 0: free ports.")
    edges: list[str] = Field(
        default_factory=list, description="Addresses or networks of edges on other machines that may send calls."
    )
    rtp_port_first: int = Field(30000, ge=1024, le=65000, description="First RTP port of line 1; 100 per line.")
    callers_per_line: int = Field(2, ge=1, le=4, description="Callers one line takes at once.")
    rtp_source: Literal["learned", "negotiated"] = Field(
        "learned", description="negotiated: callers' RTP from the address in SDP alone, for trunks without NAT."
    )
    answer_after_rings: int = Field(1, ge=1, le=3, description="Answer at ring n: 1 + 5·(n-1) s after 180 (R1).")
    dialplans: dict[str, str] = Field(
        default_factory=lambda: {"*": "hotline.zh"}, description="Dialled number to dialplan; * is the rest."
    )
    ack_timeout_s: float = Field(10, gt=0, description="Give up a call answered but never ACKed.")
    end_silence_s: float = Field(1.2, gt=0, description="Silence that ends a caller's turn.")
    reserve_mb: int = Field(200, ge=1, description="Disk kept for calls in progress; below it calls go to people.")


class SpeechSettings(_Section):
    bind_host: IPv4Address = Field(IPv4Address("127.0.0.1"), description="Address of the transcriber.")
    port: int = Field(2700, ge=0, le=65535, description="WebSocket port of the transcriber; 0: any free port.")
    url: str | None = Field(None, description="Another vosk-server, ws://host:port; empty: this node's own.")
    model: str = Field("builtin-zh-8k", description="Name in models/catalogue.toml, or a folder.")
    threads: int = Field(2, ge=1, le=64, description="Decoding threads.")
    max_streams: int = Field(64, ge=1, description="Streams at once; more are refused with a reason.")


class DeskSettings(_Section):
    bind_host: IPv4Address = Field(IPv4Address("127.0.0.1"), description="Address of the pages and the API.")
    port: int = Field(8443, ge=0, le=65535, description="HTTPS port; 0: any free port.")
    public_url: str | None = Field(None, description="Address people type; empty: from bind_host and port.")
    tls: Literal["self-made", "given", "off"] = Field(
        "self-made", description="off only behind a TLS proxy on this machine."
    )
    certificate: Path | None = Field(None, description="PEM certificate chain, with tls = given.")
    private_key: Path | None = Field(None, description="PEM key, with tls = given.")
    session_hours: int = Field(12, ge=1, le=168, description="A login lasts this long.")


class DatabaseSettings(_Section):
    dsn: SecretStr | None = Field(None, description="PostgreSQL; empty: an embedded server in var_dir.")
    pool_size: int = Field(10, ge=2, le=100, description="Connections per desk.")


class RecordingSettings(_Section):
    keep_days: int = Field(365, ge=1, description="Recordings kept (R35: one year).")
    store_dir: Path | None = Field(None, description="The desks' store; empty: recordings/ in var_dir.")


class AcceptanceSettings(_Section):
    emergency_min: int = Field(3, ge=1, description="紧急: minutes until the next in the chain (R13).")
    important_min: int = Field(30, ge=1, description="重要: minutes until the next in the chain (R13).")
    normal_working_h: int = Field(4, ge=1, description="一般: working hours until the next in the chain (R13).")


class RuleSettings(_Section):
    acceptance: AcceptanceSettings = Field(default_factory=AcceptanceSettings)
    emergency_rings: Literal["in_turn", "at_once"] = Field(
        "in_turn", description="紧急: the chain is rung to take it; at_once: the duty leader along with it (R13, R15)."
    )
    answer_within_h: int = Field(24, ge=1, description="First answer to the caller (R18).")
    major_households: int = Field(10, ge=2, description="Households that make a matter major (R15).")
    incident_calls: int = Field(5, ge=2, description="Alike matters that make one incident (R32).")
    incident_site_calls: int = Field(
        10, ge=2, description="Failures of power, water, gas or heating in the whole site that make one (R32)."
    )
    incident_window_min: int = Field(30, ge=1, description="Window in which they count (R32).")


class ResidentSettings(_Section):
    calls: bool = Field(True, description="Ring residents: call-backs, follow-ups; needs a trunk and prefixes.")
    hours: str = Field(
        "09:00-20:30", pattern=r"^[0-2]\d:[0-5]\d-[0-2]\d:[0-5]\d$", description="Local time in which they are rung."
    )
    workdays_only: bool = Field(False, description="Follow-ups on workdays of the site's calendar only.")
    follow_up_after_min: int = Field(30, ge=0, description="Follow-up so long after a matter is done (R23).")
    attempts: int = Field(3, ge=1, le=10, description="Rung so often; then a person does it from the list.")
    again_after_min: int = Field(60, ge=1, description="Who was not reached is rung again after so long.")
    calls_per_min: int = Field(4, ge=1, description="Residents rung in one minute; the rest is for emergencies.")

    @field_validator("hours")
    @classmethod
    def _a_stretch_of_the_day(cls, hours: str) -> str:
        first, last = (time.fromisoformat(part) for part in hours.split("-"))
        if first >= last:
            raise ValueError("the hours must begin before they end, on the same day")
        return hours

    @property
    def span(self) -> tuple[time, time]:
        """First and last moment of the day, local."""
        first, last = self.hours.split("-")
        return time.fromisoformat(first), time.fromisoformat(last)


class Webhook(_Section):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="What the log and the history call it; unique.")
    form: Literal["plain", "wecom", "dingtalk", "feishu"] = Field(
        "plain", description="plain: signed JSON of ours; the others: a group robot of that service."
    )
    url: str | None = Field(None, description="https address; http on this machine alone.")
    url_env: str | None = Field(None, description="Environment variable with the address, where it holds a key.")
    secret_env: str | None = Field(None, description="Environment variable with the secret that signs; plain needs it.")
    urgencies: tuple[Literal["emergency", "important", "normal"], ...] = Field(
        ("emergency",), description="Urgencies it is told of."
    )
    sites: list[str] = Field(default_factory=list, description="Sites it is told of; empty: every one.")


class MessageSettings(_Section):
    mail_host: str | None = Field(None, description="Mail server; empty: no mail is sent.")
    mail_port: int = Field(587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls.")
    mail_tls: Literal["starttls", "tls", "off"] = Field("starttls", description="off: a server on this machine.")
    mail_user: str | None = Field(None, description="User of the mail server; empty: none is asked for.")
    mail_password_env: str | None = Field(None, description="Environment variable that holds the password.")
    mail_from: str = Field("callcenter@localhost", description="Sender of our mails.")
    webhooks: list[Webhook] = Field(default_factory=list, description="Addresses that are told of matters.")
    timeout_s: float = Field(10, gt=0, le=60, description="A server that takes longer is tried again later.")
    attempts: int = Field(
        36, ge=1, le=50, description="Tries, each later than the one before, up to an hour apart; 36 last a day."
    )

    @field_validator("webhooks")
    @classmethod
    def _each_of_its_own(cls, webhooks: list[Webhook]) -> list[Webhook]:
        if len({hook.name for hook in webhooks}) < len(webhooks):
            raise ValueError("two webhooks have the same name")
        for hook in webhooks:
            if not (hook.url or hook.url_env):
                raise ValueError(f"webhook {hook.name!r} has neither url nor url_env")
            if hook.form == "plain" and not hook.secret_env:
                raise ValueError(f"webhook {hook.name!r} has no secret_env: the plain form is signed")
        return webhooks


class LogSettings(_Section):
    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severity written.")
    json_lines: bool = Field(False, description="One JSON object a line instead of text.")


class Settings(_Section):
    """All settings. Relative paths are relative to the checkout, `var_dir` to the working directory."""

    node: NodeSettings = Field(default_factory=NodeSettings)
    site: SiteSettings = Field(default_factory=SiteSettings)
    edge: EdgeSettings = Field(default_factory=EdgeSettings)
    line: LineSettings = Field(default_factory=LineSettings)
    speech: SpeechSettings = Field(default_factory=SpeechSettings)
    desk: DeskSettings = Field(default_factory=DeskSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    recording: RecordingSettings = Field(default_factory=RecordingSettings)
    rules: RuleSettings = Field(default_factory=RuleSettings)
    residents: ResidentSettings = Field(default_factory=ResidentSettings)
    messages: MessageSettings = Field(default_factory=MessageSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @property
    def var_dir(self) -> Path:
        return self.node.var_dir.resolve()

    @property
    def run_dir(self) -> Path:
        """Local sockets and what roles found out at start (ports); emptied by nobody, rewritten at start."""
        return self.var_dir / "run"

    @property
    def store_dir(self) -> Path:
        return (self.recording.store_dir or self.var_dir / "recordings").resolve()

    @property
    def sites_dir(self) -> Path:
        return self.site.folder if self.site.folder.is_absolute() else ROOT / self.site.folder


def _line_of(text: str, path: tuple[str | int, ...]) -> int:
    """Line (from 1) where the last named key of `path` stands in a TOML text; 1 when it cannot be found."""
    names = [str(p) for p in path if isinstance(p, str)]
    section, line = "", 1
    for number, raw in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", raw):
            section = header.group(1)
            if section == ".".join(names):
                return number
        elif (
            names and re.match(rf'\s*"?{re.escape(names[-1])}"?\s*=', raw) and section.startswith(".".join(names[:-1]))
        ):
            return number
    return line


def _known_names(path: tuple[str | int, ...]) -> list[str]:
    model: Any = Settings
    for part in path[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = next(
            (a for a in (annotation, *getattr(annotation, "__args__", ())) if hasattr(a, "model_fields")), model
        )
    return list(model.model_fields)


def _from_environment(environment: dict[str, str]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in environment.items():
        if not key.startswith(ENVIRONMENT_PREFIX) or "__" not in key:
            continue
        *sections, name = key[len(ENVIRONMENT_PREFIX) :].lower().split("__")
        here = tree
        for section in sections:
            here = here.setdefault(section, {})
        try:
            here[name] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            here[name] = value
    return tree


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        merged[key] = _merge(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


class SeveralSettingsError(ConfigError):
    """Several settings are wrong; `problems` has each. Told as the first one, with the others' places."""

    def __init__(self, problems: tuple[ConfigError, ...]) -> None:
        first, *others = problems
        message = f"{first.message} ({first.mend}); also wrong: {'; '.join(f'{o.where}: {o.message}' for o in others)}"
        super().__init__(first.code, message, where=first.where, mend="config/callcenter.toml says what each takes")
        self.problems = problems


def _problem(error: Mapping[str, Any], path: Path, text: str, environment: dict[str, str]) -> ConfigError:
    """One finding of pydantic, with file and line or the variable it came from, and the mend."""
    field_path: tuple[str | int, ...] = error["loc"]
    variable = ENVIRONMENT_PREFIX + "__".join(str(p) for p in field_path).upper()
    if variable in environment:
        where = f"environment variable {variable}"
    else:
        where = f"{path}:{_line_of(text, field_path)}: {'.'.join(str(p) for p in field_path)}"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(field_path[-1]), _known_names(field_path), 1)
        mend = f"did you mean `{near[0]}`?" if near else "remove it; config/callcenter.toml lists every setting"
        return ConfigError("config.unknown_key", "unknown setting", where=where, mend=mend)
    return ConfigError("config.invalid", error["msg"], where=where, mend="config/callcenter.toml says what it takes")


def load_settings(path: Path | None = None, environment: dict[str, str] | None = None) -> Settings:
    """Read settings from `path` (default: `$CALLCENTER_CONFIG`, else config/callcenter.toml) and the environment.

    Raises ConfigError naming file, line and field of anything misspelt or out of range (SeveralSettingsError: several).
    """
    environment = dict(os.environ) if environment is None else environment
    path = path or Path(environment.get("CALLCENTER_CONFIG", ROOT / "config" / "callcenter.toml"))
    try:
        text = path.read_text(encoding="utf-8-sig")  # editors on Windows put a mark before the text
    except UnicodeDecodeError as error:
        raise ConfigError("config.unreadable", "not UTF-8", where=str(path), mend="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(
            "config.unreadable", f"cannot read the settings: {error.strerror}", where=str(path),
            mend="pass --config FILE, or set CALLCENTER_CONFIG",
        ) from error  # fmt: skip
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config.syntax", f"not TOML: {error}", where=str(path), mend="mend that line") from error
    try:
        return Settings.model_validate(_merge(tree, _from_environment(environment)))
    except ValidationError as error:
        problems = tuple(_problem(found, path, text, environment) for found in error.errors())
        raise (problems[0] if len(problems) == 1 else SeveralSettingsError(problems)) from error
