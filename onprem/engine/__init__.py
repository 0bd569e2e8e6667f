"""The only place that imports torch, pyannote.audio and faster-whisper."""

import os

# OpenMP reads this when torch is first imported, which is always after this line. Its threads then
# sleep while they wait for each other instead of spinning. Where another process wants a core too,
# spinning made one recording take 100 s instead of 11 s (2 cores, 2026-11-23).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
