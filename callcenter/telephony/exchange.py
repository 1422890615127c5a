"""Everything pjsua2 of one process, on the owner thread: endpoint, account, legs, pool of ports, connections."""

from __future__ import annotations

import ctypes
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pjsua2 as pj

from callcenter.errors import TelephonyError
from callcenter.telephony.events import Event, Incoming, Refused, Registered
from callcenter.telephony.leg import Direction, Leg, reported
from callcenter.telephony.ports import AudioPort, check_vector_layout
from callcenter.telephony.sip import offers_ipv4_audio, parse_invite, rung_before_s, source_allowed
from callcenter.telephony.voice import SAMPLE_RATE_HZ

CODECS = {"PCMA": 200, "PCMU": 199, "G722": 190}
"""Priority by name; everything else is off. China's trunks speak A-law."""
CONFERENCE_PORTS = 254
"""The most this build takes. A call shorter than about 100 ms can leak one."""
FEW_PORTS = 60
"""With fewer free conference ports than this a process should be replaced when it is idle."""
SPARE_PORTS = 2
"""Pooled ports beyond one per leg: a released one is reused a moment later."""


@dataclass(frozen=True)
class ExchangeSettings:
    """One process's telephone. Ports 0: any free one."""

    bind_host: str = "127.0.0.1"
    sip_port: int = 0
    rtp_port_first: int = 0
    rtp_ports: int = 100
    public_address: str | None = None
    user: str = "hotline"
    allowed: tuple[IPv4Network, ...] = ()
    """Networks that may send INVITEs; empty: everybody."""
    max_callers: int = 2
    """Incoming legs at once; one more is told 486 and the edge tries another line."""
    accept: bool = True
    refuse_status: int = 503
    """What new calls are told while we do not accept them."""
    watchdog_s: float | None = 10.5
    """After 180, a leg nobody has said when to answer is answered regardless: the third ring ends at 11 s (R1)."""
    ack_timeout_s: float = 10.0
    rtp_negotiated_only: bool = False
    """RTP of incoming legs is heard from the address in their SDP alone."""
    apology: tuple[bytes, ...] = ()
    """Frames a caller hears at once whom the watchdog answered (R3)."""
    record_dir: Path | None = None
    """Incoming legs are recorded here from their first frame, as `<leg key>-<process start>`."""
    registrar: str | None = None
    """host:port to register with, as `user` with `password`."""
    password: str | None = field(default=None, repr=False)


class Account(pj.Account):  # type: ignore[misc]
    """The process's one account (more than eight abort pjsua)."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.exchange = exchange

    @reported
    def onIncomingCall(self, parameter: Any) -> None:  # noqa: N802 — pjsua2's name
        self.exchange.incoming(int(parameter.callId), str(parameter.rdata.srcAddress), str(parameter.rdata.wholeMsg))

    @reported
    def onRegState(self, parameter: Any) -> None:  # noqa: N802 — pjsua2's name
        self.exchange.emit(Registered(int(parameter.code)))


class Exchange:
    """Owner thread only, except `emit`'s target, which must be safe to call from it."""

    def __init__(self, settings: ExchangeSettings, emit: Callable[[Event], None], polled_at: Callable[[], float]):
        self.settings = settings
        self.emit = emit
        self.legs: dict[int, Leg] = {}
        self.accepting = settings.accept
        self.refuse_status = settings.refuse_status
        self.recording = True
        """Off while the disk has no room: calls go on, unrecorded."""
        self.sip_port = settings.sip_port
        self.leg_limit = 0
        self.ports_free = CONFERENCE_PORTS
        self._polled_at = polled_at
        self._keys = itertools.count(1)
        self._pool: list[AudioPort] = []
        self._born = int(time.time())
        self._endpoint: Any = None
        self.account: Any = None
        self.silence: Any = None
        self._kept: list[AudioPort] = []

    # life

    def open(self) -> None:
        """Bring up pjsua2. Raises TelephonyError naming the port that is taken."""
        check_vector_layout()
        settings = self.settings
        _library().pj_log_set_level(0)  # pjlib writes to standard output before it can be told otherwise
        endpoint = self._endpoint = pj.Endpoint()
        endpoint.libCreate()
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = 0
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = False
        config.uaConfig.maxCalls = 32
        config.uaConfig.userAgent = "callcenter"
        media = config.medConfig
        media.clockRate = media.sndClockRate = SAMPLE_RATE_HZ
        media.noVad = True
        media.ecTailLen = 0
        # pjsua would stop the clock a second after the last call: an idle line must go on beating, and answer at once
        media.sndAutoCloseTime = -1
        media.maxMediaPorts = CONFERENCE_PORTS
        endpoint.libInit(config)
        self.leg_limit = _leg_limit()
        self._listen()
        endpoint.libStart()
        endpoint.audDevManager().setNullDev()
        for codec in endpoint.codecEnum2():
            endpoint.codecSetPriority(codec.codecId, CODECS.get(codec.codecId.split("/")[0], 0))
        self._open_account()
        for number in range(self.leg_limit + SPARE_PORTS):
            port = AudioPort(f"leg-{number}")
            self._kept.append(port)
            self._pool.append(port)
        self.silence = endpoint.audDevManager().getCaptureDevMedia()
        if settings.max_callers > self.leg_limit:
            raise TelephonyError(
                "telephony.leg_limit",
                f"a line of this build carries {self.leg_limit} legs, not {settings.max_callers} callers",
                where="line.callers_per_line",
                mend=f"set it to {max(1, self.leg_limit // 2)}, so that each caller can be bridged to a person",
            )

    def _listen(self) -> None:
        settings = self.settings
        transport = pj.TransportConfig()
        transport.port = settings.sip_port
        transport.boundAddress = settings.bind_host
        if settings.public_address:
            transport.publicAddress = settings.public_address
        try:
            number = self._endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        except pj.Error as error:
            raise TelephonyError(
                "telephony.port_in_use",
                f"cannot listen for SIP on {settings.bind_host}:{settings.sip_port}: {error.reason}",
                where="line.sip_port_first",
                mend="free that port, or set another (0: any free port)",
            ) from error
        info = self._endpoint.transportGetInfo(number)
        self.sip_port = int(str(info.localAddress).rsplit(":", 1)[1])

    def _open_account(self) -> None:
        settings = self.settings
        config = pj.AccountConfig()
        config.idUri = f"sip:{settings.user}@{settings.bind_host}"
        if settings.registrar:
            config.idUri = f"sip:{settings.user}@{settings.registrar.split(':')[0]}"
            config.regConfig.registrarUri = f"sip:{settings.registrar}"
            config.regConfig.timeoutSec = 120
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", settings.user, 0, settings.password or ""))
        config.natConfig.contactRewriteUse = 0
        config.natConfig.sipOutboundUse = 0
        rtp = config.mediaConfig.transportConfig
        rtp.port = settings.rtp_port_first
        rtp.portRange = settings.rtp_ports if settings.rtp_port_first else 0
        rtp.boundAddress = settings.bind_host
        if settings.public_address:
            rtp.publicAddress = settings.public_address
        self.account = Account(self)
        self.account.create(config)

    def poll(self, timeout_ms: int) -> None:
        """Handle network events, waiting at most `timeout_ms`."""
        self._endpoint.libHandleEvents(timeout_ms)

    def tick(self, now: float) -> None:
        """Answer what is due, give up what was never ACKed."""
        for leg in list(self.legs.values()):
            if leg.answer_due is not None and now >= leg.answer_due:
                leg.pick_up(leg.answer_by)
            elif (
                leg.answered_at is not None
                and not leg.confirmed
                and not leg.given_up
                and now - leg.answered_at > self.settings.ack_timeout_s
            ):
                self._give_up(leg)

    def close(self) -> None:
        """Hang up everything and let the recorders finish (blocks up to 2 s)."""
        self.accepting = False
        self._endpoint.hangupAllCalls()
        until = time.monotonic() + 2
        while self.legs and time.monotonic() < until:
            self._endpoint.libHandleEvents(20)
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            self._endpoint.libHandleEvents(20)

    @property
    def beats(self) -> int:
        """Ticks of the audio clock since the start (readable from any thread)."""
        return sum(port.beats for port in self._kept)

    # legs

    def incoming(self, call_id: int, source: str, message: str) -> None:
        """180 at once, or refuse. Runs inside pjsua2's callback."""
        callers = sum(leg.direction is Direction.INCOMING for leg in self.legs.values())
        leg = Leg(self, next(self._keys), Direction.INCOMING, call_id)
        self.legs[leg.key] = leg
        for refused, status, reason in (
            (not source_allowed(source, self.settings.allowed), 403, "source"),
            (not self.accepting, self.refuse_status, "closed"),
            (callers >= self.settings.max_callers, 486, "full"),
            (not offers_ipv4_audio(message), 488, "media"),
        ):
            if refused:
                self._refuse(leg, status, reason)
                return
        if self.settings.record_dir is not None and self.recording:
            leg.record_as = str(self.settings.record_dir / f"{self._born}-{leg.key}")
        try:
            leg.respond(180)
        except pj.Error:
            self._refuse(leg, 488, "media")
            return
        now = time.monotonic()
        rang_at = now - rung_before_s(message)
        if self.settings.watchdog_s is not None:
            leg.answer_due, leg.answer_by = rang_at + self.settings.watchdog_s, "watchdog"
        waited_ms = round((now - self._polled_at()) * 1000, 1)
        self.emit(Incoming(leg.key, parse_invite(message), rang_at, leg.record_as, waited_ms))

    def _refuse(self, leg: Leg, status: int, reason: str) -> None:
        self.legs.pop(leg.key, None)
        self.emit(Refused(status, reason))
        leg.end(status)

    def dial(self, uri: str, headers: dict[str, str], record_as: str | None) -> int:
        """Start an outgoing leg; returns its key. Raises when no leg is free: some are kept for callers."""
        outgoing = sum(leg.direction is Direction.OUTGOING for leg in self.legs.values())
        kept = self.settings.max_callers if self.settings.accept else 0
        if outgoing >= self.leg_limit - kept:
            raise TelephonyError("telephony.no_leg", "no leg is free; the rest are kept for callers", retryable=True)
        leg = Leg(self, next(self._keys), Direction.OUTGOING)
        leg.record_as = record_as
        self.legs[leg.key] = leg
        parameter = pj.CallOpParam(True)
        parameter.opt.audioCount, parameter.opt.videoCount = 1, 0
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            parameter.txOption.headers.append(header)
        try:
            leg.makeCall(uri, parameter)
        except pj.Error:
            self.legs.pop(leg.key, None)
            raise
        return leg.key

    def leg_gone(self, leg: Leg) -> None:
        """Forget a leg that pjsua has ended: port to the pool, recorder finished, last reference dropped."""
        self.legs.pop(leg.key, None)
        for other in self.legs.values():
            other.peers.discard(leg.key)
        if leg.recorder is not None:
            leg.recorder.close()
            leg.recorder = None
        if leg.port is not None:
            leg.port.voice = None
            self._pool.append(leg.port)
            leg.port = None
        self.ports_free = CONFERENCE_PORTS - int(self._endpoint.mediaActivePorts())

    def _give_up(self, leg: Leg) -> None:
        leg.given_up = True
        leg.end(408)

    def take_port(self) -> AudioPort:
        """A port from the pool, the one that rested longest."""
        return self._pool.pop(0)

    # mixer

    def mix(self, leg: Leg) -> None:
        """Make every connection that `leg` should have; a re-INVITE may have undone them all."""
        audio = leg.audio()
        if audio is None or leg.port is None:
            return
        leg.port.startTransmit(audio)
        audio.startTransmit(leg.port)
        if leg.recorder is not None:
            audio.startTransmit(leg.recorder.caller)
        for key in leg.peers:
            other = self.legs.get(key)
            other_audio = other.audio() if other is not None else None
            if other is None or other_audio is None:
                continue
            audio.startTransmit(other_audio)
            other_audio.startTransmit(audio)
            if leg.recorder is not None:
                other_audio.startTransmit(leg.recorder.ours)
            if other.recorder is not None:
                audio.startTransmit(other.recorder.ours)

    def bridge(self, one: int, other: int) -> None:
        """Let two legs hear each other; the far side of a recorded leg goes on its `ours` track."""
        first, second = self.legs.get(one), self.legs.get(other)
        if first is None or second is None:
            return
        first.peers.add(other)
        second.peers.add(one)
        self.mix(first)

    def unbridge(self, one: int, other: int) -> None:
        """Undo `bridge`; harmless when either leg is gone."""
        first, second = self.legs.get(one), self.legs.get(other)
        if first is None or second is None:
            return
        first.peers.discard(other)
        second.peers.discard(one)
        mine, theirs = first.audio(), second.audio()
        if mine is not None and theirs is not None:
            mine.stopTransmit(theirs)
            theirs.stopTransmit(mine)


def _library() -> Any:
    """The extension's own C symbols."""
    return ctypes.CDLL(pj.pjsua2._pjsua2.__file__)  # noqa: SLF001 — pjsua2 offers no other way to them


def _leg_limit() -> int:
    """How many calls this build of pjsua carries, whatever it is asked for (the wheel: 4)."""
    return int(_library().pjsua_call_get_max_count())
