"""The page of a tracing: what it says, and what its switches do in a browser."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurotome.core import RunFolderError
from neurotome.flows import TraceJob, trace
from neurotome.report import css_colour, read_results, write_tracing_report

FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync "
    "--use-gl=angle --use-angle=swiftshader"
)


@pytest.fixture(scope="session")
def traced(neurite_files, tmp_path_factory):
    """A finished tracing with a truth. Shared: tests that change it copy it first."""
    out = tmp_path_factory.mktemp("traced") / "out"
    stack, given, truth = (str(neurite_files / name) for name in ("stack.ome.tif", "map.ome.tif", "truth.swc"))
    trace(TraceJob(stack, probability=given, truth=truth, options={"somata": False}), out)
    return out


@pytest.fixture(scope="session")
def without_truth(neurite_files, tmp_path_factory):
    out = tmp_path_factory.mktemp("without") / "out"
    trace(TraceJob(str(neurite_files / "stack.ome.tif"), probability=str(neurite_files / "map.ome.tif")), out)
    return out


@pytest.fixture
def page():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def text(out):
    return (out / "report.html").read_text(encoding="utf-8")


def paths(html, style):
    return re.findall(rf'<path class="{style}"(?: style="stroke: (#\w+)")? d="([^"]+)"><title>([^<]+)</title>', html)


def test_one_file_that_needs_no_other(traced):
    html = text(traced)
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]+"', html) and "<script" not in html
    assert html.count('<svg class="view"') == 3 and len(re.findall(r'href="data:image/', html)) == 3
    assert "nan" not in re.sub(r"data:[^\"]+", "", html).lower().split()


def test_numbers_are_those_of_the_tables(traced):
    html = text(traced)
    table = pd.read_csv(traced / "neurons.csv")
    assert f"{table['length_um'].sum():.0f} µm" in html
    f1 = next(
        s["value"]
        for s in json.loads((traced / "scores.json").read_text())
        if s["metric"] == "f1" and s["convention"] == "2 voxels"
    )
    assert f"{f1:.3f}" in html and f"{f1:.4f}" in html
    bridges = pd.read_csv(traced / "bridges.csv")
    assert len(bridges) and all(f"{c:.2f}" in html for c in bridges["confidence"])
    errors = pd.read_csv(traced / "errors.csv")
    assert html.count('class="kind ') == min(10, len(errors))
    assert html.count('<g class="mark">') == 3 * min(10, len(errors))


def test_lines_lie_where_the_nodes_are(traced):
    html, trees = text(traced), read_results(traced).trees
    from_above = paths(html.split('<svg class="view"')[1], "traced")
    assert len(from_above) == len(trees.roots)
    drawn = np.array([[float(v) for v in pair] for pair in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", from_above[0][1])])
    # Voxel centres are half a pixel inside: 500 nm are one unit of the drawing.
    nodes = trees.points_nm[trees.trees == 0][:, [2, 1]] / 500 + 0.5
    assert drawn.min(0) == pytest.approx(nodes.min(0), abs=0.06) and drawn.max(0) == pytest.approx(nodes.max(0), abs=0.06)
    assert len(paths(html.split('<svg class="view"')[1], "reference")) == len(read_results(traced).reference.roots)


def test_without_truth_every_tree_has_the_colour_it_has_in_the_viewer(without_truth):
    html = text(without_truth)
    assert 'id="reference"' not in html and "Scores" not in html and "Longest errors" not in html
    trees = paths(html.split('<svg class="view"')[1], "tree")
    assert [(colour, name) for colour, _, name in trees] == [(css_colour(1), "tree 0"), (css_colour(2), "tree 1")]
    assert [row["tree"] for row in read_results(without_truth).table] == [0, 1]


def test_settings_one_by_one(traced):
    html = text(traced)
    facts = html.split('id="settings"')[1].split("</section>")[0]
    assert "{" not in facts and "[" not in facts and "min length nm" in facts and "3000" in facts
    assert "threshold of 255" in facts and "scooping" in facts and "sha256" in facts


def test_more_trees_than_the_page_has_room_for(traced, tmp_path):
    out = Path(shutil.copytree(traced, tmp_path / "out"))
    table = pd.read_csv(out / "neurons.csv")
    pd.concat([table] * 30).to_csv(out / "neurons.csv", index=False)
    bridges = pd.read_csv(out / "bridges.csv")
    pd.concat([bridges] * 30).to_csv(out / "bridges.csv", index=False)
    html = Path(write_tracing_report(out)).read_text()
    assert f"The 20 longest; {30 * len(table) - 20} more" in html
    assert f"{30 * len(bridges) - 20} more are in <code>bridges.csv</code>" in html


def test_inputs_that_are_gone_are_named_and_the_rest_is_shown(traced, tmp_path):
    out = Path(shutil.copytree(traced, tmp_path / "out"))
    record = json.loads((out / "run.json").read_text())
    record["config"] |= {"image": "/gone/stack.tif", "truth": "/gone/truth.swc"}
    (out / "run.json").write_text(json.dumps(record))
    html = Path(write_tracing_report(out)).read_text()
    assert "/gone/stack.tif" in html and "/gone/truth.swc" in html and '<svg class="view"' in html


def test_no_run_no_page(tmp_path):
    with pytest.raises(RunFolderError, match=r"run\.json"):
        write_tracing_report(tmp_path)


@pytest.mark.browser
def test_switches_hide_lines_and_reference(traced, page):
    page.goto(f"file://{traced}/report.html")

    def shown(style):
        found = page.locator(f".views .view {style}")
        return found.evaluate_all("all => all.map(one => getComputedStyle(one).display != 'none')")

    parts = ("path.traced", "path.reference", "path.bridge", ".mark")
    assert all(len(shown(part)) > 0 and all(shown(part)) for part in parts[:2])
    page.locator("#reference").uncheck()
    assert all(shown("path.traced")) and not any(shown("path.reference"))
    page.locator("#reference").check()
    page.locator("#lines").uncheck()
    assert not any(visible for part in parts for visible in shown(part)) and all(shown("path.scale"))
    page.locator("#lines").check()
    assert all(shown("path.traced")) and all(shown("path.reference"))


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_its_window(traced, page, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"file://{traced}/report.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
