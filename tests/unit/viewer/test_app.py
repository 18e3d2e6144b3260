"""The viewer's server: who may ask, and for what."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from offhand.report.pages import Report
from offhand.viewer.app import MOST_BYTES, create_app
from offhand.viewer.session import Session, open_session
from tests.fixtures.videos import even_times, marked, write
from tests.unit.viewer.saved import save

TOKEN = "s3cret"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer")
    videos = folder / "videos"
    videos.mkdir()
    (folder / "secret.txt").write_text("private", "utf-8")
    for name in ("a", "b"):
        write(videos / f"{name}.mp4", marked(even_times(30)))
    return save(folder / "out", ["a", "b", "gone"], videos=videos)


class Client:
    """Asks a running server."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        body: Any = None,
        token: str = TOKEN,
        **headers: str,
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            named = {**JSON, **named}
        connection.request(method, f"/{token}/{path}", content, named)
        answer = connection.getresponse()
        found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        connection.close()
        return found


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    app = create_app(open_session(str(folder)), TOKEN)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Client(listener.getsockname()[1])
        server.should_exit = True
        thread.join()
        app.state.close()


def test_without_the_token_there_is_nothing(client: Client) -> None:
    for token in ("wrong", "", "%00", "x" * 200):
        for path in ("", "state.json", "video/a", "results/labels.parquet"):
            assert client.ask(path, token=token)[0] == 404
    assert client.ask("undo", method="POST", token="wrong")[0] == 404


def test_another_host_name_is_refused(client: Client) -> None:
    assert client.ask("", host="evil.example")[0] == 400
    assert client.ask("state.json", host="127.0.0.1.evil.example")[0] == 400
    assert client.ask("state.json", host=f"localhost:{client.port}")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "results/../offhand.json",
        "results/%2e%2e/offhand.json",
        "results/..%2f..%2fsecret.txt",
        "results//etc/passwd",
        "results/%2fetc%2fpasswd",
        "video/..%2f..%2fsecret.txt",
        "video/%2e%2e",
        "video/secret",
        "proxy/..%2fsecret",
        "rhythm/..%2fa.png",
        "viewer.py",
        "app.py",
        "annotations.json",
    ],
)
def test_nothing_outside_the_results_and_the_clips_is_served(client: Client, path: str) -> None:
    status, _, content = client.ask(path)
    assert status == 404
    assert b"private" not in content
    assert b"root:" not in content


def test_a_link_out_of_the_results_is_not_followed(client: Client, folder: Path) -> None:
    link = folder / "results" / "link.txt"
    link.symlink_to(folder.parent / "secret.txt")
    try:
        assert client.ask("results/link.txt")[0] == 404
    finally:
        link.unlink()


def test_results_and_videos_are_served(client: Client, folder: Path) -> None:
    status, _, content = client.ask("results/labels.parquet")
    assert status == 200
    assert content == (folder / "results" / "labels.parquet").read_bytes()
    whole = (folder.parent / "videos" / "a.mp4").read_bytes()
    status, headers, content = client.ask("video/a")
    assert status == 200
    assert headers["content-type"] == "video/mp4"
    assert content == whole
    status, headers, content = client.ask("video/a", range="bytes=10-19")
    assert status == 206
    assert content == whole[10:20]
    assert headers["content-range"] == f"bytes 10-19/{len(whole)}"
    assert client.ask("video/a", range=f"bytes={len(whole) + 5}-")[0] == 416
    assert client.ask("video/gone")[0] == 404


def test_every_answer_carries_the_policy(client: Client) -> None:
    for path in ("", "state.json", "nothing", "video/a"):
        headers = client.ask(path)[1]
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        scripts = next(part for part in policy.split(";") if "script-src" in part)
        assert "unsafe" not in scripts
        assert "http" not in scripts
        assert headers["x-content-type-options"] == "nosniff"


def test_another_site_cannot_edit(client: Client) -> None:
    own = f"http://127.0.0.1:{client.port}"
    assert client.ask("undo", method="POST", body={}, origin=own)[0] == 200
    assert client.ask("undo", method="POST", body={}, origin="http://evil.example")[0] == 403
    assert client.ask("undo", method="POST", body={}, origin="null")[0] == 403
    assert client.ask("undo", method="POST", body=b"x=1", content_type="text/plain")[0] == 403
    assert client.ask("undo")[0] == 405


def test_what_is_no_edit_is_refused_in_words(client: Client, folder: Path) -> None:
    for body, said in (
        (b"{", "not JSON"),
        ({"kind": "rename"}, "kind"),
        ({"kind": "boundary", "clip_id": "a", "from_s": 5.0, "to_s": float("inf")}, "to_s"),
        ({"kind": "boundary", "clip_id": "a", "from_s": 2.5, "to_s": 2.6}, "no boundary"),
        ({"kind": "boundary", "clip_id": "a", "from_s": 5.0, "to_s": 99.0}, "must stay between"),
        (b"x" * (MOST_BYTES + 1), "bytes"),
    ):
        sent = body if isinstance(body, bytes) else {"edit": body}
        status, _, content = client.ask("edit", method="POST", body=sent)
        assert status == 200
        assert said in json.loads(content)["refused"]
    assert (
        not (folder / "annotations.json").exists()
        or not json.loads((folder / "annotations.json").read_text("utf-8"))["edits"]
    )


def test_an_edit_is_on_disk_before_the_answer(client: Client, folder: Path) -> None:
    body = {"kind": "boundary", "clip_id": "a", "from_s": 5.0, "to_s": 6.0}
    status, _, content = client.ask("edit", method="POST", body={"edit": body})
    assert status == 200
    assert json.loads(content)["clips"]["a"]["segments"][0][2] == 6.0
    stored = json.loads((folder / "annotations.json").read_text("utf-8"))
    assert stored["format"] == 1
    assert stored["edits"][0]["to_s"] == 6.0
    status, _, content = client.ask("undo", method="POST", body={})
    assert json.loads(content)["clips"]["a"]["segments"][0][2] == 5.0


def test_what_was_edited_elsewhere_is_not_edited_unseen(client: Client) -> None:
    def post(path: str, body: Any) -> Any:
        return json.loads(client.ask(path, method="POST", body=body)[2])

    seen = json.loads(client.ask("state.json")[2])["stamp"]
    body = {"kind": "boundary", "clip_id": "b", "from_s": 5.0, "to_s": 5.5}
    now = post("edit", {"edit": body, "stamp": seen})["stamp"]
    assert now != seen
    for path in ("undo", "redo", "edit"):
        assert "edited elsewhere" in post(path, {"edit": body, "stamp": seen})["refused"]
    assert json.loads(client.ask("state.json")[2])["stamp"] == now
    assert post("undo", {"stamp": now})["undo"] == ""


def test_a_sample_is_drawn_and_answered(client: Client, folder: Path) -> None:
    def ask(path: str, body: Any = None) -> Any:
        method = "GET" if body is None else "POST"
        status, _, content = client.ask(path, method=method, body=body)
        assert status == 200
        return json.loads(content)

    assert ask("audit.json") == {"items": [], "rates": []}
    assert "too small" in ask("audit/draw", {"n": 1, "modality": "flow_rhythm"})["refused"]
    assert "needs n" in ask("audit/draw", {"number": 50})["refused"]
    drawn = ask("audit/draw", {"n": 12, "modality": "flow_rhythm"})
    assert len(drawn["items"]) == 12
    first = drawn["items"][0]
    assert "count" not in {*first, *first["stretch"]}
    assert "no answer" in ask("audit/answer", {"id": first["id"], "value": "maybe"})["refused"]
    assert "no item" in ask("audit/answer", {"id": "nothing", "value": "yes"})["refused"]
    assert "needs id" in ask("audit/answer", {"value": "yes"})["refused"]
    answered = ask("audit/answer", {"id": first["id"], "value": "yes"})
    assert answered["items"][0]["answer"] == "yes"
    assert ask("audit.json") == answered
    stored = json.loads((folder / "audit.json").read_text("utf-8"))
    assert stored["items"][0]["answer"] == "yes"


def test_damaged_annotations_are_told_and_left(folder: Path, tmp_path: Path) -> None:
    import shutil

    from offhand.errors import StoreError

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "annotations.json").write_text("{", "utf-8")
    with pytest.raises(StoreError, match=r"annotations\.json"):
        open_session(str(copy))
    assert (copy / "annotations.json").read_text("utf-8") == "{"


def test_two_hundred_clips(tmp_path: Path) -> None:
    names = [f"clip_{place:03d}" for place in range(200)]
    session = Session(save(tmp_path / "out", names, n_segments=8))
    state = session.state()
    assert len(state["clips"]) == 200
    assert all(len(clip["segments"]) == 8 for clip in state["clips"].values())
    page = session.page()
    assert len(page) < 40_000_000
    shown = next(one for one in state["modalities"] if one["modality"] == "flow_rhythm")
    ref = {"modality": "flow_rhythm", "clusterer": shown["clusterer"], "label": 0}
    named = session.edit({"kind": "name", "cluster": ref, "name": "digging"})
    shown = next(one for one in named["modalities"] if one["modality"] == "flow_rhythm")
    assert shown["clusters"][0]["called"] == "digging"
    session.close()


def test_pages_are_those_of_the_clips_of_the_run_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "out", ["a", "b"])
    monkeypatch.setattr("offhand.viewer.session.Report", partial(Report, most_clips=1))
    session = open_session(str(folder))
    (folder / "report").mkdir()
    (folder / "report" / "other.html").write_text("private", "utf-8")
    assert 'href="report/a.html"' in session.page().decode()
    content = session.clip_page("a.html")
    assert content is not None
    page = content.decode()
    assert 'src="../viewer.js"' in page
    assert 'href="../#clips"' in page
    assert "Content-Security-Policy" not in page  # the server sends it
    for name in ("a", "other.html", "../offhand.json", "", "..", "A.html", "a.html/"):
        assert session.clip_page(name) is None


def test_a_page_is_asked_for_with_the_token_alone(client: Client) -> None:
    assert client.ask("report/a.html", token="wrong")[0] == 404
    assert client.ask("report/a.html")[0] == 404  # so few clips are one page
    assert client.ask("report/..%2foffhand.json")[0] == 404
