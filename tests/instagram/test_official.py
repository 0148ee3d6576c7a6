"""The official interface: containers, readiness, limits, errors; a stand-in over plain HTTP on the loopback."""

from __future__ import annotations

import dataclasses
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
        self.folder, self.posts, self.stories, self.containers, self.calls = folder, [], [], {}, []
        self.published, self.comments = set(), []
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

    def answer(self, name, form):  # noqa: PLR0911
        if name == "media" and form:
            number = str(len(self.containers) + 1)
            self.containers[number] = form
            return {"id": number}
        if name in {"media", "stories"}:
            return {"data": list(reversed(self.posts if name == "media" else self.stories))[:50]}
        if name == "media_publish":
            self.published.add(form["creation_id"])
            form = self.containers[form["creation_id"]]
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime())
            made = {"id": f"m{len(self.posts + self.stories)}", "timestamp": stamp, "form": form}
            if form.get("media_type") == "STORIES":
                self.stories.append(made)
            else:
                self.posts.append(made | {"caption": form["caption"]})
            return {"id": made["id"]}
        if name == "content_publishing_limit":
            return {"data": [{"quota_usage": self.quota, "config": {"quota_total": 50}}]}
        if name == "comments" and form:
            self.comments.append(form["message"])
            return {"id": "c1"}
        if name == "comments":
            return {"data": [{"text": text} for text in self.comments]}
        if name in self.published:
            return {"status_code": "PUBLISHED"}
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
    receipt = publisher.publish(post(tmp_path), lambda _: marks.append(len(graph.posts)))
    assert (receipt.media, marks) == ("m0", [0])
    form = graph.posts[0]["form"]
    assert form["image_url"] == f"{graph.url}/queue/ring%200.jpg"
    assert (form["caption"], form["alt_text"]) == ("This is one. #a", "A ring")
    assert publisher.find(post(tmp_path)).media == "m0"
    assert not publisher.commented(receipt, "#b")
    publisher.comment(receipt, "#b")
    assert publisher.commented(receipt, " #b\n")
    assert graph.calls[-2] == ("POST", "m0/comments", {"message": "#b"})


def test_a_carousel_has_its_children(graph, publisher, tmp_path):
    publisher.publish(post(tmp_path, 3), lambda _: None)
    assert graph.posts[0]["form"] | {} == {
        "media_type": "CAROUSEL",
        "children": "1,2,3",
        "caption": "This is one. #a",
    }


def story(tmp_path, handle="", known=()):
    path = tmp_path / "ring-story.jpg"
    path.write_bytes(picture(3, (1080, 1920)))
    return Outgoing(
        "s",
        "2",
        (path,),
        "",
        "A ring",
        since=time.time(),
        kind="story",
        handle=handle,
        known=frozenset(known),
    )


def test_a_story_is_a_container_without_words(graph, publisher, tmp_path):
    marks = []
    receipt = publisher.publish(story(tmp_path), marks.append)
    assert graph.stories[0]["form"] == {
        "media_type": "STORIES",
        "image_url": f"{graph.url}/queue/ring-story.jpg",
    }
    assert (receipt.media, marks, graph.posts) == ("m0", ["1"], [])


@pytest.mark.parametrize("done", [True, False])
def test_what_became_of_a_story_its_container_tells(graph, publisher, tmp_path, done):
    publisher.publish(story(tmp_path), lambda _: None)  # an earlier one, which is not to be taken for it
    graph.fault = ("media_publish", 0, None, done)
    marks = []
    with pytest.raises(Unknown):
        publisher.publish(story(tmp_path), marks.append)
    found = publisher.find(story(tmp_path, marks[0], known=["m0"]))
    assert (found and found.media) == ("m1" if done else None)
    assert publisher.find(story(tmp_path)) is None  # no try came so far


def test_a_post_whose_words_were_changed_is_known_by_its_container(graph, publisher, tmp_path):
    graph.fault = ("media_publish", 0, None, True)
    marks = []
    with pytest.raises(Unknown):
        publisher.publish(post(tmp_path), marks.append)
    graph.posts[0]["caption"] = "Edited on the telephone"
    assert publisher.find(dataclasses.replace(post(tmp_path), handle=marks[0])).media == marks[0]
    assert publisher.find(dataclasses.replace(post(tmp_path), handle="999")) is None


def test_a_forgotten_container_behind_more_posts_than_are_listed_is_for_a_person(graph, publisher, tmp_path):
    publisher.publish(post(tmp_path), lambda _: None)
    graph.posts += [graph.posts[0] | {"id": f"x{number}", "caption": "Another"} for number in range(60)]
    graph.fault = (
        "999",
        400,
        {"message": "Unsupported get request", "code": 100, "type": "GraphMethodException"},
        False,
    )
    with pytest.raises(Unknown, match="more has been posted"):
        publisher.find(dataclasses.replace(post(tmp_path), handle="999"))


def test_the_limit_is_asked_for(graph, publisher, tmp_path):
    graph.quota = 50
    with pytest.raises(Throttled, match="50 posts a day"):
        publisher.publish(post(tmp_path), lambda _: pytest.fail("marked"))


def test_other_bytes_at_the_public_address_are_not_posted(graph, publisher, tmp_path):
    one = post(tmp_path)
    graph.folder = tmp_path / "other"
    graph.folder.mkdir()
    (graph.folder / "ring 0.jpg").write_bytes(picture(5))
    with pytest.raises(NotSent, match="other bytes"):
        publisher.publish(one, lambda _: pytest.fail("marked"))


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
        publisher.publish(post(tmp_path), lambda _: None)
    assert type(caught.value) is outcome
    assert TOKEN not in str(caught.value)
    assert len([call for call in graph.calls if call[1] == "17/media_publish"]) <= 1


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_is_unknown_and_not_asked_again(graph, publisher, tmp_path, done):
    graph.fault = ("media_publish", 0, None, done)
    with pytest.raises(Unknown):
        publisher.publish(post(tmp_path), lambda _: None)
    assert [call[1] for call in graph.calls].count("17/media_publish") == 1
    assert (publisher.find(post(tmp_path)) is not None) == done


def test_what_is_missing_is_told():
    with pytest.raises(Misconfigured, match="account_id is needed"):
        GraphPublisher(InstagramSettings(back_end="graph"), Secrets(token="x"))  # noqa: S106
    with pytest.raises(Misconfigured, match="token is not known"):
        GraphPublisher(InstagramSettings(back_end="graph"), Secrets())
