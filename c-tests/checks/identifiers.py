#!/usr/bin/env python3
"""identifiers.py NGINX INCLUDE: compares the names that nginx's headers declare with
those of the library.

NGINX is a directory with the sources of nginx, INCLUDE one with the headers of the
library.  Prints docs/identifiers.md.  identifiers.list, beside this script, says why a
name is absent.  A name is absent without a reason, or a reason is for no name: the
script says so and fails.
"""

import fnmatch
import os
import re
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
REASONS = os.path.join(HERE, "identifiers.list")
DIRECTORIES = ("core", "event", "os/unix")

# Headers of nginx for other systems and processors.
ELSEWHERE = re.compile(r"ngx_(darwin|freebsd|solaris|posix_config|gcc_atomic|sunpro)")

# What a declaration may contain that is no name.
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
CONTINUED = re.compile(r"\\\n")
DEFINE = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.M)
DIRECTIVE = re.compile(r"^[ \t]*#.*$", re.M)
LINKAGE = re.compile(r'extern\s*""\s*\{')

NAME_OF_POINTER = re.compile(r"\(\s*\*\s*(?:const\s+)?(\w+)\s*(?:\[[^\]]*\]\s*)*\)\s*\(")
NAME_OF_FUNCTION = re.compile(r"(\w+)\s*\(")
LAST_NAME = re.compile(r"(\w+)\s*(?:\[[^\]]*\]\s*)*(?::\s*\w+\s*)?$")

WORDS = {"if", "while", "for", "switch", "return", "sizeof", "defined"}


class Header:
    """The names that a header declares, and the fields of its structures."""

    def __init__(self):
        self.names = []
        self.fields = {}

    def add(self, name):
        if name not in self.names and name not in WORDS:
            self.names.append(name)


def without_bodies(text):
    """Splits text into declarations: pairs of their text, and that in their braces."""
    depth, start, opened, body, found = 0, 0, 0, "", []

    for i, c in enumerate(text):
        if c == "{":
            depth += 1
            if depth == 1:
                opened = i
        elif c == "}":
            depth -= 1
            if depth == 0:
                body = text[opened + 1:i]
                head = text[start:opened]
                if is_function(head):
                    found.append((head.strip(), ""))
                    start, body = i + 1, ""
                else:
                    text = text[:opened] + " " * (i - opened) + "}" + text[i + 1:]
        elif c == ";" and depth == 0:
            found.append((text[start:i].strip(), body))
            start, body = i + 1, ""

    return found


def is_function(head):
    return head.rstrip().endswith(")")


def declared(text):
    """The name that a declaration without its body declares, or None."""
    pointer = NAME_OF_POINTER.search(text)
    if pointer:
        return pointer.group(1)

    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", text)
    if not text.startswith("typedef"):
        function = NAME_OF_FUNCTION.search(text)
        if function and "=" not in text[:function.start()]:
            return function.group(1)

    last = LAST_NAME.search(text)
    return last.group(1) if last else None


def field_names(body):
    """The fields that the body of a structure declares, without those of inner ones."""
    return [name for name in (declared(text) for text, _ in without_bodies(body)) if name]


def enumerators(body):
    return re.findall(r"(?:^|,)\s*(\w+)", body)


def type_of(tag):
    """The name of the type whose structure has the tag, by nginx's rule."""
    return re.sub(r"_s$", "_t", tag)


def add_declaration(header, text, body):
    if re.match(r"(typedef\s+)?enum\b", text):
        for name in enumerators(body):
            header.add(name)

    if text.startswith("typedef"):
        header.add(declared(text))
        name = declared(text)
    else:
        tag = re.match(r"(?:struct|union)\s+(\w+)\s*\}?$", text)
        if not tag:
            if declared(text) and not re.match(r"(struct|union|enum)\s+\w+$", text):
                header.add(declared(text))
            return
        if not body:
            return
        name = type_of(tag.group(1))
        header.add(name)

    if body and not re.match(r"(typedef\s+)?enum\b", text):
        header.fields.setdefault(name, field_names(body))


def parse(path):
    """Reads a header."""
    header = Header()

    with open(path, encoding="utf-8") as file:
        text = STRING.sub('""', COMMENT.sub(" ", file.read()))

    text = CONTINUED.sub(" ", text)

    for name in DEFINE.findall(text):
        if not re.fullmatch(r"_\w+_H?_?INCLUDED_", name) and not name.startswith("_"):
            header.add(name)

    text = LINKAGE.sub("", DIRECTIVE.sub("", text))
    for declaration, body in without_bodies(text):
        add_declaration(header, re.sub(r"\s+", " ", declaration), body)

    return header


def headers_of(directories):
    """The headers in directories, by name."""
    return {
        name: parse(os.path.join(directory, name))
        for directory in directories
        for name in sorted(os.listdir(directory))
        if name.endswith(".h") and not ELSEWHERE.match(name)
    }


class Reasons:
    """The reasons of identifiers.list: a sentence, then lines with a header and the
    patterns of its names that are absent for this reason."""

    def __init__(self):
        self.rows = []
        reason = ""

        with open(REASONS, encoding="utf-8") as file:
            for line in file:
                if not line.strip() or line.startswith("#"):
                    continue
                if line[0] != " ":
                    reason = line.strip()
                    continue
                header, patterns = line.split(":", 1)
                for pattern in patterns.split():
                    self.rows.append([header.strip(), pattern, reason, False])

    def of(self, header, name):
        for row in self.rows:
            if fnmatch.fnmatchcase(header, row[0]) and fnmatch.fnmatchcase(name, row[1]):
                row[3] = True
                return row[2]
        return None

    def unused(self):
        return [f"{row[0]}: {row[1]}" for row in self.rows if not row[3]]


def compare(header, ours, names, fields):
    """The names of a header of nginx that the library has, and those that it has not."""
    present = [name for name in header.names if name in names]
    absent = [name for name in header.names if name not in names]

    for structure, members in header.fields.items():
        if structure in names and structure in fields:
            absent += [f"{structure}.{field}" for field in members
                       if field not in fields[structure]]

    return present, absent


def by_reason(name, absent, reasons, unexplained):
    """Groups absent names by their reasons."""
    groups = {}

    for identifier in absent:
        reason = reasons.of(name, identifier)
        if reason is None:
            unexplained.append(f"{name}: {identifier}")
        else:
            groups.setdefault(reason, []).append(identifier)

    return groups


def code(names):
    return " ".join(f"`{name}`" for name in names)


def section(name, present, groups):
    """The part of the document about a header."""
    lines = [f"## {name}", ""]

    if present:
        lines += ["Present:", code(present) + ".", ""]

    if groups:
        lines += ["| Absent | Why |", "| --- | --- |"]
        lines += [f"| {code(names)} | {reason} |" for reason, names in groups.items()]
        lines += [""]

    return lines


HEAD = """\
# nginx's identifiers

For authors of programs and of nginx modules: which names of nginx's headers the headers
of the library have without nginx, and why the others are absent.

This page is made from nginx 1.28.3 and the headers in `include/`, with the reasons in
`c-tests/checks/identifiers.list`: do not edit it, run `make identifiers`.

The page has the headers in `src/core/`, `src/event/` and `src/os/unix/` of nginx, without
those for other systems and processors. A name
is a function, a variable, a macro, a type or an enumerator. `TYPE.FIELD` is a field that
nginx's structure has and that of the library has not. With the headers of nginx itself, on
which the add-on builds, no name is absent.

## Sources that compile

These files compile with the headers of the library as they are, and a test passes
messages between four workers with their functions. What they need of HTTP or RTMP is not
in the library: the test declares it.

| Module | File | How its workers pass messages |
| --- | --- | --- |
| nchan | `ipc.c` | structures in pipes, one for each slot |
| push-stream | `ngx_http_push_stream_module_ipc.c` | commands on channels of its own, and queues in shared memory |
| rtmp | `ngx_rtmp_auto_push_module.c` | a Unix socket for each slot |
| rtmp | `ngx_rtmp_exec_module.c` | programs that the workers start; `exec_push` needs a connection that is not one of `ngx_get_connection()`, and does not work |
| lua-nginx-module | `ngx_http_lua_worker.c` | the process table |

nginx's own `ngx_process_cycle.c` needs these names that are absent, or that have another
type:

| Name | Why |
| --- | --- |
| `pid.data` `working_directory.len` `working_directory.data` | In `ngx_core_conf_t` of the library these fields are C strings. |
| `transparent` | The field is for proxies, which bind to the address of a client. |
| `ngx_exec_new_binary` `ngx_delete_pidfile` `ngx_set_shutdown_timer` `ngx_close_idle_connections` `ngx_get_cpu_affinity` `ngx_use_accept_mutex` | `ngx_ipc_main()` does this itself. |
"""


def document(nginx, include):
    """Prints the document; returns what is wrong with the reasons."""
    theirs = headers_of([os.path.join(nginx, "src", d) for d in DIRECTORIES])
    ours = headers_of([include])
    names = {name for header in ours.values() for name in header.names}
    fields = {}
    for header in ours.values():
        fields.update(header.fields)

    reasons, unexplained, sections, without, rows = Reasons(), [], [], {}, []

    for name in sorted(theirs):
        present, absent = compare(theirs[name], ours.get(name), names, fields)
        groups = by_reason(name, absent, reasons, unexplained)

        if not present and len(groups) == 1:
            without.setdefault(next(iter(groups)), []).append(name)
        elif present or absent:
            rows.append(f"| [{name}](#{name.replace('.', '')}) | {len(present)} | {len(absent)} |")
            sections += section(name, present, groups)

    print(HEAD)
    print("\n".join(["## Headers", "", "| Header | Present | Absent |", "| --- | ---: | ---: |"] + rows + [""]))
    print("\n".join(["The library has none of the names of these headers:", "",
                     "| Headers | Why |", "| --- | --- |"]
                    + [f"| {code(n)} | {reason} |" for reason, n in without.items()] + [""]))
    print("\n".join(sections).rstrip())

    return ([f"no reason for {name}" for name in unexplained]
            + [f"a reason for no name: {row}" for row in reasons.unused()])


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)

    problems = document(sys.argv[1], sys.argv[2])
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
