"""The only place that imports torch, pyannote.audio and faster-whisper."""

import os

# OpenMP reads this when torch is first imported, which is always after this line. Its threads spin
# for so many turns while they wait for each other, then sleep. A 30 s recording, on 2 cores that
# were idle / that two other processes wanted too (2026-11-23): 1,000 turns 6.4 s / 11 s; 10,000
# turns 4.8 s / over 48 s; never spinning (OMP_WAIT_POLICY=PASSIVE) 8 to 14 s / 11 s.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
