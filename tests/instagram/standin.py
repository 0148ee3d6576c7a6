"""A stand-in for Instagram: enough of its unofficial interface for the real instagrapi to log in, upload, publish, look and comment.

Every request is a step with a name ("upload", "configure", "feed", ...); a fault can be planted at any of them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.parse
from collections import Counter

from tests.instagram.wire import Answer, Wire

USER = 4242
TROUBLES = {  # as Instagram words them; status, JSON
    "429": (429, {"status": "fail", "message": "Too many requests"}),
    "wait": (400, {"status": "fail", "message": "Please wait a few minutes before you try again."}),
    "rate": (400, {"status": "fail", "message": "slow", "error_type": "rate_limit_error"}),
    "feedback": (
        400,
        {
            "status": "fail",
            "message": "feedback_required",
            "feedback_message": "We restrict certain activity.",
        },
    ),
    "sentry": (400, {"status": "fail", "message": "sentry", "error_type": "sentry_block"}),
    "login": (403, {"status": "fail", "message": "login_required", "logout_reason": 8}),
    "challenge": (
        400,
        {"status": "fail", "message": "challenge_required", "challenge": {"api_path": "/challenge/1/x/"}},
    ),
    "suspended": (
        400,
        {
            "status": "fail",
            "message": "challenge_required",
            "challenge": {
                "url": "https://www.instagram.com/accounts/suspended/",
                "api_path": "/challenge/1/x/",
            },
        },
    ),
    "two-factor": (400, {"status": "fail", "message": "", "two_factor_info": {"two_factor_identifier": "x"}}),
    "password": (400, {"status": "fail", "message": "wrong", "error_type": "bad_password"}),
    "bad-media": (400, {"status": "fail", "message": "media_needs_reupload", "error_type": "media_error"}),
    "408": (408, {"status": "fail", "message": "timeout"}),
    "500": (500, {"status": "fail", "message": "oops"}),
    "503-html": (503, None),
}


class StandIn:
    """One account. posts, stories: what is public, the oldest first; comments: (post, words). faults: step -> list of faults, used up one a time.

    A fault is a word of TROUBLES (refused, nothing done), or "cut-before", "hang-before" (not done), "cut-after",
    "hang-after", "html-after", "feedback-after" (done, and the answer is lost), or a function of the Heard that may do anything.
    """

    def __init__(self, username="shop", password="correct horse"):  # noqa: S107
        self.username, self.password = username, password
        self.posts, self.stories, self.uploads, self.comments = [], [], {}, []
        self.faults = {}
        self.steps, self.met = Counter(), Counter()  # requests by name, and those of them that met a fault
        self.heard = []
        self.connections = Counter()
        self.session = 1
        self.sessions = Counter()
        self.bodies = []
        self.show_new = True  # whether the account's list shows what was just posted
        self.name_uploads = True  # whether a story says which upload it was made of
        self._key = None
        self.wire = Wire(self._answer)

    def close(self):
        self.wire.close()

    def plant(self, step, *faults):
        self.faults.setdefault(step, []).extend(faults)

    def settings(self, **more):
        values = {
            "publish": True, "back_end": "instagrapi", "proxy": self.wire.proxy, "ca_file": self.wire.ca_file, "pause_s": 0.0,
            "timeout_s": 10.0,
        }  # fmt: skip
        return values | more

    def texts(self):
        return [post["caption"]["text"] for post in self.posts]

    def _answer(self, heard):  # noqa: PLR0911
        step, act = self._step(heard)
        self.steps[step] += 1
        self.heard.append((step, heard.host, heard.path))
        self.connections[heard.connection] += 1
        self.bodies.append(heard.headers.get("authorization", "") + heard.body[:100_000].decode("latin-1"))
        planted = self.faults.get(step, [])
        fault = planted.pop(0) if planted else None
        if fault is not None:
            self.met[step] += 1
        if callable(fault):
            fault = fault(heard)
        if fault in TROUBLES:
            status, words = TROUBLES[fault]
            return Answer(status, b"<html>busy</html>" if words is None else json.dumps(words).encode())
        if fault == "cut-before":
            return Answer(cut=True)
        if fault == "hang-before":
            return Answer(hang_s=30)
        answer = act(heard)
        if fault == "cut-after":
            return Answer(cut=True)
        if fault == "hang-after":
            return Answer(hang_s=30)
        if fault == "html-after":
            return Answer(200, b"<html>done</html>")
        if fault == "feedback-after":  # refused in words, and done all the same
            return _trouble("feedback")
        assert fault is None, fault
        return answer

    def _step(self, heard):
        path = heard.path.split("?")[0]
        for part, step, act in (
            ("/rupload_igphoto/", "upload", self._upload),
            ("/media/configure/", "configure", self._configure),
            ("/media/configure_sidecar/", "configure", self._configure),
            ("/media/configure_to_story/", "configure", self._configure_story),
            (f"/feed/user/{USER}/story/", "feed", self._reel),
            (f"/feed/user/{USER}/", "feed", self._feed),
            ("/comment/", "comment", self._comment),
            ("/comments/", "comments", self._comments),
            ("login.async.send_login_request", "login", self._login),
            ("caa.login.process_client_data", "login-page", _login_page),
            (
                "/graphql_www",
                "device",
                lambda _: _json({"data": {"1$usdid_registration": {"success": True}}}),
            ),
            ("create_android_keystore", "device", lambda _: _ok(challenge_nonce="n", key_nonce="k")),
            ("/qe/sync/", "key", self._public_key),
            (
                "/accounts/current_user/",
                "account",
                lambda _: _ok(user={"pk": str(USER), "username": self.username}),
            ),
        ):
            if part in path:
                return step, act
        return "other", lambda _: _ok()

    def _upload(self, heard):
        if not self._known(heard):
            return _trouble("login")
        parameters = json.loads(heard.headers["x-instagram-rupload-params"])
        assert int(heard.headers["x-entity-length"]) == len(heard.body)
        self.uploads[parameters["upload_id"]] = heard.body
        return _ok(upload_id=parameters["upload_id"])

    def _configure(self, heard):
        if not self._known(heard):
            return _trouble("login")
        form = _signed(heard.body)
        children = [child["upload_id"] for child in form.get("children_metadata", [])] or [form["upload_id"]]
        if not all(one in self.uploads for one in children):
            return _trouble("bad-media")
        number = len(self.posts) + 1
        media = {
            "pk": str(10**18 + number), "id": f"{10**18 + number}_{USER}", "code": f"C{number}", "taken_at": int(time.time()),
            "media_type": 8 if len(children) > 1 else 1, "caption": {"text": form["caption"]}, "user": self._user(),
            "accessibility_caption": form.get("custom_accessibility_caption", ""), "client_upload": form["upload_id"],
            "pictures": [hashlib.sha256(self.uploads[one]).hexdigest() for one in children],
        }  # fmt: skip
        self.posts.append(media)
        return _ok(media=media, upload_id=form["upload_id"])

    def _configure_story(self, heard):
        if not self._known(heard):
            return _trouble("login")
        form = _signed(heard.body)
        if form["upload_id"] not in self.uploads:
            return _trouble("bad-media")
        number = len(self.stories) + 1
        story = {
            "pk": str(2 * 10**18 + number), "id": f"{2 * 10**18 + number}_{USER}", "taken_at": int(time.time()), "media_type": 1,
            "caption": None, "user": self._user(), "asked": form, "upload": form["upload_id"],
            "pictures": [hashlib.sha256(self.uploads[form["upload_id"]]).hexdigest()],
        }  # fmt: skip
        self.stories.append(story)
        return _ok(media=self._shown(story), upload_id=form["upload_id"])

    def _shown(self, story):
        named = {"device_timestamp": int(story["upload"])} if self.name_uploads else {}
        return {key: value for key, value in story.items() if key not in {"asked", "upload"}} | named

    def _reel(self, heard):
        if not self._known(heard):
            return _trouble("login")
        shown = self.stories if self.show_new else []
        return _ok(reel={"items": [self._shown(one) for one in shown]} if shown else None)

    def _comments(self, heard):
        if not self._known(heard):
            return _trouble("login")
        post = heard.path.split("/media/")[1].split("/")[0]
        stranger = {"pk": "9", "text": "#ring", "user": {"pk": "9"}}  # says the same, and is not the shop
        own = [
            {"pk": "1", "text": text, "user": self._user()} for where, text in self.comments if where == post
        ]
        return _ok(comments=[stranger, *own])

    def _feed(self, heard):
        if not self._known(heard):
            return _trouble("login")
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(heard.path).query)
        start = int(asked.get("max_id", ["0"])[0] or 0)
        newest = list(reversed(self.posts)) if self.show_new else []
        more = {"next_max_id": str(start + 33)} if len(newest) > start + 33 else {}
        return _ok(items=newest[start : start + 33], more_available=bool(more), **more)

    def _comment(self, heard):
        form = _signed(heard.body)
        self.comments.append((heard.path.split("/media/")[1].split("/")[0], form["comment_text"]))
        about = {
            "pk": "1",
            "text": form["comment_text"],
            "user": self._user(),
            "created_at_utc": int(time.time()),
        }
        return _ok(comment=about | {"content_type": "comment", "status": "Active"})

    def _login(self, heard):
        form = json.loads(urllib.parse.parse_qs(heard.body.decode())["params"][0])
        said = form["client_input_params"]
        if (said["contact_point"], self._decrypted(said["password"])) != (self.username, self.password):
            return _trouble("password")
        token = {"ds_user_id": str(USER), "sessionid": f"{USER}%3Asession{self.session}"}
        bearer = "Bearer IGT:2:" + base64.b64encode(json.dumps(token).encode()).decode()
        inner = json.dumps({
            "login_response": json.dumps({"logged_in_user": self._user()}),
            "headers": json.dumps({"IG-Set-Authorization": bearer}),
        })  # fmt: skip
        self.sessions[self.session] += 1
        return _ok(layout={"bloks_payload": {"data": [], "action": f"(x {json.dumps(inner)})"}})

    def _known(self, heard):
        """Whether the session is the present one."""
        token = heard.headers.get("authorization", "").rpartition(":")[2]
        try:
            return json.loads(base64.b64decode(token))["sessionid"].endswith(f"session{self.session}")
        except ValueError:
            return False

    def _user(self):
        return {"pk": str(USER), "username": self.username, "full_name": "", "profile_pic_url": None}

    def _public_key(self, _):
        from Cryptodome.PublicKey import RSA

        self._key = self._key or RSA.generate(1024)  # noqa: S505
        public = base64.b64encode(self._key.public_key().export_key()).decode()
        named = {"ig-set-password-encryption-key-id": "7", "ig-set-password-encryption-pub-key": public}
        return Answer(200, b'{"status": "ok"}', named)

    def _decrypted(self, sealed):
        """What was encrypted with our key: instagrapi's own way backwards."""
        from Cryptodome.Cipher import AES, PKCS1_v1_5

        _, _, stamp, payload = sealed.split(":", 3)
        data = base64.b64decode(payload)
        iv, length = data[2:14], int.from_bytes(data[14:16], "little")
        session = PKCS1_v1_5.new(self._key).decrypt(data[16 : 16 + length], b"")
        tag, rest = data[16 + length : 32 + length], data[32 + length :]
        cipher = AES.new(session, AES.MODE_GCM, iv)
        cipher.update(stamp.encode())
        return cipher.decrypt_and_verify(rest, tag).decode()


def _login_page(_):
    access = {"data": {"key": "CAA_ACCOUNT_ACCESS_CONTEXT:aac", "initial": "access"}}
    return _ok(layout={"bloks_payload": {"data": [access]}})


def _signed(body):
    form = urllib.parse.parse_qs(body.decode())
    return json.loads(form["signed_body"][0].removeprefix("SIGNATURE."))


def _trouble(word):
    status, words = TROUBLES[word]
    return Answer(status, json.dumps(words).encode())


def _ok(**more):
    return _json({"status": "ok"} | more)


def _json(value):
    return Answer(200, json.dumps(value).encode())
