# SPDX-License-Identifier: MIT
"""The command line itself: help, man page and exit codes say the same; mistakes
get one clear line."""

import json
import re
import subprocess
from typing import NamedTuple

import pytest

from conftest import BIN, ROOT


# Each program, how many options it has at least, and its exit codes.
TOOLS = {"nc_dtls": (50, {"0", "1", "2", "3", "4", "5", "6", "7", "128+n"}), "dtls_probe": (30, {"0", "1", "2"}),
         "dtls_scan": (20, {"0", "1", "2", "3", "4", "5", "128+n"}),
         "dtls_regress": (13, {"0", "1", "2"}), "dtls_mtu": (24, {"0", "1", "2", "3", "4", "5", "128+n"})}


@pytest.fixture(params=TOOLS)
def tool(request):
    return request.param


def text_of(tool, *args):
    return subprocess.run([BIN / tool, *args], check=True, capture_output=True, text=True).stdout


def man_section(tool, title):
    page = (ROOT / f"docs/man/{tool}.1.scd").read_text()
    return re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", page, re.S | re.M).group(1)


class Option(NamedTuple):
    section: str
    head: str  # "-c --certificate, --cert FILE"
    text: str


def plain(text):
    """Without the markup of scdoc."""
    return re.sub(r"[*_\\]", "", re.sub(r"\s+", " ", text)).strip()


def options_of_help(tool):
    options, section = [], None
    for line in text_of(tool, "--help").splitlines():
        if heading := re.fullmatch(r"(\S.*):", line):
            section = heading[1]
        elif option := re.match(r"  (-\w,| {3}) (--\S.*?)(?: {2,}(.*))?$", line):
            options.append(Option(section, plain(f"{option[1]} {option[2]}"), plain(option[3] or "")))
        elif options and line.startswith(" " * 34):
            options[-1] = options[-1]._replace(text=plain(f"{options[-1].text} {line}"))
    return options


def options_of_man(tool):
    options, section = [], None
    for block in re.split(r"\n\n+", man_section(tool, "OPTIONS")):
        head, _, text = block.strip("\n").partition("\n")
        if head.startswith("## "):
            section = head[3:]
        elif head.startswith("*-"):
            options.append(Option(section, plain(head), plain(text)))
    return options


def test_help_goes_to_stdout_and_succeeds(tool):
    for flag in ("-h", "--help"):
        done = subprocess.run([BIN / tool, flag], capture_output=True, text=True, check=True)
        assert done.stderr == "" and "\n  -h, --help " in done.stdout


def test_help_and_man_page_list_the_same_options(tool):
    assert len(options_of_help(tool)) >= TOOLS[tool][0]
    assert [o[:2] for o in options_of_help(tool)] == [o[:2] for o in options_of_man(tool)]


def test_the_man_page_begins_each_option_with_the_sentence_of_help(tool):
    for of_help, of_man in zip(options_of_help(tool), options_of_man(tool)):
        sentence = of_help.text[0].upper() + of_help.text[1:] + "."
        assert of_man.text.startswith(sentence), of_help.head


def test_help_and_man_page_list_the_same_exit_codes(tool):
    in_help = dict(re.findall(r"^  (\d|128\+n) +(.*)$", text_of(tool, "--help"), re.M))
    lines = re.findall(r"^\*(\d|128\+n)\*\n\t(.*)$", man_section(tool, "EXIT STATUS"), re.M)
    in_man = {code: plain(text) for code, text in lines}
    assert set(in_help) == set(in_man) == TOOLS[tool][1]
    assert in_man.pop("128+n", "").startswith(in_help.pop("128+n", ""))
    assert in_help == in_man


def test_help_fits_into_a_hundred_columns(tool):
    assert max(map(len, text_of(tool, "--help").splitlines())) <= 100


def test_completion_knows_every_option(tool):
    script = text_of(tool, "--completion", "bash")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for option in options_of_help(tool):
        for word in re.findall(r"(?<![\w-])--?[\w-]+", option.head):
            assert re.search(rf"[ \"|]{re.escape(word)}[ \"|]", script), word


def test_completion_completes():
    script = text_of("nc_dtls", "--completion", "bash") + """
        COMP_WORDS=(nc_dtls --min ''); COMP_CWORD=2; _nc_dtls; echo ${COMPREPLY[@]}
        COMP_WORDS=(nc_dtls --list); COMP_CWORD=1; _nc_dtls; echo ${COMPREPLY[@]}"""
    shell = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
    assert shell.stdout.splitlines() == ["1.0 1.2 1.3", "--listen"]


def test_version_names_both_libraries(nc_run):
    plain = nc_run("-V")
    assert re.fullmatch(rb"nc_dtls \d+\.\d+\.\d+\nOpenSSL \d.*\n", plain.out)
    assert set(json.loads(nc_run("--version", "--json").out)) == {"program", "version", "openssl"}


WRONG = [
    ([], "a host and a port are needed"),
    (["host"], "a port is needed"),
    (["4433"], "a host and a port"),
    (["host", "4433", "more"], "unexpected argument 'more'"),
    (["host:1", "2"], "two ports"),
    (["host", "65536"], "65535"),
    (["host:99999"], "65535"),
    (["[::1]:99999"], "65535"),
    (["host", "abc"], "port 'abc' is neither a number"),
    (["host", "44x"], "port '44x' is neither a number"),
    (["host:+5"], "port '+5' is neither a number"),
    (["host", "0"], "the lowest port"),
    (["-z", "host", "abc"], "port 'abc'"),
    (["-l", "99999"], "65535"),
    (["-l", "127.0.0.1", "abc"], "port 'abc'"),
    (["-l", "-p", "99999"], "not a port"),
    (["-l", "--insecure", "--client-cert", "require"], "--client-cert request"),
    (["[::1", "1"], "'[::1' is not an address"),
    (["--nonsense", "host", "1"], "--nonsense"),
    (["-x", "host", "1"], "-x"),
    (["--wait"], "--wait needs an argument"),
    (["-w", "soon", "host", "1"], "'soon'"),
    (["-w", "-1", "host", "1"], "'-1'"),
    (["--listen=yes"], "takes no argument"),
    (["--min", "1.1", "host", "1"], "1.0, 1.2, 1.3"),
    (["--min", "1.2", "--max", "1.0", "host", "1"], "--min (DTLS 1.2) is higher than --max (DTLS 1.0)"),
    (["--psk", "abc", "host", "1"], "hex"),
    (["--psk", "@/nonexistent", "host", "1"], "No such file"),
    (["--export", "label", "host", "1"], "LABEL:LEN"),
    (["-p", "70000", "host", "1"], "not a port"),
    (["--clients", "many", "host", "1"], "not a number"),
    (["--rate", "5", "host", "1"], "--clients"),
    (["-l", "-z"], "-l and -z cannot"),
    (["-l", "--echo", "-e", "cat"], "--exec"),
    (["-1", "host", "1"], "--once needs -l"),
    (["--client-cert", "require", "host", "1"], "--client-cert needs -l"),
    (["--clients", "2", "-e", "cat", "host", "1"], "--exec and --clients cannot"),
    (["--mtu", "small", "host", "1"], "auto, or 228 to 65507"),
    (["--mtu", "227", "host", "1"], "auto, or 228 to 65507"),
    (["-k", "key.pem", "host", "1"], "-c"),
    (["--insecure", "--verify", "host", "1"], "--insecure and --verify cannot"),
    (["--insecure", "--pin", "00", "host", "1"], "--insecure and --pin cannot"),
    (["-l", "--client-cert", "none", "--pin", "00"], "--pin and --client-cert none cannot"),
    (["--psk-file", "keys", "host", "1"], "--psk-file needs -l"),
    (["-l", "--psk", "00", "--psk-file", "keys"], "--psk and --psk-file cannot"),
    (["-i", "no-such", "host", "1"], "no such interface"),
    (["-i", "a-name-of-16-byt", "host", "1"], "15 characters at most"),
    (["-n", "localhost", "1"], "numeric"),
    (["--completion", "tcsh"], "only bash"),
]


@pytest.mark.parametrize("args, words", WRONG, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_a_mistake_gets_one_line_and_a_pointer(nc_run, args, words):
    program = nc_run(*args)
    assert program.status == 2
    assert program.out == b""
    assert program.lines[0].startswith("nc_dtls: ") and words in program.lines[0]
    assert program.lines[1:] in ([], ["Try 'nc_dtls --help'."])


@pytest.mark.parametrize("old", [["-l", "-vv"], ["-l", "-g", "-s", "127.0.0.1"], ["--listen", "--verbose"],
                                 ["-l", "--gdb", "0", "127.0.0.1"], ["-l", "-i", "lo", "127.0.0.1", "0"]])
def test_old_command_lines_still_work(nc, pki, old):
    program = nc(*old, "--cert", pki / "cert.pem", "--pkey", pki / "key.pem")
    program.wait_for("err", r"Hosting at: \S+:\d+\n")


def test_a_key_on_the_command_line_does_not_stay_in_the_process_list(server):
    program = server("--psk", "00112233445566778899aabbccddeeff", cert=False)
    cmdline = open(f"/proc/{program.process.pid}/cmdline", "rb").read()
    assert b"--psk\0" + b"*" * 32 in cmdline and b"001122" not in cmdline
