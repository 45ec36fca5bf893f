"""Make the picture of the page of shapes for the docs: a map with one neuron kept beside it, and the neurons most like it.

    neurotome morphology embed NEURONS/*.swc -o OUT
    python benchmarks/morphology_picture.py OUT --neuron 207375        (writes docs/pictures/morphology.png)

Needs playwright and a Chromium. What is seen is the real page, but for the path of the file, which is nobody's business.
"""

from __future__ import annotations

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

TARGET = Path(__file__).parents[1] / "docs" / "pictures" / "morphology.png"
FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader"]
COLOURS = 160
GONE = "{ e.nextElementSibling.remove(); e.remove(); }"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder of `neurotome morphology embed`")
    parser.add_argument("--neuron", required=True, help="the neuron to keep")
    parser.add_argument("--map", default="UMAP", help="as its button says")
    parser.add_argument("--width", type=int, default=1200)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    seen = Image.open(io.BytesIO(screenshot(options.out / "report.html", options.neuron, options.map, options.width)))
    # Few colours are in it; as a palette it is a third as large.
    seen.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(options.target, optimize=True)
    print(options.target, seen.size, f"{options.target.stat().st_size / 1000:.0f} kB")


def screenshot(report: Path, neuron: str, which: str, width: int) -> bytes:
    """From the buttons above the map down to the first row of neighbours."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 1800})
        page.goto(f"file://{report.resolve()}", timeout=120_000)
        page.locator("#maps button", has_text=which).click()
        page.locator("#find").fill(neuron)
        page.locator("#matches button").first.click()
        page.locator("#find").fill("")
        page.locator("#find").blur()
        page.evaluate("for (const e of document.querySelectorAll('#pinned-facts > *')) if (e.textContent === 'source') " + GONE)
        page.wait_for_timeout(1500)
        top = page.locator("#map .controls").bounding_box()
        first = page.locator("#gallery li").first.bounding_box()
        assert top and first
        clip = {"x": top["x"], "y": top["y"], "width": top["width"], "height": first["y"] + first["height"] - top["y"] + 4}
        found = page.screenshot(clip=clip, full_page=True)  # type: ignore[arg-type]
        browser.close()
    return found


if __name__ == "__main__":
    main()
