"""How a kind of jewelry is shown unless somebody says otherwise. Owns pose and view by type; refuses pixels."""

from __future__ import annotations

from typing import Literal

from pipeline.recipe import JewelryType, Pose, View

STANDS_UPRIGHT = ("ring",)
ON_A_TABLE = ("ring", "bangle", "bracelet")  # photographed from the side, so the ground must recede
Stance = tuple[Literal["table", "flat"], Literal["upright", "flat", "hanging"]]


def stance_for(jewelry_type: JewelryType, view: View, pose: Pose) -> Stance:
    """View and pose of a known type: what is not `auto` stays, but a hanging piece always gets a wall (`flat`).

    Rings stand on a table; bangles and bracelets lie on it; all else is seen from above. `auto` counts as the latter.
    """
    chosen_pose: Literal["upright", "flat", "hanging"]
    if pose == "auto":
        chosen_pose = "upright" if jewelry_type in STANDS_UPRIGHT and view != "flat" else "flat"
    else:
        chosen_pose = pose
    if chosen_pose == "hanging":
        return "flat", chosen_pose
    if view == "auto":
        on_table = jewelry_type in ON_A_TABLE or chosen_pose == "upright"
        return ("table" if on_table else "flat"), chosen_pose
    return view, chosen_pose
