"""One call leg on the owner thread: pjsua2's callbacks turned into our events, and its place in the mixer."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from callcenter.telephony.events import Answered, Confirmed, Fault, Gone, Held, Key, MediaUp, Progress
from callcenter.telephony.owner import fault_of
from callcenter.telephony.recorder import TwoTrackRecorder
from callcenter.telephony.rtp_source import hear_only
from callcenter.telephony.voice import Voice

if TYPE_CHECKING:
    from callcenter.telephony.exchange import Exchange
    from callcenter.telephony.ports import AudioPort


class Direction(Enum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"


def reported(callback: Callable[..., None]) -> Callable[..., None]:
    """pjsua2 prints and loses what a callback raises: report it as a Fault instead."""

    @functools.wraps(callback)
    def wrapped(self: Any, parameter: Any) -> None:
        try:
            callback(self, parameter)
        except Exception as error:  # noqa: BLE001 — reported
            self.exchange.emit(fault_of(callback.__name__, error))

    return wrapped


class Leg(pj.Call):  # type: ignore[misc]
    """Referenced by the exchange's table alone and dropped from it in DISCONNECTED: a stale reference to a leg
    would act on whichever call took over its slot."""

    def __init__(self, exchange: Exchange, key: int, direction: Direction, call_id: int | None = None) -> None:
        if call_id is None:
            super().__init__(exchange.account)
        else:
            super().__init__(exchange.account, call_id)
        self.exchange = exchange
        self.key = key
        self.direction = direction
        self.voice: Voice | None = None
        self.port: AudioPort | None = None
        self.recorder: TwoTrackRecorder | None = None
        self.peers: set[int] = set()
        """Legs that hear this one and are heard by it."""
        self.held = False
        self.confirmed = False
        self.answer_due: float | None = None
        self.answer_by = ""
        self.answered_at: float | None = None
        self.record_as: str | None = None
        self.given_up = False

    # what pjsua2 tells us

    @reported
    def onCallState(self, _: Any) -> None:  # noqa: N802 — pjsua2's name
        info = self.getInfo()
        now = time.monotonic()
        if info.state == pj.PJSIP_INV_STATE_EARLY and self.direction is Direction.OUTGOING:
            self.exchange.emit(Progress(self.key, int(info.lastStatusCode), now))
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED and not self.confirmed:
            self.confirmed = True
            self.exchange.emit(Confirmed(self.key, now))
        elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.exchange.leg_gone(self)
            self.exchange.emit(Gone(self.key, int(info.lastStatusCode), self.confirmed, now, self.given_up))

    @reported
    def onCallMediaState(self, _: Any) -> None:  # noqa: N802 — pjsua2's name
        info = self.getInfo()  # must outlive the loop: its media list belongs to it
        held = False
        running = False
        for medium in info.media:
            if medium.type != pj.PJMEDIA_TYPE_AUDIO:
                continue
            if medium.status == pj.PJSUA_CALL_MEDIA_REMOTE_HOLD:
                held = True
            elif medium.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                running = True
        if (running or held) and self.voice is None:
            self._first_audio()
        if running:
            self._keep_strangers_out()
            self.exchange.mix(self)
        if self.voice is not None and held != self.held:
            self.held = self.voice.paused = held
            self.exchange.emit(Held(self.key, held, self.voice.now_ms))

    @reported
    def onDtmfDigit(self, parameter: Any) -> None:  # noqa: N802 — pjsua2's name
        by = "info" if parameter.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc4733"
        at_ms = self.voice.now_ms if self.voice is not None else 0
        self.exchange.emit(Key(self.key, str(parameter.digit), by, at_ms))

    def onCallTransferRequest(self, parameter: Any) -> None:  # noqa: N802 — pjsua2's name
        parameter.statusCode = 603  # nobody outside moves our calls

    def onCallReplaceRequest(self, parameter: Any) -> None:  # noqa: N802 — pjsua2's name
        parameter.statusCode = 603

    # what we do with it

    def _first_audio(self) -> None:
        self.port = self.exchange.take_port()
        self.voice = Voice()
        if self.record_as is not None:
            self.recorder = TwoTrackRecorder(self.record_as, self.port, self.exchange.silence)
        if self.answer_by == "watchdog" and self.direction is Direction.INCOMING:
            self.voice.say(self.exchange.settings.apology)
        self.port.voice = self.voice
        self.exchange.emit(MediaUp(self.key, self.voice, time.monotonic()))

    def _keep_strangers_out(self) -> None:
        """Hear the negotiated address alone, if that is wanted; a re-INVITE may have moved it."""
        if not self.exchange.settings.rtp_negotiated_only or self.direction is not Direction.INCOMING:
            return
        info = self.getInfo()
        for index, medium in enumerate(info.media):
            if medium.type == pj.PJMEDIA_TYPE_AUDIO and medium.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                ours, stream = self.getMedTransportInfo(index), self.getStreamInfo(index)
                if not hear_only(str(ours.localRtpName), str(stream.remoteRtpAddress)):
                    self.exchange.emit(Fault("rtp_source", "the caller's RTP is not kept to its address"))

    def audio(self) -> Any | None:
        """The conference end of the leg's running audio, None while there is none. Never keep it."""
        info = self.getInfo()
        for index, medium in enumerate(info.media):
            if medium.type == pj.PJMEDIA_TYPE_AUDIO and medium.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                return self.getAudioMedia(index)
        return None

    def respond(self, status: int) -> None:
        """Answer an incoming leg with `status`."""
        parameter = pj.CallOpParam()
        parameter.statusCode = status
        self.answer(parameter)

    def pick_up(self, by: str) -> None:
        """Send 200 now (owner thread, once)."""
        if self.answered_at is not None:
            return
        self.answer_due = None
        self.answered_at = time.monotonic()
        self.respond(200)
        self.exchange.emit(Answered(self.key, time.monotonic(), by))

    def end(self, status: int) -> None:
        """Hang up: BYE when up, `status` when it still rings."""
        parameter = pj.CallOpParam()
        parameter.statusCode = status
        self.hangup(parameter)

    def put_on_hold(self) -> None:
        """Hold the far end."""
        self.setHold(pj.CallOpParam(True))

    def take_back(self) -> None:
        """Unhold the far end, or re-INVITE when it is not held."""
        parameter = pj.CallOpParam(True)
        parameter.opt.audioCount, parameter.opt.videoCount = 1, 0
        parameter.opt.flag = pj.PJSUA_CALL_UNHOLD
        self.reinvite(parameter)

    def send_info(self, content_type: str, body: str) -> None:
        """An INFO within the call."""
        parameter = pj.CallSendRequestParam()
        parameter.method = "INFO"
        parameter.txOption.contentType = content_type
        parameter.txOption.msgBody = body
        self.sendRequest(parameter)
