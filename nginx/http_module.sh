# http_module.sh: adds HTTP modules to nginx, for messages/config and status/config.  They have
# set these variables:
#
#   ngx_ipc_http_modules    the names of the modules
#   ngx_ipc_http_incs       the directories of their headers
#   ngx_ipc_http_deps       their headers
#   ngx_ipc_http_srcs       their sources
#   ngx_ipc_http_libs       options for the linker, of a dynamic module
#   ngx_ipc_http_order      the order of a dynamic module among the others

# shellcheck disable=SC2034,SC2154

if [ -f auto/module ]; then
    ngx_module_type=HTTP
    ngx_module_name=$ngx_ipc_http_modules
    ngx_module_incs=$ngx_ipc_http_incs
    ngx_module_deps=$ngx_ipc_http_deps
    ngx_module_srcs=$ngx_ipc_http_srcs
    ngx_module_libs=$ngx_ipc_http_libs
    ngx_module_order=$ngx_ipc_http_order

    . auto/module

    # the modules of others do not set it
    ngx_module_order=

else
    # nginx before 1.9.11 has no auto/module
    HTTP_MODULES="$HTTP_MODULES $ngx_ipc_http_modules"
    HTTP_INCS="$HTTP_INCS $ngx_ipc_http_incs"
    NGX_ADDON_DEPS="$NGX_ADDON_DEPS $ngx_ipc_http_deps"
    NGX_ADDON_SRCS="$NGX_ADDON_SRCS $ngx_ipc_http_srcs"
fi
