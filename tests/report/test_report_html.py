"""Whatever goes in as text comes out as that text."""

from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from pretextual.report.html import element, escape, join, showable

# Half surrogates too: JSON can spell them.
texts = st.text(st.characters(exclude_categories=()), max_size=60)


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(texts, texts)
@example("plain", 'say "no"')
def test_content_and_attributes_read_back_as_they_were(content, value):
    found = read(element("p", content, title=value))
    assert found.tags == [("p", {"title": showable(value)})]
    assert found.text == showable(content)


@given(texts)
def test_every_page_can_be_encoded(text):
    assert showable(text).encode().decode() == showable(text)
    assert not any(ord(char) < 32 and char not in "\t\n" for char in showable(text))


def test_half_surrogates_and_controls_become_the_replacement_character():
    assert showable("a\ud800b\x00c\nd") == "a\ufffdb\ufffdc\nd"


@given(texts)
def test_escaping_twice_is_escaping_once(text):
    assert escape(escape(text)) == escape(text)
    assert join([escape(text), text]) == escape(text) + escape(text)
