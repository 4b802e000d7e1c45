# reference.awk: prints docs/reference.md.
#
#   awk -f headers.awk -f reference.awk include/ngx_*.h

# The first sentence of a comment, as a cell of a table.
function brief(s)
{
    sub(/\n\n.*/, "", s)
    gsub(/\n/, " ", s)
    if (match(s, /[.] /)) {
        s = substr(s, 1, RSTART)
    }
    gsub(/\|/, "\\|", s)
    gsub(/</, "\\&lt;", s)
    return s
}

END {
    print "# Reference\n"
    print "Every function, and every macro that has a description, by header, with the first"
    print "sentence of its description. The headers in `include/` and the man pages have the"
    print "rest: parameters, return values, errors and what the caller must ensure."
    print "`man ngx_ipc` is the overview; each header has a page, such as `man ngx_channel`, and"
    print "each function leads to it: `man ngx_write_channel`.\n"
    print "This page is made from the headers, by `make reference`.\n"

    for (h = 1; h <= headers; h++) {
        any = 0
        for (i = 1; i <= items; i++) {
            if (of[i] != h || kind[i] !~ /function|macro/ || comment[i] == "") {
                continue
            }
            if (!any++) {
                printf "## %s\n\n%s.\n\n", header[h], toupper(substr(title[h], 1, 1)) substr(title[h], 2)
                print "| Function | |\n| --- | --- |"
            }
            printf "| `%s()` | %s |\n", name[i], brief(comment[i])
        }
        if (any) {
            print ""
        }
    }
}
