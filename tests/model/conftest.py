"""Small model folders and a web server on loopback that can break off."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from callcenter.speech.catalogue import Entry

FST = (2125659606).to_bytes(4, "little")
FILES = {
    "am/final.mdl": b"\0B<TransitionModel> " + b"x" * 4000,
    "conf/mfcc.conf": b"--sample-frequency=16000\n",
    "conf/model.conf": b"--beam=13.0\n",
    "graph/HCLr.fst": FST + b"h" * 50_000,
    "graph/Gr.fst": FST + b"g" * 20_000,
    "graph/disambig_tid.int": b"7\n",
    "graph/words.txt": "<eps> 0\n电梯 1\n漏水 2\n你好 3\n[unk] 4\n".encode(),
}


def make_model(folder: Path, **changed: bytes | None) -> Path:
    """A folder with the files of a Mandarin model; `changed` replaces or (None) leaves out by file stem."""
    for name, body in FILES.items():
        stem = Path(name).stem
        content = changed.get(stem, body) if stem in changed else body
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def make_zip(path: Path, prefix: str = "vosk-model-x/", extra: dict[str, bytes] | None = None) -> Path:
    """A zip of a model folder, stored, so that it has a size worth breaking off in."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, body in {**{prefix + n: b for n, b in FILES.items()}, **(extra or {})}.items():
            archive.writestr(name, body)
    return path


class Site:
    """What the server holds and does: `body`, whether it honours ranges, and after how many bytes it hangs up."""

    def __init__(self) -> None:
        self.body = b""
        self.break_after: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []
        self.url = ""


@pytest.fixture
def site() -> Iterator[Site]:
    """A running HTTP server on loopback."""
    held = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            held.asked.append(wanted)
            start = int(wanted[len("bytes=") : -1]) if wanted and held.ranges else 0
            if wanted and held.ranges and start >= len(held.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(held.body)}")
                self.end_headers()
                return
            self.send_response(206 if wanted and held.ranges else 200)
            self.send_header("Content-Length", str(len(held.body) - start))
            self.end_headers()
            end = len(held.body) if held.break_after is None else min(len(held.body), start + held.break_after)
            self.wfile.write(held.body[start:end])
            if end < len(held.body):
                self.connection.close()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_address[1]}/model.zip"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield held
    server.shutdown()
    server.server_close()
    thread.join()


def entry(url: str, sha256: str = "") -> Entry:
    """An entry of a catalogue that points at the loopback server."""
    return Entry("tiny", "zh", 16000, 1, 1, "test", "CC0-1.0", "test", "测试", url, sha256)
