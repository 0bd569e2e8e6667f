"""Nothing phones home: proven in a process of its own, where no socket can be made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onprem.engine.offline import SWITCHES, assert_offline, switch_off
from onprem.errors import TelemetryEnabled

WITHOUT_SOCKETS = """
import socket, threading
def refuse(*args, **kwargs):
    raise SystemExit("a socket was made")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
socket.create_connection = socket.socket.sendto = refuse
"""

IMPORT_EVERYTHING = """
from onprem.engine import libraries, safe_loading, weights
from onprem.engine.libraries import Model, metrics
libraries.assert_silent()
metrics.track_model_init(object())
threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
assert not threads, threads
import os, sys, tempfile
assert sys.modules["onnxruntime"] is None
files = [file for _, _, found in os.walk(tempfile.gettempdir()) for file in found]
assert not files, files
try:
    Model.from_pretrained("pyannote/segmentation-3.0")
except Exception as error:
    print("refused offline:", type(error).__name__)
print("quiet")
"""


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_importing_the_libraries_makes_no_connection_no_noise_and_no_file(tmp_path: Path) -> None:
    done = run(
        WITHOUT_SOCKETS + IMPORT_EVERYTHING, PYANNOTE_METRICS_ENABLED="1", TMPDIR=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "quiet"
    assert "a socket was made" not in done.stderr


def test_a_switch_turned_back_after_the_import_is_noticed() -> None:
    done = run(
        "from onprem.engine import libraries\n"
        "from onprem.engine.libraries import metrics\n"
        "metrics.set_telemetry_metrics(True)\n"
        "libraries.assert_silent()\n"
    )
    assert done.returncode != 0
    assert "TelemetryEnabled" in done.stderr


def test_a_module_that_reports_from_native_code_is_noticed() -> None:
    done = run(
        "import sys, types\n"
        "sys.modules['onnxruntime'] = types.ModuleType('onnxruntime')\n"
        "import onprem.engine.libraries\n"
    )
    assert done.returncode != 0
    assert "TelemetryEnabled" in done.stderr


def test_the_environment_module_is_light() -> None:
    done = run(
        "import sys, onprem.engine.offline\n"
        "heavy = {'torch', 'numpy', 'pyannote'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SWITCHES)
def test_each_switch_is_asserted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for known, value in SWITCHES.items():
        monkeypatch.setenv(known, value)
    assert_offline()
    monkeypatch.setenv(name, "true" if SWITCHES[name] == "0" else "0")
    with pytest.raises(TelemetryEnabled, match=name):
        assert_offline()
    monkeypatch.delenv(name)
    with pytest.raises(TelemetryEnabled, match=name):
        assert_offline()


def test_switching_off_overrules_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for known in SWITCHES:
        monkeypatch.setenv(known, "unset by the test")
    switch_off()
    assert_offline()
