#!/usr/bin/env python3
"""sizes.py LIBRARY DOCUMENT [--write]: what each part of the library costs in LIBRARY,
a libngx_ipc.so.1 with its symbols.

The sizes are those of functions and constants, in KB of 1000 bytes. The script fails if
a size in the document's table differs by more than a quarter and 3 KB. With --write it
writes the table.
"""

import re
import subprocess
import sys

# The first pattern that a symbol matches decides.
PARTS = (
    ("processes: spawn, execute, signals, reap", 
     r"7ngx_ipc(7process|13process_cycle|5table)|^ngx_(spawn|execute|init_sig|signal|reap|start)"),
    ("channels", r"7ngx_ipc7channel|^ngx_\w+_channel"),
    ("shared memory by `ngx_shm_alloc()`", r"7ngx_ipc5shmem|^ngx_shm_"),
    ("messages", r"7ngx_ipc(7message|9messaging|4host8messages)|^ngx_ipc_message"),
    ("status page, list of processes", r"7ngx_ipc4host(6status|10introspect)|^ngx_ipc_(print|next)"),
    ("log: file, stderr, syslog, JSON", 
     r"7ngx_ipc(3log|4host10standalone(3log|[0-9]+log_))|^ngx_(ipc_)?log"),
    ("master, workers, reload, upgrade, event loop", r"7ngx_ipc4host"),
    ("system calls", r"7ngx_ipc3sys"),
    ("exported functions in Rust, and shared parts", r"7ngx_ipc|^ngx_ipc_"),
    ("functions in C: strings, data, log texts", r"^ngx_"),
    ("Rust's standard library", r""),
)
ROW = "| {} | {} |"
BEGIN = "| Part | KB |\n| --- | ---: |\n"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def measure(library):
    """The sizes of the parts, and of the whole stripped file."""
    sizes = dict.fromkeys((name for name, _ in PARTS), 0)

    for line in output("nm", "-S", "--defined-only", library).splitlines():
        fields = line.split()
        if len(fields) != 4 or fields[2] in "bB":
            continue
        part = next(name for name, pattern in PARTS if re.search(pattern, fields[3]))
        sizes[part] += int(fields[1], 16)

    stripped = library + ".stripped"
    output("strip", "-o", stripped, library)
    with open(stripped, "rb") as file:
        whole = len(file.read())
    output("rm", stripped)

    sizes["tables for the dynamic linker and for debuggers, constants without a name"] = \
        whole - sum(sizes.values())
    sizes["the stripped file"] = whole
    return {name: round(size / 1000) for name, size in sizes.items()}


def main():
    library, document = sys.argv[1:3]
    sizes = measure(library)
    table = BEGIN + "".join(ROW.format(*row) + "\n" for row in sizes.items())

    with open(document, encoding="utf-8") as file:
        text = file.read()
    before, begin, rest = text.partition(BEGIN)
    old, _, after = rest.partition("\n\n")

    if sys.argv[3:] == ["--write"]:
        with open(document, "w", encoding="utf-8") as file:
            file.write(before + table + "\n" + after)
        return 0

    shown = dict(re.findall(r"^\| (.*) \| (\d+) \|$", old, re.M))
    wrong = [name for name, size in sizes.items()
             if abs(int(shown.get(name, -100)) - size) > size / 4 + 3]
    for name in wrong:
        print(f"{name}: {sizes[name]} KB, {document} says {shown.get(name, 'nothing')}")
    return bool(wrong or not begin or len(shown) != len(sizes))


if __name__ == "__main__":
    sys.exit(main())
