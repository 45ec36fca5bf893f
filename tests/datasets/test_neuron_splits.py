import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurotome.core import FormatError, InputError
from neurotome.datasets.neuron_splits import SPLITS, checked_split, group_of, read_split, split_of, write_split

NAMES = [f"864691135581{n:06d}_{piece}" for n in range(300) for piece in range(2)]


def test_parts_are_disjoint_complete_and_near_their_shares():
    parts = split_of(NAMES, (0.7, 0.2, 0.1), seed=3)
    assert sorted(parts) == sorted(NAMES)
    counts = [list(parts.values()).count(part) for part in SPLITS]
    assert counts[0] == pytest.approx(420, abs=50)
    assert counts[1] == pytest.approx(120, abs=35)


def test_pieces_of_a_segment_share_its_part():
    parts = split_of(NAMES)
    assert all(parts[name] == parts[f"{group_of(name)}_1"] for name in NAMES)
    animals = {name: name[-3:] for name in NAMES}
    by_animal = split_of(NAMES, groups=animals)
    assert all(by_animal[a] == by_animal[b] for a in NAMES[:40] for b in NAMES[:40] if animals[a] == animals[b])


@given(st.permutations(NAMES[:60]), st.integers(0, 5))
def test_the_part_depends_on_neither_order_nor_company(names, seed):
    whole = split_of(NAMES, seed=seed)
    assert split_of(names, (0.8, 0.2, 0.0), seed=seed).items() >= {n: "train" for n in names if whole[n] == "train"}.items()


def test_another_seed_is_another_split():
    assert split_of(NAMES, seed=1) != split_of(NAMES, seed=2)
    assert split_of(NAMES, seed=1) == split_of(NAMES, seed=1)
    assert set(split_of(NAMES[:9], (1, 0, 0)).values()) == {"train"}


def test_files_come_back_and_equal_splits_are_equal_bytes(tmp_path):
    parts = split_of(NAMES)
    write_split(tmp_path / "a.csv", parts)
    write_split(tmp_path / "b.csv", dict(reversed(parts.items())))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert read_split(tmp_path / "a.csv") == parts
    assert read_split(tmp_path / "a.csv", NAMES[:4]) == {name: parts[name] for name in NAMES[:4]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,train\na,val\n", "has a in train and in val"),
        ("a,train\na,train\n", "in train of .* twice: a"),
        ("8646911355815512_0,train\n8646911355815512_1,test\n", "two parts: 8646911355815512_1"),
        ("b,train\n", "no part for a"),
        ("a,training\n", "line 2 has the split 'training'"),
    ],
)
def test_splits_that_overlap_miss_or_misspell_name_the_ids(tmp_path, rows, message):
    (tmp_path / "s.csv").write_text("neuron_id,split\n" + rows)
    with pytest.raises(InputError, match=message):
        read_split(tmp_path / "s.csv", ["a"])


def test_other_bad_input(tmp_path):
    (tmp_path / "s.csv").write_text("name,part\na,train\n")
    with pytest.raises(FormatError, match="columns name, part"):
        read_split(tmp_path / "s.csv")
    with pytest.raises(InputError, match="Shares"):
        split_of(NAMES, (0.5, 0.1, 0.1))
    with pytest.raises(InputError, match="No neuron of 2 is in"):
        split_of(["a", "b"])
    with pytest.raises(InputError, match="given twice: a"):
        split_of(["a", "b", "a"])
    with pytest.raises(InputError, match="No group for b"):
        split_of(["a", "b"], groups={"a": "1"})
    with pytest.raises(InputError, match="Parts training"):
        write_split(tmp_path / "s.csv", {"a": "training"})
    assert checked_split({"train": ["a"], "val": [], "test": ["b"]}, None, "x") == {"a": "train", "b": "test"}
