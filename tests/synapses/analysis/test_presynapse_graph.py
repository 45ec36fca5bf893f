import networkx
import numpy as np
import pandas as pd

from neurotome.synapses.analysis import connections, write_graph


def test_an_edge_is_a_pair_of_neurons_with_the_means_of_its_synapses(grouped, tmp_path):
    table, _ = grouped
    edges = connections(table)
    joined = table.obs[(table.obs["pre_id"] != "") & (table.obs["post_id"] != "")]
    assert edges["synapses"].sum() == len(joined) == (table.obs["post_id"] != "").sum()
    assert len(edges) == joined.groupby(["pre_id", "post_id"]).ngroups
    one = edges.sort_values("synapses").iloc[-1]
    members = ((table.obs["pre_id"] == one["pre_id"]) & (table.obs["post_id"] == one["post_id"])).to_numpy()
    area = table.X[members, table.var_names.get_loc("cleft_area_um2")]
    assert one["synapses"] == members.sum()
    np.testing.assert_allclose(one["cleft_area_um2"], area.mean(), rtol=1e-5)
    write_graph(tmp_path / "presynapse_graph.graphml", edges)
    graph = networkx.read_graphml(tmp_path / "presynapse_graph.graphml")
    assert graph.number_of_edges() == len(edges)
    stored = graph.edges[one["pre_id"], one["post_id"]]
    assert stored["synapses"] == members.sum()
    np.testing.assert_allclose(stored["cleft_area_um2"], area.mean(), rtol=1e-5)
    assert "vesicle_count" not in stored
    assert graph.nodes[one["pre_id"]]["outgoing_synapses"] == joined["pre_id"].eq(one["pre_id"]).sum()
    again = pd.read_csv(tmp_path / "presynapse_graph.csv")
    assert again["synapses"].tolist() == edges["synapses"].tolist()


def test_a_table_without_known_partners_gives_an_empty_graph(grouped, tmp_path):
    table, _ = grouped
    table.obs["post_id"] = ""
    edges = connections(table, measures=["cleft_area_um2"])
    assert edges.empty
    write_graph(tmp_path / "g.graphml", edges)
    assert networkx.read_graphml(tmp_path / "g.graphml").number_of_nodes() == 0
    assert (tmp_path / "g.csv").read_text().startswith("pre_id,post_id,volume,synapses")
