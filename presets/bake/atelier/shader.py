"""Node graphs in a few words, and the three lobes of a material. Owns shader nodes; refuses to know any surface."""

import bpy

BODY = 0.18  # albedo of the matte body while baking; divided out of the plate


class Graph:
    """The nodes of one material."""

    def __init__(self, name, paint=None):
        """paint: the lobes' own colours, {"body": rgb, "sheen": rgb, "gloss": rgb}, for a picture as it would be; None to bake."""
        self.paint = paint
        self.material = bpy.data.materials.new(name)
        self.material.use_nodes = True
        self.nodes, self.links = self.material.node_tree.nodes, self.material.node_tree.links
        self.nodes.clear()
        self.out = self.node("OutputMaterial")
        self.place = self.node("NewGeometry").outputs["Position"]

    def node(self, kind, inputs=(), **attributes):
        """A new node; inputs: {name or index: number, colour or socket}."""
        made = self.nodes.new(f"ShaderNode{kind}")
        for key, value in attributes.items():
            setattr(made, key, value)
        for key, value in dict(inputs).items():
            self.give(made.inputs[key], value)
        return made

    def give(self, socket, value):
        """A value or another node's output into a socket."""
        if hasattr(value, "links"):
            self.links.new(value, socket)
        else:
            socket.default_value = value

    def at(self, scale=(1, 1, 1), turn=(0, 0, 0), offset=(0, 0, 0)):
        """World position, scaled, turned (radians), moved."""
        inputs = {"Vector": self.place, "Scale": scale, "Rotation": turn, "Location": offset}
        return self.node("Mapping", inputs).outputs["Vector"]

    def noise(self, scale, detail=2.0, rough=0.5, where=None, warp=0.0):
        """Fractal noise 0..1, mean about 0.5."""
        inputs = {
            "Vector": where or self.place,
            "Scale": scale,
            "Detail": detail,
            "Roughness": rough,
            "Distortion": warp,
        }
        return self.node("TexNoise", inputs).outputs["Fac"]

    def math(self, operation, a, b=0.0, c=0.0, *, clamp=False):
        """One sum."""
        return self.node("Math", {0: a, 1: b, 2: c}, operation=operation, use_clamp=clamp).outputs["Value"]

    def span(self, value, low, high, to_low=0.0, to_high=1.0, kind="SMOOTHSTEP"):
        """Value from low..high to to_low..to_high, held at the ends."""
        inputs = {"Value": value, "From Min": low, "From Max": high, "To Min": to_low, "To Max": to_high}
        return self.node("MapRange", inputs, interpolation_type=kind).outputs["Result"]

    def bump(self, height, distance, strength=1.0, normal=None):
        """Normals of a height 0..1 times `distance` units."""
        inputs = {"Height": height, "Distance": distance, "Strength": strength}
        made = self.node("Bump", inputs)
        if normal is not None:
            self.give(made.inputs["Normal"], normal)
        return made.outputs["Normal"]

    def color(self, r=0.0, g=0.0, b=0.0):
        """Three numbers or sockets to one colour."""
        return self.node("CombineColor", {0: r, 1: g, 2: b}).outputs["Color"]

    def lobe(self, name, amount):
        """The colour of a lobe: its own channel, or its paint, times an amount 0..1."""
        if self.paint is None:
            channel = {"body": 0, "sheen": 1, "gloss": 2}[name]
            full = [0.0, 0.0, 0.0]
            full[channel] = BODY if name == "body" else 1.0
        else:
            full = self.paint[name]
        return self.color(*(self.math("MULTIPLY", amount, part) if part else 0.0 for part in full))

    def lobes(
        self, *, body=1.0, body_normal=None, sheen=0.0, sheen_rough=0.35, sheen_normal=None, gloss=None
    ):
        """Body in red, sheen in green, gloss in blue, each 0..1 of full; gloss: a shader of `polish`."""
        shaders = [self.node("BsdfDiffuse", {"Color": self.lobe("body", body), **_normal(body_normal)})]
        if sheen:
            inputs = {"Color": self.lobe("sheen", sheen), "Roughness": sheen_rough, **_normal(sheen_normal)}
            shaders.append(self.node("BsdfSheen", inputs))
        if gloss:
            shaders.append(gloss)
        total = shaders[0].outputs["BSDF"]
        for one in shaders[1:]:
            total = self.node("AddShader", {0: total, 1: one.outputs["BSDF"]}).outputs["Shader"]
        self.links.new(total, self.out.inputs["Surface"])
        return self.material

    def polish(self, *, rough, ior=1.5, metal=None, anisotropy=0.0, turn=0.0, tangent=None, normal=None):
        """Gloss of a coat by Fresnel, or of metal of that reflectance."""
        fresnel = self.node("Fresnel", {"IOR": ior, **_normal(normal)}).outputs["Fac"]
        amount = fresnel if metal is None else metal
        inputs = {"Color": self.lobe("gloss", amount), "Roughness": rough, **_normal(normal)}
        if anisotropy:
            inputs |= {"Anisotropy": anisotropy, "Rotation": turn}
        if tangent is not None:
            inputs["Tangent"] = tangent
        return self.node("BsdfAnisotropic", inputs, distribution="MULTI_GGX")

    def emit(self, r, g, b):
        """What a mask shows: light of its own, untouched by any lamp."""
        shine = self.node("Emission", {"Color": self.color(r, g, b), "Strength": 1.0})
        self.links.new(shine.outputs["Emission"], self.out.inputs["Surface"])
        return self.material


def _normal(socket):
    return {} if socket is None else {"Normal": socket}
