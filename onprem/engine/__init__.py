"""The only place that imports torch, pyannote.audio and faster-whisper."""
