"""A shop's queue for tests: real files in a real studio, posts with pictures that Instagram would take."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import io
import json

import numpy as np
from PIL import Image

from daemon import durable
from daemon.instagram.post import Event, Post, read_post
from daemon.instagram.post_ledger import PostLedger
from daemon.instagram.publishing import Publishing
from daemon.instagram.settings import InstagramSettings
from daemon.studio import Studio
from rules.cadence import Cadence

ZONE = dt.UTC
START = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=60)
ALWAYS = Cadence(quiet=None, posts_a_day=50, gap_min=1, jitter_min=0)


@functools.cache
def picture(seed=0, size=(1080, 1080), mode="RGB", quality=95):
    """A JPEG as the pipeline makes them: sRGB, 4:4:4, a smooth picture with some grain."""
    from pipeline.finish.encode import encode_jpeg

    rng = np.random.Generator(np.random.PCG64(seed))
    small = rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    if mode == "RGB":
        return encode_jpeg(np.asarray(image))
    stream = io.BytesIO()
    image.convert(mode).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


class Shop:
    """A studio, its queue and its publisher; time is passed in."""

    def __init__(self, root):
        self.studio = Studio(root)
        self.studio.create()
        durable.make_folders(self.studio.publisher)
        self.now = START
        self.ledger = PostLedger(self.studio.publisher / "posts.sqlite")
        self.slept = []

    def close(self):
        self.ledger.close()

    def post(self, name="ring", *, state="approved", seed=None, data=None, **more):
        """Put a post into the queue, as the worker does."""
        data = picture(0) if data is None else data
        (self.studio.instagram / f"{name}.jpg").write_bytes(data)
        fields = {
            "state": state, "picture": f"{name}.jpg", "sha256": [hashlib.sha256(data).hexdigest()], "title": name,
            "caption": f"This is {name}.", "hashtags": ["#ring"], "alt_text": f"A picture of {name}", "type": "ring",
            "template": "velvet", "job": hashlib.sha256(name.encode()).hexdigest(),
            "history": [Event(at=START.isoformat(), what="made")],
        }  # fmt: skip
        path = self.studio.instagram / f"{name}.json"
        path.write_text(json.dumps(Post(**fields | more).model_dump(mode="json")))
        return read_post(path)

    def story(self, name="story", **more):
        """A story of the right size."""
        return self.post(name, data=picture(2, (1080, 1920)), kind="story", caption="", hashtags=[], **more)

    def carousel(self, name, count, **more):
        """A post with several pictures."""
        datas = [picture(seed) for seed in range(count)]
        names = [f"{name}-{at}.jpg" for at in range(1, count)]
        for other, data in zip(names, datas[1:], strict=True):
            (self.studio.instagram / other).write_bytes(data)
        sums = [hashlib.sha256(data).hexdigest() for data in datas]
        return self.post(name, data=datas[0], more=names, sha256=sums, **more)

    def publishing(self, publisher, **settings):
        values = {"publish": True, "cadence": ALWAYS} | settings
        return Publishing(
            self.studio, InstagramSettings(**values), ZONE, self.ledger, publisher, sleep=self.slept.append
        )

    def run(self, publishing, steps=50):
        """Let time pass from one thing to do to the next, until nothing is left or nothing moves."""
        publishing.recover(self.now)
        for _ in range(steps):
            gate = self.ledger.gate
            if gate.halted or not (publishing.due or self.ledger.half_done()):
                return
            turn = publishing.turn(self.now)
            until = dt.datetime.fromtimestamp(max(gate.until, 0), dt.UTC)
            self.now = max(self.now, turn.at if turn else self.now, until) + dt.timedelta(seconds=1)
            publishing.step(self.now)

    def states(self):
        """State of every post by name, wherever it lies."""
        found = {}
        for folder in (self.studio.instagram, self.studio.posted, self.studio.dropped):
            for path in folder.glob("*.json"):
                found[path.stem] = json.loads(path.read_text())["state"]
        return found

    def history(self, name):
        for folder in (self.studio.instagram, self.studio.posted, self.studio.dropped):
            if (folder / f"{name}.json").exists():
                return [one["what"] for one in json.loads((folder / f"{name}.json").read_text())["history"]]
        raise FileNotFoundError(name)
