"""The page of shapes in a browser: what is seen on hovering, clicking, searching and switching."""

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(browser, whole):
    """The page, opened once. On closing, nothing may have been loaded and nothing complained of."""
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    requests, complaints = [], []
    page.on("request", lambda r: requests.append(r.url) if not r.url.startswith(("data:", "blob:")) else None)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto(f"file://{whole}/report.html", timeout=120_000)
    yield page
    page.close()
    assert requests == [f"file://{whole}/report.html"] and complaints == []


def dark_pixels(page, selector):
    count = "(c) => { const p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;"
    count += " for (let i = 3; i < p.length; i += 4) n += p[i] > 100; return n; }"
    return page.locator(selector).first.evaluate(count)


def place_of(page, row):
    """Where a neuron is on the screen."""
    page.locator("#plot").scroll_into_view_if_needed()
    return page.evaluate(
        "row => { const p = document.getElementById('plot'), l = p._fullLayout, b = p.getBoundingClientRect();"
        " const m = JSON.parse(document.getElementById('data').textContent).maps[0];"
        " return [b.left + l.xaxis._offset + l.xaxis.l2p(m.x[row]), b.top + l.yaxis._offset + l.yaxis.l2p(m.y[row])]; }",
        row,
    )


def test_hovering_shows_name_labels_and_drawing(page):
    page.mouse.move(*place_of(page, 4), steps=3)
    page.wait_for_selector("#tip:not([hidden])")
    row = int(page.locator("#tip").get_attribute("data-row"))
    said = page.locator("#tip").inner_text()
    assert f"{row:04d}" in said and "layer: " in said and "cluster: 0" in said
    assert dark_pixels(page, "#tip canvas") > 100
    page.mouse.move(5, 5)
    page.wait_for_selector("#tip", state="hidden")


def test_clicking_keeps_the_neuron_with_its_neighbours(page, page_data, whole):
    data = page_data(whole)
    page.mouse.move(*place_of(page, 14))
    page.mouse.click(*place_of(page, 14))
    name = page.locator("#pinned-name").inner_text()
    row = data["ids"].index(name)
    assert row // 10 == 1
    names = page.locator("#gallery .name").all_inner_texts()
    assert names == [data["ids"][k] for k in data["neighbours"]["rows"][row]]
    layers = data["columns"][0]["codes"]
    verdicts = page.locator("#gallery .verdict").all_inner_texts()
    assert [v.startswith("✓") for v in verdicts] == [layers[k] == layers[row] for k in data["neighbours"]["rows"][row]]
    assert "distance 0." in page.locator("#gallery").inner_text()
    assert dark_pixels(page, "#portrait") > 300 and dark_pixels(page, "#gallery canvas") > 100
    # A neighbour becomes the neuron to look at, and there is a way back.
    page.locator("#gallery .drawing").first.click()
    assert page.locator("#pinned-name").inner_text() == names[0]
    page.locator("#back").click()
    assert page.locator("#pinned-name").inner_text() == name


def test_searching_finds_by_any_part_of_the_name(page):
    page.locator("#find").fill("002")
    assert page.locator("#matches button").all_inner_texts() == [f"002{k}" for k in range(8)]
    assert "and 3 more" in page.locator("#matches").inner_text()
    page.locator("#matches button").nth(3).click()
    assert page.locator("#pinned-name").inner_text() == "0023" and page.locator("#matches").is_hidden()
    page.locator("#find").fill("0017")
    page.locator("#find").press("Enter")
    assert page.locator("#pinned-name").inner_text() == "0017"
    page.locator("#find").fill("nobody")
    assert page.locator("#matches").inner_text() == "No neuron has this in its name."


def points(page):
    return page.evaluate("document.getElementById('plot')._fullData.map(t => t.visible === true ? t.x.length : 0)")


def test_colours_groups_and_maps_can_be_switched(page):
    assert page.locator("#colour option").first.inner_text() == "layer" and points(page)[:3] == [0, 15, 15]
    page.locator("#legend button").first.click()
    assert page.locator("#legend button").first.get_attribute("aria-pressed") == "false" and points(page)[:3] == [0, 0, 15]
    page.locator("#legend-note button", has_text="all").click()
    assert points(page)[:3] == [0, 15, 15]
    page.select_option("#colour", label="length of cable (µm)")
    assert points(page)[:2] == [1, 29] and page.locator("#legend .ramp").is_visible()
    assert "not known 1" in page.locator("#legend").inner_text()
    page.locator("#maps button", has_text="PCA").click()
    assert page.evaluate("document.getElementById('plot').layout.xaxis.title.text") == "PCA 1"
    assert page.locator("#maps button[aria-pressed=true]").all_inner_texts() == ["PCA"]
    page.locator("#maps button", has_text="UMAP").click()


def test_an_unusual_shape_leads_to_its_neighbours(page):
    page.locator("#outliers .drawing").first.click()
    assert page.locator("#pinned-name").inner_text() == "0009"
    # The page glides up to it; what follows may look elsewhere only then.
    page.wait_for_function("Math.abs(document.getElementById('map').getBoundingClientRect().top) < 5", timeout=60_000)


def test_truth_and_reconstruction_are_seen_in_space(page):
    page.locator("#space").scroll_into_view_if_needed()
    page.wait_for_selector("#space .gl-container canvas", timeout=60_000)
    assert "IoU" in page.locator("#space").inner_text() and "F1" in page.locator("#space").inner_text()


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits_its_window(page, width):
    page.set_viewport_size({"width": width, "height": 850})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    plot = page.locator("#plot").bounding_box()
    assert plot["x"] >= 0 and plot["x"] + plot["width"] <= width and plot["width"] > 0.55 * width
