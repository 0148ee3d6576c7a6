"""The morning report in words for the shop owner. Owns the words; the figures are given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

_STATES = {
    "done": "published",
    "review": "to look at",
    "rejected": "rejected",
    "duplicate": "dropped before",
    "waiting": "waiting",
    "leased": "in work",
    "vanished": "taken away",
    "ignored": "no photos",
}
_SHOWN = 40


def words(facts: Mapping[str, Any]) -> str:
    """The text of the report."""
    lines = [_title(facts), "", f"Studio   {facts['studio']}", f"Began    {facts['began']}"]
    lines += [f"{'Ended' if facts['finished'] else 'As of'}    {facts['ended']}", ""]
    lines += [f"This batch: {_sum(facts['account'])}", f"The whole studio: {_sum(facts['whole_studio'])}"]
    if seconds := facts["seconds_per_photo"]:
        lines.append(
            f"Time per photo: {seconds['median']:.1f} s in the middle,"
            f" {seconds['worst']:.1f} s at most ({seconds['worst_photo']})."
        )
    lines += ["", *_attention(facts)]
    if facts["held"]:
        lines += ["", "Not published, the worst first:", *map(_entry, facts["held"][:_SHOWN])]
        more = len(facts["held"]) - _SHOWN
        lines += [f"  ... and {more} more; all are in the .json file beside this one."] if more > 0 else []
    if facts["least_sure"]:
        lines += ["", "Published, but the least sure of all (look at these first):"]
        lines += [f"  {_place(one)} (cut-out sure to {one['confidence']:.0%})" for one in facts["least_sure"]]
    lines += ["", f"Contact sheet: {facts['contact_sheet']} (made a little later than this text)."]
    return "\n".join(lines) + "\n"


def _title(facts: Mapping[str, Any]) -> str:
    nights = " and ".join(_day(night) for night in facts["nights"])
    if facts["cause"] == "by hand":
        where = "" if facts["folder"] == "/" else f" for {facts['folder'] or 'the inbox itself'}"
        return f"Vitrine: overnight work started by hand on {nights}{where}"
    several = len(facts["nights"]) > 1
    how = " (made up for by day)" if facts["cause"] == "caught up" else ""
    return f"Vitrine: night{'s' * several} of {nights}{how}"


def _day(date: str) -> str:
    day = dt.date.fromisoformat(date)
    return f"{day.day} {day:%B %Y}"


def _sum(account: Mapping[str, int]) -> str:
    """`5 photos seen = 3 published + 2 rejected`, and the difference if there should be one."""
    parts = [f"{account[state]:,} {word}" for state, word in _STATES.items() if account[state]]
    seen = f"{account['seen']:,} {'file' if account['seen'] == 1 else 'files'} seen"
    rest = account["unexplained"]
    wrong = f" + {rest:,} NOT EXPLAINED (a defect of Vitrine; please report it)" if rest else ""
    return f"{seen} = {' + '.join(parts) or '0'}{wrong}."


def _attention(facts: Mapping[str, Any]) -> list[str]:
    account, found = facts["account"], []
    if account["rejected"]:
        found.append(f"{_files(account['rejected'])} could not be used: see rejected/, each has its reason.")
    if account["review"]:
        found.append(f"{_files(account['review'])} should be looked at: see review/.")
    if facts["paused"]["photos"]:
        found.append(f"Waiting because of a pause: {_files(facts['paused']['photos'])} (`vitrine resume`).")
    waiting = account["waiting"] + account["leased"] - facts["paused"]["photos"]
    if waiting > 0:
        found.append(
            f"Not done when the window ended: {_files(waiting)}. It goes on in the next window,"
            " or at once with `vitrine batch --now`."
        )
    return ["Needs you:", *(f"- {line}" for line in found)] if found else ["Nothing needs you."]


def _files(count: int) -> str:
    return f"{count:,} {'photo' if count == 1 else 'photos'}"


def _entry(one: Mapping[str, Any]) -> str:
    return f"  {one['state']:<8}  {_place(one)}: {one['reason']}  (vitrine retry {one['id']})"


def _place(one: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (one["folder"], one["name"])))
