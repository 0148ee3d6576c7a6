"""What a family builds with: chance, and the materials the spec chose. Owns the draw of sizes; refuses scenes."""

import numpy as np

from weights.train.atelier import gems
from weights.train.atelier.materials import metal_of, stone_of
from weights.train.atelier.shapes import bead, put
from weights.train.catalogue import STONES


class Kit:
    """One piece's chance and materials. Materials are made when first asked for."""

    def __init__(self, spec):
        self.spec = spec
        self.rng = np.random.Generator(np.random.PCG64([spec.seed, 7]))
        self._made = {}
        self.props = []  # what holds the piece; part of the ground

    def _of(self, key, make):
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def u(self, low, high):
        """Uniform draw."""
        return float(self.rng.uniform(low, high))

    def n(self, low, high):
        """Whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, p):
        """True with probability p."""
        return bool(self.rng.random() < p)

    def pick(self, options):
        """One of them."""
        return options[int(self.rng.integers(len(options)))]

    @property
    def metal(self):
        """The metal of the piece."""
        return self._of(self.spec.metal, lambda: metal_of(self.spec.metal))

    @property
    def trim(self):
        """The second metal; often the same."""
        return self._of(self.spec.trim, lambda: metal_of(self.spec.trim))

    def _stone(self, name, size):
        step = round(np.log2(max(size, 0.3)) * 2) / 2  # sizes near each other share a material
        return self._of((name, step), lambda: stone_of(name, 2.0**step))

    def main(self, size):
        """The material of the chief stone at this size."""
        return self._stone(self.spec.stone, size)

    @property
    def body(self):
        """For beads and bars: the chief stone, or enamel where that would be a lump of clear glass."""
        clear = STONES[self.spec.stone].part == "clear_stone" and STONES[self.spec.stone].look == "clear"
        return self.enamel if clear else self.main(3)

    def accent(self, size):
        """The material of the small stones."""
        return self._stone(self.spec.accent, size)

    @property
    def pearl(self):
        """Nacre."""
        return self._stone(self.spec.pearl, 3)

    @property
    def enamel(self):
        """Lacquer."""
        return self._stone(self.spec.enamel, 3)

    @property
    def hide(self):
        """Strap."""
        return self._stone(self.spec.leather, 3)

    def gem(self, cut, size, name=None):
        """One stone, girdle at z = 0: faceted if clear, else a cabochon. Returns [object]."""
        name = name or self.spec.stone
        mat = self._stone(name, size)
        if STONES[name].look == "clear":
            mesh = self._of(("cut", cut, round(size, 2)), lambda: gems.faceted(cut, size, self.rng))
        else:
            outline, height = gems.outline_of(cut), self.u(0.45, 0.8)
            mesh = self._of(
                ("cab", cut, round(size, 2)), lambda: gems.cabochon("cabochon", outline, size, height)
            )
        return [put(mesh, mat)]

    def melee(self, size):
        """Mesh of a small brilliant (shared)."""
        key = round(size, 2)
        return self._of(("melee", key), lambda: gems.melee(key))

    def ball(self, radius, segments=16):
        """Mesh of a ball (shared)."""
        key = round(radius, 2)
        return self._of(("ball", key, segments), lambda: bead("ball", key, segments))
