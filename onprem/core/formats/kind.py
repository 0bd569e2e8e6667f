"""The formats that an output can be had in."""

import enum


class OutputFormat(enum.StrEnum):
    JSON = "json"
    RTTM = "rttm"
    SRT = "srt"
    VTT = "vtt"
    TXT = "txt"
