#!/bin/sh

# parts.sh FILE [DIR]: prints a line for each part of a C file of nginx:
#
#   CHECKSUM SIZE NAME
#
# A part is a function, a declaration, or a line of the preprocessor outside of
# both.  Checksum and size are those of cksum(1), for the text without comments
# and white space.  The name of a function is "NAME()", that of another part its
# first line.  The script writes the text of each part to a file in DIR.
# nginx/config compares the lines with those of the file nginx/known.

set -eu

file=$1
dir=${2:-}

if [ -z "$dir" ]; then
    dir=$(mktemp -d)
    trap 'rm -rf "$dir"' EXIT
fi

awk -v dir="$dir" '
    function uncomment(line,    out, end) {
        out = ""

        while (line != "") {
            if (comment) {
                end = index(line, "*/")
                if (!end) return out
                line = substr(line, end + 2)
                comment = 0
            } else {
                end = index(line, "/*")
                if (!end) return out line
                out = out substr(line, 1, end - 1)
                line = substr(line, end + 2)
                comment = 1
            }
        }

        return out
    }

    function finish(    to) {
        to = sprintf("%s/%03d", dir, ++n)
        printf "%s", text > to
        close(to)
        print name > (dir "/names")
        text = name = ""
    }

    {
        line = uncomment($0)
        sub(/[ \t\r]+$/, "", line)
        if (line == "") next

        if (text == "") name = line
        if (!body && match(line, /^[A-Za-z_][A-Za-z_0-9]*\(/))
            name = substr(line, 1, RLENGTH) ")"

        directive = text == "" && line ~ /^#/ && line !~ /\\$/
        if (line ~ /^\{/ || line ~ /\{$/) body = 1

        closed = line ~ /^\}/
        if (closed) body = 0

        squeezed = line
        gsub(/[ \t]/, "", squeezed)
        text = text squeezed

        if (closed || directive || (!body && line ~ /;$/)) finish()
    }

    END { if (text != "") finish() }
' "$file"

touch "$dir/names"
(cd "$dir" && set -- [0-9]* && [ -f "$1" ] && cksum "$@") \
    | awk -v names="$dir/names" '{ getline name < names; print $1, $2, name }'
