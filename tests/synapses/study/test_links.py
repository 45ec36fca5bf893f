import json
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from neurotome.core import FormatError, InputError, UnknownNameError
from neurotome.datasets import synapse_phantoms
from neurotome.synapses.study.links import LinkTemplate, neuroglancer_link, read_origins, site_links, write_nml


def test_the_reference_origin_and_voxel_give_the_published_place():
    template = LinkTemplate("https://wk.example/annotations/1", origins=read_origins("sce"))
    # Voxel x, y, z = 402, 378, 441 of volume 7.
    assert template.link((441, 378, 402), "bbox7") == "https://wk.example/annotations/1#12742,9794,16880,0,0.905"


def test_the_packaged_origins_are_the_published_ones():
    published = {
        1: (14119, 10692, 15034),
        2: (18544, 5409, 4374),
        3: (14683, 3607, 4216),
        4: (15713, 6909, 10308),
        5: (1682, 8862, 8209),
        6: (16600, 11100, 15473),
        7: (12340, 9416, 16439),
    }
    assert read_origins("sce") == {f"bbox{n}": corner[::-1] for n, corner in published.items()}


def test_every_site_has_a_link_in_any_template():
    sites = synapse_phantoms.p1().sites
    links = site_links(sites, LinkTemplate("b", "{base}/{volume}/{id}?at={z},{y},{x}&k={key}"))
    assert links.to_dict() == {"phantom/bbox7/1": "b/bbox7/1?at=60,65,83&k=phantom/bbox7/1"}
    with pytest.raises(UnknownNameError, match="field of a link 'w'"):
        LinkTemplate("b", "{base}#{w}")
    with pytest.raises(FormatError, match="Template of links"):
        LinkTemplate("b", "{base")


def test_origins_from_a_file(tmp_path):
    (tmp_path / "origins.yaml").write_text("v1: {x: 1, y: 2, z: 3}\n")
    assert read_origins(tmp_path / "origins.yaml") == {"v1": (3, 2, 1)} == read_origins({"v1": {"x": 1, "y": 2, "z": 3}})
    with pytest.raises(FormatError, match="origin of volume 'v1'"):
        read_origins({"v1": [1, 2, 3]})


def test_a_neuroglancer_link_holds_the_state():
    layers = {"em": ("image", "precomputed://http://127.0.0.1/em"), "neurons": ("segmentation", "zarr://http://127.0.0.1/n")}
    link = neuroglancer_link("http://127.0.0.1:8080/", (60, 65, 83), (30.0, 6.0, 4.0), layers, segments={"neurons": [2**63, 11]})
    base, state = link.split("#!")
    state = json.loads(unquote(state))
    assert base == "http://127.0.0.1:8080/" and state["position"] == [83.5, 65.5, 60.5]
    assert {axis: round(size * 1e9, 6) for axis, (size, _) in state["dimensions"].items()} == {"x": 4, "y": 6, "z": 30}
    assert [layer["type"] for layer in state["layers"]] == ["image", "segmentation"]
    assert state["layers"][1]["segments"] == [str(2**63), "11"] and "segments" not in state["layers"][0]
    with pytest.raises(UnknownNameError, match="layer 'cells'"):
        neuroglancer_link("b", (0, 0, 0), (1.0, 1.0, 1.0), layers, segments={"cells": [1]})
    with pytest.raises(UnknownNameError, match="kind of layer"):
        neuroglancer_link("b", (0, 0, 0), (1.0, 1.0, 1.0), {"em": ("picture", "s")})


def test_an_nml_file_has_a_tree_per_site(tmp_path):
    sites = synapse_phantoms.p1().sites
    path = tmp_path / "sites.nml"
    write_nml(path, sites, (30.0, 8.0, 8.0), experiment="cortex", origins={"bbox7": (16439, 9416, 12340)})
    things = ElementTree.parse(path).getroot()
    scale = things.find("parameters/scale")
    assert things.find("parameters/experiment").get("name") == "cortex"
    assert [float(scale.get(axis)) for axis in "xyz"] == [8, 8, 30]
    (tree,) = things.findall("thing")
    assert tree.get("name") == "phantom/bbox7/1"
    places = {node.get("id"): [int(node.get(axis)) for axis in "xyz"] for node in tree.iter("node")}
    assert places == {"1": [12423, 9481, 16499], "2": [12400, 9481, 16499], "3": [12440, 9481, 16499]}
    assert [(e.get("source"), e.get("target")) for e in tree.iter("edge")] == [("1", "2"), ("1", "3")]
    assert [(c.get("node"), c.get("content")) for c in things.iter("comment")] == [("1", "phantom/bbox7/1")]
    with pytest.raises(InputError, match="No sites"):
        write_nml(path, sites.head(0), (8.0, 8.0, 8.0), experiment="cortex")
