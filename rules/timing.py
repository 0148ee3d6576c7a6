"""When a photo is rendered: at once, before all else, or in its folder's overnight window. Owns that; refuses the clock.

The folder alone decides, so that photos that wait can be asked again after a change of the rules.
"""

from __future__ import annotations

from pipeline.rig import Frozen
from rules.facts import readable
from rules.grammar import Wish, read_folder
from rules.plan import Urgency, Window
from rules.ruleset import Rule, Rules

NO_RULE = Rule(match="-")
NIGHT = "night"  # name of the window that `[overnight]` sets


class Timing(Frozen):
    """window: of an overnight photo, else None. own: whether a rule gives the folder a window of its own."""

    urgency: Urgency
    words: str
    window: Window | None = None
    own: bool = False

    @property
    def name(self) -> str:
        """The window's name: "" (not overnight), "night" (the studio's), or its times (a rule's own)."""
        if self.window is None:
            return ""
        return window_name(self.window) if self.own else NIGHT


def timing(rule: Rule, wish: Wish, rules: Rules) -> Timing:
    """When the photos of a folder are rendered. Urgent wins over overnight."""
    if _said(rule.urgent, by_folder=wish.urgent):
        return Timing(urgency="urgent", words="When: before everything else.")
    own, said = (rule.overnight, True) if isinstance(rule.overnight, Window) else (None, rule.overnight)
    if _said(said, by_folder=wish.overnight):
        window = own or rules.overnight
        words = f"When: overnight, {window.start:%H:%M} to {window.end:%H:%M}{', as the rule says' if own else ''}."
        return Timing(urgency="overnight", words=words, window=window, own=own is not None)
    return Timing(urgency="normal", words="When: at once.")


def timing_of(folder: str, rules: Rules) -> Timing:
    """The same, for a folder below the inbox."""
    match = rules.first_match(str(readable(folder)))
    return timing(match[1] if match else NO_RULE, read_folder(folder), rules)


def windows(rules: Rules) -> dict[str, Window]:
    """Every overnight window there is, by name."""
    own = [rule.overnight for rule in rules.rule if isinstance(rule.overnight, Window)]
    return {NIGHT: rules.overnight} | {window_name(window): window for window in own}


def window_name(window: Window) -> str:
    """`20:00-05:00`."""
    return f"{window.start.isoformat('minutes')}-{window.end.isoformat('minutes')}"


def _said(by_rule: bool | None, *, by_folder: bool) -> bool:  # noqa: FBT001 - one of two voices, named at the call
    return by_folder if by_rule is None else by_rule
