"""What a text states about a piece: metals, stones, fineness, carats, claims. Owns the list of such words; refuses to write.

A caption may state only what its record states. The list is long on purpose: a word too many costs a line, one too few a lie.
"""

from __future__ import annotations

import re
import unicodedata

_METALS = (
    "gold golden goldfilled gilded vermeil silver sterling platinum palladium titanium tungsten steel brass bronze copper rhodium"
    " vergoldet gelbgold weißgold rotgold roségold rosegold silber silbern platin titan stahl edelstahl messing kupfer rhodiniert"
    " oro plata platino argent or acier"
)
_STONES = (
    "diamond brilliant emerald ruby sapphire pearl amethyst topaz opal garnet aquamarine turquoise moonstone citrine peridot onyx jade"
    " agate tourmaline tanzanite zircon zirconia moissanite spinel quartz amber coral lapis malachite morganite kunzite polki kundan"
    " gemstone gem crystal stone solitaire diamant brillant smaragd rubin saphir perle amethyst granat türkis mondstein citrin achat"
    " turmalin zirkon zirkonia quarz bernstein koralle edelstein kristall stein"
)
_CLAIMS = (
    "handmade handcrafted hand-made certified certificate natural genuine real authentic solid pure antique vintage limited exclusive"
    " unique bespoke hallmarked hypoallergenic waterproof conflict-free recycled sustainable ethical lab-grown heirloom luxury"
    " handgefertigt handgemacht zertifiziert echt massiv antik limitiert exklusiv einzigartig einzelstück nickelfrei nachhaltig"
    " free sale discount new rabatt neu kostenlos gratis"
)
WORDS = frozenset(f"{_METALS} {_STONES} {_CLAIMS}".split())
_FINENESS = re.compile(
    r"\b\d+(?:[.,]\d+)?[\s-]?(?:k|kt|ct|ctw|karat|carat|carats|karats)\b|\b(?:333|375|585|750|900|916|925|950|999)\b"
)


def stated(text: str) -> set[str]:
    """All that a text states, in small letters."""
    plain = unicodedata.normalize("NFC", text).casefold()
    words = set(re.findall(r"[\w-]+", plain))
    words |= {
        word.removesuffix(end)
        for word in words
        for end in ("s", "es", "n", "en", "e", "er", "em")
        if word.endswith(end)
    }
    words |= {part for word in words if "-" in word for part in word.split("-")}
    known = {word.casefold() for word in WORDS}
    rubies = {"ruby"} if "rubies" in words else set()
    return (words & known) | rubies | {re.sub(r"[\s-]", "", one) for one in _FINENESS.findall(plain)}


def unstated(text: str, record: str) -> set[str]:
    """What the text states and the record does not."""
    return stated(text) - stated(record)
