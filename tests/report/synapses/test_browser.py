"""The pages in a browser: hovering, playing, moving, hiding, filtering."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser, whole):
    """Open a page. On closing, nothing may have been loaded and nothing complained of."""
    pages = []

    def open_page(name):
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        requests, complaints = [], []
        page.on("request", lambda r: requests.append(r.url) if not r.url.startswith(("data:", "blob:")) else None)
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: complaints.append(str(e)))
        pages.append((page, requests, complaints, f"file://{whole}/{name}"))
        page.goto(f"file://{whole}/{name}", timeout=120_000)
        return page

    yield open_page
    for page, requests, complaints, url in pages:
        page.close()
        assert requests == [url] and complaints == []


def drawn(page, selector):
    """How much the pixels of a canvas vary."""
    spread = "(c) => { const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const v = new Set();"
    return page.locator(selector).first.evaluate(spread + " for (let i = 0; i < p.length; i += 4) v.add(p[i]); return v.size; }")


def test_the_start_page(opened, whole, page_data):
    page, data = opened("report.html"), page_data(whole / "report.html")
    assert page.locator("#pinned-name").inner_text() == "study/bbox1/s03"
    page.locator("#plot").scroll_into_view_if_needed()
    place = page.evaluate(
        "() => { const p = document.getElementById('plot'), l = p._fullLayout, b = p.getBoundingClientRect();"
        " const m = JSON.parse(document.getElementById('data').textContent).maps[0];"
        " return [b.left + l.xaxis._offset + l.xaxis.l2p(m.x[4]), b.top + l.yaxis._offset + l.yaxis.l2p(m.y[4])]; }"
    )
    page.mouse.move(*place, steps=3)
    page.wait_for_selector("#tip:not([hidden])")
    assert "study/bbox1/s04" in page.locator("#tip").inner_text()
    page.wait_for_function("document.querySelector('#tip canvas').dataset.shows?.startsWith('movie 4')")
    assert drawn(page, "#tip canvas") > 5
    page.mouse.click(*place)
    assert page.locator("#pinned-name").inner_text() == "study/bbox1/s04"
    names = page.locator("#gallery .name").all_inner_texts()
    assert names == [data["ids"][k] for k in data["neighbours"]["rows"][4]]
    assert "2 other synapses of the same presynaptic neuron" in page.locator("#partners").inner_text()
    page.locator("[data-neuron='bbox2_2']").click()
    assert page.locator("#pinned-name").inner_text() == data["ids"][data["pre"].index("bbox2_2")]


def test_sizes_spread_and_space_of_the_start_page(opened):
    page = opened("report.html")
    page.select_option("#size-by", label="vesicle count")
    sizes = page.evaluate("document.getElementById('plot').data[1].marker.size")
    assert len(set(sizes)) == 1 and page.evaluate("document.getElementById('plot').data[3].marker.size")[0] > sizes[0]
    page.locator("#distribution").scroll_into_view_if_needed()
    page.wait_for_selector("#distribution .main-svg")
    for kind in ("box", "ecdf", "histogram", "violin"):
        page.select_option("#measure-kind", kind)
        assert page.evaluate("document.getElementById('distribution').data.length") == 3
    page.locator("#space").scroll_into_view_if_needed()
    page.wait_for_selector("#space .gl-container canvas", timeout=60_000)
    assert page.evaluate("document.getElementById('space').data.length") == 3


def test_the_moving_map(opened):
    page = opened("pages/gif_map.html")
    assert page.locator(".tile").count() == 12 and drawn(page, ".tile canvas") > 5
    boxes = [page.locator(".tile").nth(at).bounding_box() for at in range(12)]
    assert all(box["width"] == 50 for box in boxes)
    apart = [max(abs(a["x"] - b["x"]), abs(a["y"] - b["y"])) for at, a in enumerate(boxes) for b in boxes[:at]]
    assert min(apart) >= 50
    shows = "document.querySelector('.tile canvas').dataset.shows"
    before = page.evaluate(shows)
    page.locator("#play").click()
    page.wait_for_function(f"{shows} !== '{before}'")
    page.locator("#play").click()
    page.locator("#largest").click()
    assert page.locator("#frame-said").inner_text() == "each at its largest cleft"
    page.locator("#size").fill("80")
    assert page.locator(".tile").first.bounding_box()["width"] == 80
    tile = page.locator(".tile").first
    row = tile.get_attribute("data-row")
    tile.hover()
    tile.locator(".hide").click()
    assert page.locator(f".tile[data-row='{row}']").count() == 0 and "1 hidden" in page.locator("#said").inner_text()
    page.locator("#reset").click()
    assert page.locator(".tile").count() == 12


def test_tiles_can_be_moved_filtered_and_counted(opened):
    page = opened("pages/gif_map.html")
    tile = page.locator(".tile").first
    row, before = tile.get_attribute("data-row"), tile.bounding_box()
    page.mouse.move(before["x"] + 20, before["y"] + 20)
    page.mouse.down()
    page.mouse.move(before["x"] + 60, before["y"] + 50, steps=4)
    page.mouse.up()
    after = page.locator(f".tile[data-row='{row}']").bounding_box()
    assert (after["x"] - before["x"], after["y"] - before["y"]) == (40, 30)
    page.locator(".filter").first.locator("button", has_text="none").click()
    assert page.locator(".tile").count() == 0
    page.locator(".filter").first.locator("input").nth(1).check()
    assert page.locator(".tile").count() == 4
    page.locator(".filter").first.locator("button", has_text="all").click()
    page.locator("#count").fill("6")
    assert page.locator(".tile").count() + page.locator("#field .dot").count() == 6


@pytest.mark.parametrize("name", ["slice_map", "projection_map"])
def test_pictures_can_be_chosen(opened, name):
    page = opened(f"pages/{name}.html")
    assert drawn(page, ".tile canvas") > 3
    page.select_option("#which", "2")
    assert page.evaluate("document.querySelector('.tile canvas').dataset.shows").endswith(" 2")


def test_space_and_linked_maps(opened):
    page = opened("pages/map3d.html")
    page.wait_for_selector("#space .gl-container canvas", timeout=60_000)
    page = opened("pages/linked_maps.html")
    page.locator("#share").fill("100")
    assert page.locator(".linked figcaption").nth(1).inner_text() == "100 % of the way"
    images = page.evaluate("[...document.querySelectorAll('.linked canvas')].map(c => c.toDataURL())")
    assert images[1] == images[2]


@pytest.mark.parametrize("width", [390, 1200])
def test_pages_fit_their_window(opened, width):
    for name in ("report.html", "pages/gif_map.html", "pages/linked_maps.html"):
        page = opened(name)
        page.set_viewport_size({"width": width, "height": 850})
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, name
