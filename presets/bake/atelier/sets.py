"""Which sets there are, by name: a plate is one of them. Data; refuses shapes.

SURFACES builds a set under the lamps; MASKS shows where its body has the palette's other colours; GLOWS the lights that
are part of it.
"""

from presets.bake.atelier import festive, petals, surfaces

SURFACES = {
    "velvet": surfaces.velvet,
    "suede": surfaces.suede,
    "satin": surfaces.satin,
    "silk": surfaces.silk,
    "sand": surfaces.sand,
    "plaster": surfaces.plaster,
    "paper": surfaces.paper,
    "marble": surfaces.marble,
    "travertine": surfaces.travertine,
    "slate": surfaces.slate,
    "spun-metal": surfaces.spun_metal,
    "smoked-glass": surfaces.smoked_glass,
    "lights": festive.lights,
    "curtain": festive.lights,
    "diyas": festive.diyas,
    "petals": petals.petals,
    "plain": surfaces.plain,
}
MASKS = {
    "travertine": surfaces.travertine_mask,
    "smoked-glass": surfaces.smoked_glass_mask,
    "diyas": festive.diyas_mask,
    "petals": petals.petals_mask,
}
GLOWS = {"lights": festive.lights_glow, "curtain": festive.curtain_glow, "diyas": festive.diyas_glow}
