"""The official interface: containers, readiness, limits, errors; a stand-in over plain HTTP on the loopback."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from daemon.instagram.graph_api import GraphPublisher
from daemon.instagram.publisher import Frozen, NeedsPerson, NotSent, Outgoing, Refused, Throttled, Unknown
from daemon.instagram.secrets import Secrets
from daemon.instagram.settings import InstagramSettings
from pipeline.errors import Misconfigured
from tests.instagram.shop import picture

TOKEN = "EAAB-secret-token"  # noqa: S105


class Graph:
    """Serves the queue's folder under /queue/, and the interface under /v24.0/."""

    def __init__(self, folder):
        self.folder, self.posts, self.containers, self.calls = folder, [], {}, []
        self.quota, self.not_ready, self.fault = 0, 0, None
        graph = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                graph.handle(self, b"")

            def do_POST(self):
                graph.handle(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, request, body):
        parts = urllib.parse.urlsplit(request.path)
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if parts.path.startswith("/queue/"):
            self.send(request, 200, (self.folder / urllib.parse.unquote(parts.path[7:])).read_bytes())
            return
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in request.path
        self.calls.append((request.command, parts.path.removeprefix("/v24.0/"), form))
        name = parts.path.rpartition("/")[2]
        if self.fault and self.fault[0] == name:
            _, status, words, done = self.fault
            self.fault = None
            if done:
                self.answer(name, form)
            if words is None:
                request.close_connection = True
                return
            self.send(request, status, json.dumps({"error": words}).encode())
            return
        self.send(request, 200, json.dumps(self.answer(name, form)).encode())

    def answer(self, name, form):
        if name == "media" and form:
            number = str(len(self.containers) + 1)
            self.containers[number] = form
            return {"id": number}
        if name == "media":
            return {"data": list(reversed(self.posts))}
        if name == "media_publish":
            form = self.containers[form["creation_id"]]
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime())
            self.posts.append(
                {"id": f"m{len(self.posts)}", "caption": form["caption"], "timestamp": stamp, "form": form}
            )
            return {"id": self.posts[-1]["id"]}
        if name == "content_publishing_limit":
            return {"data": [{"quota_usage": self.quota, "config": {"quota_total": 50}}]}
        if name == "comments":
            return {"id": "c1"}
        self.not_ready -= 1
        return {"status_code": "IN_PROGRESS" if self.not_ready >= 0 else "FINISHED"}

    @staticmethod
    def send(request, status, data):
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)


@pytest.fixture
def graph(tmp_path):
    made = Graph(tmp_path)
    yield made
    made.close()


@pytest.fixture
def publisher(graph):
    settings = InstagramSettings(
        back_end="graph",
        account_id="17",
        public_url=f"{graph.url}/queue",
        graph_url=f"{graph.url}/v24.0",
        timeout_s=5,
    )
    made = GraphPublisher(settings, Secrets(token=TOKEN))
    made.poll_s = 0.01
    return made


def post(tmp_path, count=1):
    paths = []
    for seed in range(count):
        paths.append(tmp_path / f"ring {seed}.jpg")
        paths[-1].write_bytes(picture(seed))
    return Outgoing("one", "1", tuple(paths), "This is one. #a", "A ring", "", time.time())


def test_a_picture_is_published_when_it_is_ready(graph, publisher, tmp_path):
    graph.not_ready = 3
    marks = []
    receipt = publisher.publish(post(tmp_path), lambda: marks.append(len(graph.posts)))
    assert (receipt.media, marks) == ("m0", [0])
    form = graph.posts[0]["form"]
    assert form["image_url"] == f"{graph.url}/queue/ring%200.jpg"
    assert (form["caption"], form["alt_text"]) == ("This is one. #a", "A ring")
    assert publisher.find(post(tmp_path)).media == "m0"
    publisher.comment(receipt, "#b")
    assert graph.calls[-1] == ("POST", "m0/comments", {"message": "#b"})


def test_a_carousel_has_its_children(graph, publisher, tmp_path):
    publisher.publish(post(tmp_path, 3), lambda: None)
    assert graph.posts[0]["form"] | {} == {
        "media_type": "CAROUSEL",
        "children": "1,2,3",
        "caption": "This is one. #a",
    }


def test_the_limit_is_asked_for(graph, publisher, tmp_path):
    graph.quota = 50
    with pytest.raises(Throttled, match="50 posts a day"):
        publisher.publish(post(tmp_path), lambda: pytest.fail("marked"))


def test_other_bytes_at_the_public_address_are_not_posted(graph, publisher, tmp_path):
    one = post(tmp_path)
    graph.folder = tmp_path / "other"
    graph.folder.mkdir()
    (graph.folder / "ring 0.jpg").write_bytes(picture(5))
    with pytest.raises(NotSent, match="other bytes"):
        publisher.publish(one, lambda: pytest.fail("marked"))


@pytest.mark.parametrize(
    "case",
    [
        ("media", 190, 0, NeedsPerson), ("media", 4, 0, Throttled), ("media", 36003, 2207009, Refused),
        ("media", 9, 2207042, Throttled), ("media_publish", 4, 2207051, Frozen), ("media_publish", 25, 2207050, NeedsPerson),
        ("media_publish", 9007, 2207027, NotSent), ("media_publish", 2, 0, Unknown), ("media", 2, 0, NotSent),
    ],
)  # fmt: skip
def test_each_error_has_its_meaning(graph, publisher, tmp_path, case):
    where, code, subcode, outcome = case
    status = 500 if code == 2 else 400
    graph.fault = (where, status, {"code": code, "error_subcode": subcode, "message": f"no, {TOKEN}"}, False)
    with pytest.raises(outcome) as caught:
        publisher.publish(post(tmp_path), lambda: None)
    assert type(caught.value) is outcome
    assert TOKEN not in str(caught.value)
    assert len([call for call in graph.calls if call[1] == "17/media_publish"]) <= 1


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_unknown_and_not_asked_again(graph, publisher, tmp_path, done):
    graph.fault = ("media_publish", 0, None, done)
    with pytest.raises(Unknown):
        publisher.publish(post(tmp_path), lambda: None)
    assert [call[1] for call in graph.calls].count("17/media_publish") == 1
    assert (publisher.find(post(tmp_path)) is not None) == done


def test_what_is_missing_is_told():
    with pytest.raises(Misconfigured, match="account_id is needed"):
        GraphPublisher(InstagramSettings(back_end="graph"), Secrets(token="x"))  # noqa: S106
    with pytest.raises(Misconfigured, match="token is not known"):
        GraphPublisher(InstagramSettings(back_end="graph"), Secrets())
