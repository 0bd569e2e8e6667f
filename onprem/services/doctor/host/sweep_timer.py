"""Whether systemd sweeps while no server runs."""

from pathlib import Path

_TIMER = "onprem-sweep.timer"
_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system")


def sweep_timer_enabled(root: Path = Path("/")) -> bool | None:
    """None: systemd does not run here."""
    if not (root / "run/systemd/system").is_dir():  # as sd_booted(3)
        return None
    places = [root / folder / "timers.target.wants" / _TIMER for folder in _FOLDERS]
    return any(path.is_symlink() or path.exists() for path in places)
