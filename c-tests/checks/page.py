#!/usr/bin/env python3
"""page.py [--write]: nginx/status/ngx_ipc_status_page.c is the page nginx/status/page.html
with page.css and page.js in it, and its Content-Security-Policy.  The policy permits the style and
the script of the page by their checksums, and nothing else but requests to the same server.
--write makes the file."""

import base64
import hashlib
import os
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
STATUS = os.path.join(TOP, "nginx/status")
SOURCE = os.path.join(STATUS, "ngx_ipc_status_page.c")

HEAD = """
/*
 * The page of ipc_status for people.  c-tests/checks/page.py has made this file from
 * page.html, page.css and page.js: change these, and run "make page".  This file is
 * long because it contains the page.
 */


#include "ngx_ipc_status.h"


"""


def read(name):
    with open(os.path.join(STATUS, name), encoding="utf-8") as file:
        return file.read()


def put(page, tag, text):
    """Puts the text into the empty element with this tag.  Returns the page, and the source
    expression of the text."""
    empty = f"<{tag}></{tag}>"
    if page.count(f"<{tag}") != 1 or page.count(empty) != 1 or f"</{tag}" in text:
        sys.exit(f"page.html must have one element {empty}, and its text no end of it")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return page.replace(empty, f"<{tag}>{text}</{tag}>"), f"'sha256-{digest}'"


def literal(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    text = text.replace("??", "?\\?")  # no trigraph
    # Other bytes than ASCII in octal, which has three digits at most.
    return '"' + "".join(c if c.isascii() else "".join(f"\\{b:03o}" for b in c.encode())
                         for c in text) + '"'


def source():
    page, style = put(read("page.html"), "style", read("page.css"))
    page, script = put(page, "script", read("page.js"))
    policy = ["default-src 'none'", "script-src " + script, "style-src " + style, "connect-src 'self'",
              "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
              "require-trusted-types-for 'script'", "trusted-types 'none'"]
    lines = [literal(part + ("; " if part is not policy[-1] else "")) for part in policy]
    text = HEAD + "const ngx_str_t  ngx_ipc_status_policy = ngx_string(\n    "
    text += "\n    ".join(lines) + "\n);\n\n\n"
    text += "const ngx_str_t  ngx_ipc_status_page = ngx_string(\n"
    text += "".join(literal(line) + "\n" for line in page.splitlines(keepends=True))
    return text + ");\n"


def main():
    wanted = source()

    if "--write" in sys.argv[1:]:
        with open(SOURCE, "w", encoding="utf-8") as file:
            file.write(wanted)
        return 0

    if read(os.path.basename(SOURCE)) == wanted:
        return 0

    print('ngx_ipc_status_page.c is not that of page.html, run "make page"')
    return 1


sys.exit(main())
