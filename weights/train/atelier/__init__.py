"""The workshop in Blender: jewels, stones, grounds, light, camera.

Lives in Blender's own environment (`make dataset`); nothing outside this folder imports it. One Blender unit is one
millimetre, z is up, the ground is z = 0.
"""
