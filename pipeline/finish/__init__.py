"""From a graded frame to a file's bytes: vignette, sharpening, grain, dither, watermark, encoding.

Refuses tone and colour decisions (`pipeline.grade`) and writing to disk (`daemon.deliver`).
"""

from pipeline.finish.encode import encode_jpeg, encode_png, encode_rgba_png, encode_webp
from pipeline.finish.quantize import quantize
from pipeline.finish.sharpen import sharpen
from pipeline.finish.vignette import vignette
from pipeline.finish.watermark import Watermark, stamp

__all__ = [
    "Watermark",
    "encode_jpeg",
    "encode_png",
    "encode_rgba_png",
    "encode_webp",
    "quantize",
    "sharpen",
    "stamp",
    "vignette",
]
