#!/usr/bin/env python3
"""Checks every #include of the project against the edges that CMake knows.

usage: check_includes.py LIBRARIES        LIBRARIES: build/<preset>/libraries.txt, written when CMake configures

A file may include headers of its own folder, of what its library depends on (directly or through another library),
and, in folders that are no library (tests and programs), of anything. Heavy or forbidden headers are refused where
they would hurt. Exit code 1 lists every offence with file and line.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SKIP = {"build", "bin", ".git", ".cache", "run"}
# (files it concerns, headers it concerns, why)
BANNED = [
    (re.compile(r"^engine/"), re.compile(r"^(boost/|nlohmann/)"), "engine/ uses neither Boost nor nlohmann/json"),
    (re.compile(r"^engine/(?!rego/builtins/[a-z0-9_]*\.cpp)"), re.compile(r"^openssl/"), "digests, keys and signatures are the builtins' business"),
    (re.compile(r"^(base|engine|policy|kube/core)/.*(?<!_test)\.(h|cpp)$"), re.compile(r"^(thread|future|condition_variable)$"),
     "pure code owns no threads"),
    # test/fakeapi/impl.h is private to its folder's two files.
    (re.compile(r"^(?!test/fakeapi/impl\.h$).*\.h$"), re.compile(r"^(regex|iostream|nlohmann/json\.hpp)$"), "too heavy for a header"),
    (re.compile(r"\.cpp$"), re.compile(r"^regex$"), "patterns are RE2's: std::regex backtracks without a bound"),
]


def read_libraries(path):
    """folder -> (name, direct dependencies); name -> folder"""
    folders, deps = {}, {}
    with open(path, encoding="utf-8") as table:
        for line in table:
            left, _, right = line.strip().partition(":")
            if not left:
                continue
            folder, name = left.split()
            folders[folder] = name
            deps[name] = [d for d in re.split(r"[;\s]+", right.strip()) if d]
    return folders, deps


def reachable(name, deps):
    seen, todo = set(), [name]
    while todo:
        current = todo.pop()
        if current not in seen:
            seen.add(current)
            todo.extend(deps.get(current, []))
    return seen


def library_of(path, folders):
    folder = os.path.dirname(path)
    while folder:
        if folder in folders:
            return folders[folder]
        folder = os.path.dirname(folder)
    return None


def sources():
    for base, dirs, files in os.walk(ROOT):
        dirs[:] = sorted(d for d in dirs if d not in SKIP and not d.startswith("build"))
        for name in sorted(files):
            if name.endswith((".h", ".cpp", ".def")):
                yield os.path.relpath(os.path.join(base, name), ROOT)


def check(path, folders, deps):
    problems = []
    library = library_of(path, folders)
    is_test = path.endswith("_test.cpp") or path.startswith(("test/", "bench/"))
    allowed = reachable(library, deps) if library else None
    with open(os.path.join(ROOT, path), encoding="utf-8") as text:
        for number, line in enumerate(text, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            for files, headers, why in BANNED:
                if files.search(path) and headers.search(header):
                    problems.append(f"{path}:{number}: {header}: {why}")
            if quote != '"':
                continue
            if not os.path.exists(os.path.join(ROOT, header)):
                problems.append(f'{path}:{number}: "{header}": includes are written from the project root')
                continue
            target = library_of(header, folders)
            if allowed is not None and target and target not in allowed and not is_test:
                problems.append(f"{path}:{number}: {header}: '{library}' does not depend on '{target}' (CMakeLists.txt of its folder)")
    return problems


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folders, deps = read_libraries(sys.argv[1])
    problems, count = [], 0
    for path in sources():
        count += 1
        problems += check(path, folders, deps)
    print("\n".join(problems + [f"{count} files, {len(problems)} offences"]))
    sys.exit(1 if problems else 0)


main()
