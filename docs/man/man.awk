# man.awk: writes the manual pages of section 3 into the directory "out".
#
#   awk -f headers.awk -f man.awk -v out=DIR -v version=VERSION \
#       -v date=YYYY-MM-DD -v overview=ngx_ipc.3.in include/ngx_*.h
#
# One page for each header, a link to it for each function, and ngx_ipc.3,
# which is the overview with the list of all functions in place of the line
# @FUNCTIONS@.  The page of ngx_ipc.h has that name.

# Text as troff wants it.
function escape(s)
{
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    sub(/ +$/, "", s)
    return s
}

# A line of text must not look like a request.
function line_of(s)
{
    s = escape(s)
    return s ~ /^[.']/ ? "\\&" s : s
}

function page(i)
{
    return header[i] == "ngx_ipc.h" ? header[i] : substr(header[i], 1, length(header[i]) - 2)
}

# A function, or a macro with a description.  Macros such as
# ngx_ipc_message_register() are what programs call, so "man" must find them.
function has_entry(i)
{
    return kind[i] == "function" || kind[i] == "macro" && comment[i] != ""
}

function begin(file, called)
{
    printf ".TH %s 3 %s \"ngx-ipc %s\" \"ngx-ipc\"\n", toupper(called), date, version > file
    print ".nh\n.ad l" > file
}

# Lines as they are.  No paragraph begins them behind a heading.
function verbatim(file, s, font, heading,    lines, n, k)
{
    print heading ? ".nf" : ".PP\n.nf" > file
    n = split(s, lines, "\n")
    for (k = 1; k <= n; k++) {
        print (k == 1 ? font : "") line_of(lines[k]) (k == n && font ? "\\fR" : "") > file
    }
    print ".fi" > file
}

# Paragraphs, with lists whose items begin with "- ".
function prose(file, s, macro,    lines, n, k, after)
{
    n = split(s, lines, "\n")
    after = macro
    for (k = 1; k <= n; k++) {
        if (lines[k] == "") {
            after = ".PP"
        } else if (lines[k] ~ /^- /) {
            print ".IP \\(bu 2" > file
            print line_of(substr(lines[k], 3)) > file
            after = ""
        } else {
            if (after != "") {
                print after > file
            }
            sub(/^ +/, "", lines[k])
            print line_of(lines[k]) > file
            after = ""
        }
    }
}

function section(file, heading, s)
{
    if (s != "") {
        printf ".TP\n.B %s\n", heading > file
        prose(file, s, "")
    }
}

# Divides a comment: description, returns, errors, safety, references.
function divide(s,    paragraphs, n, k, p, at)
{
    description = returns = errors = safety = references = ""
    n = split(s, paragraphs, "\n\n")
    for (k = 1; k <= n; k++) {
        p = paragraphs[k]
        if (p ~ /^Safety: /) {
            safety = substr(p, 9)
        } else if (p ~ /^References: /) {
            references = substr(p, 13)
        } else if (p ~ /^Errors: /) {
            errors = substr(p, 9)
        } else if (match(p, /(^|[.)][ \n])Returns[: \n]/)) {
            at = RSTART + (RSTART == 1 && p ~ /^Returns/ ? 0 : 2)
            if (at > 1) {
                description = description "\n\n" substr(p, 1, at - 1)
            }
            returns = returns "\n\n" substr(p, at)
        } else if (returns != "" && p ~ /^- /) {
            returns = returns "\n" p
        } else {
            description = description "\n\n" p
        }
    }
    sub(/^\n+/, "", description)
    sub(/^\n+/, "", returns)
}

# Notes the pages of the manual that a text refers to.
function note_references(s, seen)
{
    while (match(s, /[a-z_0-9]+\([1-8]\)/)) {
        seen[substr(s, RSTART, RLENGTH)] = 1
        s = substr(s, RSTART + RLENGTH)
    }
}

function one_function(file, i, first)
{
    if (comment[i] != "") {
        printf ".SS %s()\n", name[i] > file
    }
    verbatim(file, text[i], "\\fB", first || comment[i] != "")
    if (comment[i] == "") {
        return
    }
    divide(comment[i])
    prose(file, description, ".PP")
    section(file, "Return value", returns)
    section(file, "Errors", errors)
    section(file, "The caller ensures", safety)
    section(file, "See also", references)
}

function all_of(file, h, what, heading,    i, any, first)
{
    for (i = 1; i <= items; i++) {
        if (of[i] != h || kind[i] != what) {
            continue
        }
        first = !any++
        if (first) {
            printf ".SS %s\n", heading > file
        }
        if (what == "constant") {
            printf ".TP\n.B %s\n", escape(name[i]) > file
            print comment[i] == "" ? line_of(text[i]) : line_of(text[i]) ".\n" line_of(comment[i]) > file
        } else {
            if (comment[i] != "") {
                prose(file, comment[i], first ? "" : ".PP")
                first = 0
            }
            verbatim(file, text[i], "", first)
        }
    }
}

function see_also(file, h,    i, seen, called, list)
{
    for (i = 1; i <= items; i++) {
        if (of[i] == h) {
            note_references(comment[i], seen)
        }
    }
    print ".SH SEE ALSO" > file
    list = ".BR ngx_ipc (3)"
    # in the order of the system's sections
    for (i = 1; i <= 8; i++) {
        for (called in seen) {
            if (called ~ "\\(" i "\\)$") {
                names[++n_names] = called
            }
        }
        sort_names()
        for (k = 1; k <= n_names; k++) {
            called = names[k]
            sub(/\(/, " (", called)
            list = list ",\n.BR " called
        }
        n_names = 0
    }
    gsub(/,\n/, " ,\n", list)
    print list > file
}

function sort_names(    a, b, swap)
{
    for (a = 2; a <= n_names; a++) {
        for (b = a; b > 1 && names[b - 1] > names[b]; b--) {
            swap = names[b]; names[b] = names[b - 1]; names[b - 1] = swap
        }
    }
}

function header_page(h,    file, i, list)
{
    file = out "/" page(h) ".3"
    begin(file, page(h))

    list = page(h)
    for (i = 1; i <= items; i++) {
        if (of[i] == h && has_entry(i)) {
            list = list ",\n" name[i]
            if (name[i] == page(h)) {
                continue
            }
            system("ln -sf '" page(h) ".3' '" out "/" name[i] ".3'")
        }
    }
    printf ".SH NAME\n%s \\- %s\n", list, escape(title[h]) > file

    print ".SH SYNOPSIS\n.nf" > file
    printf "\\fB#include <%s>\\fR\n", header[h] > file
    for (i = 1; i <= items; i++) {
        if (of[i] == h && kind[i] ~ /function|macro/) {
            print "" > file
            printf "\\fB%s\\fR\n", escape(text[i]) > file
        }
    }
    print ".fi\n.SH DESCRIPTION" > file
    printf "Link with \\fI\\-lngx_ipc\\fR.\n" > file

    for (i = 1; i <= items; i++) {
        if (of[i] == h && kind[i] == "remark") {
            verbatim(file, comment[i], "", 0)
        }
    }
    all_of(file, h, "type", "Types")
    all_of(file, h, "constant", "Constants")
    all_of(file, h, "variable", "Variables")

    for (i = 1; i <= items; i++) {
        if (of[i] == h && has_entry(i)) {
            if (!any[h]++) {
                print ".SH FUNCTIONS" > file
            }
            one_function(file, i, any[h] == 1)
        }
    }
    see_also(file, h)
    close(file)
}

# The first sentence of a comment.
function brief(s)
{
    sub(/\n\n.*/, "", s)
    gsub(/\n/, " ", s)
    if (match(s, /[.] /)) {
        s = substr(s, 1, RSTART)
    }
    return s
}

function overview_page(    file, line, h, i)
{
    file = out "/ngx_ipc.3"
    begin(file, "ngx_ipc")
    while ((getline line < overview) > 0) {
        if (line != "@FUNCTIONS@") {
            print line > file
            continue
        }
        for (h = 1; h <= headers; h++) {
            printf ".SS %s: %s\nSee\n.BR %s (3).\n", header[h], escape(title[h]), page(h) > file
            for (i = 1; i <= items; i++) {
                if (of[i] == h && has_entry(i) && comment[i] != "") {
                    printf ".TP\n.BR %s ()\n%s\n", name[i], line_of(brief(comment[i])) > file
                }
            }
        }
    }
    close(file)
}

END {
    for (h = 1; h <= headers; h++) {
        header_page(h)
    }
    overview_page()
}
