"""A real browser, a finished run with hostile names, and the viewer on it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

import offhand
from offhand.report.pages import Report
from offhand.viewer.app import create_app
from offhand.viewer.session import open_session
from tests.fixtures.videos import write

PATIENCE_S = 30.0
HOSTILE = ("<script>window.harmed=1<_script>.mp4", 'it\'s "quoted" & 🧱.mp4', "مرحبا بالعالم.mp4")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program, from the machine's own packages."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-background-networking", "--hide-scrollbars"]
        one = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield one
        one.close()


@dataclass
class Watched:
    """A page, and what went wrong in it or left the machine."""

    page: Page
    problems: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def until(self, script: str) -> Any:
        """Wait for a script to return something true; its policy forbids the page to evaluate."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if value := self.page.evaluate(script):
                return value
            time.sleep(0.05)
        raise AssertionError(f"not within {PATIENCE_S} s: {script}")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open pages that are watched; whatever they print or ask elsewhere fails the test."""
    pages: list[Watched] = []

    def open_one(address: str, **context: Any) -> Watched:
        context.setdefault("viewport", {"width": 1280, "height": 900})
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        watched = Watched(page)
        pages.append(watched)
        page.on(
            "console",
            lambda said: (
                watched.problems.append(f"{said.type}: {said.text}")
                if said.type in ("error", "warning")
                else None
            ),
        )
        page.on("pageerror", lambda error: watched.problems.append(f"page: {error}"))
        page.on("dialog", lambda dialog: watched.problems.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: watched.addresses.append(request.url))
        page.goto(address)
        return watched

    yield open_one
    for watched in pages:
        harmed = watched.page.evaluate("window.harmed")
        watched.page.context.close()
        assert watched.problems == []
        assert not harmed


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of four synthetic clips; the last one in a codec that no browser plays."""
    folder = tmp_path_factory.mktemp("clips")
    made = offhand.synthesise(folder, n_clips=4, duration_s=30.0, seed=5)
    for path, name in zip(made, HOSTILE, strict=False):
        path.rename(folder / name)
    _as_mpeg4(made[-1], folder / "old camera.avi")
    for truth in folder.glob("*.json"):
        truth.unlink()
    out = tmp_path_factory.mktemp("run") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFHAND_HOME", str(tmp_path_factory.mktemp("home")))
        offhand.run(folder, out, jobs=2)
    return out


@pytest.fixture(scope="module")
def copied(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished run, to be edited."""
    return Path(shutil.copytree(finished, tmp_path_factory.mktemp("viewer") / "out"))


@pytest.fixture
def out(copied: Path) -> Path:
    """The run that the viewer shows, without a single edit."""
    (copied / "annotations.json").unlink(missing_ok=True)
    return copied


@pytest.fixture(scope="module")
def viewer(copied: Path) -> Iterator[str]:
    """The viewer's address, while it runs as a user would run it."""
    command = [sys.executable, "-m", "offhand", "view", str(copied), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("viewer: http://127.0.0.1:"), line
        yield line.split()[1]
        process.terminate()
        assert process.wait(PATIENCE_S) in (0, -15)


def _as_mpeg4(source: Path, target: Path) -> None:
    """Write a clip anew in the codec of old cameras."""
    from offhand.records import Clip, FrameRequest
    from offhand.video.decode import FrameReader

    request = FrameRequest(rate_hz=None, short_side_px=240, colour="rgb")
    reader = FrameReader(Clip(clip_id="x", path=str(source)), [request])
    pictures = [image for _, block in reader for image in block.images]
    rate = Fraction(round(reader.info.frame_rate))
    write(target, pictures, codec="mpeg4", rate=rate, options={"b": "2000000"})
    source.unlink()


@pytest.fixture(scope="module")
def viewer_of_pages(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a viewer on a run each of whose clips has a page of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("offhand.viewer.session.Report", partial(Report, most_clips=1))
        out = Path(shutil.copytree(finished, tmp_path_factory.mktemp("pages") / "out"))
        app = create_app(open_session(str(out)), "token")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            config = uvicorn.Config(app, log_level="error", lifespan="off")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/token/"
            server.should_exit = True
            thread.join()
            app.state.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's source."""
    path = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.skip("no axe-core (npm ci --prefix tests/browser)")
    return path.read_text("utf-8")
