"""torchaudio beside a torch without CUDA, beside one that fits it, and broken otherwise."""

import subprocess
import sys

import pytest


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_what_pyannote_needs_of_it_works() -> None:
    out = run(
        "from onprem.engine.torchaudio_without_cuda import import_torchaudio\n"
        "import_torchaudio(); import_torchaudio()\n"
        "import torch, torchaudio\n"
        "import torchaudio.compliance.kaldi as kaldi\n"
        "print(tuple(kaldi.fbank(torch.randn(1, 16000), num_mel_bins=80).shape))\n"
        "print(tuple(torchaudio.functional.resample(torch.randn(1, 8000), 8000, 16000).shape))\n"
    )
    assert out.splitlines() == ["(98, 80)", "(1, 16000)"]


@pytest.mark.parametrize("loads", [True, False])
def test_the_library_is_only_passed_over_where_it_does_not_load(loads: bool) -> None:
    """A stand-in for torch's loader plays a build that fits and one that does not."""
    out = run(
        "import torch\n"
        "asked = []\n"
        "def load_library(path):\n"
        "    asked.append(path.name)\n"
        f"    if not {loads}:\n"
        "        raise OSError('libcudart.so: cannot open shared object file')\n"
        "torch.ops.load_library = load_library\n"
        "torch.ops.torchaudio._lfilter_core_loop = None\n"
        "torch.ops.torchaudio._overdrive_core_loop = None\n"
        "torch.ops._torchaudio.cuda_version = lambda: None\n"
        "torch.ops._torchaudio.is_align_available = lambda: True\n"
        "from onprem.engine.torchaudio_without_cuda import import_torchaudio\n"
        "import_torchaudio()\n"
        "import torchaudio\n"
        "print(torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE, len(asked))\n"
    )
    assert out == ("True 2" if loads else "False 1")


def test_another_failure_is_not_hidden() -> None:
    out = run(
        "import sys\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'torchaudio':\n"
        "            raise OSError('input/output error')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "from onprem.engine.torchaudio_without_cuda import import_torchaudio\n"
        "try:\n"
        "    import_torchaudio()\n"
        "except OSError as error:\n"
        "    print(error)\n"
    )
    assert out == "input/output error"
