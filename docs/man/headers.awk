# headers.awk: reads the headers in include/, for man.awk and reference.awk.
#
# The headers are the source of the reference: build.rs makes them of the
# comments in the Rust sources.  What is found is kept in these arrays:
#
#   header[h], title[h]     the headers, from 1 to headers, and what each is for
#   kind[i]                 of the item i, from 1 to items: "function",
#                           "macro", "type", "constant", "variable", or
#                           "remark": a comment that an empty line follows
#   of[i], name[i]          its header, its name
#   text[i], comment[i]     its declaration, and the comment before it
#
# A comment is kept as its paragraphs, with an empty line between two.  A
# function without a comment belongs to the one before: its comment is "".

function add(what, called, declaration)
{
    items++
    kind[items] = what
    of[items] = headers
    name[items] = called
    text[items] = declaration
    comment[items] = pending
    pending = ""
    if (what == "function") {
        is_function[called] = 1
    }
}

# The name of a function, or of a pointer to one.  A function can have a parameter
# that is a pointer to a function.
function name_in(declaration,    rest)
{
    rest = declaration
    if (rest ~ /^[^(]*\(\*[a-z_]+\)/) {
        sub(/^.*\(\*/, "", rest)
        sub(/\).*/, "", rest)
    } else {
        sub(/\(.*/, "", rest)
        gsub(/\n/, " ", rest)
        sub(/.*[ *]/, "", rest)
    }
    return rest
}

# A declaration that has ended with its ";".
function declared(declaration,    called)
{
    if (declaration ~ /^extern /) {
        called = declaration
        sub(/(\[.*)?;$/, "", called)
        sub(/.*[ *]/, "", called)
        add("variable", called, declaration)
    } else if (declaration ~ /^(typedef )?(struct|enum)[^\n]*\{/) {
        called = declaration
        if (declaration ~ /^typedef/) {
            sub(/;$/, "", called)
            sub(/.*\} */, "", called)
        } else {
            sub(/^[a-z]+ /, "", called)
            sub(/ .*/, "", called)
            sub(/_s$/, "_t", called)
        }
        add("type", called, declaration)
    } else if (declaration ~ /^typedef [^(]*;$/) {
        called = declaration
        sub(/;$/, "", called)
        sub(/.* /, "", called)
        add("type", called, declaration)
    } else if (declaration ~ /^typedef /) {
        add("type", name_in(declaration), declaration)
    } else {
        add("function", name_in(declaration), declaration)
    }
}

FNR == 1 {
    headers++
    header[headers] = FILENAME
    sub(/.*\//, "", header[headers])
    pending = started = declaration = macro = ""
    in_comment = 0
}

# comments, outside of declarations

declaration == "" && /^ ?\/\*.*\*\/$/ && !in_comment {
    pending = $0
    sub(/^ ?\/\* */, "", pending)
    sub(/ *\*\/$/, "", pending)
    next
}

declaration == "" && /^\/\*$/ {
    in_comment = 1
    pending = ""
    next
}

in_comment && /^ \*\/$/ {
    in_comment = 0
    sub(/\n+$/, "", pending)
    if (!started) {
        # the header's own comment: its first line says what it is for
        started = 1
        title[headers] = pending
        sub(/\n.*/, "", title[headers])
        sub(/^[^:]*: */, "", title[headers])
        sub(/\.$/, "", title[headers])
        pending = ""
    }
    next
}

in_comment {
    line = $0
    sub(/^ \* ?/, "", line)
    pending = pending == "" ? line : pending "\n" line
    next
}

# macros: only those that have a name for the user, and no function has it; other
# names of functions need a description

macro != "" {
    if ($0 !~ /\\$/) {
        macro = ""
    }
    next
}

declaration == "" && /^#define [A-Za-z]/ {
    called = $2
    sub(/\(.*/, "", called)
    value = $0
    sub(/^#define [A-Za-z_0-9]+ */, "", value)
    if ($0 ~ /\\$/) {
        macro = called
    }
    if ($2 !~ /\(/ && called ~ /^NGX_/ && value ~ /^[-0-9("]/) {
        add("constant", called, value)
    } else if ($2 ~ /\(/ && !(called in is_function)) {
        value = $0
        sub(/^#define /, "", value)
        sub(/\).*/, ")", value)
        add("macro", called, value)
    } else if ($2 !~ /\(/ && value ~ /^ngx_[a-z_.]+$/ && pending != "") {
        # another name of a function, or of a member that points to one
        add("macro", called, "#define " called "  " value)
    }
    pending = ""
    next
}

declaration == "" && /^$/ {
    if (pending != "") {
        add("remark", "", "")
    }
    next
}

declaration == "" && (/^#/ || /^extern "C"/ || /^}$/) {
    next
}

{
    declaration = declaration == "" ? $0 : declaration "\n" $0
    open = gsub(/\{/, "{", declaration) - gsub(/\}/, "}", declaration)
    if (open == 0 && declaration ~ /;$/) {
        declared(declaration)
        declaration = ""
    } else if (open == 0 && declaration ~ /^static .*\n}$/) {
        # an inline function, whose body is no part of the documents
        sub(/\n\{.*/, ";", declaration)
        add("function", name_in(declaration), declaration)
        declaration = ""
    }
}
