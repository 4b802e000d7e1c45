"""The program of "make mutations": makes the changes of c-tests/mutations, one after the
other, in a copy of the project, and checks that the test that the list names fails.

A test must pass without the change.  If a change cannot be made, because its lines are
not in the file exactly once, the list is out of date, and the program fails.

    ONLY=TEXT    only the changes whose names or files contain the text

With the argument "--check" the program only checks that each change can be made.

The copy is build/mutations/tree.
"""

import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
DIR = TOP / "build/mutations"
TREE = DIR / "tree"

# Commands for the kinds of tests.  $1 is the rest of the line "test:" up to the first
# space, $2 the rest after it.
COMMANDS = {
    "unit": 'cargo test --locked --quiet --profile mutants --lib -- "$1"',
    "messages": 'cargo test --locked --quiet --profile mutants --test messages -- "$1"',
    "slab": 'cargo test --locked --quiet --profile mutants --test slab -- "$1"',
    "rust_api": 'cargo test --locked --quiet --profile mutants --test rust_api -- "$1"',
    "case": """
        mutated_library "$lib"
        make -s -C c-tests "$out/ours/$1" "OUT=$out" "CFLAGS_IPC=-I$lib/include" \\
            "LIBS_IPC=-L$lib -lngx_ipc"
        LD_LIBRARY_PATH=$lib T_ONLY=$2 T_TIMEOUT=10 "$out/ours/$1"
        """,
    "inject": """
        mutated_library "$lib"
        LD_LIBRARY_PATH=$lib T_ONLY=$1${2:+ $2} sh c-tests/checks/inject.sh "$lib" map_anon
        """,
    "check": """
        make -s lib B=build/map_anon
        sh "c-tests/checks/$1.sh" $2
        """,
    "runtime": """
        mutated_library "$lib"
        rm -rf "$dir/server"
        link_server_library "$mutated_target/libngx_ipc.a" "$dir"
        T_LIBRARY=$dir/server cargo test --locked --quiet --profile mutants \\
            --test runtime -- "$1"
        """,
    "nginx": 'cargo test --locked --quiet --test nginx -- "$1"',
}

# Prepares a command.  The functions of mutated.sh build the library and keep a test that
# sends signals to all processes apart.
SCRIPT = """
set -eu
. c-tests/run/mutated.sh
contain {name} "$@"
dir={dir}
lib=$dir/lib
out=$dir/programs
"""


class Mutation:
    """One block of the list."""

    def __init__(self, block):
        self.old, self.new, fields = [], [], {}

        for line in block:
            if line[0] in "-+":
                (self.old if line[0] == "-" else self.new).append(line[1:].strip())
            else:
                key, _, value = line.partition(":")
                fields[key] = value.strip()

        self.name = fields["name"]
        self.file = fields["file"]
        self.test = fields["test"]

    def apply(self, top):
        """Makes the change in the project in the directory top.  Replaces the lines, and
        keeps the indentation of the first of them.  Returns None, or the reason why the
        change cannot be made."""
        wrong, text = self.changed(top)

        if text:
            (top / self.file).write_text(text)
        return wrong

    def changed(self, top):
        """Returns None and the text of the changed file, or the reason why the change
        cannot be made and None."""
        path = top / self.file
        lines = path.read_text().splitlines()
        stripped = [line.strip() for line in lines]
        size = len(self.old)
        places = [i for i in range(len(lines)) if stripped[i:i + size] == self.old]

        if len(places) != 1:
            return f"its lines are {len(places)} times in {self.file}", None

        first = places[0]
        indent = lines[first][:len(lines[first]) - len(stripped[first])]
        lines[first:first + size] = [indent + line for line in self.new]
        return None, "\n".join(lines) + "\n"


def read_list():
    blocks, block = [], []

    for line in (TOP / "c-tests/mutations").read_text().splitlines() + [""]:
        if line.startswith("#"):
            continue
        if line.strip():
            block.append(line)
        elif block:
            blocks.append(Mutation(block))
            block = []

    only = os.environ.get("ONLY", "")
    return [m for m in blocks if only in m.name or only in m.file]


def copy_project():
    script = '. "$0/c-tests/run/mutated.sh"; copy_project "$0" "$1"'
    subprocess.run(["sh", "-euc", script, TOP, TREE], check=True)


def run(test):
    """Runs the test in the copy; returns whether it passes, and its output."""
    kind, _, rest = test.partition(" ")
    first, _, second = rest.partition(" ")
    name = DIR / "test.sh"
    name.write_text(SCRIPT.format(name=name, dir=DIR) + COMMANDS[kind])

    done = subprocess.run(
        ["sh", name, first, second], cwd=TREE, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | {"CARGO_INCREMENTAL": "1"}, errors="replace")

    return done.returncode == 0, done.stdout


def builds():
    """Returns whether the changed copy can be built.  If it cannot, the test would fail
    for another reason than the mistake."""
    done = subprocess.run(
        ["cargo", "build", "--locked", "--quiet", "--profile", "mutants", "--lib"],
        cwd=TREE, env=os.environ | {"CARGO_INCREMENTAL": "1"}, capture_output=True)

    return done.returncode == 0


def check(mutation):
    """Returns None if the test fails with the mutation, else the reason why the
    mutation is not noticed."""
    copy_project()
    wrong = mutation.apply(TREE)

    if wrong:
        return wrong
    if mutation.file.endswith(".rs") and not builds():
        return "it cannot be built"
    if run(mutation.test)[0]:
        return f"the test passes: {mutation.test}"
    return None


def check_list(mutations):
    """Exits with 1 if a change of the list cannot be made in the project."""
    wrong = [(m.name, m.changed(TOP)[0]) for m in mutations]

    for name, reason in wrong:
        if reason:
            print(f"c-tests/mutations: {name}: {reason}", file=sys.stderr)

    sys.exit(any(reason for _, reason in wrong))


def main():
    mutations = read_list()
    failed = 0

    if sys.argv[1:] == ["--check"]:
        check_list(mutations)

    DIR.mkdir(parents=True, exist_ok=True)
    copy_project()

    for test in sorted({mutation.test for mutation in mutations}):
        passes, output = run(test)
        if not passes:
            print(output[-4000:])
            sys.exit(f"without a change, the test fails: {test}")

    print(f"1..{len(mutations)}")

    for number, mutation in enumerate(mutations, 1):
        wrong = check(mutation)
        failed += wrong is not None
        print(f"{'not ok' if wrong else 'ok'} {number} - {mutation.name}", flush=True)
        if wrong:
            print(f"# {wrong}", flush=True)

    sys.exit(failed > 0)


main()
