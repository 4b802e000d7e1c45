# Functions that choose the backend of shared memory for a build of the
# library.  The scripts that build the library source this file.
#
# Each line of src/shmem/backends is "NAME FEATURE"; the best backend is first.
# A build uses the first backend whose feature the system has.  To choose
# another backend, a script sets the features of all backends before it to 0,
# as if the system did not have them.

top=$(cd "$(dirname "$0")/../.." && pwd)

# backends: prints the names of the backends, the best one last
backends()
{
    awk '{ print $1 }' "$top/src/shmem/backends" | tac
}

# features_before BACKEND: prints the features of the backends that are better
# than this one; fails if no backend has this name
features_before()
{
    awk -v name="$1" '$1 == name { found = 1; exit }
                      { print $2 }
                      END { exit !found }' "$top/src/shmem/backends"
}

# choose_backend BACKEND: sets the environment so that later builds use this
# backend
choose_backend()
{
    unwanted=$(features_before "$1") || return 1

    for feature in $(awk '{ print $2 }' "$top/src/shmem/backends"); do
        unset "$feature"
    done

    for feature in $unwanted; do
        export "$feature=0"
    done
}
