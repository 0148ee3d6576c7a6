"""The publisher, long: sends with a crash or a fault at every request, a year of cadence in eight zones, captions, pre-flight.

The client is the real one and speaks over TLS to a stand-in on the loopback; Instagram itself is never asked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import random
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from daemon.instagram.captions import Record, voice_for
from daemon.instagram.instagrapi_backend import InstagrapiPublisher
from daemon.instagram.secrets import Secrets
from daemon.instagram.settings import InstagramSettings
from rules.cadence import Cadence, Sent, Waiting, next_turn
from rules.plan import Window
from tests.instagram.bad_posts import bad_posts
from tests.instagram.sends import Campaign
from tests.instagram.shop import Shop, picture
from tests.instagram.standin import TROUBLES, StandIn
from tests.soak.proof import Row, Say, share_of, studio_folder

POSTS, CAPTIONS, PIECES, EXPOSURE = 500, 200, 40, 1.5
ZONES = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Auckland",
    "America/Santiago", "Africa/Cairo",
)  # fmt: skip
_UNIT = Path(__file__).parents[2] / "systemd" / "vitrine-publish.service"
_LOST = ("cut-before", "cut-after", "html-after", "hang-before", "hang-after", "feedback-after")


def posts(share: float, say: Say) -> Iterator[Row]:
    """Every post meets a fault or a crash at one of its requests, or at several."""
    count = share_of(POSTS, share, 12)
    standin = StandIn()
    try:
        with studio_folder("posts") as folder:
            campaign = Campaign(folder / "studio", standin, count, timeout_s=1.0)
            _plant(campaign, count, random.Random(7))
            campaign.work()
            faults = standin.met
            say(
                f"posts: {campaign.killed} kills, {campaign.halts} halts, {sum(faults.values())} faults planted"
            )
            yield from _sends(campaign, faults, count)
            yield from _secrets(campaign)
    finally:
        standin.close()
    yield _exposure()


_OFTEN = {  # of the requests of each kind, so many meet a fault
    "upload": 0.35, "configure": 0.55, "feed": 0.3, "comment": 0.5, "comments": 0.3, "login": 0.4, "login-page": 0.2, "device": 0.1, "key": 0.1,
    "other": 0.1,
}  # fmt: skip


def _plant(campaign: Campaign, count: int, chance: random.Random) -> None:
    """Faults at all steps, in an order that the seed decides; every second post has a first comment."""
    shop = Shop(campaign.studio.root)
    feed = [entry for entry in shop.publishing(None).queue.entries() if entry.post.kind == "feed"]
    for entry in feed[::2]:
        entry.write(entry.post.model_copy(update={"first_comment": ["#ring"], "hashtags": []}))
    shop.close()
    for step, often in _OFTEN.items():
        for _ in range(4 * count):
            campaign.standin.plant(step, _fault(campaign, step, chance) if chance.random() < often else None)


def _fault(campaign: Campaign, step: str, chance: random.Random) -> Any:
    """One of a kind: the process dies, the session ends, an answer is lost, or Instagram refuses."""
    kind = chance.random()
    if kind < 0.2:
        there = chance.choice(("before", "after"))
        return lambda _: campaign.shoot(there)
    if kind < 0.25 and step in {"upload", "configure"}:
        return lambda _: campaign.end_session()
    return chance.choice([*TROUBLES, *_LOST])


def _sends(campaign: Campaign, faults: Counter[str], count: int) -> Iterator[Row]:
    account, states = campaign.account(), Counter(campaign.states.values())
    met = ", ".join(f"{step} {number}" for step, number in sorted(faults.items()))
    yield Row("faults and crashes met, by request", "at every request", met, len(faults) >= 9 or count < 100)
    yield Row("publisher killed", "many times", str(campaign.killed), campaign.killed >= count // 20)
    yield Row(f"posts that are public twice, of {count}", "0", str(account["double"]), account["double"] == 0)
    yield Row("posts lost: neither public nor in the queue", "0", str(account["lost"]), account["lost"] == 0)
    yield Row("posts public, and neither noted nor held", "0", str(account["unheld"]), account["unheld"] == 0)
    shown = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    settled = states["posted"] + states["person"] + states["refused"] == count
    yield Row("posts posted, held for a person, refused", f"{count} in all", shown, settled)
    files = {hashlib.sha256(picture(number)).hexdigest() for number in range(7)}
    files |= {hashlib.sha256(picture(number, (1080, 1920))).hexdigest() for number in range(7)}
    public = [*campaign.standin.posts, *campaign.standin.stories]
    wrong = sum(1 for post in public if not set(post["pictures"]) <= files)
    yield Row("posts whose bytes differ from the file's", "0", str(wrong), wrong == 0)
    stories = len(campaign.standin.stories)
    yield Row("of them stories", "some", str(stories), stories >= count // 10)
    comments, warned = campaign.comments()
    twice = sum(1 for said in comments.values() if said > 1)
    silent = sum(1 for post, said in comments.items() if not said and post not in warned)
    yield Row(f"first comments made twice, of {len(comments)}", "0", str(twice), twice == 0)
    yield Row("first comments missing, and the owner was not told", "0", str(silent), silent == 0)


def _secrets(campaign: Campaign) -> Iterator[Row]:
    secret = [campaign.standin.password, *(f"session{number}" for number in campaign.standin.sessions)]
    found = []
    for path in campaign.studio.root.rglob("*"):
        if path.is_file() and (path.stat().st_mode & 0o077 or path.suffix == ".jsonl"):
            found += [path.name for one in secret if one.encode() in path.read_bytes()]
    found += [f"argv: {one}" for one in secret for word in campaign.arguments if one in word]
    found += ["stderr" for one in secret if one in campaign.said]
    yield Row(
        "secrets in logs, arguments, files that others may read", "0", ", ".join(found) or "0", not found
    )
    session = campaign.studio.publisher / "session.json"
    mode = oct(session.stat().st_mode & 0o777)
    yield Row("mode of the session's file", "0o600", mode, mode == "0o600")


def _exposure() -> Row:
    what, asked = "exposure of vitrine-publish.service", f"<= {EXPOSURE}"
    if shutil.which("systemd-analyze") is None:
        return Row(what, asked, "no systemd-analyze here", met=False)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_UNIT, folder)
        command = [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--no-pager",
            str(Path(folder, _UNIT.name)),
        ]
        shown = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"exposure level for \S+: ([\d.]+)", shown.stdout)
    if found is None:
        return Row(what, asked, f"cannot be judged here: {shown.stderr.strip()[:80]}", met=False)
    return Row(what, asked, found[1], float(found[1]) <= EXPOSURE)


def year(share: float, say: Say) -> Iterator[Row]:
    """A year in each zone, by day and once more by night: a shop that renders in bursts, a machine that is off now and then.

    By night the quiet hours begin and end in the hour in which clocks are changed, so that every edge is met.
    """
    for what, start, end in (
        ("by day", dt.time(21, 30), dt.time(8, 15)),
        ("by night", dt.time(7), dt.time(2, 30)),
    ):
        yield from _year(what, Window(start=start, end=end), share, say)


def _year(what: str, rest: Window, share: float, say: Say) -> Iterator[Row]:
    days = share_of(365, share, 20)
    best = (11, 17) if what == "by day" else (3, 5)
    cadence = Cadence.model_validate({"quiet": rest, "hours": {"sun": best}})
    total, over, rolling, quiet, short, outside, same, changes = 0, 0, 0, 0, 0, 0, 0, 0
    for name in ZONES:
        zone = ZoneInfo(name)
        sent = _simulate(days, cadence, zone, random.Random(name))
        local = [one.at.astimezone(zone) for one in sent]
        total += len(sent)
        over += sum(
            1 for number in Counter(at.date() for at in local).values() if number > cadence.posts_a_day
        )
        pairs = zip(sent, sent[cadence.posts_a_day :], strict=False)
        rolling += sum(1 for one, other in pairs if other.at - one.at < dt.timedelta(days=1))
        quiet += sum(1 for at in local if _inside(at.time(), rest))
        outside += sum(1 for at in local if at.weekday() == 6 and at.hour not in best)
        neighbours = list(itertools.pairwise(sent))
        short += sum(1 for one, other in neighbours if other.at - one.at < dt.timedelta(minutes=45))
        same += sum(1 for one, other in neighbours if one.template == other.template)
        changes += len({at.date() for at in local} & _change_days(zone, local[0].year))
        say(f"year {what}: {name}: {len(sent)} posts")
    yield Row(
        f"{what}: posts in {days} days in {len(ZONES)} zones", "many", str(total), total > days * len(ZONES)
    )
    yield Row(f"{what}: days with more than 8 posts", "0", str(over), over == 0)
    yield Row(f"{what}: stretches of 24 hours with more than 8 posts", "0", str(rolling), rolling == 0)
    yield Row(f"{what}: posts inside quiet hours", "0", str(quiet), quiet == 0)
    yield Row(f"{what}: posts outside the best hours of their day", "0", str(outside), outside == 0)
    yield Row(f"{what}: gaps under 45 minutes", "0", str(short), short == 0)
    wanted = "12 or more" if share >= 1 else "any"
    yield Row(
        f"{what}: days with a change of the clocks, with posts",
        wanted,
        str(changes),
        changes >= 12 or share < 1,
    )
    part = same / total
    yield Row(f"{what}: neighbours of the same template", "< 5 %", f"{part:.2%}", part < 0.05)


def _inside(clock: dt.time, rest: Window) -> bool:
    """Said anew here: the program's own word is what is to be proved."""
    if rest.start > rest.end:
        return clock >= rest.start or clock < rest.end
    return rest.start <= clock < rest.end


def _simulate(days: int, cadence: Cadence, zone: ZoneInfo, chance: random.Random) -> list[Sent]:
    now = dt.datetime(2026, 1, 1, tzinfo=zone).astimezone(dt.UTC)
    end, sent, queue, number = now + dt.timedelta(days=days), [], [], 0
    feed = now
    while now < end:
        while feed <= now:  # a batch of a few pieces, all in one template or mixed
            template = chance.choice("abcdefgh")
            for _ in range(chance.randint(1, 14)):
                number += 1
                kind = chance.choice(("ring", "earrings", "watch"))
                mixed = template if chance.random() < 0.6 else chance.choice("abcdefgh")
                queue.append(Waiting(id=str(number), template=mixed, type=kind))
            feed += dt.timedelta(hours=chance.uniform(4, 40))
        turn = next_turn(queue, sent[-100:], now, cadence=cadence, zone=zone, seed=3)
        if turn is None or turn.at > feed:
            now = feed
            continue
        if chance.random() < 0.02:  # the machine is off for a while
            now = turn.at + dt.timedelta(hours=chance.uniform(1, 30))
            continue
        now = max(now, turn.at)
        one = next(item for item in queue if item.id == turn.id)
        queue.remove(one)
        sent.append(Sent(at=now, template=one.template, type=one.type))
    return sent


def _change_days(zone: ZoneInfo, year_: int) -> set[dt.date]:
    """Local dates on which the clocks change."""
    found = set()
    for day in range(365):
        date = dt.date(year_, 1, 1) + dt.timedelta(days=day)
        offsets = {dt.datetime.combine(date, dt.time(hour), zone).utcoffset() for hour in (0, 23)}
        if len(offsets) > 1:
            found.add(date)
    return found


_PLAIN_FACTS = (  # looked for as parts of words: an own, plain list, not the program's
    "gold", "silber", "silver", "platin", "palladi", "titan", "brass", "messing", "copper", "kupfer",
    "diamond", "diamant", "brillant", "emerald", "smaragd", "ruby", "rubin", "sapphire", "saphir",
    "pearl", "perle", "amethyst", "topas", "topaz", "opal", "garnet", "granat", "aquamarin", "turmalin",
    "tourmaline", "karat", "carat", "18k", "22k", "14k", "925", "750", "585", "handmade", "handcraft",
    "handgefertigt", "handgemacht", "certified", "zertifiziert", "genuine", "echt", "natural", "antique",
    "antik", "vintage", "unique", "einzigartig", "limited", "limitiert", "exclusive", "exklusiv",
    "solid", "massiv", "sale", "discount", "rabatt", "gratis", "nickel",
)  # fmt: skip


def captions(share: float, say: Say) -> Iterator[Row]:
    """Pieces of which more or less is known, each photographed five times, in two languages."""
    for language in ("en", "de"):
        count = share_of(CAPTIONS, share, 20)
        voice = voice_for(language, Path("/nonexistent"))
        before: set[str] = set()
        said, last, alike, untrue = [], "", 0, []
        for number in range(count):
            record = _piece(number % PIECES, number // PIECES)
            words = voice.write(record, before, last)
            alike += words.voice.partition(".")[0] == last.partition(".")[0]
            facts = record.facts.casefold()
            for text in (words.caption, words.alt_text):
                untrue += [one for one in _PLAIN_FACTS if one in text.casefold() and one not in facts]
            said.append(words.caption)
            before.add(words.caption)
            last = words.voice
        say(f"captions ({language}): {said[0]!r}, {said[1]!r}")
        pieces = f"{count} captions over {min(PIECES, count)} pieces ({language})"
        twice = count - len(set(said))
        yield Row(f"{pieces}: alike", "0", str(twice), twice == 0)
        yield Row(f"{pieces}: with the same opening as the one before", "0", str(alike), alike == 0)
        yield Row(f"{pieces}: facts not in the record", "0", ", ".join(untrue) or "0", not untrue)
        longest = max(map(len, said))
        yield Row(f"{pieces}: longest", "<= 2200", str(longest), longest <= 2200)
        again = [
            voice_for(language, Path("/nonexistent")).write(_piece(at, 0), set(), "") for at in range(10)
        ]
        same = again == [voice.write(_piece(at, 0), set(), "") for at in range(10)]
        yield Row(f"the same again from the same seed ({language})", "yes", "yes" if same else "no", same)


def _piece(number: int, take: int) -> Record:
    chance = random.Random(number)
    metal = chance.choice(("", "", "18k yellow gold", "925 silver", "platinum", "rose gold"))
    stones = chance.choice(((), (), ("ruby",), ("0.5 ct diamond", "pearl"), ("emerald",)))
    kind = chance.choice(
        ("ring", "earrings", "necklace", "pendant", "bracelet", "bangle", "watch", "brooch", "set", "auto")
    )
    return Record(
        title=chance.choice((f"Aurora {number}", f"No. {number}", f"{kind} {number}".capitalize())),
        type=kind, metal=metal, stones=stones,
        price=chance.choice(("", "€ 1,290")), sku=chance.choice(("", f"R-{number}")),
        material=chance.choice(("velvet", "marble", "minimal", "gradient", "festive")),
        palette=chance.choice(("emerald", "sapphire", "gold", "navy", "nero-gold", "champagne", "rose", "carrara")),
        light=chance.choice(("moody", "soft-glow", "spotlight", "studio")),
        colours=tuple(chance.sample(("yellow", "red", "blue", "white", "green"), chance.randint(0, 3))),
        seed=f"{number} {take}",
    )  # fmt: skip


def preflight(share: float, say: Say) -> Iterator[Row]:
    """Bad posts of every kind among good ones: none of the bad gets out, all of the good arrive byte for byte."""
    rounds = share_of(5, share)
    standin = StandIn()
    with studio_folder("preflight") as folder:
        shop = Shop(folder / "studio")
        secrets = Secrets(standin.username, standin.password)
        publisher = InstagrapiPublisher(
            InstagramSettings(**standin.settings()), secrets, shop.studio.publisher / "session.json"
        )
        try:
            good, bad = {}, []
            for turn in range(rounds):
                for name, fields in bad_posts():
                    entry = shop.post(f"bad-{name}-{turn}", **fields)
                    bad.append(entry.path.stem)
                for seed in range(4):
                    data = picture(
                        seed + 10 * turn, ((1080, 1080), (1080, 1350), (1080, 566), (1080, 1080))[seed]
                    )
                    entry = shop.post(
                        f"good-{turn}-{seed}", data=data, caption=f"Good {turn} {seed}", hashtags=["#a"]
                    )
                    good[entry.post.caption] = hashlib.sha256(data).hexdigest()
            shop.run(shop.publishing(publisher), steps=10_000)
            states = shop.states()
            refused = sum(1 for name in bad if states[name] == "refused")
            yield Row(
                f"planted bad posts refused, of {len(bad)}",
                "100 %",
                f"{refused / len(bad):.1%}",
                refused == len(bad),
            )
            arrived = {post["caption"]["text"].split("\n")[0]: post["pictures"] for post in standin.posts}
            same = sum(1 for caption, sha in good.items() if arrived.get(caption) == [sha])
            yield Row(
                f"good posts that arrived byte for byte, of {len(good)}",
                "100 %",
                f"{same / len(good):.1%}",
                same == len(good),
            )
            strays = len(standin.posts) - len(good)
            yield Row("bad posts that arrived", "0", str(strays), strays == 0)
            kinds = sorted({name.split("-")[1] for name in bad})
            say(f"preflight: {', '.join(kinds)}")
        finally:
            shop.close()
            standin.close()


PROOFS = {"posts": posts, "year": year, "captions": captions, "preflight": preflight}
