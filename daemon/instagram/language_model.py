"""Captions by a language model on this machine. The one door to transformers and torch; they are imported when first needed.

Owns loading, the question and the answer. Nothing is fetched: the hub is switched off before it is imported, and files are taken
from the folder alone. What the model says is used only if `daemon.instagram.doubts` has none; else the voice speaks.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from daemon.instagram.captions import Record, Said, Voice
from daemon.instagram.doubts import doubts
from daemon.instagram.model_folder import check_model, sees_pictures
from pipeline.errors import Misconfigured
from pipeline.machine_code import settle_torch
from pipeline.offline import hub_off

log = logging.getLogger("vitrine.captions")
_MOST_TOKENS = 90
_MOST_S = 45.0  # of one answer: the worker has other pictures to make
_PICTURE_PX = 512
_LANGUAGES = {"en": "English", "de": "German"}
_RULES = (
    "You write captions for a jeweller's Instagram. Write one caption in {language}, of one to three short sentences, calm and warm."
    " State only the facts below. Add no metal, stone, number, price, place or promise, no hashtags, no links, no emoji."
)


class Teller(Protocol):
    """A loaded model."""

    def tell(self, rules: str, facts: str, picture: bytes | None) -> str:
        """Its answer, always the same to the same question. Raises whatever the libraries raise."""
        ...


class ModelCaptioner:
    """A `Captioner`. folder: of the model. voice: speaks where the model may not. picture: the render as JPEG."""

    def __init__(self, folder: Path, voice: Voice, picture: bytes) -> None:
        self._folder = folder
        self._voice = voice
        self._picture = picture

    def write(self, record: Record, before: Collection[str], last: str) -> Said:
        """See Captioner; `note` says why it is the voice that speaks, if it is."""
        said = self._voice.write(record, before, last)
        try:
            teller = load(self._folder)
            text = teller.tell(_rules(self._voice), _facts(self._voice, record), self._picture)
        except Exception as error:  # noqa: BLE001 - memory, a damaged file, a defect of a library: no caption is worth a picture
            why = str(error) if isinstance(error, Misconfigured) else f"{type(error).__name__}: {error}"
            return self._instead(said, f"the language model cannot be used ({why[:300]})")
        if wrong := doubts(text, record, self._voice, before):
            return self._instead(said, f"the language model's text was not used: {'; '.join(wrong)[:300]}")
        return replace(said, caption=text, voice=f"{self._voice.language}:model")

    @staticmethod
    def _instead(said: Said, why: str) -> Said:
        log.warning("caption from the voice: %s", why)
        return replace(said, note=f"caption from the voice: {why}")


@cache
def load(folder: Path) -> Teller:
    """The model in `folder`, loaded once in this process. Raises Misconfigured, or whatever the libraries raise."""
    check_model(folder)
    hub_off()
    return _Seeing(folder) if sees_pictures(folder) else _Reading(folder)


class _Reading:
    """A text model, with a chat template or without."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

        self._tokens = AutoTokenizer.from_pretrained(folder, **_ONLY_HERE)
        self._model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, **_ONLY_HERE).eval()

    def tell(self, rules: str, facts: str, picture: bytes | None) -> str:  # noqa: ARG002 - it cannot see
        """See Teller."""
        if self._tokens.chat_template:
            asked = self._tokens.apply_chat_template(
                [{"role": "system", "content": rules}, {"role": "user", "content": facts}],
                add_generation_prompt=True, return_dict=True, return_tensors="pt",
            )  # fmt: skip
        else:
            asked = self._tokens(f"{rules}\n\n{facts}\n\nCaption:", return_tensors="pt")
        return _answer(self._model, self._tokens, asked)


class _Seeing:
    """A model that is given the picture, too."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: PLC0415

        self._processor = AutoProcessor.from_pretrained(folder, **_ONLY_HERE)
        model = AutoModelForImageTextToText.from_pretrained(folder, use_safetensors=True, **_ONLY_HERE)
        self._model = model.eval()

    def tell(self, rules: str, facts: str, picture: bytes | None) -> str:
        """See Teller."""
        from PIL import Image  # noqa: PLC0415

        image = Image.open(io.BytesIO(picture or b""))
        image.thumbnail((_PICTURE_PX, _PICTURE_PX))
        content = [{"type": "image", "image": image}, {"type": "text", "text": f"{rules}\n\n{facts}"}]
        asked = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
        )  # fmt: skip
        return _answer(self._model, self._processor.tokenizer, asked)


_ONLY_HERE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def _answer(model: Any, tokens: Any, asked: Any) -> str:
    """What follows the question: the likeliest words, up to the end of the line."""
    import torch  # noqa: PLC0415

    settle_torch(torch)

    with torch.inference_mode():
        made = model.generate(
            **asked, do_sample=False, num_beams=1, max_new_tokens=_MOST_TOKENS, max_time=_MOST_S,
            pad_token_id=tokens.eos_token_id if tokens.pad_token_id is None else tokens.pad_token_id,
        )  # fmt: skip
    text = str(tokens.decode(made[0, asked["input_ids"].shape[1] :], skip_special_tokens=True))
    return text.strip().partition("\n")[0].strip().strip('"')


def _rules(voice: Voice) -> str:
    return _RULES.format(language=_LANGUAGES.get(voice.language, f'the language "{voice.language}"'))


def _facts(voice: Voice, record: Record) -> str:
    """Line by line, only what is known."""
    shown = voice.described(record)
    lines = (
        ("Name", record.title), ("Kind", shown["type"]), ("Metal", record.metal), ("Stones", ", ".join(record.stones)),
        ("Price", record.price), ("Photographed on", shown["surface"]), ("Light", shown["light"]),
    )  # fmt: skip
    return "\n".join(f"{name}: {value}" for name, value in lines if value)
