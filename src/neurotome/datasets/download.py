"""Getting files from their official address: resumed where it was interrupted, checked, and only then in place."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import logging
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from neurotome.core import FormatError, InputError, Progress, RunFailedError, UnitError, silent
from neurotome.core.geometry import Nm3

__all__ = ["Download", "download", "store_image", "store_labels", "unpacked"]

log = logging.getLogger(__name__)

_CHUNK = 1 << 18
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Download:
    """A file that is in place. verified: an official checksum was known and agreed; sha256 is what was received either way."""

    path: Path
    size: int
    sha256: str
    verified: bool


def download(url: str, target: Path, *, checksum: str = "", progress: Progress = silent) -> Download:
    """Fetch `url` to `target`; what an earlier, interrupted call received (`.NAME.part`) is kept and continued.

    checksum: "md5:..." or "sha256:...", "" where none is known (then the log says so).

    Raises RunFailedError when the address cannot be reached or the connection ends early (call again to continue), FormatError
    when the checksum differs (what was received is removed).
    """
    part = target.with_name(f".{target.name}.part")
    _make_folder(target.parent)
    with _explained(url):
        _receive(url, part, progress)
    received = Download(target, part.stat().st_size, _digest(part, "sha256"), bool(checksum))
    _check(part, checksum, url, received.sha256)
    part.replace(target)
    _etag_file(part).unlink(missing_ok=True)
    return received


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"Folder '{folder}' cannot be written to ({error.strerror})",
            "a folder of your own",
            "choose another with NEUROTOME_DATA",
        ) from error


def _receive(url: str, part: Path, progress: Progress) -> None:
    etag = _etag_file(part)
    start = part.stat().st_size if part.exists() and etag.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "neurotome"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", etag.read_text())
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if start and error.code == 416:
            part.unlink()
            return _receive(url, part, progress)
        raise
    with answer:
        resumed = answer.status == 206
        start = start if resumed else 0
        total = start + int(answer.headers.get("Content-Length") or 0)
        _remember_etag(etag, answer.headers)
        with part.open("ab" if resumed else "wb") as file:
            done = start
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                progress(f"download {PurePosixPath(url).name}", done, max(total, done))
    if done < total:
        raise http.client.IncompleteRead(b"", total - done)
    return None


def _etag_file(part: Path) -> Path:
    return part.with_suffix(".etag")


def _remember_etag(path: Path, headers: http.client.HTTPMessage) -> None:
    # Without a validator a later call could join halves of two different files.
    validator = headers.get("ETag") or headers.get("Last-Modified")
    if validator and not validator.startswith("W/"):
        path.write_text(validator)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except urllib.error.HTTPError as error:
        raise RunFailedError(
            f"'{url}' answered {error.code} ({error.reason})", "the file", "try later, or download it with a browser"
        ) from error
    except http.client.IncompleteRead as error:
        raise RunFailedError(
            f"The connection to '{url}' ended {error.expected} bytes early",
            "the whole file",
            "run the same command again: it continues",
        ) from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise RunFailedError(
            f"'{url}' cannot be reached ({reason})", "a network connection", "go online, or copy the files into NEUROTOME_DATA"
        ) from error


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _check(part: Path, checksum: str, url: str, sha256: str) -> None:
    if not checksum:
        log.warning("No official checksum is known for %s: received sha256 %s, not verified", url, sha256)
        return
    algorithm, _, expected = checksum.partition(":")
    if (found := _digest(part, algorithm)) != expected:
        part.unlink()
        _etag_file(part).unlink(missing_ok=True)
        raise FormatError(
            f"'{url}' has {algorithm} {found}",
            f"{algorithm} {expected}",
            "download again; if it repeats, the official file changed",
        )


@contextlib.contextmanager
def unpacked(archive: Path, wanted: dict[str, str]) -> Iterator[dict[str, Path]]:
    """The wanted members of a zip file in a temporary folder: name -> path.

    wanted: name -> the end of a file's path in the archive, or of a folder's ("raw/": all files in it).
    """
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".unpack-") as folder:
        try:
            with zipfile.ZipFile(archive) as file:
                yield {name: _unpack(file, end, Path(folder) / name) for name, end in wanted.items()}
        except zipfile.BadZipFile as error:
            raise FormatError(
                f"'{archive}' is not a readable zip file ({error})", "a zip archive", "download it again"
            ) from error


def _unpack(file: zipfile.ZipFile, end: str, folder: Path) -> Path:
    members = [m for m in file.namelist() if not m.endswith("/") and _matches(m, end)]
    if not members:
        raise FormatError(f"'{file.filename}' holds no '{end}'", f"a member '{end}'", "the official archive changed: report it")
    folder.mkdir()
    for member in members:
        # Only the last part of a member's name is used: an archive cannot write outside the folder.
        with file.open(member) as source, (folder / PurePosixPath(member).name).open("wb") as copy:
            shutil.copyfileobj(source, copy)
    return folder if end.endswith("/") else folder / PurePosixPath(members[0]).name


def _matches(member: str, end: str) -> bool:
    if "__MACOSX" in member or PurePosixPath(member).name.startswith("."):
        return False
    path = "/" + member
    return path.rpartition("/")[0].endswith("/" + end.rstrip("/")) if end.endswith("/") else path.endswith("/" + end)


def store_image(source: Path, target: Path, voxel_nm: Nm3, *, progress: Progress = silent) -> None:
    """Store an official file or folder of images as OME-TIFF with the voxel size that the data set's authors state."""
    from neurotome.core import Grid, Image
    from neurotome.io import open_image, save

    image = open_image(source, voxel_nm=_own_or(source, voxel_nm))
    save(
        Image(image.data, Grid(image.grid.shape, voxel_nm), target.name.split(".")[0]), target, overwrite=True, progress=progress
    )


def store_labels(source: Path, target: Path, voxel_nm: Nm3, *, progress: Progress = silent) -> None:
    """Like `store_image`, for labels and masks."""
    from neurotome.core import Grid, Labels
    from neurotome.io import open_labels, save

    labels = open_labels(source, voxel_nm=_own_or(source, voxel_nm))
    stored = Labels(labels.data, Grid(labels.grid.shape, voxel_nm), labels.legend, target.name.split(".")[0])
    save(stored, target, overwrite=True, progress=progress)


def _own_or(source: Path, voxel_nm: Nm3) -> Nm3 | None:
    """None where the file states a voxel size itself; it may be wrong (dots per inch of a scan), then the log says so."""
    from neurotome.io import describe

    try:
        own = describe(source).voxel_nm
    except UnitError:
        return voxel_nm
    if own is not None and tuple(own) != tuple(voxel_nm):
        log.info("%s states voxels of %s nm; stored with the published %s nm", source.name, own, voxel_nm)
    return voxel_nm if own is None else None
