#!/usr/bin/env python3
"""documents.py COMMAND: reads the documents for documents.sh.

  blocks DIR    writes each code block to a file in DIR and prints, for each:
                DOCUMENT:LINE, kind, marker, file, separated by tabs
  links         relative links and anchors lead somewhere
  names         files that are named in backquotes exist, and so do the targets
                of "make" and the functions
  differences   D1 to D38 have a row each, a row names its tests, and what the
                sources cite has a row
  tables        docs/ has all commands, backends, and directives and metrics of the
                status module
  guarantees    in a table whose last column is "Test", the files exist and have the
                tests of these names
  figures       the figures of README.md are those of benches/README.md and of the
                tests: "490+" means 490 to 560

A block's kind is its language ("c", "sh", "nginx", "text"), or "command" if it
is indented.  Its marker is the HTML comment before it.
"""

import glob
import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))

# Names of nginx's files and functions, and placeholders such as NAME.rs: the
# documents may use these names, although this project has no such file.
FOREIGN = """
    ngx_process.c ngx_channel.c ngx_shmem.c ngx_process_cycle.c ngx_shmtx.c
    ngx_rwlock.c ngx_slab.c auto/configure ./configure
    modules/ngx_http_ipc_status_module.so modules/ngx_http_ipc_module.so text/event-stream
    text/html application/json
    NGX_HAVE_FEATURE.c NAME.rs
    ngx_slab_alloc ngx_slab_free
""".split()

# Names that begin with one of these are not checked: the directory is not part
# of this project, or a build makes it.
ELSEWHERE = ("/", "PREFIX/", "build/", "target/", "src/os/unix/", "src/core/", "objs/")

problems = []


def problem(text):
    problems.append(text)


def path_of(name):
    return os.path.join(TOP, name)


def read(name):
    with open(path_of(name), encoding="utf-8") as file:
        return file.read()


def tracked():
    listed = subprocess.run(
        ["git", "-C", TOP, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False,
    ).stdout.split("\n")
    names = [name for name in listed if name and os.path.exists(path_of(name))]

    if names:
        return names

    # git lists no files, for example in an unpacked archive, so all files are
    # listed.
    found = []
    for directory, inside, files in os.walk(TOP):
        inside[:] = [name for name in inside if name not in (".git", "build", "target")]
        found += [os.path.relpath(os.path.join(directory, name), TOP) for name in files]
    return found


def documents():
    names = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "benches/README.md"]
    names += sorted(os.path.relpath(f, TOP) for f in glob.glob(path_of("docs/*.md")))
    return [name for name in names if os.path.exists(path_of(name))]


class Block:
    def __init__(self, document, line, kind, marker, lines):
        self.place = f"{document}:{line}"
        self.kind, self.marker, self.lines = kind, marker, lines

    def text(self):
        return "".join(line + "\n" for line in self.lines)


def split(document):
    """The code blocks of a document, and its other lines with their numbers."""
    blocks, prose = [], []
    block, fence, marker, blank = None, None, "", True

    for number, line in enumerate(read(document).split("\n"), 1):
        opened = re.match(r"^ *```(.*)$", line)

        if fence is not None:
            if opened:
                blocks.append(fence)
                fence = None
            else:
                fence.lines.append(line)
        elif opened:
            fence = Block(document, number, opened.group(1) or "none", marker, [])
            marker = ""
        elif line.startswith("    ") and (blank or block):
            if block is None:
                block = Block(document, number, "command", marker, [])
                blocks.append(block)
            block.lines.append(line[4:])
            continue
        else:
            comment = re.match(r"^<!-- (.*) -->$", line)
            if comment:
                marker = comment.group(1)
            elif line:
                marker = ""
            prose.append((number, line))

        block, blank = None, not line.strip()

    return blocks, prose


def write_blocks(directory):
    n = 0
    for document in documents():
        for block in split(document)[0]:
            n += 1
            name = os.path.join(directory, f"{n:03}.{block.kind}")
            with open(name, "w", encoding="utf-8") as file:
                file.write(block.text())
            print(block.place, block.kind, block.marker or "-", name, sep="\t")


def slug(heading):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip()
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(document):
    return {slug(line.lstrip("#")) for _, line in split(document)[1]
            if re.match(r"^#+ ", line)}


def links():
    for document in documents():
        # The pattern is applied to the whole text, because a link can continue
        # in the next line.
        text = "\n".join(line for _, line in split(document)[1])
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"^[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            base = os.path.dirname(document)
            to = os.path.normpath(os.path.join(base, name)) if name else document
            if not os.path.exists(path_of(to)):
                problem(f"{document}: no file for the link ({target})")
            elif anchor and anchor not in anchors(to):
                problem(f"{document}: no heading for the link ({target})")


def is_file_name(word):
    return re.fullmatch(
        r"[\w.\-/*]+\.(c|h|rs|sh|py|awk|md|toml|in|svg|map|json|lock|hpp)|[\w.\-]+/[\w.\-/*]*", word)


def names():
    files = tracked()
    basenames = {os.path.basename(name) for name in files}
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    headers = "".join(read(name) for name in files if name.startswith("include/"))
    functions = set(re.findall(r"\b(ngx_\w+)\(", headers))
    # other names of functions
    functions |= set(re.findall(r"^#define (ngx_\w+) +ngx_", headers, re.M))

    def exists(word, document):
        if word.startswith(ELSEWHERE) or word in FOREIGN:
            return True
        if "/" not in word:
            return word in basenames
        for base in ("", os.path.dirname(document)):
            if glob.glob(os.path.join(TOP, base, word)):
                return True
        return False

    for document in documents():
        # This page names nginx's files and functions; identifiers.sh checks it.
        if document == "docs/identifiers.md":
            continue
        for number, line in split(document)[1]:
            for code in re.findall(r"`([^`]+)`", line):
                for word in code.split():
                    word = word.rstrip(",;:")
                    if is_file_name(word) and not exists(word, document):
                        problem(f"{document}:{number}: there is no {word}")
                for target in re.findall(r"(?:^|&& )make ([a-z][a-z-]*)\b(?![/=.])", code):
                    if target not in targets:
                        problem(f"{document}:{number}: no target for \"make {target}\"")
                for function in re.findall(r"\b(ngx_\w+)\(\)", code):
                    if function not in functions and function not in FOREIGN:
                        problem(f"{document}:{number}: there is no {function}()")


def rows(text):
    for line in text.split("\n"):
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def tests_of(row, name):
    """Problems of a row's last column: files, each with a text that it has."""
    cell = row[-1]
    found = re.findall(r"`([^`]+\.(?:c|rs|sh))`(?:: `([^`]+)`)?", cell)

    if not found:
        problem(f"docs/differences.md: {name} names no test")

    for file, text in found:
        text = text or name
        if not os.path.exists(path_of(file)):
            problem(f"docs/differences.md: {name}: there is no {file}")
        elif not re.search(r"(?<!\w)" + re.escape(text) + r"(?!\w)", read(file)):
            problem(f"docs/differences.md: {name}: {file} has nothing of \"{text}\"")


def differences():
    text = read("docs/differences.md")
    fixed, _, rest = text.partition("\n## Other differences\n")
    other, _, never = rest.partition("\n## Cannot occur\n")
    known = []

    for row in [*rows(fixed), *rows(never)]:
        if re.fullmatch(r"D\d+", row[0]):
            known.append(row[0])
            tests_of(row, row[0])

    for row in rows(other):
        if row[0]:
            tests_of(row, row[0])

    for number in range(1, 39):
        if known.count(f"D{number}") != 1:
            problem(f"docs/differences.md: D{number} has {known.count(f'D{number}')} rows")

    for name in tracked():
        if name.startswith(("docs/", "benches/mesh", "benches/execute")) or name.endswith(".lock"):
            continue
        try:
            source = read(name)
        except UnicodeDecodeError:
            continue
        for cited in set(re.findall(r"(?<![\w#$%\\.])(D[1-9]\d?|DEMAND\d+)(?!\w)", source)):
            if cited not in known and cited not in text:
                problem(f"{name} cites {cited}, which docs/differences.md does not explain")


def guarantees():
    for document in documents():
        if document == "docs/differences.md":
            continue
        head = None
        for number, line in split(document)[1]:
            cells = next(rows(line), None)
            if not line.startswith("|"):
                head = None
            elif cells and head is None:
                head = cells
            elif cells and re.match("Tests?($|:)", head[-1]):
                names_tests(f"{document}:{number}", head, cells[-1])


def names_tests(place, head, cell):
    """Problems of a row's last cell: `FILE`: `NAME`, `NAME`; `FILE`: ...  If the
    heading of the column names a file, it is that of the first names."""
    words = re.findall("`([^`]+)`", head[-1] + cell)
    file = None

    if head[0] == "Guarantee" and not cell:
        problem(f"{place}: the guarantee has no test")

    for word in words:
        if is_file_name(word):
            file = word
            if not glob.glob(path_of(file)):
                problem(f"{place}: there is no {file}")
        elif file is None or not os.path.isfile(path_of(file)):
            problem(f"{place}: no file for the test \"{word}\"")
        elif not re.search(r"(?<!\w)" + re.escape(word) + r"(?!\w)", read(file)):
            problem(f"{place}: {file} has nothing of \"{word}\"")


def tables():
    module = read("nginx/status/ngx_http_ipc_status_module.c")
    numbers = read("nginx/status/ngx_ipc_status.c")
    backends = read("src/shmem/backends").splitlines()
    commands = re.findall(r"^pub const (NGX_\w+)", read("src/channel/command.rs"), re.M)
    directives = re.findall(r'^    { ngx_string\("(\w+)"\),\n      NGX', module, re.M)
    metrics = re.findall(r'{ "[a-z_]+", "(ngx_ipc_[a-z_]+)",', numbers)
    metrics += [f"ngx_ipc_{name}"
                for file in ("numbers", "metrics", "metrics_messages")
                for name in re.findall(r'^ +(?:name: )?"([a-z_]+_[a-z]+|processes)",$',
                                       read(f"src/host/status/{file}.rs"), re.M)]

    for document, words in (
        ("docs/servers.md", commands),
        ("docs/servers.md", [line.split()[0] for line in backends]),
        ("docs/modules.md", directives),
        ("docs/modules.md", metrics),
    ):
        if not words:
            problem(f"nothing was found that {document} must have")
        for word in words:
            if not re.search(rf"\b{word}\b", read(document)):
                problem(f"{document} has no {word}")


def count(pattern, *names):
    """How often a pattern is in the files of some names, with "*" and "**"."""
    return sum(len(re.findall(pattern, open(file, encoding="utf-8").read(), re.M))
               for name in names for file in glob.glob(path_of(name), recursive=True))


def test_figures():
    everywhere = count(r"\bt_run\(", "c-tests/cases/**/*.c")
    standalone = count(r"\bt_run\(", "c-tests/cases/standalone/*.c")
    undefined = count(r'\bt_run\("X ', "c-tests/cases/*.c")
    counted = {
        "C test cases": everywhere,
        "C test cases on nginx's own objects": everywhere - standalone - undefined,
        "Rust tests of whole servers":
            count(r"^ *#\[test\]", "tests/nginx/**/*.rs", "tests/runtime/**/*.rs"),
        "Failing system calls":
            count(r"^ *row (?!\S+ - )", "c-tests/checks/inject.sh", "c-tests/checks/inject/*"),
    }

    for row in rows(read("README.md")):
        if row[0] in counted and row[1].endswith("+"):
            least, n = int(row[1][:-1]), counted.pop(row[0])
            if not least <= n <= least * 8 / 7:
                problem(f"README.md: \"{row[0]}\" is {n}, not {row[1]}")

    for name in counted:
        problem(f"README.md has no figure for \"{name}\"")


# Each operation in README.md, and the name of its row in benches/README.md.
OPERATIONS = {
    "write and read a message": "write and read a message",
    "write and read a message on a worker's channel": "write and read a message on a worker's channel",
    "write and read a message with a descriptor": "write and read a message with a descriptor",
    "start a process, until it is reaped": "spawn a process, read its message, reap it",
    "start 256 workers, until each knows the others": "connect 256 processes with each other",
    "execute a program from a 2 GiB master": "run /bin/true from a master of 2048 MiB",
    "first access to 256 MiB shared memory, huge pages": "map_anon: allocate and touch 256 MiB, huge pages",
    "reload an nginx with 64 workers": "reload nginx with 64 workers",
    "HTTP requests to an nginx": 'requests per second, "return 200"',
}


def figures():
    test_figures()

    # The columns are name, nginx, library, floor, and two columns of ratios
    # such as "**0.96** (0.95-0.97)".
    measured = {row[0]: (row[1], row[2], row[4][2:6])
                for row in rows(read("benches/README.md")) if len(row) == 6}
    shown = {row[0]: tuple(row[1:]) for row in rows(read("README.md")) if len(row) == 4}

    for operation, row in OPERATIONS.items():
        if shown.get(operation) != measured.get(row):
            problem(f"README.md: \"{operation}\" is {shown.get(operation)}, "
                    f"in benches/README.md {measured.get(row)}")

    shown = read("README.md").partition("\n## Contents\n")[0].count("\n") + 1
    if shown > 100:
        problem(f"README.md has {shown} lines before its contents: more than two screens")


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else ""

    if command == "blocks":
        write_blocks(sys.argv[2])
    elif command in ("links", "names", "differences", "guarantees", "tables", "figures"):
        globals()[command]()
    else:
        sys.exit(__doc__)

    for text in problems:
        print(text)
    sys.exit(1 if problems else 0)


main()
