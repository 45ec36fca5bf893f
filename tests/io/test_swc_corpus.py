"""Malformed and odd SWC files, made from one good tree by systematic mutation: each is read, with notes, or refused."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import NeurotomeError, Skeleton
from neurotome.io.swc import SwcFile, read_swc, write_swc

GOOD = [
    "1 1 0.5 10.25 -3 4 -1",
    "2 3 1.5 10.25 -3 1.5 1",
    "3 3 2.5 11 -3 1.25 2",
    "4 3 3.5 12 -2 1 3",
    "5 3 4.5 13 -2 1 4",
    "6 3 5.5 12 -2 0.5 4",
    "7 2 0.5 9 -4 1 1",
    "8 2 0.5 8 -5 1 7",
    "9 2 0.5 7 -6 0.75 8",
    "10 2 1.5 6 -6 0.5 9",
]
"""Ten nodes, one root, bifurcations at 1 and 4, tips 5, 6 and 10."""

ODD_VALUES = [
    *("nan", "NaN", "inf", "-inf", "abc", "-5", "1.5", "1e400", "-1e400", "1e-400", "1e30", "9" * 25, "9" * 5000, "0x10", "1_0"),
    *("\u0663", "--3", "+2", "1e3", ".5", "5.", "-0", "None", "1,5", "1;5", "true", "3.0", "\ufeff3", "'3'", "1e", "-", "3#4"),
]


def corpus() -> dict[str, bytes]:
    """All files, in a fixed order."""
    texts = {**_values(), **_lines(), **_graphs(), **_layouts()}
    return {**{name: text.encode() for name, text in texts.items()}, **_encodings(), **_other_files(), **_damaged()}


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _values() -> dict[str, str]:
    files = {}
    for column, what in enumerate(["id", "type", "x", "y", "z", "radius", "parent"]):
        for value in ODD_VALUES:
            fields = GOOD[4].split()
            fields[column] = value
            files[f"{what} is {value[:12]!r}"] = _text([*GOOD[:4], " ".join(fields), *GOOD[5:]])
    return files


def _lines() -> dict[str, str]:
    files = {"good": _text(GOOD), "no last line end": "\n".join(GOOD), "backwards": _text(GOOD[::-1])}
    for at in range(len(GOOD)):
        files[f"without line {at + 1}"] = _text(GOOD[:at] + GOOD[at + 1 :])
        files[f"line {at + 1} twice"] = _text(GOOD[: at + 1] + GOOD[at:])
        files[f"line {at + 1} at the end as well"] = _text([*GOOD, GOOD[at]])
        files[f"line {at + 1} alone"] = _text([GOOD[at]])
        files[f"NaN node {at + 1}"] = _text(
            [*GOOD[:at], " ".join([*GOOD[at].split()[:4], "nan", *GOOD[at].split()[5:]]), *GOOD[at + 1 :]]
        )
    for fields in range(8):
        files[f"line 5 of {fields} values"] = _text([*GOOD[:4], " ".join([*GOOD[4].split(), "8"][:fields]), *GOOD[5:]])
        files[f"all lines of {fields} values"] = _text([" ".join([*line.split(), "8"][:fields]) for line in GOOD])
    return files


def _graphs() -> dict[str, str]:
    rows = [line.split() for line in GOOD]

    def with_parents(parents: list[object]) -> str:
        return _text([" ".join([*row[:6], str(parent)]) for row, parent in zip(rows, parents, strict=True)])

    parents: list[object] = [row[6] for row in rows]
    files = {f"cycle of {n}": with_parents([n, *range(1, n), *parents[n:]]) for n in range(1, 11)}
    files |= {
        "two cycles": with_parents([3, 1, 2, 6, 4, 5, 1, 7, 8, 9]),
        "cycle in the middle": with_parents([-1, 1, 5, 3, 4, 5, 1, 7, 8, 9]),
        "all roots": with_parents([-1] * 10),
        "all parents missing": with_parents([77] * 10),
        "root marked by 0": with_parents([0, *parents[1:]]),
        "root marked by -2": with_parents([-2, *parents[1:]]),
        "root is its own parent": with_parents([1, *parents[1:]]),
        "each is its own parent": with_parents(list(range(1, 11))),
        "all ids the same": _text([" ".join(["1", *row[1:]]) for row in rows]),
        "ids from 0": _text([" ".join([str(int(row[0]) - 1), *row[1:6], str(max(-1, int(row[6]) - 1))]) for row in rows]),
        "large ids": _text([" ".join([row[0] + "00000000", *row[1:6], row[6] + "00000000" * (row[6] != "-1")]) for row in rows]),
        "two files in one": _text(GOOD + [line.replace(" 0.5 ", " 99.5 ") for line in GOOD]),
        "five files in one": _text(
            [line.replace(" 0.5 ", f" {99 + i}.5 ").replace(" 1 ", f" {i} ", 1) for i in range(5) for line in GOOD]
        ),
        "all at one point": _text([" ".join([*row[:2], "0 0 0 0", row[6]]) for row in rows]),
        "all NaN": _text([" ".join([*row[:2], "nan nan nan 1", row[6]]) for row in rows]),
        "all radii negative": _text([" ".join([*row[:5], "-1", row[6]]) for row in rows]),
        "all parents NaN": with_parents(["nan"] * 10),
    }
    return files


def _layouts() -> dict[str, str]:
    files = {
        f"{name} between": _text([line.replace(" ", separator) for line in GOOD])
        for name, separator in {
            "comma": ",", "comma and blank": ", ", "tab": "\t", "semicolon": ";", "blanks": "    ", "tabs and blanks": " \t ",
            "no-break space": "\u00a0", "colon": ":", "slash": "/", "nothing": "", "form feed": "\f", "two commas": ",,",
        }.items()
    }  # fmt: skip
    files |= {
        f"line end {name}": end.join(GOOD) + end
        for name, end in {"CRLF": "\r\n", "CR": "\r", "mixed": "\r\n\n", "LFCR": "\n\r", "\\v": "\v", "\\u2028": "\u2028"}.items()
    }
    files |= {
        "blank lines": "\n\n" + "\n   \n\t\n".join(GOOD) + "\n\n\n",
        "comments everywhere": "# a\n" + "\n   ## b, c; d\n".join(GOOD) + "\n#",
        "comments after the numbers": _text([f"{line} # node" for line in GOOD]),
        "comment without blank": _text([f"{line}#node" for line in GOOD]),
        "slashes as comment": _text(["// comment", *GOOD]),
        "column names": _text(["id type x y z radius parent", *GOOD]),
        "column names with commas": _text(["id,type,x,y,z,radius,parent", *[line.replace(" ", ",") for line in GOOD]]),
        "column names in the middle": _text([*GOOD[:5], "id type x y z radius parent", *GOOD[5:]]),
        "column names alone": "id type x y z radius parent\n",
        "column names twice": _text(["id type x y z radius parent"] * 2 + GOOD),
        "eswc": _text([f"{line} 1 0 2.5 7" for line in GOOD]),
        "eswc of odd length": _text([f"{line} {'4 ' * i}" for i, line in enumerate(GOOD)]),
        "eswc with words": _text([f"{line} axon" for line in GOOD]),
        "trailing commas": _text([line.replace(" ", ",") + "," for line in GOOD]),
        "trailing blanks": _text([f"  {line}  \t" for line in GOOD]),
        "separators mixed from line to line": _text([line.replace(" ", " ,;\t"[i % 4]) for i, line in enumerate(GOOD)]),
        "decimal commas with blanks": _text([line.replace(".", ",") for line in GOOD]),
        "decimal commas with semicolons": _text([line.replace(".", ",").replace(" ", ";") for line in GOOD]),
        "scientific": _text([" ".join(f"{float(v):.6e}" for v in line.split()) for line in GOOD]),
        "all floats": _text([" ".join(f"{float(v):.1f}" for v in line.split()) for line in GOOD]),
        "Fortran exponents": _text([line.replace("0.5", "5D-1") for line in GOOD]),
        "brackets": _text([f"[{line}]" for line in GOOD]),
        "quotes": _text([f'"{line}"' for line in GOOD]),
        "one line": " ".join(GOOD) + "\n",
        "empty": "",
        "blank": " \n\t\n\r\n",
        "comments alone": "# nothing\n# here\n",
        "a byte-order mark alone": "\ufeff",
        "wrong unit in the header": _text(["# unit: inch", *GOOD]),
        "nm in the header": _text(["# unit: nm", *GOOD]),
        "CSV of something else": "name,length\na,3\nb,4\n",
        "a sentence": "This is not the file you are looking for.\n",
        "web page": "<!DOCTYPE html><html><body>404 Not Found</body></html>\n",
        "JSON": json.dumps([line.split() for line in GOOD]),
        "Git LFS pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
        "Hoc": "create soma\nsoma { pt3dadd(0, 0, 0, 1) }\n",
        "numbers alone": "\n".join(map(str, range(70))),
        "a very long line": "1 " * 200_000 + "\n",
    }  # fmt: skip
    return files


def _encodings() -> dict[str, bytes]:
    text = _text(["# Größe in µm", *GOOD])
    names = ["utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
    return {f"encoded as {name}": text.encode(name) for name in names} | {"half of UTF-16": text.encode("utf-16")[:-1]}


def _other_files() -> dict[str, bytes]:
    text = _text(GOOD).encode()
    rng = np.random.default_rng(0)
    return {
        "gzip": gzip.compress(text, mtime=0),
        "zlib": zlib.compress(text),
        "zip": b"PK\x03\x04" + bytes(60),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(60),
        "zeros": bytes(500),
        "zeros at the end": text + bytes(500),
        "a zero inside": text[:40] + b"\0" + text[40:],
        **{f"noise {i}": rng.integers(0, 256, 300, np.uint8).tobytes() for i in range(10)},
        **{f"printable noise {i}": rng.integers(32, 127, 300, np.uint8).tobytes() for i in range(10)},
        **{f"numeric noise {i}": bytes(rng.choice(list(b"0123456789-. \n"), 400).tolist()) for i in range(20)},
    }


def _damaged() -> dict[str, bytes]:
    """The good file cut off anywhere in its last two lines, and with single bytes changed."""
    text = _text(GOOD).encode()
    rng = np.random.default_rng(1)
    files = {f"cut off after {n} bytes": text[:n] for n in range(len(text) - 40, len(text))}
    for i in range(40):
        at, byte = int(rng.integers(len(text))), int(rng.integers(1, 256))
        files[f"byte {at} is {byte} ({i})"] = text[:at] + bytes([byte]) + text[at + 1 :]
    return files


CORPUS = corpus()


def outcome(path: Path, *, repair: bool = True) -> SwcFile | NeurotomeError:
    try:
        return read_swc(path, unit="um", repair=repair)
    except NeurotomeError as error:
        return error


def same(one: Skeleton, other: Skeleton) -> bool:
    arrays = ("parent_rows", "points_nm", "radii_nm", "kinds")
    return all(np.allclose(getattr(one, name), getattr(other, name), rtol=1e-12, atol=0.5) for name in arrays)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, SwcFile | NeurotomeError]]:
    folder = tmp_path_factory.mktemp("corpus")
    found = {}
    for number, (name, content) in enumerate(CORPUS.items()):
        (folder / f"{number}.swc").write_bytes(content)
        found[name] = folder / f"{number}.swc", outcome(folder / f"{number}.swc")
    return found


Outcomes = dict[str, tuple[Path, "SwcFile | NeurotomeError"]]


def test_every_file_is_read_repaired_or_refused(outcomes: Outcomes) -> None:
    def sort(found: SwcFile | NeurotomeError) -> str:
        return "refused" if isinstance(found, NeurotomeError) else "repaired" if found.repairs else "read"

    assert Counter(sort(found) for _, found in outcomes.values()) == {"read": 103, "repaired": 111, "refused": 291}


def test_refusals_name_the_file_and_the_remedy_in_one_line(outcomes: Outcomes) -> None:
    for name, (path, found) in outcomes.items():
        if isinstance(found, NeurotomeError):
            assert f"'{path}'" in str(found), name
            assert found.expected, name
            assert found.remedy, name
            assert len(str(found).splitlines()) == 1, name
            assert len(str(found)) < 500, name


def test_notes_name_lines_that_exist(outcomes: Outcomes) -> None:
    for name, (path, found) in outcomes.items():
        lines = len(re.split(r"\r\n|\r|\n", path.read_bytes().decode("utf-8", "replace")))
        for note in found.repairs if isinstance(found, SwcFile) else ():
            named = [int(n) for n in re.findall(r"line (\d+)", note)]
            assert named, name
            assert max(named) <= lines, name


def test_without_repair_a_file_is_read_the_same_or_refused(outcomes: Outcomes) -> None:
    for name, (path, found) in outcomes.items():
        strict = outcome(path, repair=False)
        if isinstance(found, SwcFile) and not found.repairs:
            assert isinstance(strict, SwcFile), name
            assert same(strict.skeleton, found.skeleton), name
        else:
            assert isinstance(strict, NeurotomeError), name
        if isinstance(found, SwcFile) and found.repairs:
            assert re.search(r"line \d+", str(strict)), name


def test_what_was_read_is_written_and_read_again_without_repair(outcomes: Outcomes, tmp_path: Path) -> None:
    for name, (_, found) in outcomes.items():
        if isinstance(found, SwcFile):
            write_swc(tmp_path / "a.swc", found.skeleton, header=found.header)
            again = read_swc(tmp_path / "a.swc", repair=False)
            write_swc(tmp_path / "b.swc", again.skeleton, header=again.header)
            assert same(again.skeleton, found.skeleton), name
            assert (tmp_path / "a.swc").read_bytes() == (tmp_path / "b.swc").read_bytes(), name
