"""/metrics for Prometheus and /healthz for whoever watches. Neither tells anything about people."""

from __future__ import annotations

import hmac
import time
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from callcenter.web.errors import WebError


class Metrics:
    """What the desk counts. Every name is documented in the handbook."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "callcenter_http_requests_total", "Requests by route, method and status.", ["route", "method", "status"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "callcenter_http_request_seconds", "Time to answer, by route.", ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5), registry=self.registry,
        )  # fmt: skip
        self.readers = Gauge("callcenter_live_readers", "Pages that follow live news.", registry=self.registry)
        self.dropped = Counter(
            "callcenter_live_dropped_total", "Live news dropped for pages that read too slowly.", registry=self.registry
        )
        self.waiting = Gauge(
            "callcenter_waiting", "What waits, by kind: calls, tickets, confirm, callbacks.", ["kind"],
            registry=self.registry,
        )  # fmt: skip


METRICS = web.AppKey("metrics", Metrics)
METRICS_TOKEN = web.AppKey("metrics_token", str)


@web.middleware
async def metrics_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time every request under its route's pattern, never its address."""
    route = request.match_info.route.resource
    name = route.canonical if route is not None else "none"
    started, status = time.monotonic(), 500
    try:
        answer = await handler(request)
        status = answer.status
        return answer
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        request.app[METRICS].requests.labels(name, request.method, str(status)).inc()
        if not name.startswith(("/live", "/line")):
            request.app[METRICS].seconds.labels(name).observe(time.monotonic() - started)


def _from_here(request: web.Request) -> bool:
    """From this machine and not through a proxy on it."""
    try:
        return ip_address(request.remote or "").is_loopback and "X-Forwarded-For" not in request.headers
    except ValueError:
        return False


async def metrics(request: web.Request) -> web.StreamResponse:
    """GET /metrics: for this machine, or with the bearer token of var/secrets/metrics."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not _from_here(request) and not hmac.compare_digest(given.encode(), request.app[METRICS_TOKEN].encode()):
        raise WebError(403, "web.metrics", "Metrics are for this machine, or with the token of var/secrets/metrics.")
    return web.Response(
        body=generate_latest(request.app[METRICS].registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
    )
