# SPDX-License-Identifier: MIT
"""--svg and --html: files that stand alone, whatever the network wrote into them."""

import html.parser
import pathlib
import re
import xml.etree.ElementTree

import pytest

from conftest import BIN, ROOT

PROBE = BIN / "dtls_probe"
CAPTURES = ROOT / "pcap-tests/captures"
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "input", "br", "img", "link", "hr"}

pytestmark = pytest.mark.skipif(not PROBE.exists(), reason="dtls_probe was not built")


@pytest.fixture
def draw(run, tmp_path):
    """What --svg or --html makes of a capture, a name or a path."""

    def make(kind, capture, *args):
        source = capture if isinstance(capture, pathlib.Path) else CAPTURES / f"{capture}.pcap"
        if not source.exists():
            pytest.skip(f"no {source.name}")
        target = tmp_path / f"drawing.{kind}"
        program = run(PROBE, "-r", source, f"--{kind}", target, *args)
        assert program.wait() in (0, 1), program.err
        return target.read_text(encoding="utf-8")

    return make


@pytest.fixture
def hostile_capture(tmp_path):
    """A client that asks for a server whose name is markup."""

    def make(name):
        source = CAPTURES / "sni_unrecognized.pcap"
        if not source.exists():
            pytest.skip(f"no {source.name}")
        data = source.read_bytes()
        assert data.count(b"wrong.example") and len(name) == len(b"wrong.example")
        target = tmp_path / "<img src=x onerror=alert(1)> \x01\udcff.pcap"  # nor UTF-8
        target.write_bytes(data.replace(b"wrong.example", name))
        return target

    return make


class Page(html.parser.HTMLParser):
    """Elements in the order they come; unbalanced tags are an error."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag, kind=""):
        return [a for t, a in self.elements if t == tag and kind in (a.get("class") or "").split() + [""]]


def refers_elsewhere(text):
    """Whatever would make a viewer fetch something; a namespace is only a name."""
    text = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    return re.findall(r"https?://|//\w+\.|@import|url\(|<script|<link|<image|<use|\bsrc=", text)


def labels(svg):
    root = xml.etree.ElementTree.fromstring(svg)
    return [t for t in root.iter(SVG + "text") if t.get("class") == "label"]


@pytest.mark.parametrize("capture", ["ok_ecdsa", "mtu_blackhole_s2c", "ptb_ok", "ip_fragments_lost",
                                     "dtls13_ok", "ok_ipv6"])
def test_a_drawing_is_well_formed_and_refers_to_nothing_elsewhere(draw, capture):
    svg = draw("svg", capture, "--handshake", 1)
    root = xml.etree.ElementTree.fromstring(svg)
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    assert root.find(SVG + "title").text and root.find(SVG + "desc").text
    assert not refers_elsewhere(svg)


def test_labels_of_a_drawing_leave_room_for_each_other(draw):
    rows = sorted(float(t.get("y")) for t in labels(draw("svg", "mtu_blackhole_s2c", "--handshake", 1)))
    assert len(rows) > 10
    assert min(b - a for a, b in zip(rows, rows[1:])) >= 14


def test_a_drawing_shows_what_was_lost_and_marks_the_evidence(draw):
    svg = draw("svg", "mtu_blackhole_s2c", "--handshake", 1)
    assert any(re.fullmatch("records? [0-9–]+ lost", "".join(t.itertext())) for t in labels(svg))
    assert re.search(r'<g class="row f4[^"]* evidence', svg)
    assert re.search(r'<g class="row f3 again', svg)
    assert 'class="silence"' in svg


def test_a_drawing_shows_who_sent_an_icmp_error(draw):
    words = ["".join(t.itertext()) for t in labels(draw("svg", "ptb_ok", "--handshake", 1))]
    assert any(re.fullmatch(r"ICMP 3/4 Fragmentation Needed \(MTU \d+\) from [\d.]+", w) for w in words)


def test_a_page_has_a_row_with_a_drawing_for_each_handshake(draw):
    text = draw("html", "mtu_blackhole_s2c")
    page = Page(text)
    assert len(page.all("details", "h")) == len(page.all("svg")) == len(page.all("details", "failed")) == 2
    assert "mtu-blackhole-s2c" in page.text
    assert not refers_elsewhere(text)


def test_a_page_has_a_row_for_addresses_without_a_handshake(draw):
    page = Page(draw("html", "no_hello"))
    assert len(page.all("details", "failed")) == 1 and not page.all("svg")
    assert "no handshake" in page.text and "no-hello" in page.text and "192.0.2.9:4433" in page.text


def test_the_ladder_tells_of_addresses_without_a_handshake(run):
    program = run(PROBE, "-r", CAPTURES / "no_hello.pcap", "--ladder")
    assert program.wait() == 1 and b"fatal no-hello" in program.out


def test_a_page_links_packets_to_rows_that_exist_once(draw):
    page = Page(draw("html", "ip_fragments_lost"))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [a["href"] for a in page.all("a")]
    assert targets and all(t[0] == "#" and t[1:] in ids for t in targets)


def test_a_page_forbids_itself_every_script_and_fetch(draw):
    policy, = [a["content"] for a in Page(draw("html", "ok_ecdsa")).all("meta") if "http-equiv" in a]
    assert "default-src 'none'" in policy and "script-src" not in policy


@pytest.mark.parametrize("kind", ["svg", "html"])
@pytest.mark.parametrize("name", [b"<i>&\"'</i><i>", b"]]><script x>", b"\xff\xc0\x80\xed\xa0\x80\x01\x1b[31m\x7f"])
def test_a_name_from_the_network_stays_text(draw, hostile_capture, kind, name):
    text = draw(kind, hostile_capture(name), *(("--handshake", 1) if kind == "svg" else ()))
    if kind == "svg":
        tags = {e.tag.removeprefix(SVG) for e in xml.etree.ElementTree.fromstring(text).iter()}
    else:
        tags = {tag for tag, _ in Page(text).elements}
        assert r"<img src=x onerror=alert(1)> \x01\xff.pcap" in Page(text).text  # the name of the file
    assert not tags & {"i", "script", "img"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f]", text)
