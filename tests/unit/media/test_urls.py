import pytest

from onprem.media.urls import check_url


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a.wav",
        "http://files.example:8080/a%20b.wav?X-Amz-Signature=abc&x=%2F#part",
        "HTTPS://FILES.EXAMPLE/A",
        "https://[2606:4700::1111]/a",
        "https://münchen.example/ü.wav",
    ],
)
def test_an_ordinary_url_passes(url: str) -> None:
    assert check_url(url) is None


@pytest.mark.parametrize(
    "url",
    [
        *("", "files.example/a", "/a", "//files.example/a", "ftp://files.example/a"),
        *("file:///etc/passwd", "media://a", "data:audio/wav;base64,UklGRg==", "https://"),
        *("https:///a", "https://user@files.example/", "https://user:word@files.example/"),
        *("https://files.example:0/", "https://files.example:99999/"),
        *("https://files.example:abc/", "https://[::1", "https://[fe80::1%25eth0]/"),
        *("https://files.example/a b", "https://files.example/a\r\nHost: x", "https://a\\b/"),
        *("https://files.example/\x00", "https://files.example/" + "a" * 5000),
    ],
)
def test_a_url_of_another_shape_is_refused_with_a_sentence_that_does_not_quote_it(url: str) -> None:
    sentence = check_url(url)
    assert sentence is not None
    assert sentence.startswith("The URL")
    assert "files.example" not in sentence
