"""The camera: where it stands so that the piece fills the frame, and where a point of the world falls in the picture."""

import math

import bpy
import numpy as np
from mathutils import Vector


def stand(spec, points, size):
    """Place the camera for a frame of size (w, h) px. Returns (eye, view width in mm, world to pixel matrix (3, 4))."""
    shot, (w, h) = spec.shot, size
    el = math.radians(shot.elevation_deg)
    back = np.array([0.0, -math.cos(el), math.sin(el)])  # from the piece to the camera
    right, up = np.array([1.0, 0, 0]), np.array([0.0, math.sin(el), math.cos(el)])
    middle = (points.min(0) + points.max(0)) / 2
    sensor = 36.0
    focal = shot.lens_mm / sensor * max(w, h)  # px
    distance = 100.0
    for _ in range(12):  # the piece's outline in the frame depends on the distance: settle it
        p = points - middle
        depth = distance - p @ back
        x, y = focal * (p @ right) / depth, focal * (p @ up) / depth
        span = max((x.max() - x.min()) / w, (y.max() - y.min()) / h)
        distance *= span / shot.fill
        middle = (
            middle + (right * (x.max() + x.min()) + up * (y.max() + y.min())) / 2 * distance / focal * 0.9
        )
    middle = middle - (right * shot.offset[0] + up * shot.offset[1]) * max(w, h) * distance / focal * (
        1 - shot.fill
    )
    eye = middle + back * distance
    cam = bpy.data.cameras.new("camera")
    cam.lens, cam.sensor_width, cam.sensor_fit = shot.lens_mm, sensor, "AUTO"
    cam.clip_start, cam.clip_end = 1, 1e5
    reach = (points - middle) @ back
    cam.dof.use_dof = True
    cam.dof.focus_distance = float(distance - np.percentile(reach, 100 * (1 - shot.focus) * 0.9 + 5))
    # Blender's lens is in mm but its unit would be a metre. A phone's small sensor sees deeper: 28 mm stands for one.
    cam.dof.aperture_fstop = shot.f_number / 1000 * (6 if shot.lens_mm < 40 else 1)
    obj = bpy.data.objects.new("camera", cam)
    obj.matrix_world = Vector(back).to_track_quat("Z", "Y").to_matrix().to_4x4()
    obj.matrix_world.translation = Vector(eye)
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.scene.camera = obj
    rot = np.stack([right, -up, -back])
    k = np.array([[focal, 0, w / 2], [0, focal, h / 2], [0, 0, 1]])
    return Vector(eye), max(w, h) * distance / focal, k @ np.column_stack([rot, -rot @ eye])


def pixel(matrix, world):
    """World (…, 3) → picture (…, 2), x right, y down, in px from the upper left corner."""
    q = world @ matrix[:, :3].T + matrix[:, 3]
    return q[..., :2] / q[..., 2:]
