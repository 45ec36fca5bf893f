import hashlib
import logging
import socket
import zipfile

import numpy as np
import pytest
import tifffile

from neurotome.core import FormatError, InputError, RunFailedError
from neurotome.datasets.download import download, store_image, store_labels, unpacked
from neurotome.io import open_image, open_labels

CONTENT = bytes(range(256)) * 4000


def digest(algorithm, content=CONTENT):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_file_arrives_verified_and_nothing_else_is_left(server, tmp_path, algorithm):
    seen = []
    got = download(
        server.offer("a.zip", CONTENT),
        tmp_path / "new" / "a.zip",
        checksum=digest(algorithm),
        progress=lambda what, done, total: seen.append((what, done, total)),
    )
    assert got.path.read_bytes() == CONTENT
    assert (got.size, got.verified, "sha256:" + got.sha256) == (len(CONTENT), True, digest("sha256"))
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a.zip"]
    assert seen[-1] == ("download a.zip", len(CONTENT), len(CONTENT))
    assert [d for _, d, _ in seen] == sorted({d for _, d, _ in seen})


def test_missing_checksum_is_said(server, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        got = download(server.offer("a.zip", CONTENT), tmp_path / "a.zip")
    assert not got.verified
    assert "No official checksum is known" in caplog.text
    assert got.sha256 in caplog.text


def test_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(FormatError, match=r"md5 0000.*Remedy: download again"):
        download(server.offer("a.zip", CONTENT), tmp_path / "a.zip", checksum="md5:" + "0" * 32)
    assert list(tmp_path.iterdir()) == []


def test_interrupted_download_continues_where_it_stopped(server, tmp_path):
    url = server.offer("a.zip", CONTENT)
    server.stop_after = 300_000
    with pytest.raises(RunFailedError, match=r"724000 bytes early.*it continues"):
        download(url, tmp_path / "a.zip", checksum=digest("md5"))
    assert not (tmp_path / "a.zip").exists()
    server.stop_after = None
    got = download(url, tmp_path / "a.zip", checksum=digest("md5"))
    assert got.path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]


@pytest.mark.parametrize("etag", ['"2"', None])
def test_changed_file_is_not_joined_to_an_old_half(server, tmp_path, etag):
    url = server.offer("a.zip", CONTENT)
    server.stop_after = 300_000
    with pytest.raises(RunFailedError):
        download(url, tmp_path / "a.zip")
    changed = CONTENT[::-1]
    server.offer("a.zip", changed)
    server.stop_after, server.etag = None, etag
    assert download(url, tmp_path / "a.zip").path.read_bytes() == changed


def test_offline_says_what_to_do(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with pytest.raises(RunFailedError, match=r"cannot be reached.*copy the files into NEUROTOME_DATA"):
        download(f"http://127.0.0.1:{port}/a.zip", tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_missing_address_is_named(server, tmp_path):
    with pytest.raises(RunFailedError, match="answered 404"):
        download(server.address + "/b.zip", tmp_path / "b.zip")


def test_target_below_a_file_is_refused(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot be written to.*NEUROTOME_DATA"):
        download(server.offer("a.zip", CONTENT), tmp_path / "file" / "a.zip")


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_unpacked_finds_members_by_the_end_of_their_path(tmp_path):
    archive = make_zip(
        tmp_path / "a.zip",
        {"top/x/raw/00.tif": b"0", "top/x/raw/01.tif": b"1", "top/y.tif": b"y", "__MACOSX/top/y.tif": b"no", "top/my.tif": b"no"},
    )
    with unpacked(archive, {"stack": "x/raw/", "one": "y.tif"}) as found:
        assert sorted(p.read_bytes() for p in found["stack"].iterdir()) == [b"0", b"1"]
        assert found["one"].read_bytes() == b"y"
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]


def test_unpacked_stays_in_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    archive = make_zip(tmp_path / "in" / "a.zip", {"raw/../../e.tif": b"e"})
    with unpacked(archive, {"one": "e.tif"}) as found:
        assert found["one"].parent.parent.parent == tmp_path / "in"
    assert not (tmp_path / "e.tif").exists()


@pytest.mark.parametrize(("content", "match"), [(b"no zip", "not a readable zip"), (None, "holds no 'z.tif'")])
def test_bad_archive_is_named(tmp_path, content, match):
    archive = make_zip(tmp_path / "a.zip", {"y.tif": b"y"})
    if content:
        archive.write_bytes(content)
    with pytest.raises(FormatError, match=match), unpacked(archive, {"z": "z.tif"}):
        pass


def test_stored_volumes_carry_the_published_voxel_size(tmp_path):
    image, labels = np.arange(48, dtype=np.uint8).reshape(3, 4, 4), np.arange(48, dtype=np.uint16).reshape(3, 4, 4)
    tifffile.imwrite(tmp_path / "i.tif", image, photometric="minisblack")
    # This one claims another voxel size, as scans with a dots-per-inch tag do.
    tifffile.imwrite(
        tmp_path / "l.tif",
        labels,
        imagej=True,
        resolution=(1 / 0.01, 1 / 0.01),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 0.07},
    )
    store_image(tmp_path / "i.tif", tmp_path / "i.ome.tif", (30.0, 6.0, 6.0))
    store_labels(tmp_path / "l.tif", tmp_path / "l.ome.tif", (30.0, 6.0, 6.0))
    for volume, expected in ((open_image(tmp_path / "i.ome.tif"), image), (open_labels(tmp_path / "l.ome.tif"), labels)):
        assert volume.grid.voxel_nm == (30.0, 6.0, 6.0)
        np.testing.assert_array_equal(volume.read(), expected)
