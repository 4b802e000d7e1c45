# lists.sh: the modules, sources and headers of the directory ngx_ipc_status_dir, which is in
# ngx_ipc_nginx.

# shellcheck disable=SC2034,SC2154

ngx_ipc_status_modules="ngx_http_ipc_status_module ngx_counters_module"

# Each list is on one line, because nginx's configure copies it into a Makefile.
ngx_ipc_status_srcs="$ngx_ipc_status_dir/ngx_counters_module.c"
ngx_ipc_status_srcs="$ngx_ipc_status_srcs $ngx_ipc_status_dir/ngx_http_ipc_status_module.c"
ngx_ipc_status_srcs="$ngx_ipc_status_srcs $ngx_ipc_status_dir/ngx_ipc_status.c"
ngx_ipc_status_srcs="$ngx_ipc_status_srcs $ngx_ipc_status_dir/ngx_ipc_status_page.c"
ngx_ipc_status_deps="$ngx_ipc_status_dir/ngx_counters_module.h"
ngx_ipc_status_deps="$ngx_ipc_status_deps $ngx_ipc_status_dir/ngx_ipc_status.h"
ngx_ipc_status_deps="$ngx_ipc_status_deps $ngx_ipc_nginx/ngx_ipc_header.h"
