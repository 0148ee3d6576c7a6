"""A model that learns: its UNet with a LoRA, the pictures as it sees them, the loss. Comes to torch by the one door.

Owns what happens in one step. Pictures and words are encoded once, so of the model only the UNet works during training.
Latents: the mean that the encoder gives, in its own scale. Loss: of the predicted noise (or velocity), where the ground is.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.diffusion.files import Model
from pipeline.diffusion.finetune.dataset import Dataset, Item
from pipeline.diffusion.finetune.plan import Turns, Wish
from pipeline.diffusion.load import Machine, device_of, diffusers, open_model, torch
from pipeline.errors import Misconfigured
from pipeline.values import U8

LAYERS = ("to_q", "to_k", "to_v", "to_out.0")  # the attention's
_HELD_DRAWS = 4  # noise levels at which each picture that is kept apart is looked at
_MOST_NORM = 1.0  # of the gradient


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture as the model sees it, in main memory. size_px: (width, height)."""

    latent: Any
    weight: Any
    words: Any
    pooled: Any
    size_px: tuple[int, int]


class Student:
    """See the module. checkpointing: less memory for a third more time. Raises Misconfigured for a model that cannot learn."""

    def __init__(
        self, model: Model, machine: Machine, wish: Wish, data: Dataset, *, checkpointing: bool = False
    ) -> None:
        if model.few_steps or model.family.startswith("flux"):
            raise Misconfigured(
                f"{model.path}: a model of the family {model.family} cannot be trained here.",
                "Train on SDXL or Stable Diffusion 1.5; what an SDXL has learned, SDXL-Turbo can wear, too.",
            )
        self.model, self.wish = model, wish
        self.device = torch().device(device_of(machine))
        self.dtype = _precision(wish, self.device)
        self.pipe = open_model(model, Machine(self.device.type, _name(self.dtype)), placed=False)
        self.pipe.to(self.device)
        self.pipe.vae.to(torch().float32)  # SDXL's fails with half the digits
        self._wide = model.family == "sdxl"
        self.schedule = diffusers().DDPMScheduler.from_config(self.pipe.scheduler.config)
        self._put_lora_on()
        self._train, self._held = (
            [self._see(data, item) for item in part] for part in (data.train, data.held)
        )
        self._unworded = self.words("")
        self._turns = Turns(data.train, wish)
        if checkpointing:
            self.pipe.unet.enable_gradient_checkpointing()
        self.optimizer = _optimizer(self.trained, wish)
        self.scaler = torch().amp.GradScaler(self.device.type, enabled=self.dtype == torch().float16)

    @property
    def trained(self) -> list[Any]:
        """The LoRA's own weights."""
        return [one for one in self.pipe.unet.parameters() if one.requires_grad]

    def step(self, number: int) -> float:
        """Learn once; the loss before it. number: counted from 0."""
        self.pipe.unet.train()
        total = 0.0
        for part in range(self.wish.accumulate):
            batch = self._turns.batch(number * self.wish.accumulate + part)
            loss = self._loss(
                [self._train[at] for at in batch], self.wish.chance(2, number, part), learning=True
            )
            self.scaler.scale(loss / self.wish.accumulate).backward()
            total += float(loss.detach()) / self.wish.accumulate
        for group in self.optimizer.param_groups:
            group["lr"] = self.wish.rate_at(number)
        self.scaler.unscale_(self.optimizer)
        torch().nn.utils.clip_grad_norm_(self.trained, _MOST_NORM)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return total

    def held_loss(self) -> float:
        """The loss on what was kept apart, always at the same noise; NaN when nothing was."""
        self.pipe.unet.eval()
        found = []
        with torch().no_grad():
            for at, seen in enumerate(self._held):
                for draw in range(_HELD_DRAWS):
                    level = (draw + 0.5) / _HELD_DRAWS
                    found.append(float(self._loss([seen], self.wish.chance(3, at, draw), level=level)))
        return float(np.mean(found)) if found else float("nan")

    def paint(self, prompt: str, seed: int, size_px: tuple[int, int], steps: int) -> U8:
        """A picture (h, w, 3) of what it knows by now."""
        words, pooled = self.words(prompt)
        never, never_pooled = self._unworded
        more = (
            {"pooled_prompt_embeds": pooled, "negative_pooled_prompt_embeds": never_pooled}
            if self._wide
            else {}
        )
        more = {name: one.to(self.device, self.dtype) for name, one in more.items()}
        self.pipe.unet.eval()
        with torch().no_grad(), self._auto():
            latent = self.pipe(
                prompt_embeds=words.to(self.device, self.dtype), negative_prompt_embeds=never.to(self.device, self.dtype),
                width=size_px[0], height=size_px[1], num_inference_steps=steps, guidance_scale=5.0, output_type="latent",
                generator=torch().Generator("cpu").manual_seed(seed), **more,
            ).images  # fmt: skip
        with torch().no_grad():
            image = self.pipe.vae.decode(latent.float() / self.pipe.vae.config.scaling_factor).sample[0]
        shown = (image.permute(1, 2, 0).cpu().numpy() * 0.5 + 0.5).clip(0, 1)
        made: U8 = np.rint(shown * 255).astype(np.uint8)
        return made

    def words(self, text: str) -> tuple[Any, Any]:
        """What the model makes of words, in main memory; pooled only for SDXL."""
        with torch().no_grad():
            found = self.pipe.encode_prompt(
                text, device=self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
            )
        return found[0].cpu(), (found[2].cpu() if self._wide else None)

    def state(self) -> dict[str, Any]:
        """All that the next step builds upon."""
        return {
            "lora": self._lora(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def take(self, state: dict[str, Any]) -> None:
        """Go on from there. Raises whatever torch raises when it does not fit."""
        own = dict(self.pipe.unet.named_parameters())
        with torch().no_grad():
            for name, tensor in state["lora"].items():
                own[name].copy_(tensor)
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])

    def lora_file(self) -> bytes:
        """The LoRA as diffusers and peft save it, for `weights/lora/<name>/`."""
        import peft  # noqa: PLC0415 - brings torch
        from safetensors.torch import save  # noqa: PLC0415

        layers = peft.get_peft_model_state_dict(self.pipe.unet)
        return bytes(
            save(
                {f"unet.{name}": one.detach().cpu().contiguous() for name, one in layers.items()},
                {"format": "pt"},
            )
        )

    def _lora(self) -> dict[str, Any]:
        return {
            name: one.detach().cpu().clone()
            for name, one in self.pipe.unet.named_parameters()
            if one.requires_grad
        }

    def _put_lora_on(self) -> None:
        import peft  # noqa: PLC0415 - brings torch

        for one in self.pipe.unet.parameters():
            one.requires_grad = False
        config = peft.LoraConfig(
            r=self.wish.rank,
            lora_alpha=self.wish.rank,
            init_lora_weights="gaussian",
            target_modules=list(LAYERS),
        )
        with torch().random.fork_rng(devices=[]):
            torch().manual_seed(self.wish.seed)
            self.pipe.unet.add_adapter(config)
        for one in self.trained:
            one.data = one.data.float()  # what is learned in a step is smaller than half the digits can hold

    def _see(self, data: Dataset, item: Item) -> _Seen:
        picture = torch().from_numpy(data.picture(item).astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        with torch().no_grad():
            latent = (
                self.pipe.vae.encode(picture.to(self.device)).latent_dist.mean
                * self.pipe.vae.config.scaling_factor
            )
        mask = torch().from_numpy(data.weight(item))[None, None]
        # A latent pixel counts when all pixels below it are ground.
        weight = -torch().nn.functional.adaptive_max_pool2d(-mask, latent.shape[-2:])
        return _Seen(latent.cpu(), weight, *self.words(item.caption), item.size_px)

    def _loss(
        self,
        batch: Sequence[_Seen],
        chance: np.random.Generator,
        level: float | None = None,
        *,
        learning: bool = False,
    ) -> Any:
        """level: of the noise, 0..1; None: drawn. Weighted by what is ground; a picture that is all piece counts nothing."""
        latent, weight = (
            torch().cat([getattr(one, name) for one in batch]).to(self.device)
            for name in ("latent", "weight")
        )
        noise = torch().from_numpy(chance.standard_normal(latent.shape, np.float32)).to(self.device)
        levels = self.schedule.config.num_train_timesteps
        drawn = (
            chance.integers(0, levels, len(batch))
            if level is None
            else np.full(len(batch), int(level * levels))
        )
        times = torch().from_numpy(drawn).to(self.device)
        noisy = self.schedule.add_noise(latent, noise, times)
        velocity = self.schedule.config.prediction_type == "v_prediction"
        target = self.schedule.get_velocity(latent, noise, times) if velocity else noise
        silent = chance.random(len(batch)) < (self.wish.unworded if learning else 0)
        with self._auto():
            said = self.pipe.unet(noisy.to(self.dtype), times, **self._told(batch, silent)).sample
        error = ((said.float() - target) ** 2 * weight).mean(1).sum((1, 2)) / weight.sum((1, 2, 3)).clamp(
            min=1
        )
        return (error * self._worth(times, velocity=velocity)).mean()

    def _told(self, batch: Sequence[_Seen], silent: Any) -> dict[str, Any]:
        """The words, and for SDXL the sizes (Podell et al. 2023): as large as it is, and not cropped."""
        words = [
            self._unworded if quiet else (one.words, one.pooled)
            for one, quiet in zip(batch, silent, strict=True)
        ]
        told: dict[str, Any] = {
            "encoder_hidden_states": torch().cat([one for one, _ in words]).to(self.device, self.dtype)
        }
        if self._wide:
            sizes = [[h, w, 0, 0, h, w] for w, h in (one.size_px for one in batch)]
            told["added_cond_kwargs"] = {
                "text_embeds": torch().cat([pooled for _, pooled in words]).to(self.device, self.dtype),
                "time_ids": torch().tensor(sizes, dtype=self.dtype, device=self.device),
            }
        return told

    def _worth(self, times: Any, *, velocity: bool) -> Any:
        """Min-SNR: no noise level may outweigh the others."""
        if not self.wish.snr_gamma:
            return torch().ones_like(times, dtype=torch().float32)
        alpha = self.schedule.alphas_cumprod.to(times.device)[times].float()
        snr = alpha / (1 - alpha)
        return snr.clamp(max=self.wish.snr_gamma) / (snr + 1 if velocity else snr.clamp(min=1e-8))

    def _auto(self) -> Any:
        plain = self.dtype == torch().float32
        return contextlib.nullcontext() if plain else torch().autocast(self.device.type, self.dtype)


def packed(state: dict[str, Any]) -> bytes:
    """A state as a file's bytes."""
    stream = io.BytesIO()
    torch().save(state, stream)
    return stream.getvalue()


def unpacked(data: bytes) -> dict[str, Any]:
    """What `packed` packed; only tensors and plain values are read. Raises whatever torch raises for a damaged one."""
    found: dict[str, Any] = torch().load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return found


def _name(dtype: Any) -> Any:
    return str(dtype).rpartition(".")[2]


def _precision(wish: Wish, device: Any) -> Any:
    if wish.precision != "auto":
        return getattr(torch(), wish.precision)
    if device.type == "cpu":
        return torch().float32
    return torch().bfloat16 if torch().cuda.is_bf16_supported() else torch().float16


def _optimizer(weights: list[Any], wish: Wish) -> Any:
    more = {"lr": wish.rate, "weight_decay": wish.decay}
    if not wish.eight_bit:
        return torch().optim.AdamW(weights, **more)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import bitsandbytes  # noqa: PLC0415 - only where it is asked for
    except ImportError as error:
        raise Misconfigured(
            "The 8-bit optimiser needs bitsandbytes, which is not installed.",
            "Install it, or leave --eight-bit out.",
        ) from error
    return bitsandbytes.optim.AdamW8bit(weights, **more)
