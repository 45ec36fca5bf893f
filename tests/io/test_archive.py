import zipfile

import pytest

from neurotome.core import FormatError, UnknownNameError
from neurotome.io.archive import archive_files, read_archived
from neurotome.io.swc import read_swc


@pytest.fixture
def archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("b/n.swc", "# unit: um\n1 1 3 2 1 0.5 -1\n")
        file.writestr("b/bad.swc", "1 1 here 2 1 0.5 -1\n")
        file.writestr("__MACOSX/b/n.swc", "clutter")
        file.writestr("b/.hidden", "clutter")
    return tmp_path / "a.zip"


def test_files_are_read_as_if_they_were_unpacked(archive):
    assert archive_files(archive) == ["b/bad.swc", "b/n.swc"]
    assert read_archived(archive, "b/n.swc", read_swc).skeleton.points_nm.tolist() == [[1000, 2000, 3000]]


def test_errors_name_archive_and_member(archive, tmp_path):
    with pytest.raises(FormatError, match=r"a\.zip/b/bad\.swc', line 1"):
        read_archived(archive, "b/bad.swc", read_swc)
    with pytest.raises(UnknownNameError, match=r"b/n\.swc"):
        read_archived(archive, "b/m.swc", read_swc)
    (tmp_path / "b.zip").write_text("none")
    with pytest.raises(FormatError, match="not a readable zip"):
        archive_files(tmp_path / "b.zip")
    damaged = bytearray(archive.read_bytes())
    damaged[45] ^= 0xFF
    (tmp_path / "c.zip").write_bytes(damaged)
    with pytest.raises(FormatError, match="cannot be unpacked"):
        read_archived(tmp_path / "c.zip", "b/n.swc", read_swc)
