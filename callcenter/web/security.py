"""Headers that every answer carries: strict content policy, no framing, no sniffing, nothing cached of people."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web

NONCE_KEY = web.RequestKey("style_nonce", str)


def style_nonce(request: web.Request) -> str:
    """Nonce that lets the waveform player style its own shadow root; no other inline style is allowed."""
    nonce: str | None = request.get(NONCE_KEY)
    if nonce is None:
        nonce = request[NONCE_KEY] = secrets.token_urlsafe(16)
    return nonce


def content_policy(nonce: str) -> str:
    """The Content-Security-Policy: everything from here, no inline script, no inline style."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def security_headers(trusted_tls: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Set the headers on every answer. `trusted_tls`: the certificate is a given one, so HSTS is safe to promise."""

    async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["Content-Security-Policy"] = content_policy(style_nonce(request))
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if trusted_tls:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.path.startswith("/static/"):
            headers["Cache-Control"] = "public, max-age=31536000, immutable" if "v" in request.query else "no-cache"
        else:
            headers.setdefault("Cache-Control", "no-store")

    return set_headers
