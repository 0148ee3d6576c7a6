"""A campaign of posts through a publisher process that is killed at the requests it makes, and the account of it afterwards."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from daemon.failpoint import VARIABLE
from daemon.instagram.post_ledger import upload_id
from tests.instagram.shop import Shop, picture

SENDER = Path(__file__).with_name("sender.py")


class Campaign:
    """Some posts, every fifth of them a story, a stand-in, and kills to come. more: further settings of [instagram]."""

    def __init__(self, root, standin, posts, **more):
        self.standin = standin
        self.killed = self.halts = 0
        self.said, self.arguments = "", [sys.executable, str(SENDER), str(root)]
        self._process, self._uploads = None, {}
        self._tokens = root.parent / "tokens"
        self._tokens.mkdir()
        shop = Shop(root)
        self.studio = shop.studio
        for number in range(posts):
            data, more_of_it = picture(number % 7), {}
            if number % 5 == 4:
                data, more_of_it = (
                    picture(number % 7, (1080, 1920)),
                    {"kind": "story", "caption": "", "hashtags": []},
                )
            entry = shop.post(
                f"post-{number:03}", data=data, order=float(number), template=f"t{number % 3}", **more_of_it
            )
            self._uploads[upload_id(entry.id)] = entry.path.stem
        shop.close()
        self.names = [f"post-{number:03}" for number in range(posts)]
        lines = [f"{key} = {_toml(value)}" for key, value in standin.settings(**more).items()]
        cadence = "[instagram.cadence]\nquiet = false\nposts_a_day = 50\ngap_min = 1\njitter_min = 0\n"
        (root / "vitrine.toml").write_text("[instagram]\n" + "\n".join(lines) + "\n" + cadence)

    def kill(self, step, there):
        """The process dies at its next request of that kind, before or after it is done."""
        self.standin.plant(step, lambda _: self.shoot(there))

    def fail_at(self, point):
        """The process dies at a point between two writes."""
        (self._tokens / point).touch()

    def work(self, most=10_000):
        """Run the process, again after each kill and each halt, until nothing is left to do."""
        for _ in range(most):
            if self._run() == 0:
                return
        raise AssertionError("it does not come to an end")

    def account(self):
        """double: posts that are public twice. lost: neither public, nor in the queue. unheld: public, and nobody was told."""
        public = Counter(text.split(".")[0].removeprefix("This is ") for text in self.standin.texts())
        public += Counter(self._uploads[one["upload"]] for one in self.standin.stories)
        states = self.states
        told = {name for name, state in states.items() if state in {"posted", "person"}}
        return {
            "double": sum(1 for count in public.values() if count > 1),
            "lost": sum(
                1
                for name in self.names
                if not public[name] and states.get(name) in {None, "posted", "dropped"}
            ),
            "unheld": sum(1 for name in public if name not in told),
        }

    def comments(self):
        """How often each post that should have a first comment has it, and the posts of which the owner was told that it may not."""
        said = Counter(post for post, _ in self.standin.comments)
        media, told = {}, set()
        for path in self.studio.posted.glob("*.json"):
            post = json.loads(path.read_text())
            if post["first_comment"] and post["media"]:
                media[post["media"]] = said[post["media"]]
            if any("the first comment may be missing" in event["what"] for event in post["history"]):
                told.add(post["media"])
        return media, told

    @property
    def states(self):
        found = {}
        for folder in (self.studio.instagram, self.studio.posted):
            found |= {path.stem: json.loads(path.read_text())["state"] for path in folder.glob("*.json")}
        return found

    @property
    def held(self):
        return sum(1 for state in self.states.values() if state == "person")

    def end_session(self):
        """Instagram ends the session, and says so."""
        self.standin.session += 1
        return "login"

    def _run(self):
        environment = os.environ | {
            "INSTAGRAM_USERNAME": self.standin.username,
            "INSTAGRAM_PASSWORD": self.standin.password,
            VARIABLE: str(self._tokens),
        }
        with subprocess.Popen(
            self.arguments, env=environment, stderr=subprocess.PIPE, text=True
        ) as self._process:
            said = self._process.communicate(timeout=600)[1]
        self.said += said
        code = self._process.returncode
        if code == -signal.SIGKILL:
            self.killed += 1
        elif code == 3:  # somebody looks at the account, and says that all is well
            self.halts += 1
            shop = Shop(self.studio.root)
            shop.ledger.resume()
            shop.close()
        elif code:
            raise AssertionError(said[-3000:])
        return code

    def shoot(self, there):
        """The process dies now."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        return f"cut-{there}"


def _toml(value):
    return json.dumps(value)
