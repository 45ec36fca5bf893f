"""The running viewer: a small server on this machine that hands out boxes of the volumes until it is stopped."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurotome.core import InputError
from neurotome.io import atomic_write_json
from neurotome.report import Results, place_path, read_results, run_token
from neurotome.view.state import build_state, look_at, require_neuroglancer
from neurotome.view.stored import Storage, pyramids_of

__all__ = ["STATE", "RunView", "open_view"]

_log = logging.getLogger(__name__)

STATE = "view.json"


@dataclass(frozen=True, eq=False)
class RunView:
    """A viewer that is being served. url: what to open in a browser. viewer: neuroglancer's own object."""

    url: str
    viewer: Any

    def wait(self) -> None:
        """Stay alive until Ctrl-C, then stop."""
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            _log.info("Viewer stopped")
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop serving; the address is dead from then on."""
        require_neuroglancer().server.stop()


def open_view(
    run_folder: Path | str,
    *,
    port: int = 0,
    bind: str = "127.0.0.1",
    block: bool = True,
    at: Sequence[int] | None = None,
    channels: Sequence[str] | None = None,
) -> RunView:
    """Serve a run folder to neuroglancer, save the state as view.json, and (block) stay until Ctrl-C.

    The address is logged, and is the same each time for the same port. One view per process: a new one replaces the old.

    Parameters
    ----------
    port
        Port to serve on; 0 takes a free one.
    bind
        Address to serve on; 0.0.0.0 lets other machines look.
    at, channels
        As for `build_state`.

    Raises InputError when the port is in use or may not be used, and what `build_state` raises.
    """
    neuroglancer = require_neuroglancer()
    results = read_results(run_folder)
    _require_free(bind, port)
    neuroglancer.server.stop()
    neuroglancer.set_server_bind_address(bind, port)
    viewer = neuroglancer.Viewer(token=run_token(results.record))
    view = RunView(viewer.get_viewer_url(), viewer)
    try:
        viewer.set_state(build_state(results, at=at, channels=channels, storage=_serve_pyramids(view, results)))
    except BaseException:
        view.stop()
        raise
    _serve_places(viewer, results)
    atomic_write_json(results.folder / STATE, viewer.state.to_json())
    for line in results.missing:
        _log.warning("No layer for it. %s", line)
    _log.debug("Viewer: %s (stop with Ctrl-C)", view.url)
    if block:
        view.wait()
    return view


def _serve_pyramids(view: RunView, results: Results) -> Storage:
    """Give out the folders of volumes that the client reads by itself, whole files or ranges of bytes."""
    from neuroglancer import server
    from tornado.web import StaticFileHandler

    class StoredFile(StaticFileHandler):
        def set_default_headers(self) -> None:
            # The page may be open under another name of this machine.
            self.set_header("Access-Control-Allow-Origin", "*")

        def compute_etag(self) -> None:
            """None: it would be a hash of the whole file, which may be gigabytes of which a chunk is wanted."""

    folders, place = pyramids_of(results), f"/stored/{view.viewer.token}/"
    handlers = [(f"{place}{name}/(.*)", StoredFile, {"path": str(path.absolute())}) for name, path in folders.items()]
    server.global_server.app.add_handlers(".*", handlers)
    return Storage(view.url.split("/v/")[0] + place, folders)


def _serve_places(viewer: Any, results: Results) -> None:
    """Let links of errors.csv (`report.place_path`) move this viewer, and lead the browser to it."""
    from neuroglancer import server
    from tornado.web import HTTPError, RequestHandler

    class Place(RequestHandler):
        def get(self, *place: str) -> None:
            try:
                with viewer.txn() as state:
                    look_at(state, results, [int(v) for v in place])
            except InputError as error:
                raise HTTPError(404, reason="place outside the volume") from error
            self.redirect(f"/v/{viewer.token}/")

    pattern = place_path(results.record, (0, 0, 0)).removesuffix("0,0,0") + r"(\d+),(\d+),(\d+)"
    server.global_server.app.add_handlers(".*", [(pattern, Place)])


def _require_free(bind: str, port: int) -> None:
    """The server binds in a thread of its own, where the reason of a failure would be lost: try here."""
    with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"Port {port} on {bind} cannot be used ({reason})",
                "a free port",
                "stop the other program, or give another --port (0 takes a free one)",
            ) from error
