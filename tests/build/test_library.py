# SPDX-License-Identifier: MIT
"""Programs of others find, build and link the library in each of the usual ways."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SDTLS_BUILD", ROOT / "build/dev"))
VERSION = re.search(r"project\(sukat_dtls VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
PROGRAM = """
#include <stdio.h>
#include <sukat_dtls.h>
int main(void)
{
    sdtls_config c = sdtls_config_default();
    c.flags = SDTLS_F_SELF_SIGNED;
    sdtls *s = sdtls_new(&c);
    if (!s || sdtls_listen(s, "127.0.0.1", "0"))
        return 1;
    sdtls_free(s);
    return puts(sdtls_version()) < 0;
}
"""


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=500, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def project(folder, how, options=(), language="C"):
    """A project of one program that gets the library by the lines `how`; what the program prints."""
    suffix = {"C": "c", "CXX": "cpp"}[language]
    folder.mkdir()
    (folder / f"app.{suffix}").write_text(PROGRAM)
    (folder / "CMakeLists.txt").write_text(
        f"cmake_minimum_required(VERSION 3.21)\nproject(app LANGUAGES C CXX)\n{how}\n"
        f"add_executable(app app.{suffix})\ntarget_link_libraries(app sukat_dtls::sukat_dtls)\n")
    run("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", *options)
    run("cmake", "--build", folder / "build")
    return run(folder / "build/app").strip()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", prefix)
    return prefix


@pytest.mark.parametrize("language", ["C", "CXX"])
def test_a_subdirectory_is_the_library_alone(tmp_path, language):
    how = f"find_package(OpenSSL REQUIRED)\nadd_subdirectory({ROOT} dtls)"
    # Whoever looks for another dependency ends.
    assert project(tmp_path / "app", how, ["-DPKG_CONFIG_EXECUTABLE=/bin/false"], language) == VERSION
    assert not list((tmp_path / "app/build").rglob("nc_dtls"))
    assert not list((tmp_path / "app/build").rglob("libsukat_dtls.so")), "nobody asked for it"
    run("cmake", "--install", tmp_path / "app/build", "--prefix", tmp_path / "nothing")
    assert not list(tmp_path.glob("nothing/*")), "the program's install rules are the program's"


@pytest.mark.parametrize("shared", ["ON", "OFF"])
def test_a_package_is_found(installed, tmp_path, shared):
    how = f"find_package(sukat_dtls {VERSION} REQUIRED)"
    options = [f"-DCMAKE_PREFIX_PATH={installed}", f"-DBUILD_SHARED_LIBS={shared}"]
    assert project(tmp_path / "app", how, options) == VERSION
    needs = run("readelf", "-d", tmp_path / "app/build/app")
    assert ("libsukat_dtls" in needs) == (shared == "ON")


def test_a_package_of_another_version_is_refused(installed, tmp_path):
    major, minor, _ = VERSION.split(".")
    script = tmp_path / "find.cmake"
    for wanted, found in (VERSION, True), (f"{major}.{int(minor) + 1}", False), (f"{int(major) + 1}.0", False):
        script.write_text(f"""
            set(PACKAGE_FIND_VERSION {wanted})
            string(REPLACE "." ";" parts {wanted})
            list(GET parts 0 PACKAGE_FIND_VERSION_MAJOR)
            list(GET parts 1 PACKAGE_FIND_VERSION_MINOR)
            include({next(installed.rglob("sukat_dtls-config-version.cmake"))})
            message(STATUS "compatible: ${{PACKAGE_VERSION_COMPATIBLE}}")""")
        assert f"compatible: {str(found).upper()}" in run("cmake", "-P", script)


@pytest.mark.parametrize("link", [[], ["--static"]])
def test_pkg_config_knows_what_to_link(installed, tmp_path, link):
    (tmp_path / "app.c").write_text(PROGRAM)
    env = dict(os.environ, PKG_CONFIG_PATH=os.pathsep.join(map(str, installed.glob("**/pkgconfig"))))
    flags = run("pkg-config", f"--define-variable=prefix={installed}", "--cflags", "--libs", *link, "sukat_dtls",
                env=env).split()
    libdir = next(f[2:] for f in flags if f.startswith("-L"))
    if link:
        flags = ["-l:libsukat_dtls.a" if f == "-lsukat_dtls" else f for f in flags]
    run("cc", tmp_path / "app.c", "-o", tmp_path / "app", *flags, f"-Wl,-rpath,{libdir}")
    assert run(tmp_path / "app").strip() == VERSION


def test_without_the_tools_openssl_is_all_it_needs(tmp_path):
    run("cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DSDTLS_TOOLS=OFF", "-DPKG_CONFIG_EXECUTABLE=/bin/false")
    run("cmake", "--build", tmp_path)
    needs = re.findall(r"NEEDED.*\[lib(\w+)", run("readelf", "-d", tmp_path / "lib/libsukat_dtls.so"))
    assert set(needs) <= {"ssl", "crypto", "c"}


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_the_header_is_cplusplus_without_a_warning(compiler, standard, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    (tmp_path / "app.cpp").write_text(PROGRAM)
    run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wold-style-cast", "-Werror",
        "-fsyntax-only", "-I", ROOT / "include", tmp_path / "app.cpp")


def test_the_shared_library_shows_what_the_header_declares(installed):
    lines = run("nm", "-D", "--defined-only", next(installed.rglob("libsukat_dtls.so"))).splitlines()
    shown = {line.split()[-1] for line in lines if " A " not in line}
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "include/sukat_dtls.h").read_text(), flags=re.S)
    declared = set(re.findall(r"^SDTLS_API [^;(]*?\b(sdtls_\w+)\(", header, re.M))
    assert len(declared) > 30
    assert shown == {f"{name}@@SUKAT_DTLS_0" for name in declared}
