"""Names of criteria, and what the model and the reviewers write. Knows no numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass

PHOTO = (
    ("PQ-01", "Out of focus"),
    ("PQ-02", "Motion blur"),
    ("PQ-03", "Over-exposed"),
    ("PQ-04", "Under-exposed"),
    ("PQ-05", "Clipped highlights"),
    ("PQ-06", "Noise"),
    ("PQ-07", "Compression artefacts"),
    ("PQ-08", "Banding"),
    ("PQ-09", "Colour cast"),
    ("PQ-10", "Low contrast or haze"),
    ("PQ-11", "Tilt"),
    ("PQ-12", "Border or letterbox"),
    ("PQ-13", "Text or watermark overlay"),
    ("PQ-14", "Dust or scratch"),
    ("PQ-15", "Low resolution or upscaled"),
)
GENERATED = (
    ("GI-01", "Anatomy"),
    ("GI-02", "Hands"),
    ("GI-03", "Faces"),
    ("GI-04", "Garbled text"),
    ("GI-05", "Light and physics"),
    ("GI-06", "Perspective"),
    ("GI-07", "Merged objects"),
    ("GI-08", "Repeated texture"),
    ("GI-09", "Style break"),
    ("GI-10", "Artefact"),
    ("GI-11", "Prompt mismatch"),
)
BOARDS = (
    ("PCB-01", "Open"),
    ("PCB-02", "Short"),
    ("PCB-03", "Mousebite"),
    ("PCB-04", "Spur"),
    ("PCB-05", "Spurious copper"),
    ("PCB-06", "Pin-hole"),
)
SHIPPED = {"photo-quality": PHOTO, "generated-image": GENERATED, "pcb": BOARDS}
_MATERIALS = ("weave", "print", "coating", "hem", "lining", "label", "zip", "button")
_FAULTS = ("gap", "stain", "crease", "offset", "hole")
CATALOG = tuple(
    (f"CL-{1 + m * len(_FAULTS) + f:02d}", f"{material.capitalize()} {fault}")
    for m, material in enumerate(_MATERIALS)
    for f, fault in enumerate(_FAULTS)
)
"""A made-up guideline of 40 narrow criteria, for worlds with many rare ones."""

_PLACES = (
    "in the upper left corner",
    "along the lower edge",
    "behind the subject",
    "at the right border",
    "near the center",
    "across the background",
    "on the left side",
    "below the middle",
)
_STRENGTHS = ("slight", "clear", "strong", "faint", "marked", "local")
_EFFECTS = (
    "it draws the eye at once",
    "it is seen at full size only",
    "it hides detail",
    "the subject is not touched",
    "it weakens the picture",
    "the surroundings show nothing of the kind",
)


def rationale(dice: random.Random, label: str) -> str:
    """A drafted explanation of one finding."""
    size = dice.randrange(12, 400, 4)
    return (
        f"A {dice.choice(_STRENGTHS)} {label.lower()} {dice.choice(_PLACES)} over about {size} px; "
        f"{dice.choice(_EFFECTS)}."
    )


_OWN = (
    "{label}, {place}.",
    "{label} {place}, plainly seen.",
    "I see {low} {place}; {effect}.",
    "There is {low} {place}.",
    "{place_cap}: {low}, {strength}.",
)


def own_text(dice: random.Random, label: str) -> str:
    """What a reviewer writes for a finding without looking at a draft."""
    place = dice.choice(_PLACES)
    return dice.choice(_OWN).format(
        label=label,
        low=label.lower(),
        place=place,
        place_cap=place.capitalize(),
        strength=dice.choice(_STRENGTHS),
        effect=dice.choice(_EFFECTS),
    )


def reworded(dice: random.Random, text: str, keep: float) -> str:
    """The text with a share of its words kept in their order; the others fall away or are replaced."""
    words = text.split()
    fresh = ("visible", "here", "rather", "only", "part", "about", "edge", "seen", "small", "area", "plainly", "soft")
    result = []
    for word in words:
        if dice.random() < keep:
            result.append(word)
        elif dice.random() < 0.6:
            result.append(dice.choice(fresh))
    return " ".join(result) if result and result != words else f"{text} Seen at full size."


def summary(labels: list[str], verdict: str) -> str:
    """A drafted summary."""
    if not labels:
        return "No flaw found. Pass."
    return f"{len(labels)} finding{'s' if len(labels) > 1 else ''}: {', '.join(labels)}. {verdict.capitalize()}."


NOTES = {
    "not_a_defect": (
        "nothing to see here",
        "I cannot find it",
        "not a flaw, belongs to the scene",
        "this is meant to be so",
        "No. That is the texture of the material.",
        "the model sees ghosts",
        "too weak to count",
        "fine as it is",
    ),
    "wrong_criterion": (
        "this is {other}, not {label}",
        "should be {other}",
        "{other}!",
        "I would file that under {other}",
        "wrong label",
    ),
    "guideline_unclear": (
        "guideline does not say whether this counts",
        "not sure about {label}, where is the limit?",
        "could be {label} or nothing, please clarify",
        "{label}: unclear to me",
        "by the wording both is possible",
        "we had the opposite decision last week",
    ),
    "wrong_place": (
        "box is too big",
        "shifted to the real spot",
        "box was off",
        "only part of it",
        "hard to say where it ends",
    ),
    "wrong_severity": (
        "not that bad",
        "worse than that",
        "more like {severity}",
        "severity is a guess",
        "{severity} in my eyes",
    ),
    "explanation_wrong": (
        "text says nothing",
        "wrong reason given",
        "wording is stiff",
        "too long",
        "the text describes something else",
    ),
}


def note(dice: random.Random, reason: str, label: str, other: str, severity: str) -> str:
    """A note to a change, for a ticked or an unticked reason."""
    return dice.choice(NOTES[reason]).format(label=label, other=other, severity=severity)


@dataclass(frozen=True, slots=True)
class PatternWords:
    """How people name a novel pattern: the usual name first, then other names, then what they say of it."""

    names: tuple[str, ...]
    says: tuple[str, ...]


PATTERNS = {
    "lens flare": PatternWords(
        ("lens flare", "flare", "flare spots", "ghost circles from the sun"),
        (
            "across the sky",
            "over the face",
            "next to the lamp",
            "in a row toward the corner",
            "washes out the left half",
        ),
    ),
    "moire": PatternWords(
        ("moire pattern", "moire", "moiré on fabric", "rippling stripes on cloth"),
        ("on the shirt", "on the curtain", "over the roof tiles", "on a fine grid", "colored waves on the suit"),
    ),
    "red eye": PatternWords(
        ("red eyes", "red eye", "red pupils", "pupils glow red"),
        ("from the flash", "on both people", "on the dog", "on the child", "in the group picture"),
    ),
    "mirrored text": PatternWords(
        ("mirrored text", "text is mirrored", "mirror writing", "letters run backward"),
        ("on the sign", "on the shop front", "on the shirt", "picture flipped", "whole picture is flipped"),
    ),
    "rolling shutter": PatternWords(
        ("rolling shutter", "rolling shutter bend", "bent propeller", "slanted poles from the shutter"),
        (
            "on the propeller",
            "poles lean in one direction",
            "seen from the train",
            "wheels look like eggs",
            "on the rotor",
        ),
    ),
    "thumb": PatternWords(
        ("finger over the lens", "finger in the frame", "thumb in the corner", "pink blob of a finger"),
        ("lower right", "covers a corner", "blurred and pink", "takes a tenth of the picture", "at the top edge"),
    ),
    "double exposure": PatternWords(
        ("double exposure", "double image", "two frames on top of each other", "ghost of a second picture"),
        (
            "people shine through",
            "the tree appears two times",
            "transparent figure",
            "in the left half",
            "over the house",
        ),
    ),
    "chromatic fringe": PatternWords(
        ("purple fringing", "purple fringe", "color fringes", "violet edges"),
        (
            "along the branches",
            "at the roof edge",
            "around the window frame",
            "on high contrast edges",
            "green on the other side",
        ),
    ),
    "cropped subject": PatternWords(
        ("subject cut off", "head cut off", "feet are cropped", "subject is cropped at the frame"),
        ("by the top edge", "by the lower edge", "half a person", "no room left", "arm missing"),
    ),
    "reflection": PatternWords(
        (
            "photographer's reflection",
            "reflection of the camera",
            "reflection in the glass",
            "own reflection in the window",
        ),
        ("in the shop window", "in the mirror", "on the glossy product", "in the sunglasses", "seen on the car"),
    ),
    "raindrops": PatternWords(
        ("raindrops on the lens", "drops on the lens", "water drops", "wet lens"),
        ("soft round spots", "three of them in the sky", "over the face", "near the middle", "bend the horizon"),
    ),
    "shadow": PatternWords(
        ("photographer's shadow", "shadow of the photographer", "shadow of the tripod", "own shadow in front"),
        ("on the ground", "over the product", "long, in the foreground", "touches the subject", "at the lower edge"),
    ),
}
_SAYINGS = (
    "{name} {say}",
    "{name}",
    "{name}, {say}",
    "I see {name} {say}",
    "{name} {say}, no criterion fits",
    "again {name}",
    "There is {name} {say}. Which label?",
    "{name}!! not in the guideline",
    "novel: {name}",
)
_STRAYS = (
    "pigeon flies through",
    "price tag left on",
    "cable hangs in",
    "sticker on the lens",
    "subject blinks",
    "two suns",
    "cup without handle",
    "clock shows an odd time",
    "wrong season",
    "upside-down chair",
    "fingerprint on the table",
    "steam hides the plate",
    "wrong product",
    "half-eaten cake",
    "dead pixel column",
    "packing tape",
    "open drawer",
    "bent fork",
    "missing shadow",
    "sixth chair leg",
    "spilled milk",
    "crooked tie",
    "floating lamp",
    "torn poster",
    "smeared ink",
    "foreign coin",
    "empty plate",
    "backlit statue",
    "mismatched socks",
    "loose thread",
    "frozen screen",
    "cracked egg",
    "folded corner",
    "missing glove",
    "neon glare",
    "odd perspective of the stairs",
    "wet paint",
    "snow in July",
    "hidden logo",
    "ladder against the wall",
    "broken umbrella",
    "staple in the page",
    "glue residue",
    "faded flag",
    "unreadable dial",
    "second moon",
    "melted candle",
    "scaffolding",
    "parked truck",
    "barcode smudge",
    "garden hose",
    "duplicate spoon",
    "blurry passport",
    "sawdust",
    "stuck leaf",
    "twisted ribbon",
    "rust on the hinge",
    "oil film",
    "peeling veneer",
    "lost earring",
    "mosquito",
    "bubble wrap",
    "chalk mark",
)
_STRAY_SAYINGS = (
    "{x}",
    "{x}, what is this?",
    "not covered: {x}",
    "{x} here",
    "odd: {x}",
    "{x} - nothing fits",
    "no label for {x}",
)


def pattern_words(dice: random.Random, key: str) -> str:
    """One person's words for a novel pattern; six in ten use its usual name."""
    words = PATTERNS[key]
    name = words.names[0] if dice.random() < 0.6 else dice.choice(words.names[1:])
    text = dice.choice(_SAYINGS).format(name=name, say=dice.choice(words.says))
    return text.lower() if dice.random() < 0.3 else text


def stray_words(dice: random.Random) -> str:
    """Words for a flaw that no other task has."""
    return dice.choice(_STRAY_SAYINGS).format(x=dice.choice(_STRAYS))
