"""What the licences of other people's weights allow, in a line each. Owns the words; refuses to forbid anything.

A shop uses its pictures to sell: "not for business" below means that it may not use that model for them without a licence of
its own. The text that came with a file counts, not this page.
"""

from __future__ import annotations

from typing import Final

OWN: Final = "Vitrine's own; give it on as you like"
UNKNOWN: Final = "not known to Vitrine; see where it came from"
FAMILIES: Final = {
    "sd1": "CreativeML OpenRAIL-M: business allowed, some uses forbidden",
    "sd2": "CreativeML OpenRAIL++-M: business allowed, some uses forbidden",
    "sdxl": "CreativeML OpenRAIL++-M: business allowed, some uses forbidden",
    "sdxl-turbo": "Stability AI non-commercial or community licence: NOT for business without one of your own",
    "flux": "FLUX.1 dev non-commercial licence: NOT for business without one of your own",
    "flux-schnell": "Apache-2.0",
}
CUTTERS: Final = {
    "u2net": "Apache-2.0",
    "u2netp": "Apache-2.0",
    "silueta": "Apache-2.0",
    "isnet-general-use": "Apache-2.0",
    "bria-rmbg": "CC BY-NC 4.0: NOT for business without a licence from its maker",
    **dict.fromkeys(
        (
            "birefnet-general",
            "birefnet-general-lite",
            "birefnet-general-fp16",
            "birefnet-dis",
            "birefnet-hrsod",
            "birefnet-massive",
        ),
        "MIT",
    ),
}
CONTROL: Final = (
    "as its maker says; those for SD 1.5 are mostly OpenRAIL, those for SDXL OpenRAIL++ or Apache-2.0"
)
LORA: Final = "as its maker says; one that you trained follows its model's licence"
UPSCALER: Final = "Real-ESRGAN's own files: BSD-3-Clause; others as their maker says"
