"""From facts to a plan: which type, template, light, outputs and time one photo gets. Pure; refuses files and clock."""

from __future__ import annotations

from pipeline.recipe import Look, Recipe, Surface
from pipeline.rig import Ambient, Light, Rig
from rules.facts import Facts
from rules.plan import Plan
from rules.ruleset import Rules


def route(facts: Facts, rules: Rules, sidecar_text: str | None = None) -> Plan:  # noqa: ARG001
    """Decide what happens to one photo.

    sidecar_text: the text of `ring.toml` beside `ring.jpg`, or None when there is none.
    """
    key = Light(name="key", role="key", azimuth_deg=-40, elevation_deg=45, size_deg=6, strength=1.0)
    recipe = Recipe(
        template="velvet-navy-studio",
        surface=Surface(
            name="velvet-navy",
            material="velvet",
            palette="navy",
            base="#0b1a3f",
            accent="#2a4b8f",
            detail="#050b1c",
        ),
        rig=Rig(name="studio", title="Studio", lights=(key,), ambient=Ambient(strength=0.3)),
        look=Look(name="neutral"),
        width_px=rules.size_px[0],
        height_px=rules.size_px[1],
        seed=rules.seed,
    )
    return Plan(
        jewelry_type="auto",
        recipes=(recipe,),
        outputs=rules.outputs,
        watermark=rules.watermark if "watermark" in rules.outputs else None,
        reasons=(f"{facts.folder or 'inbox'}: defaults",),
    )
