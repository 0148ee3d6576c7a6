"""From the matte to a solid: thickness, pixel height, normals, pose. Refuses colour."""
