# tap.awk: counts the results in the output of a suite, which is TAP with other
# text in it.
#
# Prints the numbers "PASSED FAILED SKIPPED".  Appends the failed tests, with
# the comments that follow each result, to the file "failures", and a line for
# each skipped test to the file "reasons".
#
# A suite has failed in these cases: a test has failed; the output has no
# results; the plan does not have the number of the results; the exit code is
# an error, and no failed test explains it.

# Prints before a failure the name of the test program, see programs.sh.
function show_program()
{
    if (program != "") print program > failures
    program = ""
}

function fail(text)
{
    failed++
    show_program()
    print "not ok - " text > failures
}

# The results before a plan are those that it counts.
function check_plan(planned)
{
    if (planned != numbered) {
        fail("planned were " planned " results, printed were " numbered)
    }

    numbered = 0
}

function starts_again()
{
    return numbered > 0 && /^(not )?ok 1( |$)/
}

{ last[NR % 20] = $0 }

/^# program / { program = $0; explained = 0; next }

/^exit code [0-9]+$/ { code = $3; next }

/^1\.\.[0-9]+$/ {
    check_plan(substr($0, 4) + 0)
    explained = 0
    next
}

starts_again() {
    fail("a program has ended after " numbered " results, without a plan")
    numbered = 0
}

/^ok .*# SKIP/ {
    skipped++
    numbered++
    sub(/.*# SKIP */, "")
    print > reasons
    explained = 0
    next
}

/^ok / { passed++; numbered++; explained = 0; next }

/^not ok / {
    failed++
    show_program()
    if ($3 ~ /^[0-9]+$/) numbered++
    print > failures
    explained = 1
    next
}

explained && /^#/ {
    if (explained++ <= 40) print > failures
    next
}

{ explained = 0 }

END {
    if (numbered > 0) {
        fail("the last program has ended after " numbered " results, without a plan")
    }

    if (passed + failed + skipped == 0 && code == 0) {
        fail("no test has run")
    }

    if (code != 0 && (failed == 0 || passed + skipped == 0)) {
        fail("exit code " code ", the last lines are")
        for (i = NR - 19; i <= NR; i++) {
            if (i > 0) print "# " last[i % 20] > failures
        }
    }

    print passed + 0, failed + 0, skipped + 0
}
