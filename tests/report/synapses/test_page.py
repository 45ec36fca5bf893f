"""The pages: what they say, that every link leads somewhere, that nothing is loaded, and what happens where parts are missing."""

import html
import re
import shutil
from html.parser import HTMLParser

import pytest

from neurotome.report.synapses import write_synapse_report

LARGEST_PAGE = 30_000_000


class _Links(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.loaded, self.links = [], [], []
        # What scripts hold is no page.
        self.feed(re.sub(r"<script\b.*?</script>", "", path.read_text(encoding="utf-8"), flags=re.S))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if "id" in given else []
        self.loaded += [given[key] for key in ("src", "href") if key in given and tag != "a"]
        self.links += [given["href"]] if tag == "a" and given.get("href") else []


def words(path):
    plain = re.sub(r"<(script|style)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.S)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", plain).split()))


def test_all_pages_are_there_and_small(whole):
    pages = {str(path.relative_to(whole)) for path in whole.rglob("*.html")}
    summary = "comprehensive_reports/presynapse_summary_20260102_030405/presynapse_summary.html"
    looks = {f"comprehensive_reports/report_20260102_030405/{name}.html" for name in ("index", "study", "6_alpha0_5")}
    maps = {f"pages/{name}.html" for name in ("gif_map", "slice_map", "projection_map", "map3d", "linked_maps")}
    assert pages == {"report.html", summary, *looks, *maps}
    assert all(path.stat().st_size < LARGEST_PAGE for path in whole.rglob("*.html"))


def test_every_link_leads_somewhere_and_nothing_is_loaded(whole):
    for path in whole.rglob("*.html"):
        page = _Links(path)
        assert len(page.ids) == len(set(page.ids)), f"{path}: two elements of one id"
        assert all(source.startswith("data:") for source in page.loaded)
        for link in page.links:
            place, _, part = link.partition("#")
            assert (path.parent / place).exists() if place else not part or part in page.ids, f"{path}: {link}"


def test_the_start_page_tells_how_many_and_what_to_trust(whole):
    said = words(whole / "report.html")
    assert "12 synapses of 16 sites in 2 volumes" in said and "3 clusters stability 0.40 or more" in said
    assert "too little tissue around it crops 2" in said and "no vesicles view 1" in said
    assert "2 sites lie outside" in said and "Doubtful: 2" in said
    assert "agree with an adjusted Rand index of 0.88" in said
    assert "Synapses of 4 neurons that share their presynaptic neuron are more alike" in said and "0.80 times" in said
    assert "bbox2_2 3 0.5 0 < 0.0001" in said
    assert "spine cluster adjusted Rand index 0.25 0.04 12" in said
    assert "features.20 vesicles 2 0.5 0.8" in said and "(mixed model, p < 0.0001)" in said
    assert "The elbow is at 3, the largest silhouette at 3: they agree." in said


def test_what_users_wrote_is_text(whole):
    page = (whole / "report.html").read_text(encoding="utf-8")
    assert "made-up &lt;b&gt;study&lt;/b&gt;" in page and "<b>study" not in page


def test_the_data_of_the_page_are_those_of_the_table(whole, page_data):
    data = page_data(whole / "report.html")
    assert data["ids"][0] == "study/bbox1/s00" and data["row"] == "synapse" and data["pinned"] == 3
    area = next(column for column in data["columns"] if column["name"] == "cleft_area_um2")
    assert area["values"][:3] == [0.1, 0.11, 0.12] and area["title"] == "cleft area (µm²)"
    assert data["pre"][:3] == ["bbox1_1", "bbox1_2", "bbox1_1"] and data["links"][0] == "https://viewer.example/1"
    assert set(data["sheets"]) == {"movie", "slices"} and data["space"][0]["z"][:2] == [0, 0.1]
    tiles = page_data(whole / "pages" / "gif_map.html")
    assert sorted(tiles["order"]) == list(range(12)) and tiles["largest"][-1] == -1
    assert all(0 <= place <= 1 for place in [*tiles["maps"][0]["x"], *tiles["maps"][0]["y"]])


def test_the_pages_of_looks_tell_of_their_own_synapses(whole):
    folder = whole / "comprehensive_reports" / "report_20260102_030405"
    said = words(folder / "index.html")
    assert "mask 6 vesicle cloud" in said and "10 synapses, 2 left out" in said and "12 synapses, 4 left out" in said
    look = words(folder / "6_alpha0_5.html")
    assert "10 synapses of 16 sites" in look and "Shown with mask 6, the rest 50% grey" in look
    summary = words(next(whole.rglob("presynapse_summary.html")))
    assert "distances were not compared in this look" in summary and "0.80 times" in summary


def test_a_table_alone_makes_a_page(synapse_run, tmp_path):
    folder = synapse_run(tmp_path / "small", small=True)
    path = write_synapse_report(folder)
    page, said = _Links(path), words(path)
    assert "12 synapses of 12 sites" in said and "None: every site is on this page." in said
    assert "Its" not in said or "attention" not in page.ids
    assert not {"volumes", "attention", "sizes", "manual"} & set(page.ids) and {"map", "clusters", "provenance"} <= set(page.ids)
    assert not (folder / "pages").exists() and not (folder / "gifs").exists()


def test_without_clusters_there_is_a_map(synapse_run, tmp_path):
    from neurotome.io.feature_table import read_feature_table, write_feature_table

    folder = synapse_run(tmp_path / "small", small=True)
    table = read_feature_table(folder / "features.h5ad")
    table.obs = table.obs.drop(columns=["cluster", "cluster_other"])
    del table.uns["cluster"]
    write_feature_table(folder / "features.h5ad", table)
    page = _Links(write_synapse_report(folder))
    assert "map" in page.ids and "clusters" not in page.ids


def test_the_same_run_gives_the_same_page(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "again")
    before = (whole / "report.html").read_bytes()
    write_synapse_report(tmp_path / "again")
    assert (tmp_path / "again" / "report.html").read_bytes() == before


@pytest.mark.parametrize("name", ["gif_map", "slice_map", "projection_map", "linked_maps"])
def test_pages_without_charts_carry_no_plotly(whole, name):
    assert (whole / "pages" / f"{name}.html").stat().st_size < 1_500_000
