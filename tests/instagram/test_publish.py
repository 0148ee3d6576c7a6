"""`vitrine publish` as a process of its own: from a photo in the inbox to a post, and what it keeps to itself."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from daemon.cli import main
from daemon.instagram.export_only import ExportPublisher
from daemon.instagram.post_ledger import upload_id
from daemon.instagram.publisher import Outgoing
from daemon.instagram.secrets import Scrub, read_secrets
from daemon.instagram.settings import InstagramSettings
from daemon.settings import load_settings
from pipeline.errors import Misconfigured
from tests.daemon.conftest import daemon, flags  # noqa: F401
from tests.daemon.seeing import Ear
from tests.daemon.studios import HERE, SETTINGS, jpeg, until
from tests.instagram.shop import picture

MAIN = [sys.executable, "-c", "from daemon.cli import main; main()"]


def toml(values):
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    return f"[instagram]\n{lines}\n[instagram.cadence]\nquiet = false\ngap_min = 1\njitter_min = 0\n"


class Process:
    """`vitrine publish`, as its owner starts it."""

    def __init__(self, root, environment=None):
        self.command = [*MAIN, "publish", "--studio", str(root)]
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("INSTAGRAM_")
        }
        self.environment |= environment or {}

    def run(self, *words, **more):
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **more,
        )

    def start(self):
        return subprocess.Popen(self.command, env=self.environment, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def credentials(tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "instagram_username").write_text("shop\n")
    (folder / "instagram_password").write_text("correct horse\n")
    return {"CREDENTIALS_DIRECTORY": str(folder)}


def test_a_photo_in_a_folder_whose_rule_says_auto_becomes_a_post(daemon, standin, credentials):  # noqa: F811
    root = daemon.studio.root
    rule = '[[rule]]\nmatch = "rings"\napproval = "auto"\n'
    (root / "vitrine.toml").write_text(SETTINGS + toml(standin.settings()) + rule)
    daemon._environment |= {
        "VITRINE_RENDERER": "full_size:render",
        "PYTHONPATH": f"{HERE}{os.pathsep}{Path(__file__).parent}",
    }
    daemon.start()
    (root / "inbox" / "rings" / "aurora.toml").write_text('metal = "18k white gold"\nsku = "A1"\n')
    daemon.drop("aurora.jpg", jpeg(1), "rings")
    daemon.drop("other.jpg", jpeg(2), "watches")  # no rule: it waits
    daemon.settled(done=2)
    made = (root / "instagram-queue" / "aurora.jpg").read_bytes()
    done = Process(root, credentials).run("--once")
    assert done.returncode == 0, done.stderr
    assert len(standin.posts) == 1
    assert list(standin.uploads.values()) == [made]
    assert "Aurora" in standin.texts()[0]
    assert "#ring" in standin.texts()[0].casefold()
    assert json.loads((root / "instagram-queue" / "posted" / "aurora.json").read_text())["state"] == "posted"
    assert json.loads((root / "instagram-queue" / "other.json").read_text())["state"] == "held"
    assert Process(root, credentials).run("--once").returncode == 0
    assert len(standin.posts) == 1


def test_without_publish_it_only_says_what_it_would_send(shop, standin, credentials):
    shop.post("ring")
    (shop.studio.root / "vitrine.toml").write_text(toml(standin.settings(publish=False)))
    done = Process(shop.studio.root, credentials).run("--once")
    assert done.returncode == 0
    assert "dry run: ring.json would go out now" in done.stderr
    assert standin.heard == []
    assert shop.states() == {"ring": "approved"}


def test_no_secret_is_in_logs_arguments_or_files_that_others_may_read(shop, standin, credentials):
    for name in "abc":
        shop.post(name)
    standin.plant("login", None)
    standin.plant("configure", None, "html-after", "500")
    (shop.studio.root / "vitrine.toml").write_text(toml(standin.settings()))
    process = Process(shop.studio.root, credentials)
    with process.start() as running:
        until(lambda: len(standin.posts) >= 1, 30, "a post")
        arguments = Path(f"/proc/{running.pid}/cmdline").read_bytes()
        running.send_signal(signal.SIGTERM)
        said = running.communicate(timeout=20)[1]
    assert running.returncode == 0, said
    secrets = [standin.password, "session1"]
    for secret in secrets:
        assert secret not in said
        assert secret.encode() not in arguments
        for path in shop.studio.root.rglob("*"):
            if path.is_file() and (path.stat().st_mode & 0o077 or path.suffix == ".jsonl"):
                assert secret.encode() not in path.read_bytes(), path
    assert (shop.studio.publisher / "session.json").stat().st_mode & 0o777 == 0o600
    assert shop.studio.publisher.stat().st_mode & 0o777 == 0o700
    assert (shop.studio.publisher / "posts.sqlite").stat().st_mode & 0o777 == 0o600


def test_it_works_where_all_but_its_own_folders_is_read_only(shop):
    """What the unit takes away, taken away for real: ProtectSystem=strict with ReadWritePaths=."""
    root = shop.studio.root
    (root / "vitrine.toml").write_text(toml({"publish": True}))
    (root / "instagram-export").mkdir()
    shop.post("ring")
    own = "instagram-queue .vitrine/publisher instagram-export"
    order = (
        f'cd "{root}" && mount --bind . . && cd "{root}" && for one in {own}; do mount --bind $one $one || exit 9; done'
        f' && mount -o remount,bind,ro "{root}" && ! touch "{root}/export/x" 2>/dev/null && exec "$@"'
    )
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs root: mounts of its own")
    process = Process(root)
    process.command = ["unshare", "--mount", "sh", "-c", order, "sh", *process.command]
    done = process.run("--once")
    assert done.returncode == 0, done.stderr
    assert shop.states() == {"ring": "posted"}
    assert len(list((root / "instagram-export").glob("*/post.txt"))) == 1


def test_a_second_publisher_ends_with_75_and_the_first_says_ready_and_stops(shop, tmp_path):
    ear = Ear(tmp_path / "notify")
    process = Process(shop.studio.root, {"NOTIFY_SOCKET": ear.address})
    with process.start() as running:
        until(lambda: "READY=1" in ear.heard, 20, "READY=1")
        assert process.run("--once").returncode == 75
        stopped = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
    assert running.returncode == 0
    assert time.monotonic() - stopped < 3
    ear.close()


def test_missing_credentials_end_with_78_and_say_where_they_belong(shop, standin):
    (shop.studio.root / "vitrine.toml").write_text(toml(standin.settings()))
    done = Process(shop.studio.root).run("--once")
    assert done.returncode == 78
    assert "username and password is not known" in done.stderr
    assert "/etc/vitrine/credentials" in done.stderr


def test_after_a_halt_nothing_is_sent_until_a_person_says_so(shop, standin, credentials):
    shop.post("ring")
    standin.plant("configure", "challenge")
    (shop.studio.root / "vitrine.toml").write_text(toml(standin.settings()))
    process = Process(shop.studio.root, credentials)
    assert process.run("--once").returncode == 1
    assert process.run("--once").returncode == 1
    assert standin.steps["configure"] == 1
    assert process.run("--resume").returncode == 0
    assert process.run("--once").returncode == 0
    assert len(standin.posts) == 1


def test_a_person_decides_what_nobody_can_tell(shop, standin, unofficial):
    for name in ("there", "gone"):
        shop.post(name)
    standin.plant("configure", "cut-before", "cut-before")
    publishing = shop.publishing(unofficial())
    shop.run(publishing)
    assert set(shop.states().values()) == {"person"}
    main_quietly(main, "queue", "sent", "there", "--studio", str(shop.studio.root))
    main_quietly(main, "queue", "retry", "gone", "--studio", str(shop.studio.root))
    shop.run(publishing)
    assert shop.states() == {"there": "posted", "gone": "posted"}
    assert standin.texts() == ["This is gone.\n\n#ring"]


def main_quietly(main, *words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    assert not end.value.code


def test_a_post_that_cannot_be_sent_does_not_stand_in_the_way_of_the_others(shop, standin, unofficial):
    shop.post("stuck", order=-1.0)
    shop.post("good")
    stuck = (shop.studio.instagram / "stuck.jpg").read_bytes()
    other = picture(4)
    (shop.studio.instagram / "good.jpg").write_bytes(other)
    publishing = shop.publishing(unofficial())
    publishing.queue.approve(publishing.queue.find("good"), shop.now)
    standin.plant("upload", *[lambda heard: "500" if heard.body == stuck else None] * 20)
    shop.run(publishing, steps=8)
    assert shop.states() == {"stuck": "approved", "good": "posted"}


def test_the_core_needs_nothing_of_instagram():
    code = (
        "import sys, daemon.supervisor, daemon.worker, daemon.cli.run, daemon.cli.publish, daemon.cli.queue;"
        "assert not {'instagrapi', 'curl_cffi', 'requests', 'PIL', 'numpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_was_posted_is_not_posted_again_though_it_is_queued_again(shop, standin, unofficial):
    shop.post("ring")
    publishing = shop.publishing(unofficial())
    shop.run(publishing)
    entry = shop.post("ring")
    shop.run(publishing)
    assert len(standin.posts) == 1
    assert json.loads(entry.path.read_text())["state"] == "held"
    assert "was posted on" in shop.history("ring")[-1]


def test_a_post_that_the_owner_edits_while_it_is_sent_keeps_the_edit(shop, standin, unofficial):
    entry = shop.post("ring")

    def edit(_):
        fields = json.loads(entry.path.read_text())
        entry.path.write_text(json.dumps(fields | {"note": "mine"}))

    standin.plant("configure", edit)
    shop.run(shop.publishing(unofficial()))
    assert json.loads((shop.studio.posted / "ring.json").read_text())["note"] == "mine"


def test_export_is_whole_the_same_at_every_try_and_stays_in_the_studio(shop):
    entry = shop.carousel("ring", 2, first_comment=["#b"], hashtags=["#a"])
    root = shop.studio.root
    publisher = ExportPublisher(root, "instagram-export")
    for _ in range(2):
        shop.run(shop.publishing(publisher))
    folder = root / "instagram-export"
    (post,) = [path for path in folder.iterdir() if path.is_dir()]
    assert sorted(path.name for path in post.iterdir()) == ["1-ring.jpg", "2-ring-1.jpg", "post.txt"]
    assert (post / "2-ring-1.jpg").read_bytes() == picture(1)
    assert (folder / "posts.csv").read_text().count("This is ring.") == 1
    main_quietly(main, "queue", "zip", "--studio", str(root))
    with zipfile.ZipFile(root / "instagram-export.zip") as archive:
        assert archive.read(f"{post.name}/2-ring-1.jpg") == picture(1)
        assert "posts.csv" in archive.namelist()
    assert shop.states() == {"ring": "posted"}
    assert entry.post.text == "This is ring.\n\n#a"
    for outside in ("../elsewhere", "/tmp", "inbox/rings"):  # noqa: S108 - refused
        with pytest.raises(Misconfigured, match="only into the studio"):
            ExportPublisher(root, outside)


def test_an_export_that_was_cut_short_is_finished_not_asked_about(shop, monkeypatch):
    from daemon import durable

    shop.post("ring")
    publisher = ExportPublisher(shop.studio.root, "out")
    with monkeypatch.context() as patch:
        patch.setattr(durable.disk, "rename", _full)
        shop.publishing(publisher).step(shop.now)
    assert shop.states() == {"ring": "approved"}
    shop.now += dt.timedelta(hours=2)
    shop.run(shop.publishing(publisher))
    assert shop.states() == {"ring": "posted"}
    assert len(list((shop.studio.root / "out").glob("*/post.txt"))) == 1


def _full(*_):
    raise OSError(28, "full")


def test_secrets_come_from_systemd_or_the_environment_and_show_nowhere(tmp_path):
    (tmp_path / "instagram_username").write_text("shop\n")
    (tmp_path / "instagram_password").write_text("s3cret\n")
    found = read_secrets(
        {"CREDENTIALS_DIRECTORY": str(tmp_path), "INSTAGRAM_PASSWORD": "other", "INSTAGRAM_TOKEN": "t0ken"}
    )
    assert (found.username, found.password, found.token) == ("shop", "s3cret", "t0ken")
    assert "s3cret" not in repr(found) + str(found)
    import logging

    record = logging.LogRecord("x", 40, "x", 1, "said %s", ("s3cret and t0ken",), None)
    assert Scrub(found).filter(record)
    assert record.getMessage() == "said *** and ***"


def test_the_settings_have_no_place_for_a_password(tmp_path):
    (tmp_path / "vitrine.toml").write_text('[instagram]\npassword = "x"\n')
    with pytest.raises(Misconfigured, match=r"instagram.password: is not a known key"):
        load_settings(tmp_path)
    assert not {"password", "token", "username"} & set(InstagramSettings.model_fields)


def test_upload_ids_are_the_same_for_ever_and_differ():
    assert upload_id("a") == upload_id("a")
    ids = {upload_id(str(post), at) for post in range(1000) for at in range(3)}
    assert len(ids) == 3000
    assert {len(one) for one in ids} == {15}
    assert Outgoing("a", upload_id("a"), (), "", "").since == 0.0
