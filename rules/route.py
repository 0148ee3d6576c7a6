"""From facts to a plan: which type, template, light, outputs and time one photo gets. Pure; refuses files and clock.

Who decides, first to last: the sidecar of the photo, the first matching `[[rule]]`, the folder's name, `[defaults]`, and
the default of the kind of jewelry. Each of them may leave a choice to the next.
"""

from __future__ import annotations

import hashlib

from pipeline.format import FormatName
from pipeline.recipe import JewelryType, Recipe
from pipeline.rig import Aim
from presets.library import recipe
from presets.painting import Brush, Commission, Said, Upscaling
from rules.facts import Facts
from rules.grammar import read_folder
from rules.plan import Finding, Output, Plan
from rules.pool import offer
from rules.posting import Posting
from rules.ruleset import Rules
from rules.sidecar import read_sidecar
from rules.timing import timing
from rules.voices import Voices, contradiction, gather
from rules.wording import post, type_in_name


def route(facts: Facts, rules: Rules, sidecar_text: str | None = None) -> Plan:
    """Decide what happens to one photo.

    sidecar_text: the text of `ring.toml` beside `ring.jpg`, or None when there is none. Raises BadSidecar when that
    text has mistakes.
    """
    sidecar = None if sidecar_text is None else read_sidecar(sidecar_text, facts.name)
    wish = read_folder(facts.folder)
    voices, applied = gather(facts, rules, wish, sidecar)
    findings = [*wish.findings, *filter(None, [contradiction(wish, voices.rule)])]
    kind, kind_words = _kind(facts, voices)
    outputs, output_words = _outputs(voices, rules, findings)
    formats, format_words = _formats(voices, outputs)
    recipes, style_words = _recipes(facts, voices, rules, kind, formats)
    when = timing(voices.rule, voices.wish, rules)
    posting, approval_words = _posting(voices, rules, outputs)
    return Plan(
        jewelry_type=kind,
        recipes=recipes,
        outputs=outputs,
        urgency=when.urgency,
        window=when.window,
        watermark=rules.watermark if "watermark" in outputs else None,
        post=post(facts.name, kind, voices.sidecar, voices.first("hashtags")[0]),
        posting=posting,
        policy=rules.accept,
        reasons=(applied, kind_words, *style_words, *format_words, output_words, when.words, *approval_words),
        findings=tuple(findings),
    )


def _kind(facts: Facts, voices: Voices) -> tuple[JewelryType, str]:
    """The kind of jewelry; the file's name is asked only when nobody says."""
    kind, who = voices.first("type")
    if kind not in {None, "auto"}:
        return kind, f"Type {kind}: from {who}."
    named = type_in_name(facts.name)
    if named:
        return named, f"Type {named}: from the file name {facts.name}."
    return "auto", "Type auto: " + (f"from {who}." if who else "nobody says, so it is found from the photo.")


def _recipes(
    facts: Facts, voices: Voices, rules: Rules, kind: JewelryType, formats: tuple[FormatName, ...]
) -> tuple[tuple[Recipe, ...], list[str]]:
    """One recipe for each variant in each format, and the words about template, light, look, seed and number."""
    style, who = voices.style()
    fill, fill_from = voices.first("fill")
    segmenter, segmenter_from = voices.first("segmenter")
    renderer, renderer_from = voices.first("renderer")
    light, light_from = voices.first("light")
    enlarge, enlarge_from = voices.first("enlarge")
    backdrop, backdrop_from = voices.first("backdrop")
    seed, seed_from = voices.first("seed")
    start = rules.seed if seed is None else seed
    count = voices.rule.variants or voices.wish.variants or 1
    key = f"{facts.digest or facts.name}|{start}"
    commission = _commission(voices, rules, key)
    offers = [offer(style, kind, key, turn=variant, of=count) for variant in range(count)]
    choice = offers[0].choice
    recipes = tuple(
        recipe(
            one.choice.template,
            kind,
            lighting=one.choice.lighting,
            look=one.choice.look,
            format=shape,
            size_px=rules.size_px if shape == "square" else None,
            seed=(start + variant) % 2**31,
            draft=_said(voices.rule.draft, by_folder=voices.wish.draft),
            pose=voices.sidecar.pose,
            fill=fill,
            segmenter=segmenter or "network",
            pool=one.pool,
            renderer=renderer or "fast",
            light=light,
            enlarge=rules.upscaling.named(enlarge or ""),
            backdrop=backdrop,
            commission=commission,
        )
        for variant, one in enumerate(offers)
        for shape in formats
    )
    words = [_template_words(recipes[0], who, facts)]
    words += [f"Lighting {choice.lighting} in place of the template's own."] if choice.lighting else []
    words += [f"Look {choice.look} in place of the template's own."] if choice.look else []
    words += [f"Fill {fill}: from {fill_from}."] if fill_from else []
    words += [f"Segmenter {segmenter}: from {segmenter_from}."] if segmenter_from else []
    words += [f"Renderer {renderer}: from {renderer_from}."] if renderer_from else []
    words += [f"Key light changed ({_aim_words(light)}): from {light_from}."] if light else []
    words += [f"Small pieces enlarged by {enlarge}: from {enlarge_from}."] if enlarge else []
    words += [f"Backdrop {backdrop}: from {backdrop_from}."] if backdrop_from else []
    words += [f"Seed {seed}: from {seed_from}."] if seed_from else []
    words += [f"{count} variants."] if count > 1 else []
    words += ["Draft quality."] if recipes[0].draft else []
    return recipes, words


def _aim_words(light: Aim) -> str:
    return ", ".join(f"{name} {value}" for name, value in light.model_dump(exclude_none=True).items())


def _commission(voices: Voices, rules: Rules, key: str) -> Commission:
    """What a painted set is made by. A photo always gets the same one of a template's backgrounds, another photo another."""
    named = {"model": "diffusion_model"}
    said = Said(**{name: voices.first(named.get(name, name))[0] for name in Said.model_fields})
    brush = Brush(**{name: getattr(rules.diffusion, name) for name in Brush.model_fields})
    upscaling = Upscaling(**{name: getattr(rules.upscaling, name) for name in Upscaling.model_fields})
    take = int(hashlib.sha256(key.encode()).hexdigest()[:8], 16)
    return Commission(brush=brush, said=said, upscaling=upscaling, take=take)


def _formats(voices: Voices, outputs: tuple[Output, ...]) -> tuple[tuple[FormatName, ...], list[str]]:
    """The shapes, and the words about them. A square that would go nowhere is not made."""
    wanted, who = voices.first("formats")
    formats: tuple[FormatName, ...] = tuple(dict.fromkeys(wanted or ("square",)))
    words = [f"Formats {', '.join(formats)}: from {who}."] if who else []
    if {"square", "portrait"} <= set(formats) and "instagram" in outputs:
        words.append("On Instagram the portrait takes the square's place.")
        if outputs == ("instagram",):
            formats = tuple(one for one in formats if one != "square")
    return formats, words


def _template_words(first: Recipe, who: tuple[str, ...], facts: Facts) -> str:
    if not first.pool:
        source = f"from {' and '.join(who)}" if who else f"the default for {first.jewelry_type}"
        return f"Template {first.template}: {source}."
    wish = f"left open by {' and '.join(who)}" if who else "nobody names one"
    names = ", ".join(one.template for one in first.pool)
    words = f"Template: {wish}, so the piece's own colours decide between {names}."
    return words if facts.digest else f"{words} Another photo has others to choose from."


def _outputs(voices: Voices, rules: Rules, findings: list[Finding]) -> tuple[tuple[Output, ...], str]:
    """Where the pictures go. A folder that says no-instagram is obeyed whoever else asks for Instagram."""
    if voices.sidecar.outputs:
        wanted, who = voices.sidecar.outputs, "from the sidecar"
    elif voices.rule.outputs:
        wanted, who = voices.rule.outputs, "from the rule"
    else:
        wanted, who = rules.outputs, "from the settings"
    wanted = tuple(dict.fromkeys(wanted))
    if voices.wish.no_instagram:
        wanted, who = tuple(one for one in wanted if one != "instagram"), f"{who}, without Instagram"
    if not wanted:
        text = "Only Instagram was asked for, and the folder says no-instagram: the picture goes to export."
        findings.append(Finding(code="no-output", text=text))
        wanted = ("export",)
    return wanted, f"Outputs {', '.join(wanted)}: {who}."


def _posting(voices: Voices, rules: Rules, outputs: tuple[Output, ...]) -> tuple[Posting, list[str]]:
    """Who approves the post, and the words about it; the rest is as the settings say."""
    said = rules.instagram
    approval = voices.rule.approval or said.approval
    posting = Posting(**{name: getattr(said, name) for name in Posting.model_fields} | {"approval": approval})
    if "instagram" not in outputs:
        return posting, []
    who = "the rule" if voices.rule.approval else "the settings"
    what = "goes out by itself" if approval == "auto" else "waits for `vitrine queue approve`"
    return posting, [f"The post {what}: from {who}."]


def _said(by_rule: bool | None, *, by_folder: bool) -> bool:  # noqa: FBT001 - one of two voices, named at the call
    return by_folder if by_rule is None else by_rule
