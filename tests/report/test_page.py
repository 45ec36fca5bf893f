import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from neurotome.report import write_report


class _Tags(HTMLParser):
    """Tags that are open, and every address the page could fetch."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href") and not (value or "").startswith("#"):
                self.fetched.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _read(path: Path) -> tuple[str, _Tags]:
    page, tags = path.read_text(encoding="utf-8"), _Tags()
    tags.feed(page)
    assert tags.open == []
    return page, tags


def test_the_page_has_every_part_and_fetches_nothing(finished_run: Path) -> None:
    path = write_report(finished_run)
    page, tags = _read(path)
    assert path == finished_run / "report.html" and path.stat().st_size < 6_000_000
    assert tags.ids == ["sections", "sizes", "scores", "errors", "settings", "timing", "cite"]
    assert len(tags.fetched) == 3 * 4 + 2 * 3 + 1
    assert all(address.startswith("data:") for address in tags.fetched)
    assert "url(" not in page and "@import" not in page and "<script" not in page
    assert "Adapted Rand error" in page and "isbi" in page and "Arganda-Carreras" in page
    assert re.search(r"neurotome view &#39;[^&]+&#39; --at \d+ \d+ \d+", page)


def test_without_truth_there_are_no_scores(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    for name in ("scores.json", "errors.csv", "objects.csv", "threshold_curve.csv", "boundary.ome.zarr"):
        shutil.rmtree(run / name) if (run / name).is_dir() else (run / name).unlink()
    shutil.rmtree(run / "neurons.ome.zarr")
    page, tags = _read(write_report(run))
    assert tags.ids == ["sections", "sizes", "settings", "timing", "cite"]
    assert "adapted Rand error</dt>" not in page


def test_a_run_with_nothing_but_its_record(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"command": "reconstruct", "config": {"image": "gone.tif"}, "status": "failed"}')
    page, tags = _read(write_report(tmp_path))
    assert tags.ids == ["settings", "cite"]
    assert "written while the run was failed" in page and "gone.tif" in page


def test_text_from_outside_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"command": "<b>x", "config": {"method": "<script>alert(1)</script>"}}')
    assert "<script" not in write_report(tmp_path).read_text() and "<b>x" not in write_report(tmp_path).read_text()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_opens_it_from_disk(finished_run: Path, width: int) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    path = write_report(finished_run)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        requests, complaints = [], []
        page.on("request", lambda r: requests.append(r.url) if not r.url.startswith("data:") else None)
        page.on("console", lambda m: complaints.append(m.text))
        page.on("pageerror", lambda e: complaints.append(str(e)))
        page.goto(path.as_uri())
        broken = page.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        browser.close()
    assert requests == [path.as_uri()] and complaints == []
    assert broken == 0 and overflow <= 0
