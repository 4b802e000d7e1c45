
# loaded.sh: adds the library to the module of nginx/messages/config, for an nginx that is
# not on the library.  Stops configure if the module cannot be loaded there.
#
# messages/config has set ngx_ipc_nginx, the directory of this file, and the lists
# ngx_ipc_http_*.

# shellcheck disable=SC2034,SC2154

ngx_ipc_addon_dir=$ngx_addon_dir
ngx_addon_dir=$ngx_ipc_nginx

. "$ngx_addon_dir/fail.sh"

if [ "$ngx_module_link" != DYNAMIC ]; then
    ngx_ipc_fail "without --add-module=$ngx_ipc_nginx, this module is a dynamic module:
use --add-dynamic-module=$ngx_ipc_addon_dir."
fi

if ! grep 'ngx_parent;' src/os/unix/ngx_process.h > /dev/null; then
    ngx_ipc_fail "a module with the library needs nginx 1.13.3 or a later version."
fi

NGX_IPC_HOST=
. "$ngx_addon_dir/archive.sh"

ngx_ipc_status_dir=$ngx_ipc_nginx/status
. "$ngx_ipc_status_dir/lists.sh"

ngx_addon_dir=$ngx_ipc_addon_dir

# The first name is that of the file, ngx_ipc_module.so.
ngx_ipc_http_modules="ngx_ipc_module ngx_ipc_messages_module $ngx_ipc_http_modules"
ngx_ipc_http_modules="$ngx_ipc_http_modules $ngx_ipc_status_modules"
# The order makes a process get messages before the modules of HTTP, such as that for Lua,
# are initialized.
ngx_ipc_http_order="ngx_ipc_module ngx_ipc_messages_module ngx_http_module"
ngx_ipc_http_incs="$ngx_ipc_http_incs $ngx_ipc_nginx/status $NGX_IPC_INCLUDE"
ngx_ipc_http_deps="$ngx_ipc_http_deps $ngx_ipc_status_deps"
ngx_ipc_http_deps="$ngx_ipc_http_deps $ngx_ipc_nginx/ngx_ipc_asserts.h"
ngx_ipc_http_deps="$ngx_ipc_http_deps $NGX_IPC_ARCHIVE"
ngx_ipc_http_srcs="$ngx_ipc_http_srcs $ngx_ipc_nginx/ngx_ipc_loaded.c"
ngx_ipc_http_srcs="$ngx_ipc_http_srcs $ngx_ipc_nginx/ngx_ipc_log.c"
ngx_ipc_http_srcs="$ngx_ipc_http_srcs $ngx_ipc_nginx/ngx_ipc_messages.c"
ngx_ipc_http_srcs="$ngx_ipc_http_srcs $ngx_ipc_nginx/ngx_ipc_messages_event.c"
ngx_ipc_http_srcs="$ngx_ipc_http_srcs $ngx_ipc_nginx/ngx_ipc_zone_list.c $ngx_ipc_status_srcs"

# Of the library, the module has what its exported functions need.  The module is never
# unmapped: exit handlers and the functions of other modules lead to its code.
ngx_ipc_http_libs="-Wl,--gc-sections,-z,nodelete"
ngx_ipc_http_libs="$ngx_ipc_http_libs -Wl,--version-script=$ngx_ipc_nginx/loaded.map"
ngx_ipc_http_libs="$ngx_ipc_http_libs -Wl,--whole-archive,$NGX_IPC_ARCHIVE,--no-whole-archive"
ngx_ipc_http_libs="$ngx_ipc_http_libs -static-libgcc -lgcc_eh -lutil -lrt -lpthread -lm -ldl"
