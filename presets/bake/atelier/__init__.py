"""The studio in Blender: surfaces, lamps, camera. Lives in Blender's own environment; nothing outside this folder imports it.

One Blender unit is one unit of the rig (the piece's long side), x to the right, y away from the camera, z up.

A plate keeps how a set answers light apart from its colours. Blender's three channels carry the three lobes of every
material, which never meet: red the matte body, green the sheen of fibres, blue the gloss. At run time each lobe gets
its palette colour. That is exact for light that bounces once, in any colour. Light between folds (second bounces) is
baked at a body albedo of `shader.BODY`, and a bounce from one lobe into another is left out.
"""
