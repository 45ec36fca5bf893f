"""A web server on this computer that stands in for the official addresses: same protocol, other address."""

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Served:
    """What the server gives out, and what it was asked. stop_after: bytes after which it hangs up."""

    files: dict[str, bytes] = field(default_factory=dict)
    etag: str | None = '"1"'
    stop_after: int | None = None
    ranges: list[str | None] = field(default_factory=list)
    address: str = ""

    def offer(self, name: str, content: bytes) -> str:
        self.files[f"/{name}"] = content
        return f"{self.address}/{name}"


@pytest.fixture
def server():
    served = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = served.files.get(self.path)
            served.ranges.append(self.headers.get("Range"))
            if content is None:
                self.send_error(404)
                return
            start = self._start()
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            if served.etag:
                self.send_header("ETag", served.etag)
            self.end_headers()
            self.wfile.write(content[start : served.stop_after])

        def _start(self):
            asked = self.headers.get("Range")
            fresh = self.headers.get("If-Range") == served.etag
            return int(asked.removeprefix("bytes=").rstrip("-")) if asked and fresh else 0

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield served
        http.shutdown()
        thread.join()
