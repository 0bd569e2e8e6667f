"""What the decoder accepts: containers and codecs of recordings, and nothing else of FFmpeg.

Left out on purpose: playlists and containers that name other files (hls, dash, concat, sdp,
image2), raw formats that any bytes match, and the hundreds of codecs of old computer games.
"""

CONTAINERS = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,mov,mp4,m4a,matroska,webm,amr,nistsphere"
"""FFmpeg's names of demuxers, as its `format_whitelist` takes them."""

_PCM = """
pcm_alaw pcm_mulaw pcm_u8 pcm_s8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be
pcm_f32le pcm_f32be pcm_f64le pcm_f64be
"""
_LOSSLESS = "flac alac"
_LOSSY = "aac mp1float mp2float mp3float mp3 vorbis opus libopus ac3 eac3"
_SPEECH = "amrnb amrwb libopencore_amrnb libopencore_amrwb speex gsm gsm_ms g722 g726 g726le"
_ADPCM = "adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_yamaha"

CODECS = frozenset(" ".join((_PCM, _LOSSLESS, _LOSSY, _SPEECH, _ADPCM)).split())
"""FFmpeg's names of decoders. No video codec: a picture is never decoded."""
