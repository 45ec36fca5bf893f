import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurotome.core import Box, FormatError, InputError, UnitError
from neurotome.io import describe, open_image

PLAIN, PACKED = b"raw_image_stack_by_hpeng", b"v3d_volume_pkbitdf_encod"
STACK = np.random.default_rng(0).integers(0, 255, (3, 4, 5), np.uint8)


def header(magic: bytes, width: int, sizes: tuple[int, ...], order: str = "<", numbers: str = "i") -> bytes:
    return magic + (b"L" if order == "<" else b"B") + struct.pack(f"{order}h4{numbers}", width, *sizes)


def stored(folder: Path, content: bytes, name: str = "a.v3draw") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("dtype", "width"), [("u1", 1), ("u2", 2), ("f4", 4)])
def test_plain_stacks(tmp_path: Path, order: str, dtype: str, width: int) -> None:
    values = (STACK * 200.0).astype(np.dtype(dtype).newbyteorder(order))
    path = stored(tmp_path, header(PLAIN, width, (5, 4, 3, 1), order) + values.tobytes())
    found = open_image(path, voxel_nm=(300, 100, 100))
    assert found.read().dtype == np.dtype(dtype)
    assert np.array_equal(found.read(), values)
    assert np.array_equal(found.read(Box((1, 2, 3), (3, 3, 5))), values[1:3, 2:3, 3:5])


def test_it_states_no_voxel_size_and_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = stored(tmp_path, header(PLAIN, 1, (5, 4, 3, 1)) + STACK.tobytes(), "stack")
    assert (describe(path).format, describe(path).shape, describe(path).voxel_nm) == ("Vaa3D", (3, 4, 5), None)
    with pytest.raises(UnitError, match="--voxel-nm"):
        open_image(path)


def test_channels_and_old_headers(tmp_path: Path) -> None:
    two = np.stack([STACK, STACK[::-1]])
    path = stored(tmp_path, header(PLAIN, 1, (5, 4, 3, 2), numbers="h") + two.tobytes())
    assert np.array_equal(open_image(path, voxel_nm=(1, 1, 1), channel=1).read(), two[1])
    with pytest.raises(InputError, match="has 2 channels"):
        open_image(path, voxel_nm=(1, 1, 1))


def test_runs_of_bytes_by_hand(tmp_path: Path) -> None:
    """Three values; five differences 1, 2, 0, -1, -1 to the value before; 7 four times; one difference of -1."""
    runs = bytes([2, 10, 20, 30, 32 + 5, 0b11_00_10_01, 0b11, 127 + 4, 7, 32 + 1, 0b11])
    path = stored(tmp_path, header(PACKED, 1, (13, 1, 1, 1)) + runs, "a.v3dpbd")
    found = open_image(path, voxel_nm=(1, 1, 1))
    assert found.read().ravel().tolist() == [10, 20, 30, 31, 33, 33, 32, 31, 7, 7, 7, 7, 6]
    assert found.read(Box((0, 0, 4), (1, 1, 8))).ravel().tolist() == [33, 33, 32, 31]
    assert describe(path).format == "Vaa3D (packed)"


@pytest.mark.parametrize("order", ["<", ">"])
def test_runs_of_words_by_hand(tmp_path: Path, order: str) -> None:
    """Two values; nine differences 0 1 2 3 4 -1 -2 -3 1, three bits each, highest first; 300 three times; a difference of -3."""
    bits = "".join(f"{code:03b}" for code in (0, 1, 2, 3, 4, 5, 6, 7, 1)).ljust(32, "0")
    differences = int(bits, 2).to_bytes(4, "big")
    runs = bytes([1]) + struct.pack(f"{order}2H", 1000, 2000) + bytes([31 + 9]) + differences
    runs += bytes([222 + 3]) + struct.pack(f"{order}H", 300) + bytes([31 + 1, 0b111_00000])
    path = stored(tmp_path, header(PACKED, 2, (15, 1, 1, 1), order) + runs, "a.v3dpbd")
    expected = [1000, 2000, 2000, 2001, 2003, 2006, 2010, 2009, 2007, 2004, 2005, 300, 300, 300, 297]
    assert open_image(path, voxel_nm=(1, 1, 1)).read().ravel().tolist() == expected


def packed(values: np.ndarray, rng: np.random.Generator) -> bytes:
    """Values as runs of random kinds and lengths, wherever the kind can hold them."""
    wide = values.dtype.itemsize == 2
    longest = {"literal": 32 if wide else 33, "steps": 48 if wide else 95, "same": 33 if wide else 128}
    out, at = bytearray(), 0
    while at < len(values):
        steps = np.diff(values[max(at - 1, 0) :].astype(int), prepend=0 if at == 0 else values[at - 1])[int(at > 0) :]
        fits = (steps >= (-3 if wide else -1)) & (steps <= (4 if wide else 2))
        runs = {"literal": len(values) - at, "steps": int(np.argmin(np.append(fits, False)))}
        runs["same"] = int(np.argmin(np.append(values[at:] == values[at], False)))
        kind = rng.choice([name for name, length in runs.items() if length])
        n = int(rng.integers(1, min(runs[kind], longest[kind]) + 1))
        if kind == "literal":
            out += bytes([n - 1]) + values[at : at + n].tobytes()
        elif kind == "same":
            out += bytes([n + (222 if wide else 127)]) + values[at : at + 1].tobytes()
        elif wide:
            bits = "".join(f"{step if step >= 0 else 4 - step:03b}" for step in steps[:n])
            out += bytes([n + 31]) + int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
        else:
            codes = [int(step) & 3 for step in steps[:n]] + [0] * (-n % 4)
            out += bytes([n + 32]) + bytes(sum(c << (2 * i) for i, c in enumerate(codes[k : k + 4])) for k in range(0, n, 4))
        at += n
    return bytes(out)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from(["u1", "u2"]))
def test_whatever_was_packed_comes_back(tmp_path: Path, seed: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.choice([-40, -3, -1, 0, 0, 0, 1, 2, 4, 99], n)).astype(dtype)
    content = header(PACKED, walk.dtype.itemsize, (n, 1, 1, 1)) + packed(walk, rng)
    assert np.array_equal(open_image(stored(tmp_path, content), voxel_nm=(1, 1, 1)).read().ravel(), walk)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"raw_image", "no Vaa3D stack"),
        (PLAIN, "its header"),
        (PLAIN + b"X" + bytes(18), "its header"),
        (b"v3d_stack_pkbit_by_gene1" + bytes(40), "no Vaa3D stack"),
        (header(PLAIN, 3, (5, 4, 3, 1)), "values of kind 3"),
        (header(PACKED, 4, (5, 4, 3, 1)), "values of kind 4"),
        (header(PACKED, 33, (5, 4, 3, 1)), "values of kind 33"),
        (header(PLAIN, 1, (5, 4, 3, 1)) + bytes(59), "does not fit"),
        (header(PLAIN, 1, (5, 4, 3, 1)) + bytes(61), "does not fit"),
        (header(PLAIN, 1, (5, -4, 3, 1)) + bytes(60), "does not fit"),
        (header(PACKED, 1, (10**6, 10**6, 9, 1)) + bytes(9), "does not fit"),
        (header(PACKED, 1, (4, 1, 1, 1)) + bytes([2, 1, 1, 1]), "its runs make 3 of 4 values"),
        (header(PACKED, 1, (4, 1, 1, 1)) + bytes([4, 1, 1, 1, 1, 1]), "its runs make 0 of 4"),
        (header(PACKED, 1, (4, 1, 1, 1)) + bytes([3, 1, 1]), "its runs make 0 of 4"),
        (header(PACKED, 2, (4, 1, 1, 1)) + bytes([100, 1, 1]), "its runs make 0 of 4"),
    ],
)
def test_damage_and_other_kinds_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        open_image(stored(tmp_path, content), voxel_nm=(1, 1, 1)).read()


def test_a_file_that_changes_is_unpacked_again(tmp_path: Path) -> None:
    first = stored(tmp_path, header(PACKED, 1, (4, 1, 1, 1)) + bytes([131, 7]))
    assert open_image(first, voxel_nm=(1, 1, 1)).read().tolist() == [[[7, 7, 7, 7]]]
    second = stored(tmp_path, header(PACKED, 1, (4, 1, 1, 1)) + bytes([130, 8, 128, 9]))
    assert open_image(second, voxel_nm=(1, 1, 1)).read().tolist() == [[[8, 8, 8, 9]]]
