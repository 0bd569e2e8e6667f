"""Audio in: fetching a URL safely, worker copies in memory, decoding in a child process."""
