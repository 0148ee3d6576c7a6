"""Who may decide about a photo, in order of weight. Owns the order; refuses the decision itself (`rules.route`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from presets.styles import Style
from rules.facts import Facts
from rules.grammar import Wish
from rules.plan import Finding
from rules.ruleset import Choices, Rule, Rules
from rules.sidecar import Sidecar, sidecar_name
from rules.timing import NO_RULE


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who may decide: `name` for the reasons, what they choose, and the style they wish."""

    name: str
    choices: Choices
    style: Style


@dataclass(frozen=True, slots=True)
class Voices:
    """Everybody who speaks about one photo, the weightiest first."""

    sidecar: Sidecar
    rule: Rule
    wish: Wish
    order: tuple[Voice, ...]

    def first(self, choice: str) -> tuple[Any, str]:
        """The first value that somebody gives for a field of `Choices`, and who; (None, "") when nobody does."""
        for voice in self.order:
            value = getattr(voice.choices, choice)
            if value is not None:
                return value, voice.name
        return None, ""

    def style(self) -> tuple[Style, tuple[str, ...]]:
        """The style all of them together wish, and who spoke. A named template silences everybody after it."""
        spoken = [voice for voice in self.order if voice.style != Style()]
        for at, voice in enumerate(spoken):
            if voice.style.template:
                spoken = spoken[: at + 1]
                break
        joined = Style()
        for voice in reversed(spoken):
            joined = joined.joined(voice.style)
        return joined, tuple(voice.name for voice in spoken)


def gather(facts: Facts, rules: Rules, wish: Wish, sidecar: Sidecar | None) -> tuple[Voices, str]:
    """All who speak about a photo, and a sentence about which rule applies."""
    match = rules.first_match(facts.folder)
    number, rule = match or (0, NO_RULE)
    shown = facts.folder or "the inbox itself"
    named = Choices(
        type=wish.type,
        renderer="blender" if wish.raytraced else None,
        backdrop="diffusion" if wish.diffusion else None,
    )
    order = [Voice(f"the folder name {facts.folder}", named, wish.style)]
    order.append(Voice("[defaults] in the settings", rules.defaults, rules.defaults.style))
    if match:
        order.insert(0, Voice(f"rule {number}", rule, rule.style))
    if sidecar is not None:
        order.insert(0, Voice(f"the sidecar {sidecar_name(facts.name)}", sidecar, sidecar.style))
    if match:
        said = f'Rule {number} (match = "{rule.match}") applies to {shown}.'
    else:
        said = f"No rule matches {shown}, so its name decides."
    return Voices(sidecar or Sidecar(), rule, wish, tuple(order)), said


def contradiction(wish: Wish, rule: Rule) -> Finding | None:
    """A photo cannot be urgent and wait for the night: urgent wins, and the owner hears of it."""
    if bool(rule.urgent or wish.urgent) and bool(rule.overnight or wish.overnight):
        text = 'Both "urgent" and "overnight" are asked for; "urgent" was followed.'
        return Finding(code="urgent-and-overnight", text=text, suggestion="urgent")
    return None
