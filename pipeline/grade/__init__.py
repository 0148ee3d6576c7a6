"""The grade: balance, look, shoulder, hue lock. Scene-linear frame in, display-encoded sRGB out.

Refuses sharpening, grain and encoding (`pipeline.finish`).
"""

from pipeline.grade.hue import lock_hue
from pipeline.grade.look import grade

__all__ = ["grade", "lock_hue"]
