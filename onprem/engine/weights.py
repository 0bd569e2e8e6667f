"""Reading torch checkpoints: checked without unpickling, then loaded as weights only.

Every function takes a file of a model that `ModelLibrary.verified` has just hashed.
"""

from pathlib import Path
from typing import Any

import torch

from onprem.engine.campplus import CamPlusPlus
from onprem.engine.checkpoints import require_safe_checkpoint
from onprem.engine.libraries import Model
from onprem.engine.safe_loading import allow_pyannote_globals
from onprem.errors import ModelFolderUnrecognised, ModelUnsafe

allow_pyannote_globals()

ARCHITECTURES = "pyannote.audio.models."
"""A pyannote checkpoint names the class to build; only pyannote's own networks are built."""


def load_pyannote_model(path: Path, *, model_id: str) -> Model:
    """A pyannote `Model` from its `pytorch_model.bin`, on the CPU.

    Raises:
        ModelUnsafe: it would run code, or names a class outside pyannote's networks.
        ModelFolderUnrecognised: it is no checkpoint of pyannote.
    """
    checkpoint = _weights_only(path, model_id)
    try:
        module = checkpoint["pyannote.audio"]["architecture"]["module"]
    except (KeyError, TypeError):
        raise ModelFolderUnrecognised(
            folder=path.parent, why=f"{path.name} is no pyannote checkpoint"
        ) from None
    if not str(module).startswith(ARCHITECTURES):
        raise ModelUnsafe(model=model_id, file=path.name, names=module)
    try:
        return Model.from_pretrained(path)
    except (AttributeError, ImportError, LookupError, RuntimeError, TypeError) as error:
        why = f"pyannote cannot build it ({type(error).__name__})"
        raise ModelFolderUnrecognised(folder=path.parent, why=why) from error


def load_campplus(path: Path, *, model_id: str) -> CamPlusPlus:
    """CAM++ with the weights of `campplus_cn_en_common.pt`, in evaluation mode, on the CPU."""
    network = CamPlusPlus()
    try:
        network.load_state_dict(_weights_only(path, model_id))
    except (RuntimeError, TypeError):
        raise ModelFolderUnrecognised(
            folder=path.parent, why=f"{path.name} holds no CAM++ weights"
        ) from None
    network.eval()
    return network


def _weights_only(path: Path, model_id: str) -> dict[str, Any]:
    require_safe_checkpoint(path, model=model_id, file=path.name)
    loaded: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded
