import json

import pytest

from neurotome.core import FormatError, InputError, MissingFileError, UnknownNameError, ValueRangeError
from neurotome.synapses.study.legend import read_legend, structures_of


def test_the_packaged_legend_is_the_published_map():
    order = ("mitochondria", "vesicles", "cleft", "cleft2")
    golden = {
        "bbox1": (5, 6, 7, 7),
        "bbox2": (1, 3, 2, 4),
        "bbox3": (6, 7, 9, 8),
        "bbox4": (3, 2, 1, 4),
        "bbox5": (1, 3, 2, 4),
        "bbox6": (5, 6, 7, 7),
        "bbox7": (1, 2, 4, 3),
    }
    legend = read_legend("sce")
    assert {name: tuple(ids[what][0] for what in order) for name, ids in legend.items()} == golden
    assert all(len(i) == 1 for ids in legend.values() for i in ids.values())


def test_yaml_json_csv_and_a_mapping_say_the_same(tmp_path):
    expected = {"v1": {"mitochondria": (1,), "cleft": (3, 4)}, "v2": {"mitochondria": (7,), "psd": (2,)}}
    told = {"v1": {"mitochondria": 1, "cleft": [4, 3]}, "v2": {"mitochondria": 7, "psd": 2}}
    (tmp_path / "legend.yaml").write_text("v1: {mitochondria: 1, cleft: [4, 3]}\nv2:\n  mitochondria: 7\n  psd: 2\n")
    (tmp_path / "legend.json").write_text(json.dumps(told, indent="\t"))
    (tmp_path / "legend.csv").write_text("volume,mitochondria,cleft,psd\nv1,1,4 3,\nv2,7,,2\n")
    assert read_legend(told) == expected
    for name in ("legend.yaml", "legend.json", "legend.csv"):
        assert read_legend(tmp_path / name) == expected


def test_a_volume_that_is_missing_is_named_with_the_closest():
    with pytest.raises(UnknownNameError, match=r"volume of the legend 'bbox8'.*bbox1, bbox2.*did you mean 'bbox\d'"):
        structures_of(read_legend("sce"), "bbox8")


def test_the_default_counts_only_where_it_is_written():
    legend = read_legend({"v1": {"cleft": 1}, "default": {"cleft": 9}})
    assert structures_of(legend, "v1") == {"cleft": (1,)}
    assert structures_of(legend, "other") == {"cleft": (9,)}


@pytest.mark.parametrize("ids", [0, -1, 1.5, True, "two", [], [1, None]])
def test_ids_have_to_be_whole_and_above_zero(ids):
    with pytest.raises(ValueRangeError, match="'cleft' of volume 'v1'"):
        read_legend({"v1": {"cleft": ids}})


@pytest.mark.parametrize("name", ["pre", "valid", "all", "dilate", "two words", "1st"])
def test_names_that_masks_could_not_use_are_refused(name):
    with pytest.raises(InputError, match="structure"):
        read_legend({"v1": {name: 1}})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("twice.yaml", "v1: {cleft: 1}\nv1: {cleft: 2}\n"),
        ("inner.yaml", "v1: {cleft: 1, cleft: 2}\n"),
        ("twice.json", '{"v1": {"cleft": 1}, "v1": {"cleft": 2}}'),
        ("twice.csv", "volume,cleft\nv1,1\nv1,2\n"),
        ("list.yaml", "- 1\n- 2\n"),
        ("broken.json", "{"),
        ("empty.yaml", ""),
        ("flat.yaml", "v1: 4\n"),
        ("nameless.csv", "cleft,vesicles\n1,2\n"),
    ],
)
def test_what_is_no_legend_is_refused(tmp_path, file, text):
    (tmp_path / file).write_text(text)
    with pytest.raises(FormatError):
        read_legend(tmp_path / file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(MissingFileError):
        read_legend(tmp_path / "legend.yaml")
