"""Light as a painted sky around the table: tents, boxes, windows, lamps. Owns radiance; refuses what is lit."""

import math

import bpy
import numpy as np
from mathutils import Vector

W, H = 512, 256


class Sky:
    """Radiance by direction. Azimuth 0 is behind the piece, 90 on the right, 180 at the camera; degrees."""

    def __init__(self, rng):
        self.rng = rng
        el = 90 - (np.arange(H) + 0.5) / H * 180
        az = (np.arange(W) + 0.5) / W * 360 - 180
        self.az, self.el = np.meshgrid(az, el)
        self.rgb = np.zeros((H, W, 3), np.float32)

    def room(self, level, tint=(1, 1, 1)):
        """A dim room: lighter above, dark below the table."""
        shade = level * (0.6 + 0.4 * np.sin(np.radians(np.clip(self.el, -30, 90))))
        self.rgb += shade[..., None] * np.asarray(tint, np.float32)

    def _inside(self, az, el, wide, tall, soft):
        da = (self.az - az + 180) % 360 - 180
        x = np.abs(da) * np.cos(np.radians(np.clip(self.el, -89, 89))) / (wide / 2)
        y = np.abs(self.el - el) / (tall / 2)
        edge = np.maximum(x, y)
        return np.clip((1 - edge) / max(soft, 0.02) + 0.5, 0, 1), x, y

    def box(self, az, el, wide, tall, level, tint=(1, 1, 1), hot=0.5, soft=0.08):
        """A soft box, hottest in the middle by `hot`; with a negative level a black card over what is there."""
        m, x, y = self._inside(az, el, wide, tall, soft)
        if level < 0:
            self.rgb *= (1 - 0.96 * m)[..., None]
            return
        glow = level * (1 - hot * np.clip(np.hypot(x, y) / 1.3, 0, 1))
        self.rgb = self.rgb * (1 - m[..., None]) + (m * glow)[..., None] * np.asarray(tint, np.float32)

    def panes(self, az, el, wide, tall, level, tint, across, down):
        """A window: panes between bars."""
        for i in range(across):
            for j in range(down):
                self.box(
                    az + (i - (across - 1) / 2) * wide / across,
                    el + (j - (down - 1) / 2) * tall / down,
                    0.9 * wide / across,
                    0.9 * tall / down,
                    level * (0.8 + 0.4 * (j / max(1, down - 1))),
                    tint,
                    0.1,
                )


def _tint(rng, spread=0.06):
    warm = rng.normal(0, spread)
    return (1 + warm, 1.0, 1 - warm)


def _tent(sky, rng):
    """Cloth all around, lit from outside on two or three sides; a slit for the lens; perhaps black cards."""
    sky.room(rng.uniform(0.5, 0.9))
    for az in (-70, 80, 0)[: rng.integers(2, 4)]:
        sky.box(
            az + rng.normal(0, 18),
            rng.uniform(20, 60),
            rng.uniform(50, 100),
            rng.uniform(40, 80),
            rng.uniform(1.3, 3.2),
            _tint(rng, 0.03),
            0.6,
            0.8,
        )
    sky.box(rng.normal(0, 30), 84, 90, 40, rng.uniform(1.0, 2.4), hot=0.4, soft=0.6)
    sky.box(
        180 + rng.normal(0, 5), rng.uniform(15, 40), rng.uniform(14, 36), rng.uniform(14, 40), -1, soft=0.2
    )
    for _ in range(rng.integers(0, 3)):
        sky.box(
            rng.uniform(-180, 180), rng.uniform(5, 40), rng.uniform(8, 30), rng.uniform(20, 60), -1, soft=0.15
        )


def _boxes(sky, rng, *, strips=False):
    sky.room(rng.uniform(0.04, 0.25), _tint(rng))
    first = rng.uniform(-110, 110)
    for k in range(rng.integers(2, 4)):
        az = first + k * rng.uniform(90, 160)
        wide, tall = (
            (rng.uniform(6, 14), rng.uniform(50, 80))
            if strips
            else (rng.uniform(24, 50), rng.uniform(24, 50))
        )
        sky.box(
            az,
            rng.uniform(28, 62),
            wide,
            tall,
            rng.uniform(4, 12) * (0.5 if k else 1),
            _tint(rng),
            rng.uniform(0.3, 0.8),
        )
    if rng.random() < 0.6:
        sky.box(rng.uniform(-40, 40), 80, rng.uniform(20, 60), rng.uniform(15, 30), rng.uniform(2, 6))
    if rng.random() < 0.7:
        sky.box(180 + rng.normal(0, 20), rng.uniform(10, 45), rng.uniform(30, 80), rng.uniform(20, 40), -1)


def _strips(sky, rng):
    _boxes(sky, rng, strips=True)


def _window(sky, rng):
    """One big window, the bounce of the wall opposite, a ceiling."""
    side = rng.choice([-1, 1]) * rng.uniform(40, 120)
    sky.room(rng.uniform(0.12, 0.4), _tint(rng, 0.1))
    sky.box(side + 180, 20, 120, 60, rng.uniform(0.2, 0.6), _tint(rng, 0.08), 0.3, 0.8)
    cool = (0.92, 1.0, 1.10) if rng.random() < 0.6 else (1.08, 1.0, 0.88)
    sky.panes(
        side,
        rng.uniform(24, 42),
        rng.uniform(40, 80),
        rng.uniform(36, 60),
        rng.uniform(4, 9),
        cool,
        int(rng.integers(1, 4)),
        int(rng.integers(1, 4)),
    )


def _flash(sky, rng):
    """A phone's flash beside its lens in a lit room."""
    sky.room(rng.uniform(0.25, 0.7), _tint(rng, 0.12))
    sky.box(rng.uniform(-180, 180), 75, 60, 30, rng.uniform(0.8, 2), (1.1, 1, 0.8), soft=0.3)


def _lamps(sky, rng):
    """Room lamps: small, warm, several."""
    sky.room(rng.uniform(0.15, 0.4), (1.1, 1.0, 0.82))
    for _ in range(rng.integers(2, 5)):
        sky.box(
            rng.uniform(-180, 180),
            rng.uniform(40, 85),
            rng.uniform(6, 12),
            rng.uniform(6, 12),
            rng.uniform(20, 60),
            (1.1, 1.0, 0.8),
            0.2,
        )


def _overcast(sky, rng):
    """Open shade: a bright sky, darker towards one side."""
    sky.room(rng.uniform(0.7, 1.2), (0.96, 1.0, 1.06))
    away = rng.uniform(-180, 180)
    dim = 0.5 + 0.5 * np.cos(np.radians(sky.az - away)) * np.cos(np.radians(sky.el))
    sky.rgb *= (0.35 + 0.65 * dim)[..., None]
    sky.box(away + rng.normal(0, 20), 50, 90, 60, rng.uniform(1.4, 2.2), (0.97, 1, 1.05), 0.5, 0.9)


def _ring(sky, rng):
    """A ring lamp around the lens."""
    sky.room(rng.uniform(0.2, 0.5))
    el = rng.uniform(25, 70)
    level = rng.uniform(8, 18)
    for wide, power in ((34, level), (22, -1)):
        sky.box(180, el, wide, wide, power, hot=0.0)
    sky.box(rng.uniform(-60, 60), 70, 50, 30, rng.uniform(0.8, 2))


_PAINT = {
    "tent": _tent,
    "two_boxes": _boxes,
    "strip_boxes": _strips,
    "window": _window,
    "flash": _flash,
    "lamps": _lamps,
    "overcast": _overcast,
    "ring_light": _ring,
}


def hang(spec, eye, size):
    """Light the scene; `eye` is the camera's place, `size` the piece's reach in mm."""
    rng = np.random.Generator(np.random.PCG64([spec.seed, 3]))
    sky = Sky(rng)
    _PAINT[spec.light](sky, rng)
    image = bpy.data.images.new("sky", W, H, float_buffer=True)
    rgba = np.ones((H, W, 4), np.float32)
    rgba[..., :3] = sky.rgb
    image.colorspace_settings.name = "Non-Color"
    image.pixels.foreach_set(np.ascontiguousarray(rgba[::-1]).ravel())
    world = bpy.data.worlds.new("room")
    if not world.node_tree:
        world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    env, where, spin = (
        nodes.new("ShaderNodeTexEnvironment"),
        nodes.new("ShaderNodeTexCoord"),
        nodes.new("ShaderNodeMapping"),
    )
    env.image = image
    spin.inputs["Rotation"].default_value = (0, 0, math.radians(-90))  # image middle (azimuth 0) to +y
    links.new(where.outputs["Generated"], spin.inputs["Vector"])
    links.new(spin.outputs["Vector"], env.inputs["Vector"])
    links.new(env.outputs["Color"], nodes["Background"].inputs["Color"])
    # The map by which rays find the bright places; at its automatic size it costs more than the rays.
    world.cycles.sampling_method, world.cycles.sample_map_resolution = "MANUAL", W // 2
    bpy.context.scene.world = world
    if spec.light == "flash":
        _lamp(eye + Vector((rng.uniform(-18, 18), 0, rng.uniform(4, 22))), eye.length, rng.uniform(1.5, 4))
    elif rng.random() < 0.35:
        # A lamp close by: the paper grows darker away from it.
        az, el = math.radians(rng.uniform(-120, 120)), math.radians(rng.uniform(25, 60))
        d = size * rng.uniform(3.0, 6)
        place = Vector((math.sin(az) * math.cos(el), math.cos(az) * math.cos(el), math.sin(el))) * d
        _lamp(place, d, rng.uniform(0.8, 3), wide=size * rng.uniform(0.5, 2.5))


def _lamp(place, distance, level, wide=8.0):
    """An area lamp looking at the piece that gives `level` times π irradiance there."""
    data = bpy.data.lights.new("lamp", "AREA")
    data.shape, data.size = "SQUARE", wide
    data.energy = level * math.pi * distance**2 * math.pi / 1.0
    obj = bpy.data.objects.new("lamp", data)
    obj.matrix_world = place.to_track_quat("Z", "Y").to_matrix().to_4x4()
    obj.matrix_world.translation = place
    obj.visible_camera = False
    bpy.context.scene.collection.objects.link(obj)
