"""No code here trains a model, and content leaves the data directory in one place only.

Read from the source itself, so that it holds for code that no test runs.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text())
    for path in sorted((ROOT / "onprem").rglob("*.py"))
}

TRAINING = {
    *("backward", "autograd", "zero_grad", "retain_grad", "enable_grad", "set_grad_enabled"),
    *("requires_grad", "requires_grad_", "GradScaler"),
    *("optim", "optimizer", "optimizers", "configure_optimizers", "lr_scheduler"),
    *("Adam", "AdamW", "SGD", "Adagrad", "RMSprop", "LBFGS"),
    *("Trainer", "training_step", "train_dataloader", "train", "finetune", "fine_tune"),
    *("fit", "partial_fit", "fit_transform", "loss", "CrossEntropyLoss", "BCELoss"),
}
"""Names without which no model of torch, lightning, pyannote or scikit-learn learns."""

WRITING = {
    *("write_text", "write_bytes", "copyfile", "copyfileobj", "copy2", "copytree"),
    *("NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile", "mkstemp", "sendfile"),
    *("save", "savez", "tofile", "to_csv", "to_json", "dump"),
}
WRITERS = {
    "onprem/cli/backup.py": "the configuration of a backup, where there is none",
    "onprem/cli/init.py": "the new configuration",
    "onprem/engine/importing.py": "model files, into the models folder",
    "onprem/engine/manifest.py": "the manifest of a model",
    "onprem/engine/pip_download.py": "the name of a wheel for pip",
    "onprem/engine/starter.py": "model files, into the models folder",
    "onprem/cli/certificate_files.py": "signed certificates of erasure: ids",
    "onprem/services/export_file.py": "exports of the ledger and evidence packs: ids and times",
    "onprem/services/backup/create.py": "the configuration, on its way into a backup",
    "onprem/services/checkpoint_file.py": "signed checkpoints of the ledger: digests",
    "onprem/store/backup_file.py": "backups: metadata, and secrets that are wrapped",
    "onprem/store/blobs.py": "ciphertext, in the data directory",
    "onprem/store/bundle.py": "what is shared, encrypted to its recipients",
    "onprem/store/data_directory.py": "the lock file",
    "onprem/store/swap.py": "zeros, over the database that a restore replaced",
    "onprem/store/master_key.py": "the new master key",
    "onprem/store/slots.py": "wrapped keys",
}
"""All files of the package that make or write files by themselves, and what they write."""


def names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every name that code can call, read, set, define, or import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.keyword):
            yield node.arg or "**", node.value.lineno
        elif isinstance(node, ast.alias):
            for part in node.name.split("."):
                yield part, node.lineno
        elif isinstance(node, ast.ImportFrom):
            for part in (node.module or "").split("."):
                yield part, node.lineno
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno  # getattr(x, "backward")


def training(tree: ast.Module) -> list[tuple[str, int]]:
    return [(name, line) for name, line in names(tree) if set(name.split(".")) & TRAINING]


@pytest.mark.parametrize("path", SOURCES)
def test_nothing_trains(path: str) -> None:
    assert not training(SOURCES[path])


@pytest.mark.parametrize(
    "code",
    [
        "loss(x).backward()",
        "import torch.optim",
        "from torch.optim import AdamW as A",
        "model.train()",
        "torch.set_grad_enabled(True)",
        "tensor(requires_grad=True)",
        'getattr(torch, "optim")',
        'importlib.import_module("torch.optim.sgd")',
        "class M:\n    def training_step(self): ...",
    ],
)
def test_training_would_be_found(code: str) -> None:
    assert training(ast.parse(code))


def writes(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Call) and _writes(node) for node in ast.walk(tree))


def _writes(call: ast.Call) -> bool:
    """Whether a call makes a file, or opens one to write to it."""
    called = call.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in WRITING or ast.unparse(called) in ("shutil.copy", "shutil.move"):
        return True
    if name not in ("open", "fdopen"):
        return False
    flags = {node.attr for node in ast.walk(call) if isinstance(node, ast.Attribute)}
    modes = {node.value for node in ast.walk(call) if isinstance(node, ast.Constant)}
    return bool(flags & {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TMPFILE"}) or any(
        isinstance(mode, str) and len(mode) <= 3 and set(mode) & set("wax+") for mode in modes
    )


def test_files_are_written_where_it_is_known() -> None:
    """By a name like `flags`, modes can hide; so a file that has such flags at all counts too."""
    found = {
        path
        for path, tree in SOURCES.items()
        if writes(tree) or {"O_WRONLY", "O_RDWR", "O_CREAT"} & {name for name, _ in names(tree)}
    }
    assert found == set(WRITERS)


def test_only_sharing_writes_a_bundle() -> None:
    """And only the command line shares: no route of the API, no schedule."""
    importers = {
        part: {path for path, tree in SOURCES.items() if part in {name for name, _ in names(tree)}}
        for part in ("write_bundle", "pyrage", "Sharing")
    }
    assert importers == {
        "write_bundle": {"onprem/store/bundle.py", "onprem/services/sharing.py"},
        "pyrage": {"onprem/store/bundle.py"},
        "Sharing": {"onprem/services/sharing.py", "onprem/cli/share.py"},
    }


def test_sharing_has_nothing_to_send_with() -> None:
    code = (
        "import sys, onprem.services.sharing;"
        "print([m for m in ('httpx', 'httpcore', 'requests', 'urllib.request', 'http.client',"
        " 'smtplib', 'onprem.media.send') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
