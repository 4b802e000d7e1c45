# cargo-tap.awk: makes TAP of what "cargo test" prints, with "exit code N" as
# the last line; exits with this code.
#
# The text of a failed test comes after all results of its program, so "not ok"
# is printed there.  The plan is the program's own count: if a result was not
# recognized, the two differ.

function result(name)
{
    sub(/^.*test /, "", name)
    sub(/ \.\.\. [A-Za-z]+.*$/, "", name)
    return ++n " - " name
}

/^exit code [0-9]+$/ { code = $3; next }

/test .* \.\.\. ok$/ { print "ok " result($0); next }

/test .* \.\.\. ignored(, .*)?$/ {
    why = /ignored, / ? $0 : "ignored"
    sub(/.* \.\.\. ignored, /, "", why)
    print "ok " result($0) " # SKIP " why
    next
}

/test .* \.\.\. FAILED$/ { waiting[$2] = 1; print "# " $0; next }

/^---- .* stdout ----$/ {
    delete waiting[$2]
    print "not ok " ++n " - " $2
    text = 1
    next
}

# The names once more, after the texts.
/^failures:$/ { text = 0; next }

# A test that has printed nothing has no text.
/^test result: / {
    for (name in waiting) print "not ok " ++n " - " name
    split("", waiting)
    print "1.." ($4 + $6 + $8)
    n = 0
    text = 0
    next
}

text { print "# " $0; next }

{ print }

END { exit code }
