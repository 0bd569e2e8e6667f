"""What a job can end with: its `output.error`."""

from onprem.errors.base import OnpremError


class JobFailure(OnpremError):
    """A job ends as failed with this; `sentence` becomes its `output.error`."""


class CouldNotLoadAudio(JobFailure):
    code = "audio_unreadable"
    message = "Could not load audio: {why}."
    remedy = "Send a recording in wav, flac, mp3, m4a, mp4, ogg, opus, webm or aac."


class AudioUnreadable(CouldNotLoadAudio):
    pass


class AudioMissing(CouldNotLoadAudio):
    code = "audio_missing"
    message = "Could not load audio: the file has no audio stream."
    remedy = "Send a file that contains sound."


class AudioEmpty(CouldNotLoadAudio):
    code = "audio_empty"
    message = "Could not load audio: the file is empty."
    remedy = "Send the recording again; the upload held no bytes."


class AudioTooLong(CouldNotLoadAudio):
    code = "audio_too_long"
    message = "Could not load audio: the recording is longer than {limit:g} hours."
    remedy = "Split it, or raise limits.audio_duration."


class AudioTooShort(CouldNotLoadAudio):
    code = "audio_too_short"
    message = "Could not load audio: the recording lasts {seconds:.2f} s, less than {least:g} s."
    remedy = "Send a longer recording."


class AudioTruncated(CouldNotLoadAudio):
    code = "audio_truncated"
    message = (
        "Could not load audio: the recording breaks off after {seconds:.1f} s "
        "of the {declared:.1f} s that its header declares."
    )
    remedy = "The file is incomplete: send it again."


class AudioTooLarge(CouldNotLoadAudio):
    code = "audio_too_large"
    message = "Could not load audio: the file is larger than {limit:d} bytes."
    remedy = "Send a compressed format, or raise limits.media_size."


class DecoderCrashed(CouldNotLoadAudio):
    code = "decoder_crashed"
    message = "Could not load audio: the decoder was ended by {signal}."
    remedy = "The file is damaged or hostile. Convert it to wav or flac and send that."


class DecoderTimeout(CouldNotLoadAudio):
    code = "decoder_timeout"
    message = "Could not load audio: decoding took longer than {seconds:g} s."
    remedy = "Convert the recording to wav or flac and send that."


class FetchRefused(CouldNotLoadAudio):
    code = "fetch_refused"
    message = "Could not load audio: this server does not connect to {destination} ({why})."
    remedy = "An operator can allow a destination with fetch.allow."


class FetchFailed(CouldNotLoadAudio):
    code = "fetch_failed"
    message = "Could not load audio: fetching from {host} failed ({why})."
    remedy = "Check that the URL is direct, public to this server, and not expired."


class TooManyChannels(JobFailure):
    code = "too_many_channels"
    message = "The recording has {channels:d} channels; at most {limit:d} can be taken apart."
    remedy = "Send it without `channels`, or with fewer channels."


class TranslationUnsupported(JobFailure):
    code = "translation_unsupported"
    message = "The model {model} cannot translate."
    remedy = "Choose a multilingual Whisper model that was trained for it, such as whisper-base."


class NoSpeech(JobFailure):
    code = "no_speech"
    message = "No speech detected."
    remedy = "Check that the recording is not silent and that the right channel was sent."


class VoiceprintTooLong(JobFailure):
    code = "voiceprint_too_long"
    message = "The recording is longer than 30 s, the most that a voiceprint is made of."
    remedy = "Send a part of it in which one person speaks."


class VoiceprintTooLarge(JobFailure):
    code = "voiceprint_too_large"
    message = "The file is larger than 100 MiB, the most that a voiceprint is made of."
    remedy = "Send a recording of at most 30 s."


class SeveralSpeakers(JobFailure):
    code = "several_speakers"
    message = "More than one person speaks in this recording."
    remedy = "A voiceprint is of one person: send a recording in which nobody else speaks."


class TooLittleSpeech(JobFailure):
    code = "too_little_speech"
    message = "Only {seconds:.1f} s of speech were found, and a voiceprint needs {least:g} s."
    remedy = "Send a longer recording of the same person; 10 s or more serve best."


class MediaExpired(JobFailure):
    code = "media_expired"
    message = "The uploaded media reached its deadline before the job could start."
    remedy = "Upload it again and submit a new job."


class RecordingLost(JobFailure):
    code = "recording_lost"
    message = "The server stopped, and this recording was in its memory only."
    remedy = "Send the request again."


class QueueExpired(JobFailure):
    code = "queue_expired"
    message = "The job could not start within {hours:g} hours."
    remedy = "The server is overloaded or its models are missing; see /healthz/ready."


class WorkerMemoryExceeded(JobFailure):
    code = "worker_memory_exceeded"
    message = "The recording does not fit into limits.worker_memory ({limit:d} bytes)."
    remedy = "Raise limits.worker_memory, or send a shorter recording."


class ReferenceUnusable(JobFailure):
    code = "reference_unusable"
    message = "Reference {number:d} of a known speaker cannot be used ({code})."
    remedy = "Send 2 to 10 seconds in which that one person speaks."


class EngineFailed(JobFailure):
    code = "engine_failed"
    message = "The models failed on this recording ({kind})."
    remedy = "Submit it again; if it fails again, report the job id and the server's version."


class ModelUnusable(JobFailure):
    code = "model_unusable"
    message = "A model of this server cannot be used ({code})."
    remedy = "Tell its operator: `onprem models verify` names the file. Then submit the job again."


class RestoredFromBackup(JobFailure):
    code = "restored_from_backup"
    message = "The server was restored from a backup, which holds no recordings and no requests."
    remedy = "Submit the job again."


class WorkerLost(JobFailure):
    code = "worker_lost"
    message = "The server stopped {attempts} times while it worked on this job."
    remedy = "The recording may crash a model: report the job id and the server's log."
