# Sourced by the scripts that build with a given backend of shared memory.
#
# src/shmem/backends lists the backends, the best one first: "NAME FEATURE".
# A build takes the first whose feature the system has, so a backend is chosen
# by taking away the features of those before it.

top=$(cd "$(dirname "$0")/../.." && pwd)

# backends: the names, the best one last
backends()
{
    awk '{ print $1 }' "$top/src/shmem/backends" | tac
}

# features_before BACKEND: fails if there is no such backend
features_before()
{
    awk -v name="$1" '$1 == name { found = 1; exit }
                      { print $2 }
                      END { exit !found }' "$top/src/shmem/backends"
}

# choose_backend BACKEND: for the builds that follow
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
