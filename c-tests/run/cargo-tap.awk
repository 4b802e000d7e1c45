# cargo-tap.awk: converts the output of "cargo test" to TAP.  The last line of
# the input is "exit code N"; the program exits with N.
#
# cargo prints why a test failed after the results of all tests, so "not ok" is
# printed with that text.  The plan of TAP is the count that cargo prints.  If
# this program has not recognized a result, the number of results differs from
# the plan, and the suite fails.

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

# After the texts cargo prints the names of the failed tests once more.
/^failures:$/ { text = 0; next }

# cargo prints no text for a failed test that has printed nothing.
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
